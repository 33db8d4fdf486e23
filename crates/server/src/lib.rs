//! The four routers: MCP, REST, metrics and health, behind guards. Turns wire types into domain types and back.
//!
//! Decides nothing about trading and binds no socket; [`services`] hands the routers to the runtime.

mod clients;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod guard;
mod health;
mod limits;
mod mcp;
mod metered;
mod metrics;
mod problem;
mod rate;
mod rest;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use cwts_domain::Service;
use cwts_runtime::{ConnectionLimits, Instance, ServiceFactory};

pub use limits::{Limits, RequestLimits, SessionLimits, WebSocketLimits};
pub use mcp::{REPLACED, SERVICE_RESTART};
use rate::RateLimiter;

/// What answers on the four ports.
pub fn services() -> impl ServiceFactory {
    services_with(Limits::default())
}

/// The same with other limits.
pub fn services_with(limits: Limits) -> impl ServiceFactory {
    Services {
        limits,
        #[cfg(feature = "fixtures")]
        fixtures: false,
    }
}

/// The same with what the conformance suites of MCP and WebSocket need.
#[cfg(feature = "fixtures")]
pub fn services_with_fixtures(limits: Limits) -> impl ServiceFactory {
    Services { limits, fixtures: true }
}

#[derive(Debug)]
struct Services {
    limits: Limits,
    #[cfg(feature = "fixtures")]
    /// Whether MCP over HTTP has what the conformance suites need, and the WebSocket an echo.
    fixtures: bool,
}

impl ServiceFactory for Services {
    fn router(&self, service: Service, instance: &Instance) -> Router {
        let router = match service {
            #[cfg(feature = "fixtures")]
            Service::McpWebsocket if self.fixtures => {
                mcp::websocket_router(instance, self.limits.websocket).merge(mcp::fixtures::echo_route())
            }
            #[cfg(feature = "fixtures")]
            Service::McpHttp if self.fixtures => {
                rest::router(instance).merge(mcp::http_router(instance, &self.limits, mcp::fixtures::Fixtures))
            }
            Service::McpWebsocket => mcp::websocket_router(instance, self.limits.websocket),
            Service::McpHttp => rest::router(instance).merge(mcp::http_router(instance, &self.limits, |server| server)),
            Service::Prometheus => metrics::router(instance),
            Service::Health => health::router(instance),
        };
        let requests = Arc::new(RateLimiter::new(self.limits.requests));
        let scope = metered::Scope { service, instance: instance.clone(), requests };
        router
            .fallback(problem::not_found)
            .method_not_allowed_fallback(problem::method_not_allowed)
            .layer(from_fn_with_state(scope.clone(), clients::note))
            .layer(from_fn_with_state(scope.clone(), token::check))
            .layer(from_fn_with_state(scope.clone(), guard::check))
            .layer(from_fn_with_state(scope, metered::measure))
    }

    fn connection_limits(&self) -> ConnectionLimits {
        self.limits.connections
    }
}
