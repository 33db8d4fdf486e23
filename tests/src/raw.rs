//! A TCP connection on which a test breaks the rules of HTTP and WebSocket.

use std::io;
use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::deadline::within;
use crate::token::{TRADE_TOKEN, bearer};

/// The connection. Whatever the server answers is read as bytes.
#[derive(Debug)]
pub struct Raw(TcpStream);

impl Raw {
    /// Connects to a port of 127.0.0.1.
    ///
    /// # Panics
    /// Nobody accepts in time.
    pub async fn connect(port: u16) -> Self {
        let stream = within("a connection", TcpStream::connect((Ipv4Addr::LOCALHOST, port))).await;
        Self(stream.expect("somebody listens"))
    }

    /// The same with so small a receive buffer that the server soon has to wait for the client.
    ///
    /// # Panics
    /// Nobody accepts in time.
    pub async fn connect_slow_reader(port: u16) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        let stream = within("a connection", socket.connect((Ipv4Addr::LOCALHOST, port).into())).await;
        Self(stream.expect("somebody listens"))
    }

    /// Opens a WebSocket by hand, so that every frame after it is the test's own.
    ///
    /// # Panics
    /// The server does not upgrade in time.
    pub async fn upgrade(port: u16) -> Self {
        let mut raw = Self::connect(port).await;
        let request = format!(
            "GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            bearer(TRADE_TOKEN)
        );
        raw.send(request.as_bytes()).await.expect("an open connection");
        let mut head = Vec::new();
        let read = async {
            while !head.ends_with(b"\r\n\r\n") {
                head.push(raw.0.read_u8().await?);
            }
            io::Result::Ok(())
        };
        within("the upgrade", read).await.expect("an answer");
        assert!(head.starts_with(b"HTTP/1.1 101 "), "an upgrade: {}", String::from_utf8_lossy(&head));
        raw
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// The server has closed the connection.
    ///
    /// # Panics
    /// The server does not take them in time.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        within("the bytes to leave", self.0.write_all(bytes)).await
    }

    /// Sends a masked frame with an empty mask, as a client does (RFC 6455, section 5.2).
    ///
    /// # Errors
    /// The server has closed the connection.
    pub async fn send_frame(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        self.send(&frame(opcode, payload)).await
    }

    /// Says that nothing more will be sent.
    ///
    /// # Panics
    /// The connection is closed already.
    pub async fn half_close(&mut self) {
        self.0.shutdown().await.expect("an open connection");
    }

    /// Everything that the server sends until it closes.
    ///
    /// # Panics
    /// It does not close in time.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        let mut answer = Vec::new();
        // A reset ends the connection too.
        drop(within("the server to close", self.0.read_to_end(&mut answer)).await);
        answer
    }

    /// The code of the close frame with which the server ends a WebSocket, after other frames or none.
    ///
    /// # Panics
    /// It ends without one, or not in time.
    pub async fn close_code(&mut self) -> u16 {
        let bytes = self.read_to_end().await;
        let mut rest = &bytes[..];
        while let [head, length, ..] = *rest {
            let (skip, length) = match length {
                126 => (4, usize::from(u16::from_be_bytes([rest[2], rest[3]]))),
                127 => panic!("a test asks for no answer of 64 KiB"),
                length => (2, usize::from(length)),
            };
            if head & 0x0f == 8 {
                return u16::from_be_bytes([rest[skip], rest[skip + 1]]);
            }
            rest = &rest[skip + length..];
        }
        panic!("a close frame was expected: {bytes:?}")
    }

    /// The first bytes of an answer.
    ///
    /// # Panics
    /// None comes in time.
    pub async fn read_some(&mut self) -> String {
        let mut answer = [0; 4096];
        let read = within("an answer", self.0.read(&mut answer)).await.expect("an open connection");
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }
}

/// A final, masked frame.
pub fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        length @ ..=125 => bytes.push(0x80 | length as u8),
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}
