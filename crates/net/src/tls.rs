//! TLS and plain text on one port: the first byte of a client tells which of them it speaks.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// What a listener offers to clients that speak TLS; `None` while it speaks plain text only. A new value counts for the
/// connections that come after it; those that are open go on.
pub type TlsSwitch = watch::Receiver<Option<Arc<ServerConfig>>>;

/// The content type of a TLS handshake record (RFC 8446 section 5.1). No HTTP request begins with it.
const HANDSHAKE: u8 = 22;

/// A connection whose client may send its request.
pub(crate) enum Opened {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// Makes the handshake, if the client begins one. Whether plain text is good enough is up to whoever answers.
///
/// # Errors
/// The handshake fails, or is not over within `limit`.
pub(crate) async fn open(stream: TcpStream, config: Option<Arc<ServerConfig>>, limit: Duration) -> io::Result<Opened> {
    let Some(config) = config else { return Ok(Opened::Plain(stream)) };
    let handshake = async {
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first == [HANDSHAKE] {
            let encrypted = TlsAcceptor::from(config).accept(stream).await?;
            return Ok(Opened::Encrypted(Box::new(encrypted)));
        }
        Ok(Opened::Plain(stream))
    };
    tokio::time::timeout(limit, handshake).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
