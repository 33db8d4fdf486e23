//! The answer to a connection for which there is no room: it is short, and it takes no place itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::limits::Full;

/// Refused clients that may be reading their answer at a time; more are cut without one.
const ANSWERED: usize = 64;
/// How long a refused client has to take its answer.
const TAKEN: Duration = Duration::from_secs(2);
/// When to try again.
const RETRY_SECONDS: u8 = 5;

/// Answers the refused clients of one listener.
#[derive(Debug)]
pub(crate) struct Refusals(Arc<Semaphore>);

impl Default for Refusals {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ANSWERED)))
    }
}

impl Refusals {
    /// Tells a client why it is not served, in HTTP, and closes. Never waits.
    pub(crate) fn answer(&self, mut stream: TcpStream, peer: SocketAddr, full: Full) {
        tracing::debug!(%peer, ?full, "no room for a connection");
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else { return };
        // The send buffer of a new connection is empty, so the answer fits.
        if stream.try_write(message(full).as_bytes()).is_err() {
            return;
        }
        tokio::spawn(async move {
            let _permit = permit;
            if SockRef::from(&stream).shutdown(std::net::Shutdown::Write).is_err() {
                return;
            }
            // Closing a socket with unread bytes would reset it, and take the answer back.
            let mut unread = [0; 1024];
            let drained = async { while stream.read(&mut unread).await.is_ok_and(|read| read > 0) {} };
            drop(tokio::time::timeout(TAKEN, drained).await);
        });
    }
}

/// Problem details (RFC 9457) with `Retry-After`: 429 for a source that has too many, 503 where all places are taken.
fn message(full: Full) -> String {
    let (status, title, detail) = match full {
        Full::Source => (
            429,
            "Too Many Requests",
            "Too many connections of this client are open. Close some, or share one among requests.",
        ),
        Full::Listener => (503, "Service Unavailable", "All connections of this service are in use. Try again later."),
    };
    let body = format!(r#"{{"code":"too_many_connections","title":"{title}","status":{status},"detail":"{detail}"}}"#);
    format!(
        "HTTP/1.1 {status} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n\
         Retry-After: {RETRY_SECONDS}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
