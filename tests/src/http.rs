//! One HTTP request on a raw socket, so that a test decides every header.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::deadline::within;
use crate::token::{TRADE_TOKEN, bearer};

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The bytes after the head, as text.
    pub body: String,
}

impl Reply {
    /// The first header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in the body of {self:?}"))
    }

    /// Checks that this is a problem of that status (RFC 9457) and returns its `code`.
    ///
    /// # Panics
    /// It is not.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "the status: {self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "a client asks for it: {self:?}");
        let body = self.json();
        assert_eq!(body["status"], status, "RFC 9457 section 3.1.2: both say the same: {body}");
        for field in ["title", "detail"] {
            assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "a person reads {field}: {body}");
        }
        body["code"].as_str().unwrap_or_else(|| panic!("programs branch on the code: {body}")).to_owned()
    }
}

/// Gets a path from a port of 127.0.0.1, as a client does: with the trade token where one is needed.
///
/// # Panics
/// Nobody answers in time.
pub async fn get(port: u16, path: &str) -> Reply {
    get_as((Ipv4Addr::LOCALHOST, port).into(), &format!("127.0.0.1:{port}"), path)
        .await
        .unwrap_or_else(|error| panic!("GET {path} on {port}: {error}"))
}

async fn get_as(address: SocketAddr, host: &str, path: &str) -> std::io::Result<Reply> {
    let bearer = bearer(TRADE_TOKEN);
    let open = path.starts_with("/metrics") || path.starts_with("/health");
    let headers = [("Host", host), ("Authorization", &*bearer)];
    send_to(address, "GET", path, if open { &headers[..1] } else { &headers }, "").await
}

/// Sends a request with these headers and the trade token to a port of 127.0.0.1.
///
/// # Panics
/// As [`send_exactly`].
pub async fn send(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let bearer = bearer(TRADE_TOKEN);
    let headers: Vec<_> = headers.iter().copied().chain([("Authorization", &*bearer)]).collect();
    send_exactly(port, method, path, &headers, body).await
}

/// Sends a request with exactly these headers, and `Connection: close`, to a port of 127.0.0.1.
///
/// # Panics
/// Nobody answers in time, or the answer is no HTTP.
pub async fn send_exactly(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let reply = send_to((Ipv4Addr::LOCALHOST, port).into(), method, path, headers, body).await;
    reply.unwrap_or_else(|error| panic!("{method} {path} on {port}: {error}"))
}

/// Gets a path from an address of this computer, as `localhost`.
///
/// # Errors
/// The address does not answer.
pub async fn get_at(address: SocketAddr, path: &str) -> std::io::Result<Reply> {
    get_as(address, &format!("localhost:{}", address.port()), path).await
}

async fn send_to(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<Reply> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body);
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = within(&format!("the answer to {method} {path} on {address}"), exchange).await?;
    let text = String::from_utf8_lossy(&answer);
    parse(&text).ok_or_else(|| std::io::Error::other(format!("no HTTP: {text:?}")))
}

fn parse(text: &str) -> Option<Reply> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    Some(Reply { status, headers: lines.filter_map(header).collect(), body: body.to_owned() })
}
