//! `/metrics` in the Prometheus text format 0.0.4.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cwts_runtime::Instance;

use crate::problem::ProblemDetails;

pub(crate) fn router(instance: &Instance) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(instance.clone())
}

async fn scrape(State(instance): State<Instance>) -> Response {
    match instance.metrics().encode() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be encoded");
            let detail = "The metrics cannot be encoded; the log says why.";
            ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
        }
    }
}
