//! How the configuration and the state of the services look in a snapshot.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use cwts_config::{PortTable, ServicePorts, Settings};
use cwts_domain::Service;

use crate::conflict::Blocked;
use crate::snapshot::{RunState, ServiceSnapshot, ServiceState};

/// All four services, without live figures.
pub(crate) fn services(
    settings: &Settings,
    table: &PortTable,
    state: RunState,
    blocked: &[Blocked],
) -> Vec<ServiceSnapshot> {
    Service::ALL.map(|service| one(settings, table.get(service), state, blocked, service)).into()
}

fn one(
    settings: &Settings,
    ports: &ServicePorts,
    state: RunState,
    blocked: &[Blocked],
    service: Service,
) -> ServiceSnapshot {
    let blocked = blocked.iter().find(|blocked| blocked.service() == Some(service));
    ServiceSnapshot {
        service,
        name: service.name().to_owned(),
        state: match (state, blocked) {
            (_, Some(_)) => ServiceState::Blocked,
            (RunState::Running, None) => ServiceState::Running,
            (RunState::Starting, None) => ServiceState::Starting,
            (RunState::Stopped | RunState::Stopping, None) => ServiceState::Stopped,
        },
        port: settings.port(service).clone(),
        address: settings.bind_addr(service.group()).clone(),
        url: url(service, settings.socket_addr(service)),
        variable: service.port_variable().to_owned(),
        alternatives: std::iter::once(ports.default).chain(ports.alternatives.iter().copied()).collect(),
        range: [*ports.range.start(), *ports.range.end()],
        clients: 0,
        rate: 0.0,
        requests: 0,
        idle_seconds: None,
        problem: blocked.map(|blocked| blocked.problem().clone()),
        conflict: blocked.and_then(|blocked| blocked.conflict().cloned()),
    }
}

/// The URL for a client on this computer: loopback where the service listens on every address.
pub(crate) fn url(service: Service, bound: SocketAddr) -> String {
    format!("{}://{}{}", service.scheme(), reachable_here(bound), service.path())
}

/// Where a client on this computer reaches what is bound to an address.
pub fn reachable_here(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_can_be_pasted_into_a_client() {
        let cases = [
            ("127.0.0.1:3000", "ws://127.0.0.1:3000/mcp"),
            ("0.0.0.0:3000", "ws://127.0.0.1:3000/mcp"),
            ("[::]:3000", "ws://[::1]:3000/mcp"),
        ];
        for (bound, expected) in cases {
            let bound = bound.parse().expect("an address");
            assert_eq!(url(Service::McpWebsocket, bound), expected, "nobody can connect to an unspecified address");
        }
    }
}
