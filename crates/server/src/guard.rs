//! Who is let in: checks the rate, the peer, the Host and the Origin of every request on all four ports.
//!
//! Loopback is not a boundary: any web page can make a browser send requests to it. A page cannot forge Host or Origin,
//! so a foreign Origin (cross-site request, MCP 2025-11-25 "Security warning") and a foreign Host (DNS rebinding) are
//! refused with 403. Other computers are refused unless TLS and a token protect the port ([`Exposure`]); which token is
//! asked for after this, in `token`.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cwts_runtime::{Connection, Exposure, HostNames, RefusalReason, RemoteRefusal};

use crate::metered::Scope;
use crate::problem::{ProblemDetails, retry_after};

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The source has used up its requests; there is the next one after this time.
    Rate(Duration),
    Remote(RemoteRefusal),
    /// Not exactly one Host, or one that is none (RFC 9112 section 3.2).
    BadHost,
    Host,
    Origin,
}

impl Refusal {
    fn reason(self) -> RefusalReason {
        match self {
            Self::Rate(_) => RefusalReason::Rate,
            Self::Remote(_) => RefusalReason::Remote,
            Self::BadHost => RefusalReason::BadHost,
            Self::Host => RefusalReason::Host,
            Self::Origin => RefusalReason::Origin,
        }
    }

    fn response(self, headers: &HeaderMap) -> Response {
        let shown = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("none");
        let (status, code, detail) = match self {
            Self::Rate(wait) => return too_many_requests(wait),
            Self::Remote(refusal) => (StatusCode::FORBIDDEN, "remote_refused", remedies(refusal)),
            Self::BadHost => (
                StatusCode::BAD_REQUEST,
                "bad_host",
                "A request needs exactly one Host header, such as localhost:3001 (RFC 9112 section 3.2).".to_owned(),
            ),
            Self::Host => (
                StatusCode::FORBIDDEN,
                "host_refused",
                format!(
                    "Host {} is not accepted. Use localhost, a loopback address, or the address that the service is \
                     bound to; security.allowed_hosts allows further names.",
                    shown(header::HOST)
                ),
            ),
            Self::Origin => (
                StatusCode::FORBIDDEN,
                "origin_refused",
                format!(
                    "Pages of {} may not use this service. Only pages of this computer and of \
                     security.allowed_hosts may, and programs, which send no Origin.",
                    shown(header::ORIGIN)
                ),
            ),
        };
        ProblemDetails::new(status, code, detail).into_response()
    }
}

/// RFC 6585 section 4.
fn too_many_requests(wait: Duration) -> Response {
    let detail = "Too many requests of this client. Send fewer in a second.";
    retry_after(ProblemDetails::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail), wait)
}

/// What has to happen before another computer is served.
fn remedies(refusal: RemoteRefusal) -> String {
    let tunnel = "or connect through an SSH tunnel (ssh -L)";
    match refusal {
        RemoteRefusal::PlainText => "Other computers are served over TLS only: use https:// or wss://.".to_owned(),
        RemoteRefusal::Unprotected { tls: true, token: true } => format!("Only this computer may connect; {tunnel}."),
        RemoteRefusal::Unprotected { tls, token } => {
            let tls = (!tls).then_some(
                "TLS is off: on the server run `cwts-ultra tls make` and `cwts-ultra config set security.tls on --layer \
                 toml`",
            );
            let token = (!token).then_some(
                "no token is asked for: on the server run `cwts-ultra config set security.auth token --layer toml`",
            );
            let missing: Vec<&str> = [tls, token].into_iter().flatten().collect();
            format!("Other computers are refused: {}; {tunnel}.", missing.join("; "))
        }
    }
}

pub(crate) async fn check(State(scope): State<Scope>, request: Request, next: Next) -> Response {
    let Some(refusal) = refusal(&scope, &request) else { return next.run(request).await };
    count(&scope, request.extensions().get(), refusal.reason());
    refusal.response(request.headers())
}

/// Counts a refusal, for metrics and for people.
pub(crate) fn count(scope: &Scope, connection: Option<&Connection>, reason: RefusalReason) {
    if let Some(connection) = connection {
        scope.instance.note_refused(connection.peer().ip(), reason);
    }
    scope.instance.metrics().refused.with_label_values(&[scope.service.id(), reason.id()]).inc();
    tracing::debug!(service = scope.service.id(), reason = reason.id(), "request refused");
}

/// The first rule that the request breaks. The rate comes first: what is refused costs time too.
fn refusal(scope: &Scope, request: &Request) -> Option<Refusal> {
    // A request that came through no listener has no peer to judge.
    let Some(connection) = request.extensions().get::<Connection>() else {
        return Exposure::Local.refuses(false, false).map(Refusal::Remote);
    };
    if let Err(wait) = scope.requests.take(connection.source(), Instant::now()) {
        return Some(Refusal::Rate(wait));
    }
    let policy = scope.instance.policy();
    let exposure = policy.exposure(scope.service.group());
    if let Some(refusal) = exposure.refuses(is_here(connection), connection.is_encrypted()) {
        return Some(Refusal::Remote(refusal));
    }
    let names: &[String] = if connection.is_encrypted() { &policy.names } else { &[] };
    let ours = Ours { local: connection.local().ip().to_canonical(), allowed: &policy.allowed, names };
    foreign_name(request.version(), request.uri(), request.headers(), &ours)
}

/// Whether the peer is on this computer: on loopback, or on the very address that it connects to.
pub(crate) fn is_here(connection: &Connection) -> bool {
    same_computer(connection.peer().ip(), connection.local().ip())
}

fn same_computer(peer: IpAddr, local: IpAddr) -> bool {
    let (peer, local) = (peer.to_canonical(), local.to_canonical());
    peer.is_loopback() || peer == local
}

/// Whether Host or Origin name somebody else.
fn foreign_name(version: Version, uri: &Uri, headers: &HeaderMap, ours: &Ours<'_>) -> Option<Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter().map(|value| value.to_str().ok().and_then(host_name));
    let host = match (hosts.next(), hosts.next()) {
        // No page can send a request of HTTP/1.0, which knows no Host.
        (None, None) if version == Version::HTTP_10 => None,
        (Some(Some(host)), None) => Some(host),
        _ => return Some(Refusal::BadHost),
    };
    // An absolute-form target stands above the header (RFC 9112 section 3.2.2).
    let is_foreign = match (uri.authority(), host) {
        (Some(authority), _) => !host_name(authority.as_str()).is_some_and(|name| ours.has(name)),
        (None, host) => host.is_some_and(|name| !ours.has(name)),
    };
    if is_foreign { Some(Refusal::Host) } else { foreign_origin(headers, ours) }
}

fn foreign_origin(headers: &HeaderMap, ours: &Ours<'_>) -> Option<Refusal> {
    let trusted = headers.get_all(header::ORIGIN).iter().all(|origin| {
        let name = origin.to_str().ok().and_then(|text| text.split_once("://")).and_then(|(_, rest)| host_name(rest));
        name.is_some_and(|name| ours.has(name))
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

/// What a client may call this computer.
struct Ours<'a> {
    /// The address that it connected to.
    local: IpAddr,
    /// What a person allows: those names are known not to be made to resolve to this computer by strangers.
    allowed: &'a HostNames,
    /// The names of the certificate, for a client that has checked it: a page of a rebound name could not have. In plain
    /// text no other name counts, since any name can be rebound.
    names: &'a [String],
}

impl Ours<'_> {
    /// A loopback name, the literal address that the client connected to, a name that is allowed or one of the certificate.
    fn has(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        let mut known = self.allowed.iter().chain(self.names.iter().map(String::as_str)).chain(["localhost"]);
        if known.any(|each| each.eq_ignore_ascii_case(name)) {
            return true;
        }
        let is_allowed = |ip: IpAddr| self.allowed.iter().any(|each| each.parse() == Ok(ip));
        name.parse::<IpAddr>()
            .map(|ip| ip.to_canonical())
            .is_ok_and(|ip| ip.is_loopback() || ip == self.local || is_allowed(ip))
    }
}

/// Whether a request to a loopback address is let in.
#[cfg(feature = "fuzzing")]
pub(crate) fn lets_in(version: Version, uri: &Uri, headers: &HeaderMap) -> bool {
    let ours = Ours { local: IpAddr::from([127, 0, 0, 1]), allowed: &HostNames::default(), names: &[] };
    foreign_name(version, uri, headers, &ours).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: &str = "127.0.0.1";
    const LAN: &str = "192.168.1.20";

    fn judged(local: &str, pairs: &[(header::HeaderName, &str)]) -> Option<Refusal> {
        judged_as(Version::HTTP_11, "/mcp", local, pairs)
    }

    fn judged_as(version: Version, target: &str, local: &str, pairs: &[(header::HeaderName, &str)]) -> Option<Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().expect("a header value"));
        }
        let ours = Ours { local: local.parse().expect("an address"), allowed: &HostNames::default(), names: &[] };
        foreign_name(version, &target.parse().expect("a target"), &headers, &ours)
    }

    #[test]
    fn programs_on_this_computer_pass() {
        for host in ["localhost:3000", "LOCALHOST", "127.0.0.1:3000", "127.8.9.1", "[::1]:3000", "localhost.:3000"] {
            assert_eq!(judged(LOOPBACK, &[(header::HOST, host)]), None, "{host} is a name of this computer");
        }
        let verdict = judged(LAN, &[(header::HOST, "192.168.1.20:3000")]);
        assert_eq!(verdict, None, "this computer may also use its own LAN address");
    }

    #[test]
    fn a_rebound_name_is_refused() {
        for host in ["evil.example:3000", "localhost.evil.example", "192.168.1.9"] {
            let verdict = judged(LOOPBACK, &[(header::HOST, host)]);
            assert_eq!(verdict, Some(Refusal::Host), "{host:?} may have been made to resolve to loopback");
        }
        let ours = (header::HOST, "localhost:3000");
        let verdict = judged_as(Version::HTTP_11, "http://evil.example/mcp", LOOPBACK, &[ours]);
        assert_eq!(verdict, Some(Refusal::Host), "the target stands above the header");
    }

    #[test]
    fn a_name_of_the_certificate_counts_for_who_has_checked_it() {
        let names = ["studio.lan".to_owned(), "192.168.1.20".to_owned()];
        let ours = Ours {
            local: LAN.parse().expect("an address"),
            allowed: &"Bot.lan, 10.0.0.7".parse().expect("names"),
            names: &names,
        };
        assert!(ours.has("Studio.lan") && ours.has(LAN), "what the certificate names");
        assert!(ours.has("bot.LAN.") && ours.has("10.0.0.7"), "what a person allows");
        assert!(!ours.has("evil.example") && !ours.has("lan"), "and nothing else");
    }

    #[test]
    fn a_request_without_one_valid_host_is_a_bad_request() {
        for host in ["", "[::1", "localhost:99999", "a:b:c"] {
            let verdict = judged(LOOPBACK, &[(header::HOST, host)]);
            assert_eq!(verdict, Some(Refusal::BadHost), "{host:?} is no host");
        }
        assert_eq!(judged(LOOPBACK, &[]), Some(Refusal::BadHost), "HTTP/1.1 clients send a Host");
        let two = [(header::HOST, "localhost"), (header::HOST, "localhost")];
        assert_eq!(judged(LOOPBACK, &two), Some(Refusal::BadHost), "two hosts are a smuggling attempt");
        let old = judged_as(Version::HTTP_10, "/health", LOOPBACK, &[]);
        assert_eq!(old, None, "monitors that speak HTTP/1.0 send none, and pages cannot");
        let old = judged_as(Version::HTTP_10, "http://evil.example/health", LOOPBACK, &[]);
        assert_eq!(old, Some(Refusal::Host), "but a name that is given must be ours");
    }

    #[test]
    fn a_foreign_page_is_refused() {
        let host = (header::HOST, "localhost:3000");
        for origin in ["https://evil.example", "null", "http://localhost.evil.example", "localhost", "https://"] {
            let verdict = judged(LOOPBACK, &[host.clone(), (header::ORIGIN, origin)]);
            assert_eq!(verdict, Some(Refusal::Origin), "{origin:?} is a page of somebody else");
        }
        let verdict = judged(LOOPBACK, &[host, (header::ORIGIN, "http://localhost:5173")]);
        assert_eq!(verdict, None, "a page of this computer passes");
    }

    #[test]
    fn this_computer_is_told_from_others() {
        let ip = |text: &str| text.parse().expect("an address");
        let cases = [
            (LOOPBACK, LOOPBACK, true),
            ("::1", "::1", true),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1", true),
            (LAN, LAN, true),
            ("192.168.1.9", LAN, false),
            ("fd00::9", "fd00::1", false),
        ];
        for (peer, local, here) in cases {
            assert_eq!(same_computer(ip(peer), ip(local)), here, "{peer} to {local}");
        }
    }

    #[test]
    fn a_refusal_names_what_is_missing() {
        let refused = |tls, token| remedies(RemoteRefusal::Unprotected { tls, token });
        assert!(refused(false, true).contains("TLS is off") && !refused(false, true).contains("no token"), "TLS only");
        assert!(refused(true, false).contains("security.auth token"), "the token only");
        for missing in [refused(false, true), refused(true, false), refused(false, false)] {
            assert!(missing.contains("ssh -L"), "there is always a safe way: {missing}");
        }
    }

    #[test]
    fn a_refused_client_learns_when_to_come_back() {
        for (wait, seconds) in [(Duration::from_millis(1), "1"), (Duration::from_secs(2), "2")] {
            let response = too_many_requests(wait);
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS, "RFC 6585");
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds, "whole seconds, never too few");
        }
    }
}
