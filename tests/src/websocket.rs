//! A WebSocket on which a test sends what it likes, valid or not.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::deadline::within;
use crate::token::authorized;

/// An open WebSocket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// The first message of a client that speaks 2025-06-18.
pub fn initialize_request(id: u64) -> Value {
    let client = json!({ "name": "cwts-tests", "version": "1" });
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": id, "method": "initialize", "params": params })
}

/// A request of a client that speaks 2026-07-28, which knows no session.
pub fn modern(id: impl Into<Value>, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "cwts-tests", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

impl Socket {
    /// Opens a WebSocket with the trade token and without a subprotocol.
    ///
    /// # Panics
    /// The server does not answer with 101 in time.
    pub async fn open(url: &str) -> Self {
        let (socket, _) = Self::open_with(url, &[]).await.unwrap_or_else(|error| panic!("{url}: {error}"));
        socket
    }

    /// Asks for a WebSocket with the trade token and more headers. Returns the answer with it.
    ///
    /// # Errors
    /// The server refuses; an answer other than 101 is [`Error::Http`].
    ///
    /// # Panics
    /// The server does not answer in time.
    pub async fn open_with(
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Self, Response<Option<Vec<u8>>>), Box<Error>> {
        Self::request(authorized(url), url, headers).await
    }

    /// Asks for a WebSocket with exactly these headers.
    ///
    /// # Errors
    /// As [`Socket::open_with`].
    ///
    /// # Panics
    /// The server does not answer in time.
    pub async fn open_exactly(
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Self, Response<Option<Vec<u8>>>), Box<Error>> {
        Self::request(url.into_client_request()?, url, headers).await
    }

    async fn request(
        mut request: Request,
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Self, Response<Option<Vec<u8>>>), Box<Error>> {
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a header value");
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let (stream, response) = within(&format!("a WebSocket at {url}"), connect_async(request)).await?;
        Ok((Self { stream }, response))
    }

    /// Sends one frame.
    ///
    /// # Panics
    /// The socket is closed.
    pub async fn send(&mut self, message: Message) {
        within("the frame to leave", self.stream.send(message)).await.expect("the socket is open");
    }

    /// Sends text as it is.
    ///
    /// # Panics
    /// The socket is closed.
    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.send(Message::text(text.into())).await;
    }

    /// The next JSON message; pings and pongs are passed over.
    ///
    /// # Panics
    /// The socket closes, or nothing comes in time.
    pub async fn next(&mut self) -> Value {
        match within("a message on the WebSocket", self.frame()).await {
            Some(Ok(Message::Text(text))) => {
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in a message: {text}"))
            }
            other => panic!("a text frame was expected, not {other:?}"),
        }
    }

    /// The next JSON message; `None` once the connection has ended, however it did.
    pub async fn next_unless_ended(&mut self) -> Option<Value> {
        loop {
            match self.frame().await? {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).ok(),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Sends text if the connection has not ended.
    pub async fn send_unless_ended(&mut self, text: String) -> bool {
        self.stream.send(Message::text(text)).await.is_ok()
    }

    /// The close code that the server sends.
    ///
    /// # Panics
    /// It closes without a close frame or without a code, or not in time.
    pub async fn close_code(&mut self) -> u16 {
        match within("a close frame", self.frame()).await {
            Some(Ok(Message::Close(Some(frame)))) => frame.code.into(),
            other => panic!("a close frame with a code was expected, not {other:?}"),
        }
    }

    /// Says goodbye and waits for the server's answer.
    ///
    /// # Panics
    /// It does not answer in time.
    pub async fn close(&mut self) {
        within("the goodbye to leave", self.stream.close(None)).await.expect("an open WebSocket");
        while let Some(frame) = within("the server's goodbye", self.frame()).await {
            assert!(matches!(frame, Ok(Message::Close(_))), "nothing else follows: {frame:?}");
        }
    }

    /// Whether the server has ended the TCP connection in an orderly way, after the close handshake.
    ///
    /// # Panics
    /// It sends more, or does not end in time.
    pub async fn ended(&mut self) -> bool {
        match within("the end of the connection", self.frame()).await {
            None | Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => true,
            Some(Err(_)) => false,
            Some(Ok(message)) => panic!("nothing follows a close frame, but {message:?} did"),
        }
    }

    /// The client's end of the connection.
    ///
    /// # Panics
    /// The socket is not connected.
    pub fn local_address(&self) -> SocketAddr {
        match self.stream.get_ref() {
            MaybeTlsStream::Plain(stream) => stream.local_addr().expect("a connected socket"),
            _ => panic!("a test speaks plain text on loopback"),
        }
    }

    /// The next frame of any kind.
    ///
    /// # Panics
    /// The connection ends, or nothing comes in time.
    pub async fn any_frame(&mut self) -> Message {
        let frame = within("a frame on the WebSocket", self.stream.next()).await;
        frame.expect("the connection is open").expect("the connection is sound")
    }

    async fn frame(&mut self) -> Option<Result<Message, Error>> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return other,
            }
        }
    }
}
