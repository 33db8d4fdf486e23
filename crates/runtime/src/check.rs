//! The verdict on one port, for a form that is being filled in. Binds nothing for longer than the probe.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use cwts_config::{PortConcern, Sources, port_concern};
use cwts_domain::Service;
use cwts_ports::Availability;

use crate::conflict::free_ports;
use crate::snapshot::{PortCheck, PortCheckState, RunState, ServiceSnapshot, Snapshot};

/// Whether `service` could move to `port` on the address that it binds.
pub(crate) fn check_port(snapshot: &Snapshot, sources: &Sources, service: Service, port: u16) -> PortCheck {
    let plan = plan(snapshot);
    let Some(current) = plan.get(&service).copied() else { return unknown(port, "the service is not configured") };
    let wanted = SocketAddr::new(current.ip(), port);
    if port == 0 {
        return verdict(port, PortCheckState::Refused, "0 is no port. Use 1 to 65535.");
    }
    let running = snapshot.state == RunState::Running;
    if let Some((&owner, _)) = plan.iter().find(|(_, address)| running && **address == wanted) {
        let message = match owner == service {
            true => "In use by this instance.".to_owned(),
            false => format!("{port} is {owner} here."),
        };
        return verdict(port, PortCheckState::Ours, message);
    }
    let candidates = snapshot.services.iter().find(|entry| entry.service == service).map(ServiceSnapshot::candidates);
    let candidates = candidates.unwrap_or_default();
    let suggest = || free_ports(&candidates, wanted, &plan, 1).first().copied();
    match cwts_ports::availability(wanted) {
        Availability::Free { .. } => free(port, wanted, sources, suggest),
        Availability::Taken { holder, .. } => {
            let message = match holder {
                Some(holder) => format!("Held by {holder}."),
                None => "Taken by a socket that this user cannot see.".to_owned(),
            };
            PortCheck { suggestion: suggest(), ..verdict(port, PortCheckState::Refused, message) }
        }
        Availability::Denied { .. } if port < 1024 => {
            verdict(port, PortCheckState::Refused, format!("{port} needs root. Use 1024 to 65535."))
        }
        Availability::Denied { reason } => verdict(port, PortCheckState::Refused, reason.to_string()),
        Availability::AddressUnavailable => {
            let message = format!("{} is no address of this computer.", wanted.ip());
            verdict(port, PortCheckState::Refused, message)
        }
    }
}

fn free(port: u16, wanted: SocketAddr, sources: &Sources, suggest: impl FnOnce() -> Option<u16>) -> PortCheck {
    let message = match port_concern(port, sources.ephemeral_ports()) {
        None => return verdict(port, PortCheckState::Free, format!("Free on {}.", wanted.ip())),
        Some(PortConcern::BrowserBlocked) => format!("Browsers refuse to fetch port {port}. curl works."),
        Some(PortConcern::Ephemeral { range }) => {
            let (first, last) = (range.start(), range.end());
            format!("The system hands out {first}\u{2013}{last} itself; {port} may be taken at the next start.")
        }
    };
    PortCheck { suggestion: suggest(), ..verdict(port, PortCheckState::Warning, message) }
}

/// A check that could not be made.
pub(crate) fn unknown(port: u16, reason: &str) -> PortCheck {
    verdict(port, PortCheckState::Warning, format!("The port could not be checked: {reason}."))
}

fn verdict(port: u16, state: PortCheckState, message: impl Into<String>) -> PortCheck {
    PortCheck { port, state, message: message.into(), suggestion: None }
}

fn plan(snapshot: &Snapshot) -> BTreeMap<Service, SocketAddr> {
    let entries = snapshot.services.iter();
    entries.map(|entry| (entry.service, SocketAddr::new(entry.address.value, entry.port.value))).collect()
}
