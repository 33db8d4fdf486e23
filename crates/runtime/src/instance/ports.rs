//! The questions about its ports.

use std::net::SocketAddr;

use cwts_domain::{Problem, Service};

use super::Instance;
use crate::check;
use crate::port_facts::{Conflict, PortCheck};
use crate::release::{self, Release, Released};
use crate::snapshot::RunState;
use crate::survey::PortSurvey;

impl Instance {
    /// Whether a service could move to a port, and what to offer instead.
    pub async fn check_port(&self, service: Service, port: u16) -> PortCheck {
        let (snapshot, sources) = (self.snapshot(), self.0.sources.clone());
        let checked = self.0.tokio.spawn_blocking(move || check::check_port(&snapshot, &sources, service, port));
        checked.await.unwrap_or_else(|error| check::unknown(port, &error.to_string()))
    }

    /// Who holds a port that a service cannot have, what to use instead, and the ways to free it.
    ///
    /// # Errors
    /// The services' runtime is ending.
    pub async fn conflict(&self, service: Service, port: u16) -> Result<Conflict, Problem> {
        let snapshot = self.snapshot();
        let survey = PortSurvey::of_snapshot(&self.0.sources, &snapshot);
        let serves = snapshot.state == RunState::Running;
        let running: Vec<SocketAddr> = Service::ALL.into_iter().filter_map(|it| self.address(it)).collect();
        self.on_runtime(async move { survey.conflict(service, port, if serves { &running } else { &[] }).await }).await
    }

    /// Ends what keeps a service from a port, if that is still what the person has seen.
    ///
    /// # Errors
    /// Nothing was ended; the problem says why.
    pub async fn free_port(&self, service: Service, port: u16, way: Release) -> Result<Released, Problem> {
        let address = PortSurvey::of_snapshot(&self.0.sources, &self.snapshot()).address(service, port);
        let whom = way.to_string();
        let released = self.on_runtime(release::release(address, way)).await?;
        if released == Released::Ended {
            self.record(format!("Freed port {port}: {whom} was ended"));
        }
        Ok(released)
    }
}
