//! Errors of HTTP as problem details (RFC 9457).

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// Problem details: what a client may branch on, and what a person reads.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ProblemDetails {
    /// What went wrong, stable across releases.
    pub(crate) code: &'static str,
    /// The status in words.
    pub(crate) title: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What is wrong and what to do.
    pub(crate) detail: String,
    /// The setting or field that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// Seconds to wait, for the header `Retry-After`.
    #[serde(skip)]
    pub(crate) retry_after: Option<u64>,
}

impl ProblemDetails {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { code, title, status: status.as_u16(), detail: detail.into(), field: None, retry_after: None }
    }

    /// Asking again after so many seconds may help.
    pub(crate) fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

/// The problem with `Retry-After` (RFC 9110 section 10.2.3) and the same in words.
pub(crate) fn retry_after(problem: ProblemDetails, wait: Duration) -> Response {
    // Rounded up: whoever comes back too early would only be refused again.
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let detail = format!("{} Try again in {seconds} s.", problem.detail);
    ProblemDetails { detail, ..problem }.after(seconds).into_response()
}

pub(crate) async fn not_found(uri: Uri) -> ProblemDetails {
    let path = uri.path();
    let instead = match path.starts_with("/api/") {
        true => "/api/v1/docs on the HTTP port lists what is.",
        false => "`cwts-ultra run` prints the four URLs.",
    };
    let detail = format!("Nothing is served at {path} on this port. {instead}");
    ProblemDetails::new(StatusCode::NOT_FOUND, "not_found", detail)
}

pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> ProblemDetails {
    let detail = format!("{} does not take {method}; the header Allow names what it takes.", uri.path());
    ProblemDetails::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
