//! What this computer knows about a ladder that did not hold. Blocks for some tens of milliseconds, for half a second
//! where the holder of a port does not answer.

use std::fs;
use std::net::{IpAddr, SocketAddr};

use cwts_config::{Environment, InstanceId, Sources};
use cwts_credentials::{Scope, TokenStore};
use cwts_domain::Service;
use cwts_firewall::{Detection, Incoming, Tool};
use cwts_ports::Occupant;
use cwts_probe::{Facts, Fault, HolderFacts, InstanceFacts, Ladder, Owned, Queue, Rung};

use super::proxy;
use super::{TestPlan, TestRequest, TestToken};
use crate::elsewhere::running_places;
use crate::lock;
use crate::port_facts::OwnerKind;
use crate::survey::PortSurvey;

/// Looks up what bears on a ladder. What several ladders need is looked up once.
pub(super) struct Gatherer<'a> {
    plan: &'a TestPlan,
    request: &'a TestRequest,
    own_addresses: Vec<IpAddr>,
    firewall: Option<Option<String>>,
    places: Option<Vec<(Service, SocketAddr, String)>>,
}

impl<'a> Gatherer<'a> {
    pub(super) fn new(plan: &'a TestPlan, request: &'a TestRequest) -> Self {
        let own = cwts_net::interface_addresses().unwrap_or_default().into_iter();
        let own_addresses = own.map(|each| each.address).collect();
        Self { plan, request, own_addresses, firewall: None, places: None }
    }

    pub(super) fn facts(&mut self, ladder: &Ladder) -> Facts {
        let mut facts = Facts { own_addresses: self.own_addresses.clone(), ..Facts::default() };
        let tried = ladder.peer.or_else(|| ladder.addresses.first().copied());
        let Some(step) = ladder.failed() else {
            facts.proxy = proxy::on_the_way(self.plan.sources.environment(), &ladder.url);
            return facts;
        };
        // A process that can open nothing can look nothing up either.
        if step.fault == Some(Fault::OutOfDescriptors) {
            return facts;
        }
        let here = tried.filter(|tried| facts.is_own(tried.ip()));
        if let Some(tried) = here {
            facts.holder = self.holder(tried);
            let ours = facts.holder.as_ref().is_some_and(|holder| holder.whose == Owned::Ours);
            facts.instance = Some(self.instance(ladder.service, !ours));
        }
        facts.is_away = self.request.host.is_none() && tried.is_some_and(|tried| !facts.is_own(tried.ip()));
        if step.name == Rung::Tcp {
            facts.firewall = self.firewall.get_or_insert_with(|| in_words(&cwts_firewall::detect())).clone();
            facts.policies = cwts_ports::enforcing().into_iter().map(str::to_owned).collect();
        }
        if step.fault == Some(Fault::TokenWrong)
            && let TestToken::Given(token) = &self.request.token
        {
            facts.token_of = self.owner_of(token);
        }
        facts
    }

    /// Who listens where a client of the address comes out.
    fn holder(&self, address: SocketAddr) -> Option<HolderFacts> {
        // Without the kernel's list nothing is known.
        let occupant = cwts_ports::occupant(address, &[]).ok().flatten().filter(|occupant| occupant.listens)?;
        let (waiting, limit) = cwts_ports::accept_queue(address).ok().flatten().unwrap_or_default();
        let pid = occupant.holder.pid;
        Some(HolderFacts {
            whose: self.whose(&occupant),
            address: occupant.holder.address,
            queue: Queue { waiting, limit },
            suspended: pid.is_some_and(is_suspended),
            descriptors: pid.and_then(descriptors),
            text: occupant.holder.to_string(),
        })
    }

    fn whose(&self, occupant: &Occupant) -> Owned {
        let owner = PortSurvey::new(&self.plan.sources, &self.plan.loaded).owner(occupant);
        match (owner.kind, owner.instance) {
            (OwnerKind::ThisInstance, _) => Owned::Ours,
            (OwnerKind::OtherInstance, id) => Owned::OtherInstance(id),
            // One of another home that answers nobody, being suspended, is still known by its program.
            (OwnerKind::Foreign, _) if occupant.holder.process.as_deref().is_some_and(is_our_program) => {
                Owned::OtherInstance(None)
            }
            (OwnerKind::Foreign, _) => Owned::Foreign,
        }
    }

    fn instance(&mut self, service: Service, ask: bool) -> InstanceFacts {
        let sources = &self.plan.sources;
        let pid = lock::holder(&lock::path(sources));
        // A suspended process answers nothing, and would only hold up the test.
        let asked = pid.filter(|pid| ask && !is_suspended(*pid));
        let listens = match asked {
            Some(pid) => self.places.get_or_insert_with(|| places(sources, pid)).clone(),
            None => Vec::new(),
        };
        let configured_by = self.plan.places.get(&service).map(|(_, origin)| origin.to_string()).unwrap_or_default();
        InstanceFacts { id: sources.instance().to_string(), pid, listens, configured_by }
    }

    /// The other instance of the home whose token this is.
    fn owner_of(&self, token: &str) -> Option<String> {
        let home = self.plan.sources.home();
        let folders = fs::read_dir(home.join("data")).into_iter().flatten().flatten();
        let ids = folders.filter_map(|folder| folder.file_name().to_str()?.parse::<InstanceId>().ok());
        let others = ids.filter(|id| id != self.plan.sources.instance());
        let mut holding = others.filter(|id| {
            let Ok(other) = Sources::new(home, id.clone(), None, Environment::empty()) else { return false };
            let store = TokenStore::new(&other.data());
            Scope::ALL.iter().any(|&scope| fs::read_to_string(store.file(scope)).is_ok_and(|it| it.trim() == token))
        });
        holding.next().map(|id| id.to_string())
    }
}

fn places(sources: &Sources, pid: u32) -> Vec<(Service, SocketAddr, String)> {
    let found = running_places(sources, pid).unwrap_or_default().into_iter();
    found.map(|(service, address, origin)| (service, address, origin.to_string())).collect()
}

/// The server or the panel, whose name the kernel cuts off.
fn is_our_program(name: &str) -> bool {
    name.starts_with("cwts-ultra")
}

/// Stopped by a signal (`T`) or a debugger (`t`), as proc_pid_status(5) has it.
fn is_suspended(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let state = status.lines().find_map(|line| line.strip_prefix("State:"));
    state.is_some_and(|state| state.trim_start().starts_with(['T', 't']))
}

/// How many files a process has open, and how many it may have (proc_pid_limits(5)).
fn descriptors(pid: u32) -> Option<(u64, u64)> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    Some((u64::try_from(open).ok()?, limit.split_whitespace().next()?.parse().ok()?))
}

/// The active firewall; `None` where it is known that none is.
fn in_words(detection: &Detection) -> Option<String> {
    let Some(tool) = detection.active else {
        return (!detection.none_is_active()).then(|| "this user may not see whether one is active".to_owned());
    };
    let finding = detection.of(tool)?;
    let incoming = match finding.incoming {
        Some(Incoming::Denied) => ", denies what no rule names",
        Some(Incoming::Accepted) => ", lets in what no rule names",
        None => "",
    };
    Some(format!("{} ({}{incoming})", Tool::id(tool), finding.evidence))
}
