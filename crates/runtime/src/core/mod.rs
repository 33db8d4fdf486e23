//! What only one operation at a time may touch: the configuration in force, the sockets, the run state.

mod lifecycle;
mod picture;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use cwts_config::{ConfigError, Edit, Key, Loaded, Sources};
use cwts_domain::{ErrorCode, Group, Problem, Service, Timestamp};
use cwts_net::Listeners;
use tokio::task::JoinHandle;
use tokio_util::sync::DropGuard;

use crate::audit::{Actor, Reach};
use crate::away::Away;
use crate::conflict::Blocked;
use crate::instance::Instance;
use crate::lock::InstanceLock;
use crate::policy::Policy;
use crate::snapshot::RunState;

pub(crate) use self::lifecycle::DRAIN_DEADLINE;

pub(crate) struct Core {
    pub(crate) loaded: Result<Loaded, Problem>,
    /// Ports and addresses that a person set for this run only.
    pub(crate) this_run: BTreeMap<Key, Edit>,
    pub(crate) running: Option<Running>,
    state: RunState,
    problem: Option<Problem>,
    /// Why what the files say by now is not in force.
    pub(crate) pending: Option<Problem>,
    /// Services that are not served although they should be.
    pub(crate) blocked: Vec<Blocked>,
    revision: u64,
    /// The address that a person armed trading for.
    armed_for: Option<IpAddr>,
    /// Who asked for what is being done.
    pub(crate) acting: Actor,
    /// How far MCP and monitoring reached when it was last told.
    reach: [Reach; 2],
    was_armed: bool,
    /// Addresses that have left this computer while services were bound to them.
    pub(crate) away: BTreeMap<Group, Away>,
}

pub(crate) struct Running {
    pub(crate) listeners: Listeners<Service>,
    started_at: Timestamp,
    market: JoinHandle<()>,
    stop_market: DropGuard,
    lock: Option<InstanceLock>,
}

impl Running {
    /// Tells other processes where the services listen.
    fn tell_addresses(&mut self, nonce: &str) {
        let Some(lock) = &mut self.lock else { return };
        let addresses = Service::ALL.map(|service| Some((service, self.listeners.address(service)?)));
        lock.tell_addresses(nonce, addresses.into_iter().flatten());
    }
}

impl Core {
    pub(crate) fn load(sources: &Sources) -> Self {
        let loaded = cwts_config::load(sources).map_err(Problem::from);
        Self {
            problem: loaded.as_ref().err().cloned(),
            loaded,
            this_run: BTreeMap::new(),
            running: None,
            state: RunState::Stopped,
            blocked: Vec::new(),
            pending: None,
            revision: 0,
            armed_for: None,
            acting: Actor::Program,
            reach: [Reach::Here; 2],
            was_armed: false,
            away: BTreeMap::new(),
        }
    }

    /// Reads the files again. What a person set for this run stays over what they say.
    pub(crate) fn reload(&mut self, sources: &Sources) {
        self.loaded = Self::read(sources, &self.this_run).map_err(Problem::from);
        self.pending = None;
    }

    /// What the files say, below what a person set for this run.
    pub(crate) fn read(sources: &Sources, this_run: &BTreeMap<Key, Edit>) -> Result<Loaded, ConfigError> {
        let loaded = cwts_config::load(sources)?;
        let mut settings = loaded.settings.clone();
        this_run.values().for_each(|edit| settings.set_for_this_run(edit));
        loaded.with_settings(settings, sources)
    }

    fn policy(&self, instance: &Instance) -> Policy {
        let Ok(loaded) = &self.loaded else { return Policy::default() };
        let armed = self.armed_for == Some(loaded.settings.bind_addr(Group::Mcp).value);
        Policy::of(&loaded.settings, &instance.shared().tls, armed)
    }

    /// Lets orders in, or not, while other computers are served.
    ///
    /// # Errors
    /// No other computer is served, so that there is nothing to arm.
    pub(crate) fn arm(&mut self, instance: &Instance, armed: bool) -> Result<(), Problem> {
        let loaded = self.loaded.as_ref().map_err(Clone::clone)?;
        let address = loaded.settings.bind_addr(Group::Mcp).value;
        if self.running.is_none() || !self.policy(instance).exposure(Group::Mcp).is_exposed() {
            let message = "MCP is not served to other computers, so orders are taken as they are.";
            return Err(Problem::new(ErrorCode::WrongState, message));
        }
        self.armed_for = armed.then_some(address);
        self.publish(instance);
        instance.record(if armed { "Trading armed" } else { "Trading disarmed" });
        Ok(())
    }

    /// Publishes the picture once more. Whether another process runs the instance is known anew, so that a start that
    /// failed for that reason is forgotten.
    pub(crate) fn show_again(&mut self, instance: &Instance) {
        self.problem.take_if(|problem| problem.code == ErrorCode::InstanceRunning);
        self.publish(instance);
    }

    pub(crate) fn mark_up(&self, instance: &Instance, up: i64) {
        for service in Service::ALL {
            instance.metrics().service_up.with_label_values(&[service.id()]).set(up);
        }
    }

    /// A service went down although the others run.
    pub(crate) fn block(&mut self, instance: &Instance, blocked: Blocked) {
        if let Some(service) = blocked.service() {
            instance.metrics().service_up.with_label_values(&[service.id()]).set(0);
            instance.record(format!("{service} is down: {}", blocked.problem()));
        }
        self.problem = Some(blocked.problem().clone());
        self.blocked.push(blocked);
    }

    /// Nothing can start because of this.
    pub(crate) fn fail(&mut self, problem: Problem) {
        self.problem = Some(problem);
        self.blocked.clear();
    }

    pub(crate) fn problem_is(&self, code: ErrorCode) -> bool {
        self.problem.as_ref().is_some_and(|problem| problem.code == code)
    }

    /// A change succeeded: everything is served, and what failed before no longer matters.
    pub(crate) fn clear_problem(&mut self, instance: &Instance) {
        self.problem = None;
        self.blocked.clear();
        if self.running.is_some() {
            self.mark_up(instance, 1);
        }
    }
}

/// What each service binds.
pub(crate) fn plan(loaded: &Loaded) -> BTreeMap<Service, SocketAddr> {
    Service::ALL.map(|service| (service, loaded.settings.socket_addr(service))).into()
}
