//! What a request may do: the token that it presents, and the scope that it needs.
//!
//! The token is taken out of the request, so that no handler, log or answer can repeat it.

use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use cwts_domain::Service;
use cwts_runtime::{Caller, Connection, Denied, RefusalReason, Scope as Allowed};

use crate::guard::{self, is_here};
use crate::metered::Scope;
use crate::problem::ProblemDetails;
use crate::rest;

/// The query parameter of the WebSocket: the MCP SDK clients can set no header.
const PARAMETER: &str = "token";
/// RFC 6750 section 3.
const CHALLENGE: &str = "Bearer realm=\"cwts-ultra\"";

/// Asks for the token that the service and the peer need. Handlers behind it find a [`Caller`] in the extensions where
/// a token was presented or none is needed.
pub(crate) async fn check(State(scope): State<Scope>, mut request: Request, next: Next) -> Response {
    let Some(connection) = request.extensions().get::<Connection>().cloned() else {
        return Refusal::Missing.into_response(&scope, None);
    };
    let policy = scope.instance.policy();
    let here = is_here(&connection);
    let Ok(presented) = take_token(scope.service, &mut request) else {
        return Refusal::Several.into_response(&scope, Some(&connection));
    };
    let (access, source, now) = (scope.instance.access(), connection.peer().ip(), scope.instance.clock().now());
    let caller = match presented {
        _ if here && !policy.needs_token => {
            let known = presented.and_then(|token| access.identify(&token, source, now));
            Some(known.unwrap_or_else(Caller::local))
        }
        Some(token) => match access.authenticate(&token, source, now) {
            Ok(caller) => Some(caller),
            Err(denied) => return Refusal::Denied(denied).into_response(&scope, Some(&connection)),
        },
        None => None,
    };
    let needed = needed(scope.service, here, request.method(), request.uri());
    match (needed, &caller) {
        (Some(_), None) => return Refusal::Missing.into_response(&scope, Some(&connection)),
        (Some(needed), Some(caller)) if !caller.scope().allows(needed) => {
            return Refusal::Scope { held: caller.scope(), needed }.into_response(&scope, Some(&connection));
        }
        _ => {}
    }
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

/// The least scope that a request needs; tools and single routes may ask for more. `None` where no token is asked for.
fn needed(service: Service, here: bool, method: &Method, uri: &Uri) -> Option<Allowed> {
    match service {
        Service::McpWebsocket => Some(Allowed::Read),
        // What changes something over REST needs to say that it may; MCP decides for each tool.
        Service::McpHttp if !method.is_safe() && uri.path().starts_with("/api/") => Some(Allowed::Trade),
        // A browser has no token, and the documentation no secret.
        Service::McpHttp if here && rest::is_open(uri.path()) => None,
        Service::McpHttp => Some(Allowed::Read),
        Service::Prometheus => (!here).then_some(Allowed::Metrics),
        // Without a token it tells less.
        Service::Health => None,
    }
}

/// A request presents more than one token, or one in two places: readers would differ in which of them counts.
#[derive(Debug)]
pub(crate) struct Several;

/// Takes the token out of the header, and on the WebSocket out of the query.
///
/// # Errors
/// There are several (RFC 6750 section 2: clients must not use more than one method).
pub(crate) fn take_token(service: Service, request: &mut Request) -> Result<Option<String>, Several> {
    let lines = request.headers().get_all(header::AUTHORIZATION).iter().count();
    let header = request.headers_mut().remove(header::AUTHORIZATION);
    let bearer = header.as_ref().and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        // RFC 9110 section 11.1: schemes are case-insensitive.
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    let (uri, parameters) = without_token(request.uri());
    if let Some(uri) = uri {
        *request.uri_mut() = uri;
    }
    let mut presented: Vec<String> = bearer.into_iter().collect();
    if service == Service::McpWebsocket {
        presented.extend(parameters);
    }
    if lines > 1 || presented.len() > 1 { Err(Several) } else { Ok(presented.pop()) }
}

/// The URI without the parameter, where it has one, and the parameter's values.
fn without_token(uri: &Uri) -> (Option<Uri>, Vec<String>) {
    let query = uri.query().unwrap_or_default();
    let value_of = |pair: &str| pair.strip_prefix(PARAMETER)?.strip_prefix('=').map(str::to_owned);
    let values: Vec<String> = query.split('&').filter_map(value_of).collect();
    if values.is_empty() {
        return (None, values);
    }
    let kept: Vec<&str> = query.split('&').filter(|pair| value_of(pair).is_none()).collect();
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = format!("{}{query}", uri.path()).parse::<PathAndQuery>().ok();
    (Uri::from_parts(parts).ok(), values)
}

enum Refusal {
    Missing,
    Several,
    Denied(Denied),
    Scope { held: Allowed, needed: Allowed },
}

impl Refusal {
    fn into_response(self, scope: &Scope, connection: Option<&Connection>) -> Response {
        let Scope { service, instance, .. } = scope;
        let reason = match &self {
            Self::Missing => RefusalReason::TokenMissing,
            Self::Several | Self::Denied(_) => RefusalReason::Token,
            Self::Scope { .. } => RefusalReason::Scope,
        };
        guard::count(scope, connection, reason);
        if let Self::Denied(_) = &self {
            instance.metrics().login_failures.with_label_values(&[service.id()]).inc();
        }
        let (challenge, details) = self.answer(*service);
        let mut response = details.into_response();
        let headers = response.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, challenge);
        if let Self::Denied(Denied::Wait(wait)) = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        }
        response
    }

    fn answer(&self, service: Service) -> (HeaderValue, ProblemDetails) {
        let place = match service {
            Service::McpWebsocket => "the header Authorization: Bearer TOKEN, or ?token=TOKEN in the URL",
            _ => "the header Authorization: Bearer TOKEN",
        };
        let show = "`cwts-ultra token show` prints it";
        let with = |parameters: String| {
            HeaderValue::from_str(&format!("{CHALLENGE}{parameters}")).unwrap_or(HeaderValue::from_static(CHALLENGE))
        };
        let refused = |status, code, detail: String| ProblemDetails::new(status, code, detail);
        match self {
            Self::Missing => {
                let detail = format!("This port needs a token in {place}; {show}.");
                (with(String::new()), refused(StatusCode::UNAUTHORIZED, "token_missing", detail))
            }
            Self::Several => {
                let detail = format!("Present one token and only once, in {place}.");
                let challenge = with(", error=\"invalid_request\"".to_owned());
                (challenge, refused(StatusCode::BAD_REQUEST, "token_repeated", detail))
            }
            Self::Denied(Denied::Wrong) => {
                let detail = format!("The token is none of this instance; it may have been replaced. {show}.");
                (with(", error=\"invalid_token\"".to_owned()), refused(StatusCode::UNAUTHORIZED, "token_wrong", detail))
            }
            Self::Denied(Denied::Wait(wait)) => {
                let detail = format!(
                    "Too many wrong tokens from this address; the next is looked at in {} s.",
                    wait.as_secs() + 1
                );
                let challenge = with(", error=\"invalid_token\"".to_owned());
                (challenge, refused(StatusCode::TOO_MANY_REQUESTS, "too_many_wrong_tokens", detail))
            }
            Self::Scope { held, needed } => {
                let detail = format!(
                    "This needs a token of the scope {needed}, and this one is {held}; `cwts-ultra token show --scope {needed}` prints one."
                );
                let challenge = with(format!(", error=\"insufficient_scope\", scope=\"{needed}\""));
                (challenge, refused(StatusCode::FORBIDDEN, "scope_too_small", detail))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_leaves_the_uri_and_nothing_else_does() {
        let cases = [
            ("/mcp?token=abc", "/mcp", &["abc"][..]),
            ("/mcp?a=1&token=abc&b=2", "/mcp?a=1&b=2", &["abc"]),
            ("/?token=", "/", &[""]),
            ("/mcp?tokens=abc", "/mcp?tokens=abc", &[]),
            ("/mcp?xtoken=abc", "/mcp?xtoken=abc", &[]),
            ("/mcp", "/mcp", &[]),
            ("/mcp?token=one&token=two", "/mcp", &["one", "two"]),
            ("http://localhost:3000/mcp?token=abc", "http://localhost:3000/mcp", &["abc"]),
        ];
        for (given, left, tokens) in cases {
            let uri: Uri = given.parse().expect("a URI");
            let (stripped, found) = without_token(&uri);
            assert_eq!(found, tokens, "the tokens of {given}");
            assert_eq!(stripped.unwrap_or(uri).to_string(), left, "what handlers see of {given}");
        }
    }

    #[test]
    fn each_port_asks_for_what_the_interface_says() {
        let uri = |path: &str| path.parse::<Uri>().expect("a URI");
        let table = [
            (Service::McpWebsocket, true, Method::GET, "/mcp", Some(Allowed::Read)),
            (Service::McpHttp, true, Method::POST, "/mcp", Some(Allowed::Read)),
            (Service::McpHttp, true, Method::GET, "/api/v1/status", Some(Allowed::Read)),
            (Service::McpHttp, true, Method::POST, "/api/v1/orders", Some(Allowed::Trade)),
            (Service::McpHttp, false, Method::DELETE, "/api/v1/orders/1", Some(Allowed::Trade)),
            (Service::Prometheus, true, Method::GET, "/metrics", None),
            (Service::Prometheus, false, Method::GET, "/metrics", Some(Allowed::Metrics)),
            (Service::Health, true, Method::GET, "/health", None),
            (Service::Health, false, Method::GET, "/health", None),
        ];
        for (service, here, method, path, expected) in table {
            let found = needed(service, here, &method, &uri(path));
            assert_eq!(found, expected, "{method} {path} on {service}, from this computer: {here}");
        }
    }
}
