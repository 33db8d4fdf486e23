//! What holds of the guards and of the entry of messages for any input. Fuzz targets and ordinary tests call the same
//! functions.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Uri, Version, header};
use cwts_domain::Service;
use rmcp::model::ClientJsonRpcMessage;
use serde_json::Value;

use crate::guard::lets_in;
use crate::mcp::message::{self, INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR};
use crate::token::take_token;

/// Judges the head of a request: a target, and lines of a header. Whoever is let in has called this computer by a name of
/// its own, and whoever is behind the guard sees no token.
///
/// # Panics
/// The guard is broken; the message says how.
pub fn handshake(input: &[u8]) {
    let Some(mut request) = request(input) else { return };
    if lets_in(request.version(), request.uri(), request.headers()) {
        let named = request.headers().get(header::HOST).map(HeaderValue::as_bytes);
        let target = request.uri().authority().map(|authority| authority.as_str().as_bytes());
        assert!(target.or(named).is_none_or(is_ours), "a rebound name was let in: {request:?}");
        assert!(named.is_some() || request.version() == Version::HTTP_10, "HTTP/1.1 has a Host: {request:?}");
        for origin in request.headers().get_all(header::ORIGIN) {
            let page =
                origin.as_bytes().windows(3).position(|bytes| bytes == b"://").map(|at| &origin.as_bytes()[at + 3..]);
            assert!(page.is_some_and(is_ours), "a page of somebody else was let in: {request:?}");
        }
    }
    let path = request.uri().path().to_owned();
    let given = format!("{request:?}");
    let token = take_token(Service::McpWebsocket, &mut request);
    assert!(request.headers().get(header::AUTHORIZATION).is_none(), "handlers never see the token: {given}");
    let left = request.uri().query().unwrap_or_default().split('&').any(|pair| pair.starts_with("token="));
    assert!(!left, "nor in the query: {given} became {}", request.uri());
    assert_eq!(request.uri().path(), path, "the path is not the token's: {given}");
    let again = take_token(Service::McpWebsocket, &mut request);
    assert!(matches!(again, Ok(None)), "it is taken once: {given} held {token:?}");
}

/// A first line with the target, where a trailing space means HTTP/1.0, and then lines of a header.
fn request(input: &[u8]) -> Option<Request> {
    let mut lines = input.split(|byte| *byte == b'\n');
    let target = lines.next()?;
    let (target, version) = match target.strip_suffix(b" ") {
        Some(target) => (target, Version::HTTP_10),
        None => (target, Version::HTTP_11),
    };
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::try_from(target).ok()?;
    *request.version_mut() = version;
    for line in lines.take(16) {
        let at = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (HeaderName::from_bytes(&line[..at]).ok()?, line[at + 1..].trim_ascii());
        request.headers_mut().append(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(request)
}

/// Whether an authority is a name of loopback, read in another way than the guard does.
fn is_ours(authority: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(authority) else { return false };
    let host = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !host.ends_with(':') => host,
        _ => text,
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
}

/// Reads a message of a client: it is refused with an answer that fits it, or read so that it can be written and read
/// again.
///
/// # Panics
/// The entry is broken; the message says how.
pub fn message(input: &[u8]) {
    let sent: Option<Value> = serde_json::from_slice(input).ok();
    match message::read(input) {
        Err(fault) => {
            let answer = fault.to_json();
            let codes = if sent.is_some() { [INVALID_REQUEST, INVALID_PARAMS] } else { [PARSE_ERROR; 2] };
            assert!(codes.contains(&fault.code), "{answer} answers {}", String::from_utf8_lossy(input));
            let id = sent.as_ref().and_then(|sent| sent.get("id")).filter(|id| id.is_string() || id.is_i64());
            assert_eq!(answer["id"], id.cloned().unwrap_or_default(), "the client finds its request by the id");
        }
        Ok(read) => {
            let sent = sent.expect("what is no JSON is no message");
            let written = written(&read);
            for field in ["id", "method"] {
                assert_eq!(written.get(field), sent.get(field), "{field} of {sent} became {written}");
            }
            let again = message::read(written.to_string().as_bytes());
            let again = again.unwrap_or_else(|fault| panic!("{} answers {written}, of {sent}", fault.to_json()));
            let again = self::written(&again);
            assert!(
                are_alike(&again, &written),
                "a message that is written is read the same: {written} became {again}"
            );
        }
    }
}

/// Equal, but for the last digits of numbers with a fraction: serde_json reads them to about one part in 2^52.
fn are_alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap_or_default(), b.as_f64().unwrap_or_default());
            (a - b).abs() <= a.abs() * 1e-14
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| are_alike(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| are_alike(a, b)))
        }
        _ => a == b,
    }
}

fn written(message: &ClientJsonRpcMessage) -> Value {
    serde_json::to_value(message).unwrap_or_else(|error| panic!("a message can be written: {error}"))
}
