//! Looks at ports for the services of an instance: where one stands, and which to use instead.
//!
//! The one judge of ports: the form, the conflict card, `check-ports` and the fallback of a start ask here. Looks at the
//! system each time, keeps nothing, and binds nothing for longer than a probe.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::Path;

use cwts_config::{
    InstanceId, Loaded, PortConcern, PortTable, Sources, is_browser_blocked, port_concern, profile_ports,
};
use cwts_domain::Service;
use cwts_ports::{Availability, Holder, Occupant};

use crate::lock::{RunningInstance, running_instances};
use crate::port_facts::{Alternatives, Owner, OwnerKind, PortCheck, PortCheckState, RangeCheck};
use crate::snapshot::Snapshot;
use crate::standing::Standing;

/// At most this many ports of a range are tested. A test takes about 10 us.
const MOST_TESTED: usize = 1_000;

/// The services of one instance, and what must be known to judge ports for them.
#[derive(Clone)]
pub struct PortSurvey {
    instance: String,
    rows: BTreeMap<Service, Row>,
    ephemeral: Option<RangeInclusive<u16>>,
    running: Vec<RunningInstance>,
    /// Ports that are configured for other instances of the home.
    claims: BTreeMap<u16, String>,
    /// Ports that were offered to a service and are its own from then on.
    promised: BTreeMap<u16, Service>,
}

/// What is configured for a service.
#[derive(Clone)]
struct Row {
    address: SocketAddr,
    /// The default and the alternatives of ports.conf, best first.
    listed: Vec<u16>,
    range: RangeInclusive<u16>,
}

impl PortSurvey {
    /// For the configuration of an instance.
    pub fn new(sources: &Sources, loaded: &Loaded) -> Self {
        let plan = Service::ALL.map(|service| (service, loaded.settings.socket_addr(service)));
        Self::of_plan(sources, &plan.into(), &loaded.port_table)
    }

    /// For services on the addresses of a plan.
    pub(crate) fn of_plan(sources: &Sources, plan: &BTreeMap<Service, SocketAddr>, table: &PortTable) -> Self {
        let rows = plan.iter().map(|(&service, &address)| {
            let ports = table.get(service);
            let listed = std::iter::once(ports.default).chain(ports.alternatives.iter().copied()).collect();
            (service, Row { address, listed, range: ports.range.clone() })
        });
        Self::of_rows(sources, rows.collect())
    }

    /// For an instance that does not exist yet: it stands on no port, and every instance there is stands beside it.
    pub(crate) fn for_newcomer(home: &Sources, addresses: &BTreeMap<Service, SocketAddr>, table: &PortTable) -> Self {
        let claims = claims(home.home(), None);
        Self { instance: String::new(), claims, ..Self::of_plan(home, addresses, table) }
    }

    /// For services as they are in a snapshot.
    pub(crate) fn of_snapshot(sources: &Sources, snapshot: &Snapshot) -> Self {
        let rows = snapshot.services.iter().map(|entry| {
            let address = SocketAddr::new(entry.address.value, entry.port.value);
            let [first, last] = entry.range;
            (entry.service, Row { address, listed: entry.alternatives.clone(), range: first..=last })
        });
        Self::of_rows(sources, rows.collect())
    }

    fn of_rows(sources: &Sources, rows: BTreeMap<Service, Row>) -> Self {
        Self {
            instance: sources.instance().to_string(),
            rows,
            ephemeral: sources.ephemeral_ports().cloned(),
            running: running_instances(sources.home()),
            claims: claims(sources.home(), Some(sources.instance())),
            promised: BTreeMap::new(),
        }
    }

    /// Gives a port to a service, so that no other one is offered it.
    pub fn promise(&mut self, service: Service, port: u16) {
        self.promised.insert(port, service);
    }

    /// The instance itself, if some process runs it.
    pub fn own_run(&self) -> Option<&RunningInstance> {
        self.running.iter().find(|it| it.id == self.instance)
    }

    /// Where a port stands for a service, on the address that the service binds.
    pub fn standing(&self, service: Service, port: u16) -> Standing {
        let Some(row) = self.rows.get(&service) else { return Standing::NoAddress };
        let wanted = SocketAddr::new(row.address.ip(), port);
        if port == 0 {
            return Standing::NoPort;
        }
        if let Some(other) = self.service_on(service, port) {
            return Standing::Service(other);
        }
        match cwts_ports::availability(wanted) {
            Availability::Free { shadowed_by } => self.drawback(port, shadowed_by).unwrap_or(Standing::Free),
            Availability::Taken { holder } => {
                let instance = holder.as_ref().and_then(|holder| self.instance_of(holder)).map(|it| it.id.clone());
                match holder {
                    Some(holder) if wanted == row.address && instance.as_ref() == Some(&self.instance) => {
                        Standing::Ours(holder)
                    }
                    holder => Standing::Taken { instance, holder },
                }
            }
            Availability::Denied { reason } => Standing::Denied(reason),
            Availability::AddressUnavailable => Standing::NoAddress,
        }
    }

    /// The same as a form shows it, with the port to use instead where this one has a drawback.
    pub fn check(&self, service: Service, port: u16) -> PortCheck {
        let standing = self.standing(service, port);
        let unwelcome = matches!(standing.state(), PortCheckState::Warning | PortCheckState::Refused);
        let suggestion = if unwelcome { self.alternatives(service, port).best } else { None };
        PortCheck { suggestion, ..self.told(service, port, &standing) }
    }

    /// What to use instead of `port`. Each was tested on the address that the service binds.
    pub fn alternatives(&self, service: Service, port: u16) -> Alternatives {
        let Some(row) = self.rows.get(&service) else { return Alternatives::default() };
        let mut listed: Vec<u16> = Vec::new();
        for &candidate in &row.listed {
            if candidate != port && !listed.contains(&candidate) {
                listed.push(candidate);
            }
        }
        let judged: Vec<_> = listed.into_iter().map(|port| (port, self.standing(service, port))).collect();
        let range = self.range(service, row, port);
        let works = |standing: &Standing| standing.is_bindable() && !is_blocked(standing);
        let first = |fits: &dyn Fn(&Standing) -> bool| judged.iter().find(|(_, it)| fits(it)).map(|(port, _)| *port);
        let best = first(&|standing| *standing == Standing::Free).or(range.next).or_else(|| first(&works));
        let listed = judged.iter().map(|(port, standing)| self.told(service, *port, standing)).collect();
        Alternatives { listed, range, best }
    }

    /// The services beside this one whose configured ports cannot be had. Those that listen there are not among them.
    pub(crate) fn others_taken(&self, service: Service) -> Vec<Service> {
        let others = self.rows.iter().filter(|(other, _)| **other != service);
        let taken =
            others.filter(|(other, row)| self.standing(**other, row.address.port()).state() == PortCheckState::Refused);
        taken.map(|(other, _)| *other).collect()
    }

    /// Who an occupant is to this instance. The locks of the home decide; what the occupant says of itself counts only
    /// where they do not know it.
    pub fn owner(&self, occupant: &Occupant) -> Owner {
        let pid = occupant.holder.pid;
        let said = |id: &str| occupant.instances.iter().find(|it| it.id == id);
        let by_lock = self
            .instance_of(&occupant.holder)
            .or_else(|| self.running.iter().find(|it| said(&it.id).is_some() && pid.is_none()));
        let (id, pid) = match (by_lock, occupant.instances.first()) {
            (Some(running), _) => (running.id.clone(), Some(running.pid)),
            (None, Some(answer)) => (answer.id.clone(), pid),
            (None, None) => return Owner { kind: OwnerKind::Foreign, instance: None, nonce: None, pid },
        };
        let kind = match by_lock {
            Some(running) if running.id == self.instance => OwnerKind::ThisInstance,
            _ => OwnerKind::OtherInstance,
        };
        Owner { kind, nonce: said(&id).map(|it| it.nonce.clone()), instance: Some(id), pid }
    }

    fn told(&self, service: Service, port: u16, standing: &Standing) -> PortCheck {
        let ip = self.address(service, port).ip();
        let held = matches!(standing, Standing::Taken { holder: Some(_), .. });
        let message = standing.sentence(&port.to_string(), ip);
        PortCheck { port, state: standing.state(), message, held, suggestion: None }
    }

    /// The port on the address that the service binds.
    pub fn address(&self, service: Service, port: u16) -> SocketAddr {
        let ip = self.rows.get(&service).map_or(IpAddr::from([127, 0, 0, 1]), |row| row.address.ip());
        SocketAddr::new(ip, port)
    }

    /// What speaks against a port that can be bound, the worst first.
    fn drawback(&self, port: u16, shadowed_by: Option<Holder>) -> Option<Standing> {
        let concern = port_concern(port, self.ephemeral.as_ref());
        if concern == Some(PortConcern::BrowserBlocked) {
            return concern.map(Standing::Concern);
        }
        let claim = || self.claims.get(&port).map(|instance| Standing::Claimed { instance: instance.clone() });
        shadowed_by.map(Standing::Shadowed).or_else(claim).or(concern.map(Standing::Concern))
    }

    /// Another service of this instance that is configured for the port, or was given it.
    fn service_on(&self, service: Service, port: u16) -> Option<Service> {
        let configured = self.rows.iter().find(|(other, row)| **other != service && row.address.port() == port);
        let promised = self.promised.get(&port).filter(|other| **other != service);
        configured.map(|(other, _)| *other).or(promised.copied())
    }

    /// The instance of this home that the holder runs. A panel runs several: then the one that says so of that very socket.
    fn instance_of(&self, holder: &Holder) -> Option<&RunningInstance> {
        let mut of_process = self.running.iter().filter(|it| Some(it.pid) == holder.pid);
        let told = of_process.clone().find(|it| it.addresses.iter().any(|(_, address)| *address == holder.address));
        told.or_else(|| of_process.next().filter(|_| of_process.next().is_none()))
    }

    /// How much of the range is free, and the next port of it.
    fn range(&self, service: Service, row: &Row, unwanted: u16) -> RangeCheck {
        // The search begins where the table's alternatives end, so that services do not all get the same port.
        let from = row.listed.iter().copied().filter(|port| row.range.contains(port)).max();
        let from = from.unwrap_or(*row.range.start());
        let order = (from..=*row.range.end()).chain(*row.range.start()..from).take(MOST_TESTED);
        let tested: Vec<u16> = order.collect();
        let is_free = |port: &u16| self.is_usable(service, SocketAddr::new(row.address.ip(), *port));
        let free: Vec<u16> = tested.iter().copied().filter(is_free).collect();
        let is_new = |port: &&u16| **port != unwanted && !row.listed.contains(port);
        // What the table names for another service is left to that, and a port without a drawback is better than one with.
        let is_left = |port: &u16| self.rows.iter().any(|(other, row)| *other != service && row.listed.contains(port));
        let is_good = |port: &&u16| is_new(port) && !is_left(port) && self.drawback(**port, None).is_none();
        let next = free.iter().find(is_good).or_else(|| free.iter().find(is_new)).copied();
        let count = |ports: &[u16]| u16::try_from(ports.len()).unwrap_or(u16::MAX);
        let (first, last) = (*row.range.start(), *row.range.end());
        RangeCheck { first, last, tested: count(&tested), free: count(&free), next }
    }

    /// The quick question behind [`standing`](Self::standing): can it be bound, and does it work for every client.
    fn is_usable(&self, service: Service, wanted: SocketAddr) -> bool {
        let port = wanted.port();
        let ruled_out = port == 0 || is_browser_blocked(port) || self.service_on(service, port).is_some();
        !ruled_out && cwts_ports::is_bindable(wanted)
    }
}

fn is_blocked(standing: &Standing) -> bool {
    *standing == Standing::Concern(PortConcern::BrowserBlocked)
}

/// The ports that are configured for the instances of the home, as far as their files tell.
fn claims(home: &Path, except: Option<&InstanceId>) -> BTreeMap<u16, String> {
    let mut claims = BTreeMap::new();
    for claim in profile_ports(home).into_iter().filter(|claim| Some(&claim.instance) != except) {
        claims.entry(claim.port).or_insert_with(|| claim.instance.to_string());
    }
    claims
}

#[cfg(test)]
mod tests;
