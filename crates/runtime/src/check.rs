//! The verdict on one port, for a form that is being filled in.

use cwts_config::Sources;
use cwts_domain::Service;

use crate::port_facts::{PortCheck, PortCheckState};
use crate::snapshot::Snapshot;
use crate::survey::PortSurvey;

/// Whether `service` could move to `port` on the address that it binds.
pub(crate) fn check_port(snapshot: &Snapshot, sources: &Sources, service: Service, port: u16) -> PortCheck {
    PortSurvey::of_snapshot(sources, snapshot).check(service, port)
}

/// A check that could not be made.
pub(crate) fn unknown(port: u16, reason: &str) -> PortCheck {
    let message = format!("The port could not be checked: {reason}.");
    PortCheck { port, state: PortCheckState::Warning, message, held: false, suggestion: None }
}
