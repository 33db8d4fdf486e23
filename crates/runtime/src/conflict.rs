//! A socket that cannot be bound, explained: who holds the port, and which ports are free instead.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use cwts_config::{Key, PortTable, Sources};
use cwts_domain::{Clock as _, ErrorCode, Problem, Service, SystemClock};
use cwts_net::{BindError, PrepareError};
use cwts_ports::{DenyReason, Occupant};

use crate::change::blocking;
use crate::port_facts::Conflict;
use crate::release::{self, ways_out};
use crate::standing::Standing;
use crate::survey::PortSurvey;

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

/// Looks up the holder and free alternatives of a bind that failed. `running` is what the instance itself listens on.
pub(crate) async fn explain(
    failed: PrepareError<Service>,
    sources: &Sources,
    plan: &BTreeMap<Service, SocketAddr>,
    table: &PortTable,
    running: &BTreeMap<Service, SocketAddr>,
) -> Blocked {
    let PrepareError { key: service, error } = failed;
    let (problem, conflict) = match error {
        BindError::InUse { address } => {
            let running: Vec<SocketAddr> = running.values().copied().collect();
            let survey = PortSurvey::of_plan(sources, plan, table);
            let conflict = survey.conflict(service, address.port(), &running).await;
            let conflict = conflict.unwrap_or_default();
            (taken(service, address, &conflict), Some(conflict))
        }
        BindError::Denied { address } => (denied(service, address), None),
        BindError::AddressUnavailable { address } => {
            let message = format!("{service} cannot use {address}: it is no address of this computer.");
            let key = Key::BindAddr(service.group());
            let variable = key.variable().unwrap_or(key.id());
            let help = format!("Set {variable} to 127.0.0.1, 0.0.0.0, or an address of one of its interfaces.");
            (Problem::new(ErrorCode::AddressUnavailable, message).with_help(help), None)
        }
        BindError::Other { address, source } => {
            let message = format!("{service} cannot use {address}: {source}.");
            (Problem::new(ErrorCode::Internal, message), None)
        }
    };
    Blocked { problem: problem.at(service.id()), by_port: Some((service, conflict)) }
}

impl PortSurvey {
    /// All that can be told of a port that the service cannot have, with the ways out. `running` is what the instance
    /// itself listens on.
    ///
    /// # Errors
    /// The survey was interrupted: the runtime is ending.
    pub async fn conflict(&self, service: Service, port: u16, running: &[SocketAddr]) -> Result<Conflict, Problem> {
        let address = self.address(service, port);
        // What overlaps the address makes room for it; what is on the very address cannot be ours, or it would be no
        // conflict.
        let beside = running.iter().copied().filter(|other| *other != address).collect();
        // Without the kernel's list there are still other ports to offer.
        let occupant = release::look(address, beside).await.ok().flatten();
        let survey = self.clone();
        blocking(move || survey.assemble(service, address, occupant)).await
    }

    fn assemble(&self, service: Service, address: SocketAddr, occupant: Option<Occupant>) -> Conflict {
        let found = Conflict {
            checked_at: SystemClock.now().millis(),
            also_taken: self.others_taken(service),
            alternatives: self.alternatives(service, address.port()),
            ..Conflict::default()
        };
        let Some(occupant) = occupant else { return found };
        let count = |clients: usize| u32::try_from(clients).unwrap_or(u32::MAX);
        Conflict {
            owner: self.owner(&occupant),
            clients: count(occupant.clients.total),
            local_clients: count(occupant.clients.local),
            started_at: occupant.started_at,
            ways: ways_out(address, &occupant),
            command: occupant.command,
            addresses: occupant.addresses,
            holder: Some(occupant.holder),
            ..found
        }
    }
}

fn taken(service: Service, address: SocketAddr, conflict: &Conflict) -> Problem {
    let standing = Standing::Taken { holder: conflict.holder.clone(), instance: conflict.owner.instance.clone() };
    let problem = Problem::new(ErrorCode::PortTaken, standing.sentence(&subject(service, address), address.ip()));
    match conflict.alternatives.best {
        Some(free) => problem.with_help(format!("Use {free}: set {}={free}.", service.port_variable())),
        None => problem.with_help("End its holder, or choose another port."),
    }
}

fn denied(service: Service, address: SocketAddr) -> Problem {
    let reason = DenyReason::of(address.port());
    let help = match reason {
        DenyReason::Privileged { first_free } => format!("Set {} to {first_free} to 65535.", service.port_variable()),
        DenyReason::SecurityPolicy { .. } | DenyReason::Other { .. } => {
            "Allow it in the policy, or choose another port.".to_owned()
        }
    };
    Problem::new(ErrorCode::NotPermitted, format!("{} {reason}.", subject(service, address))).with_help(help)
}

/// `Port 3000 of MCP WebSocket`.
fn subject(service: Service, address: SocketAddr) -> String {
    format!("Port {} of {service}", address.port())
}
