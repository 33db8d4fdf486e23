//! Counts and times every request of a service.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use cwts_domain::Service;
use cwts_runtime::Instance;

use crate::rate::RateLimiter;

/// Whose requests a layer looks at.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) service: Service,
    pub(crate) instance: Instance,
    pub(crate) requests: Arc<RateLimiter>,
}

pub(crate) async fn measure(State(scope): State<Scope>, request: Request, next: Next) -> Response {
    let Scope { service, instance, .. } = scope;
    let started = Instant::now();
    instance.meter(service).count(instance.clock().now());
    let response = next.run(request).await;
    let metrics = instance.metrics();
    metrics.http_duration.with_label_values(&[service.id()]).observe(started.elapsed().as_secs_f64());
    metrics.http_requests.with_label_values(&[service.id(), response.status().as_str()]).inc();
    response
}
