//! What the first answers of a service say: served, asked for a token, or refused and why.

use cwts_domain::Service;
use http::{StatusCode, header};
use serde::Deserialize;

use crate::Fault;
use crate::http::Answer;

/// The realm of this server's challenge (RFC 6750 section 3). Whoever asks otherwise is sent no token.
const REALM: &str = "realm=\"cwts-ultra\"";

/// How the service took a request.
pub(crate) enum Taken {
    /// It is served.
    Served,
    /// A token is asked for.
    AsksForToken,
}

/// Problem details (RFC 9457), as far as they are read.
#[derive(Deserialize)]
struct Details {
    code: Option<String>,
    detail: Option<String>,
}

/// Reads an answer that was given before a token was presented.
pub(crate) fn before_token(service: Service, answer: &Answer) -> Result<Taken, (Fault, String)> {
    let status = answer.status;
    if status == StatusCode::UNAUTHORIZED && is_ours(answer) {
        return Ok(Taken::AsksForToken);
    }
    served(service, answer)
}

/// Reads an answer to a request with a token, of a server that has asked for it as this one does.
pub(crate) fn with_token(service: Service, answer: &Answer) -> Result<(), (Fault, String)> {
    let (code, detail) = details(answer);
    match code.as_str() {
        "token_missing" | "token_wrong" => Err((Fault::TokenWrong, detail)),
        "too_many_wrong_tokens" => Err((Fault::TokenThrottled, detail)),
        "scope_too_small" => Err((Fault::ScopeTooSmall, detail)),
        _ => match served(service, answer) {
            // It is ours, and does not know what it was asked for.
            Err((Fault::Foreign(_), detail)) => Err((Fault::OtherService, detail)),
            served => served.map(drop),
        },
    }
}

/// Whether the work was done; why not otherwise.
pub(crate) fn served(service: Service, answer: &Answer) -> Result<Taken, (Fault, String)> {
    let status = answer.status;
    let (code, detail) = details(answer);
    let fault = match code.as_str() {
        "host_refused" | "bad_host" => Fault::HostRefused,
        "origin_refused" => Fault::OriginRefused,
        "remote_refused" if detail.contains("over TLS only") => Fault::RemotePlainText,
        "remote_refused" => Fault::RemoteRefused,
        "too_many_connections" => Fault::TooManyConnections,
        "too_many_requests" => Fault::TooManyRequests,
        "too_many_sessions" => Fault::TooManySessions,
        "websocket_only" if service == Service::McpWebsocket => Fault::UpgradeLost,
        "not_found" | "websocket_only" => Fault::OtherService,
        _ => {
            // An unwell service answers 503 and says so in its body.
            let is_health = answer.header(header::CONTENT_TYPE).is_some_and(|kind| kind.contains("health+json"));
            if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS || is_health {
                return Ok(Taken::Served);
            }
            Fault::Foreign(status.as_u16())
        }
    };
    let server = answer.header(header::SERVER).map(|server| format!(", from {server}")).unwrap_or_default();
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    Err((fault, format!("{status}{server}{detail}")))
}

fn is_ours(answer: &Answer) -> bool {
    answer.header(header::WWW_AUTHENTICATE).is_some_and(|challenge| challenge.contains(REALM))
}

fn details(answer: &Answer) -> (String, String) {
    let is_problem = answer.header(header::CONTENT_TYPE).is_some_and(|kind| kind.contains("problem+json"));
    let found = if is_problem { serde_json::from_slice::<Details>(&answer.body).ok() } else { None };
    found.map(|it| (it.code.unwrap_or_default(), it.detail.unwrap_or_default())).unwrap_or_default()
}
