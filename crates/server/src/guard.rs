//! Who is let in: checks the peer, the Host and the Origin of every request on all four ports.
//!
//! Loopback is not a boundary: any web page can make a browser send requests to it. A page cannot forge Host or Origin,
//! so a foreign Origin (cross-site request, MCP 2025-11-25 "Security warning") and a foreign Host (DNS rebinding) are
//! refused with 403. Other computers are refused until a token and TLS can be asked of them.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cwts_runtime::Connection;

use crate::metered::Scope;
use crate::problem::ProblemDetails;

/// Why a request is refused; also the label of the metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Remote,
    Host,
    Origin,
}

impl Refusal {
    fn reason(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Host => "host",
            Self::Origin => "origin",
        }
    }

    fn details(self, headers: &HeaderMap) -> ProblemDetails {
        let shown = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("none");
        let (code, detail) = match self {
            Self::Remote => (
                "remote_refused",
                "Only this computer may connect: neither a token nor TLS protects this port. Connect through an SSH \
                 tunnel (ssh -L), or from this computer."
                    .to_owned(),
            ),
            Self::Host => (
                "host_refused",
                format!(
                    "Host {} is not accepted. Use localhost, a loopback address, or the address that the service is \
                     bound to.",
                    shown(header::HOST)
                ),
            ),
            Self::Origin => (
                "origin_refused",
                format!(
                    "Pages of {} may not use this service. Only pages of this computer may, and programs, which \
                     send no Origin.",
                    shown(header::ORIGIN)
                ),
            ),
        };
        ProblemDetails::new(StatusCode::FORBIDDEN, code, detail)
    }
}

pub(crate) async fn check(State(scope): State<Scope>, request: Request, next: Next) -> Response {
    let refusal = match request.extensions().get::<Connection>() {
        Some(connection) => judge(request.headers(), request.uri(), connection.peer().ip(), connection.local().ip()),
        // A request that came through no listener has no peer to judge.
        None => Some(Refusal::Remote),
    };
    let Some(refusal) = refusal else { return next.run(request).await };
    let labels = [scope.service.id(), refusal.reason()];
    scope.instance.metrics().refused.with_label_values(&labels).inc();
    tracing::debug!(service = scope.service.id(), reason = refusal.reason(), "request refused");
    refusal.details(request.headers()).into_response()
}

/// The first rule that the request breaks.
fn judge(headers: &HeaderMap, uri: &Uri, peer: IpAddr, local: IpAddr) -> Option<Refusal> {
    let (peer, local) = (peer.to_canonical(), local.to_canonical());
    if !peer.is_loopback() && peer != local {
        return Some(Refusal::Remote);
    }
    let host_header = headers.get(header::HOST).map(|value| value.to_str().unwrap_or(""));
    // RFC 9112 section 3.2: exactly one Host; an absolute-form target stands above it.
    let several = headers.get_all(header::HOST).iter().count() > 1;
    let host = uri.authority().map(|authority| authority.as_str()).or(host_header);
    if several || !host.and_then(host_name).is_some_and(|name| is_ours(name, local)) {
        return Some(Refusal::Host);
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let trusted = origins.all(|origin| {
        let name = origin.to_str().ok().and_then(|text| text.split_once("://")).and_then(|(_, rest)| host_name(rest));
        name.is_some_and(|name| is_ours(name, local))
    });
    (!trusted).then_some(Refusal::Origin)
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`; `None` when it is none of these.
fn host_name(authority: &str) -> Option<&str> {
    let (name, rest) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = rest.strip_prefix(':').unwrap_or(rest);
    let is_port = rest.is_empty() || port.parse::<u16>().is_ok() && rest.starts_with(':');
    (is_port && !name.is_empty()).then_some(name)
}

/// A loopback name, or the literal address that the client connected to. No other name: names can be rebound.
fn is_ours(name: &str, local: IpAddr) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    name.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback() || ip.to_canonical() == local)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: &str = "127.0.0.1";
    const LAN: &str = "192.168.1.20";

    fn judged(peer: &str, local: &str, pairs: &[(header::HeaderName, &str)]) -> Option<Refusal> {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a header value")));
        let headers: HeaderMap = headers.collect();
        let ip = |text: &str| text.parse().expect("an address");
        judge(&headers, &Uri::from_static("/mcp"), ip(peer), ip(local))
    }

    #[test]
    fn programs_on_this_computer_pass() {
        for host in ["localhost:3000", "LOCALHOST", "127.0.0.1:3000", "127.8.9.1", "[::1]:3000", "localhost.:3000"] {
            let verdict = judged(LOOPBACK, LOOPBACK, &[(header::HOST, host)]);
            assert_eq!(verdict, None, "{host} is a name of this computer");
        }
        let verdict = judged(LAN, LAN, &[(header::HOST, "192.168.1.20:3000")]);
        assert_eq!(verdict, None, "this computer may also use its own LAN address");
        let verdict = judged("::ffff:127.0.0.1", "::ffff:127.0.0.1", &[(header::HOST, "localhost")]);
        assert_eq!(verdict, None, "a dual-stack socket shows IPv4 peers as mapped addresses");
    }

    #[test]
    fn a_rebound_name_is_refused() {
        for host in
            ["evil.example:3000", "localhost.evil.example", "192.168.1.9", "", "[::1", "localhost:99999", "a:b:c"]
        {
            let verdict = judged(LOOPBACK, LOOPBACK, &[(header::HOST, host)]);
            assert_eq!(
                verdict,
                Some(Refusal::Host),
                "{host:?} may have been made to resolve to loopback by an attacker"
            );
        }
        assert_eq!(judged(LOOPBACK, LOOPBACK, &[]), Some(Refusal::Host), "HTTP/1.1 clients send a Host");
        let two = [(header::HOST, "localhost"), (header::HOST, "evil.example")];
        assert_eq!(judged(LOOPBACK, LOOPBACK, &two), Some(Refusal::Host), "two hosts are a smuggling attempt");
    }

    #[test]
    fn a_foreign_page_is_refused() {
        let host = (header::HOST, "localhost:3000");
        for origin in ["https://evil.example", "null", "http://localhost.evil.example", "localhost", "https://"] {
            let verdict = judged(LOOPBACK, LOOPBACK, &[host.clone(), (header::ORIGIN, origin)]);
            assert_eq!(verdict, Some(Refusal::Origin), "{origin:?} is a page of somebody else");
        }
        let verdict = judged(LOOPBACK, LOOPBACK, &[host, (header::ORIGIN, "http://localhost:5173")]);
        assert_eq!(verdict, None, "a page of this computer passes");
    }

    #[test]
    fn other_computers_are_refused() {
        let verdict = judged("192.168.1.9", LAN, &[(header::HOST, "192.168.1.20:3000")]);
        assert_eq!(verdict, Some(Refusal::Remote), "nothing protects the port from the network yet");
    }
}
