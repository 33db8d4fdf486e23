//! A socket that cannot be bound, explained: who holds the port, and which ports are free instead.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use cwts_config::{Key, PortTable, Sources};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_net::{BindError, PrepareError};
use cwts_ports::DenyReason;

use crate::snapshot::Conflict;
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
    let running: Vec<SocketAddr> = running.values().copied().collect();
    let (sources, plan, table) = (sources.clone(), plan.clone(), table.clone());
    // The table of sockets and the folders of processes are read without an async runtime in mind.
    let explained = tokio::task::spawn_blocking(move || {
        let survey = PortSurvey::of_plan(&sources, &plan, &table);
        explain_now(&failed, &survey, &running)
    });
    explained.await.unwrap_or_else(|error| Blocked::by_problem(Problem::new(ErrorCode::Internal, error.to_string())))
}

fn explain_now(failed: &PrepareError<Service>, survey: &PortSurvey, running: &[SocketAddr]) -> Blocked {
    let PrepareError { key: service, ref error } = *failed;
    let (problem, conflict) = match *error {
        BindError::InUse { address } => {
            let conflict = look_at(address, service, survey, running);
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
        BindError::Other { address, ref source } => {
            let message = format!("{service} cannot use {address}: {source}.");
            (Problem::new(ErrorCode::Internal, message), None)
        }
    };
    Blocked { problem: problem.at(service.id()), by_port: Some((service, conflict)) }
}

/// All that can be told of a taken address.
fn look_at(address: SocketAddr, service: Service, survey: &PortSurvey, running: &[SocketAddr]) -> Conflict {
    // What overlaps the address makes room for it; what is on the very address cannot be ours, or it would be no conflict.
    let beside: Vec<SocketAddr> = running.iter().copied().filter(|other| *other != address).collect();
    let occupant = cwts_ports::occupant(address, &beside).ok().flatten();
    let count = |clients: usize| u32::try_from(clients).unwrap_or(u32::MAX);
    let clients = occupant.as_ref().map(|occupant| occupant.clients).unwrap_or_default();
    Conflict {
        owner: occupant.as_ref().map(|occupant| survey.owner(occupant)).unwrap_or_default(),
        clients: count(clients.total),
        local_clients: count(clients.local),
        started_at: occupant.as_ref().and_then(|occupant| occupant.started_at),
        command: occupant.as_ref().and_then(|occupant| occupant.command.clone()),
        holder: occupant.map(|occupant| occupant.holder),
        alternatives: survey.alternatives(service, address.port()),
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
