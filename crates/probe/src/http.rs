//! Requests over one connection, and their answers.

use std::error::Error as _;
use std::io;

use futures_util::FutureExt as _;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::AbortOnDropHandle;

use crate::{Fault, Secret, Target};

/// Longer answers are none of this server.
const LONGEST_ANSWER: usize = 4 << 20;

/// What HTTP runs over: a connection in plain text or an encrypted one.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection.
pub(crate) struct Link {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortOnDropHandle<Result<(), hyper::Error>>,
    has_asked: bool,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The connection, where the answer has made something else of it.
    pub(crate) upgraded: Option<Upgraded>,
}

impl Link {
    pub(crate) async fn open(stream: Box<dyn Stream>) -> Result<Self, (Fault, String)> {
        let opened = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = opened.map_err(|error| failed(&error))?;
        let driver = AbortOnDropHandle::new(tokio::spawn(connection.with_upgrades()));
        Ok(Self { sender, driver, has_asked: false })
    }

    /// Whether another request can be sent.
    pub(crate) async fn is_open(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, (Fault, String)> {
        // The end of an answer reaches its reader a moment before the connection takes the next request. The first one goes
        // at once: whoever refuses a connection may have answered it already.
        if std::mem::replace(&mut self.has_asked, true) {
            self.sender.ready().await.map_err(|error| failed(&error))?;
        }
        let answer = match self.sender.send_request(request).await {
            Ok(answer) => answer,
            // Whoever speaks first, or nonsense, ends the connection before the request; its own error says more.
            Err(error) if error.is_canceled() => match (&mut self.driver).now_or_never() {
                Some(Ok(Err(earlier))) => return Err(failed(&earlier)),
                _ => return Err(failed(&error)),
            },
            Err(error) => return Err(failed(&error)),
        };
        let status = answer.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            let headers = answer.headers().clone();
            let upgraded = hyper::upgrade::on(answer).await.map_err(|error| failed(&error))?;
            return Ok(Answer { status, headers, body: Vec::new(), upgraded: Some(upgraded) });
        }
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LONGEST_ANSWER).collect().await;
        let body = body.map_err(|error| (Fault::Closed, format!("the answer broke off: {error}")))?;
        Ok(Answer { status, headers: head.headers, body: body.to_bytes().to_vec(), upgraded: None })
    }
}

impl Answer {
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A request as the client of the target sends it.
pub(crate) fn request(
    target: &Target,
    method: Method,
    path: &str,
    token: Option<&Secret>,
    extra: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, (Fault, String)> {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, target.authority());
    request = request.header(header::USER_AGENT, concat!("cwts-ultra-test/", env!("CARGO_PKG_VERSION")));
    if let Some(origin) = &target.origin {
        request = request.header(header::ORIGIN, origin);
    }
    if let Some(Secret(token)) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    for (name, value) in extra {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body)));
    request.map_err(|error| (Fault::Misunderstood, format!("no request can be made of that: {error}")))
}

fn failed(error: &hyper::Error) -> (Fault, String) {
    let of_system = error.source().is_some_and(|source| source.is::<io::Error>());
    let closed = error.is_incomplete_message() || error.is_closed() || error.is_canceled() || of_system;
    let reason = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    (if closed { Fault::Closed } else { Fault::NotHttp }, format!("{error}{reason}"))
}
