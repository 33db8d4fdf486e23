//! The seam to the wire: whoever composes a program hands in what answers on the four ports.

use axum::Router;
use cwts_domain::Service;
use cwts_net::ConnectionLimits;

use crate::instance::Instance;

/// Makes the routers of an instance. Called once for each service at every start.
pub trait ServiceFactory: Send + Sync + 'static {
    /// What answers on the service's port. Requests carry a [`Connection`](cwts_net::Connection) in their extensions.
    fn router(&self, service: Service, instance: &Instance) -> Router;

    /// What the clients of each service may take.
    fn connection_limits(&self) -> ConnectionLimits {
        ConnectionLimits::default()
    }
}

impl<F: Fn(Service, &Instance) -> Router + Send + Sync + 'static> ServiceFactory for F {
    fn router(&self, service: Service, instance: &Instance) -> Router {
        self(service, instance)
    }
}
