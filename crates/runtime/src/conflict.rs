//! A socket that cannot be bound, explained: who holds the port and which ports are free instead.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use cwts_config::{Key, PortTable, is_browser_blocked};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_net::{BindError, PrepareError};
use cwts_ports::Holder;

use crate::snapshot::Conflict;

/// Free ports that a conflict offers.
const OFFERS: usize = 3;

/// Why the services cannot start.
#[derive(Clone, Debug)]
pub(crate) struct Blocked {
    problem: Problem,
    by_port: Option<(Service, Option<Conflict>)>,
}

impl Blocked {
    /// Something other than a port.
    pub(crate) fn by_problem(problem: Problem) -> Self {
        Self { problem, by_port: None }
    }

    pub(crate) fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Whose port, if it is a port.
    pub(crate) fn service(&self) -> Option<Service> {
        self.by_port.as_ref().map(|(service, _)| *service)
    }

    pub(crate) fn conflict(&self) -> Option<&Conflict> {
        self.by_port.as_ref().and_then(|(_, conflict)| conflict.as_ref())
    }
}

/// Looks up the holder and free alternatives of a bind that failed.
pub(crate) async fn explain(
    failed: PrepareError<Service>,
    plan: BTreeMap<Service, SocketAddr>,
    table: &PortTable,
) -> Blocked {
    let candidates: Vec<u16> = table.get(failed.key).candidates().collect();
    // The table of sockets and the folders of processes are read without an async runtime in mind.
    let explained = tokio::task::spawn_blocking(move || explain_now(&failed, &plan, &candidates)).await;
    explained.unwrap_or_else(|error| Blocked::by_problem(Problem::new(ErrorCode::Internal, error.to_string())))
}

fn explain_now(failed: &PrepareError<Service>, plan: &BTreeMap<Service, SocketAddr>, candidates: &[u16]) -> Blocked {
    let PrepareError { key: service, ref error } = *failed;
    let (problem, conflict) = match *error {
        BindError::InUse { address } => {
            let holder = cwts_ports::holder(address).ok().flatten();
            let free = free_ports(candidates, address, plan, OFFERS);
            let problem = taken(service, address, holder.as_ref(), &free);
            (problem, Some(Conflict { holder, free }))
        }
        BindError::Denied { address } => (denied(service, address), None),
        BindError::AddressUnavailable { address } => {
            let message = format!("{service} cannot use {address}: it is no address of this computer.");
            let key = Key::BindAddr(service.group());
            let variable = key.variable().unwrap_or(key.id());
            let help = format!("Set {variable} to 127.0.0.1, 0.0.0.0, or an address of one of its interfaces.");
            (Problem::new(ErrorCode::AddressUnavailable, message).with_help(help), None)
        }
        BindError::Other { address, ref source } => {
            let message = format!("{service} cannot use {address}: {source}.");
            (Problem::new(ErrorCode::Internal, message), None)
        }
    };
    Blocked { problem: problem.at(service.id()), by_port: Some((service, conflict)) }
}

fn taken(service: Service, address: SocketAddr, holder: Option<&Holder>, free: &[u16]) -> Problem {
    let port = address.port();
    let message = match holder {
        Some(holder) => format!("Port {port} of {service} is held by {holder}."),
        None => format!("Port {port} of {service} is taken by a socket that this user cannot see."),
    };
    let problem = Problem::new(ErrorCode::PortTaken, message);
    match free.first() {
        Some(free) => problem.with_help(format!("Use {free}: set {}={free}.", service.port_variable())),
        None => problem.with_help("End its holder, or choose another port."),
    }
}

fn denied(service: Service, address: SocketAddr) -> Problem {
    let port = address.port();
    if port < 1024 {
        let message = format!("Port {port} of {service} needs root.");
        Problem::new(ErrorCode::NotPermitted, message)
            .with_help(format!("Set {} to 1024 to 65535.", service.port_variable()))
    } else {
        let message = format!("The system refuses {address} to {service}; SELinux, AppArmor or Landlock may be why.");
        Problem::new(ErrorCode::NotPermitted, message).with_help("Allow it in the policy, or choose another port.")
    }
}

/// The first `most` free ports among the candidates. Ports of the other services and ports that browsers refuse are left
/// out.
pub(crate) fn free_ports(
    candidates: &[u16],
    address: SocketAddr,
    plan: &BTreeMap<Service, SocketAddr>,
    most: usize,
) -> Vec<u16> {
    let mut avoid: Vec<u16> = plan.values().map(SocketAddr::port).collect();
    avoid.push(address.port());
    let mut free = Vec::new();
    while free.len() < most {
        let usable = candidates.iter().copied().filter(|port| !is_browser_blocked(*port));
        let Some(port) = cwts_ports::next_free(usable, address.ip(), &avoid) else { break };
        avoid.push(port);
        free.push(port);
    }
    free
}
