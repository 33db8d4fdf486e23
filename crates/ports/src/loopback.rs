//! Asks a listener of this computer one question over HTTP.
//!
//! Knows no path and no meaning. What answers is a claim and proves nothing.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Longer than a local server takes to answer, shorter than a person waits.
pub(crate) const DEADLINE: Duration = Duration::from_millis(500);

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// In lower case.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends `GET path` to a listener and reads at most `limit` bytes of what it answers. Blocks for at most half a second.
/// A token goes along as `Authorization: Bearer`. A listener on an unspecified address is asked on loopback.
///
/// # Errors
/// Nothing answers in time, or something other than HTTP, or more than `limit` bytes.
pub fn get(listener: SocketAddr, path: &str, token: Option<&str>, limit: usize) -> io::Result<Answer> {
    ask(&Question { method: "GET", path, token, body: None, patience: DEADLINE }, listener, limit)
}

/// The same with `POST` and no body.
///
/// # Errors
/// As [`get`]. Whether the listener has done what it was asked is not known then.
pub fn post(listener: SocketAddr, path: &str, token: Option<&str>, limit: usize) -> io::Result<Answer> {
    ask(&Question { method: "POST", path, token, body: None, patience: DEADLINE }, listener, limit)
}

/// What a listener is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// For example `PATCH`.
    pub method: &'a str,
    /// With its query.
    pub path: &'a str,
    /// For `Authorization: Bearer`.
    pub token: Option<&'a str>,
    /// JSON.
    pub body: Option<&'a str>,
    /// How long it may take.
    pub patience: Duration,
}

/// Asks a listener, and reads at most `limit` bytes of what it answers. Blocks.
///
/// # Errors
/// As [`get`]. Whether the listener has done what it was asked is not known then.
pub fn ask(question: &Question<'_>, listener: SocketAddr, limit: usize) -> io::Result<Answer> {
    let Question { method, path, token, body, patience } = *question;
    let end = Instant::now() + patience;
    let address = reachable(listener);
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    // A port of the ephemeral range without a listener can be connected to itself.
    if stream.local_addr()? == address {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    stream.set_write_timeout(Some(DEADLINE))?;
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    // HTTP/1.0: the server closes after the answer, and sends no chunks.
    let length = match body {
        Some(body) => format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()),
        None if method == "POST" => "Content-Length: 0\r\n".to_owned(),
        None => String::new(),
    };
    let body = body.unwrap_or_default();
    let request = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\n{bearer}{length}\r\n{body}");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        stream.set_read_timeout(Some(left.ok_or(ErrorKind::TimedOut)?))?;
        match stream.read(&mut part) {
            Ok(0) => return parse(&answer).ok_or_else(|| ErrorKind::InvalidData.into()),
            Ok(count) => answer.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if answer.len() > limit {
            return Err(ErrorKind::FileTooLarge.into());
        }
    }
}

/// Where a client of this computer reaches a listener.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip().to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

/// `None` when the text is no answer of HTTP (RFC 9112, section 4, "Status Line").
pub(crate) fn parse(text: &[u8]) -> Option<Answer> {
    let end = text.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = str::from_utf8(&text[..end]).ok()?.to_ascii_lowercase();
    let mut lines = head.lines();
    let (version, rest) = lines.next()?.split_once(' ')?;
    let status = rest.split(' ').next()?.parse().ok()?;
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let content_type = headers.find(|(name, _)| *name == "content-type").map(|(_, value)| value.trim().to_owned());
    version.starts_with("http/1.").then(|| Answer { status, content_type, body: text[end + 4..].to_vec() })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::fixture::fresh_port;

    /// A server that answers one request with `text`. Returns its address and what it was asked.
    fn server(text: &'static str) -> (SocketAddr, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let count = stream.read(&mut request).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        (address, served)
    }

    #[test]
    fn an_answer_is_read_to_its_end() {
        let (address, served) = server("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\none\r\n\r\ntwo");
        let answer = get(address, "/health", Some("cwts_read_1"), 1024).unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"one\r\n\r\ntwo"[..]), "a body may hold empty lines");
        assert_eq!(answer.content_type.as_deref(), Some("text/plain"), "names of headers have no case");
        let asked = served.join().unwrap();
        assert!(asked.starts_with("GET /health HTTP/1.0\r\n"), "{asked}");
        assert!(asked.contains(&format!("Host: {address}\r\n")), "a guard looks at the Host: {asked}");
        assert!(asked.contains("Authorization: Bearer cwts_read_1\r\n"), "the token goes along: {asked}");
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let (address, _served) = server("SSH-2.0-OpenSSH_9.2\r\n\r\n");
        let failed = get(address, "/", None, 1024).map_err(|error| error.kind());
        assert_eq!(failed, Err(ErrorKind::InvalidData), "another protocol is no answer");
        let (address, _served) = server("HTTP/1.1 200 OK\r\n\r\nfar too long");
        let failed = get(address, "/", None, 8).map_err(|error| error.kind());
        assert_eq!(failed, Err(ErrorKind::FileTooLarge), "a stranger must not fill the memory");
        let closed = SocketAddr::from(([127, 0, 0, 1], fresh_port()));
        assert!(get(closed, "/", None, 1024).is_err(), "nobody listens");
    }

    #[test]
    fn a_silent_listener_does_not_hold_up_the_asker() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let failed = get(listener.local_addr().unwrap(), "/", None, 1024).map_err(|error| error.kind());
        let timed_out = [ErrorKind::TimedOut, ErrorKind::WouldBlock].map(Err);
        assert!(timed_out.contains(&failed), "a stopped process still accepts: {failed:?}");
    }
}
