//! What only one operation at a time may touch: the configuration in force, the sockets, the run state.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use cwts_config::{Loaded, Origin, Sources};
use cwts_domain::{Problem, Service, Timestamp};
use cwts_net::{Endpoint, Listeners, Prepared};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::conflict::{self, Blocked};
use crate::instance::Instance;
use crate::lock::{self, InstanceLock};
use crate::snapshot::{PortChange, RunState, Snapshot};
use crate::{findings, market, view};

/// How long clients may take to end before their connections are cut.
pub(crate) const DRAIN_DEADLINE: Duration = Duration::from_secs(10);
/// The part of it that is kept for the health service, which ends last.
const HEALTH_DRAIN: Duration = Duration::from_secs(1);

pub(crate) struct Core {
    pub(crate) loaded: Result<Loaded, Problem>,
    /// Ports that a person set for this run only.
    this_run: BTreeMap<Service, u16>,
    pub(crate) running: Option<Running>,
    state: RunState,
    problem: Option<Problem>,
    blocked: Option<Blocked>,
    revision: u64,
}

pub(crate) struct Running {
    pub(crate) listeners: Listeners<Service>,
    started_at: Timestamp,
    _market: DropGuard,
    _lock: InstanceLock,
}

/// Sockets that are bound and may be served.
struct Bound {
    lock: InstanceLock,
    listeners: Listeners<Service>,
    prepared: Prepared<Service>,
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
            blocked: None,
            revision: 0,
        }
    }

    /// Reads the files again. A port of this run stays over what they say.
    fn reload(&mut self, sources: &Sources) {
        self.loaded = cwts_config::load(sources).map_err(Problem::from);
        if let Ok(loaded) = &mut self.loaded {
            for (&service, &port) in &self.this_run {
                loaded.settings.port_mut(service).lay_over(port, Origin::this_run());
            }
        }
    }

    /// Sets the ports of services for this run only.
    pub(crate) fn set_for_this_run(&mut self, changes: &[PortChange]) {
        for change in changes {
            self.this_run.insert(change.service, change.port);
            if let Ok(loaded) = &mut self.loaded {
                loaded.settings.port_mut(change.service).lay_over(change.port, Origin::this_run());
            }
        }
    }

    /// Takes over the ports that were just saved to a file. Other settings stay as they are bound, even where their
    /// file says something else by now.
    pub(crate) fn adopt_saved(&mut self, saved: &Loaded, changes: &[PortChange]) {
        for change in changes {
            self.this_run.remove(&change.service);
        }
        if let Ok(loaded) = &mut self.loaded {
            for change in changes {
                *loaded.settings.port_mut(change.service) = saved.settings.port(change.service).clone();
            }
            loaded.revision = saved.revision.clone();
        }
    }

    pub(crate) fn snapshot(&self, sources: &Sources) -> Snapshot {
        let loaded = self.loaded.as_ref().ok();
        let settings = loaded.map(|loaded| loaded.settings.clone()).unwrap_or_default();
        let table = loaded.map(|loaded| loaded.port_table.clone()).unwrap_or_default();
        Snapshot {
            revision: self.revision,
            instance: sources.instance().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: self.state,
            started_at: self.running.as_ref().map(|running| running.started_at.millis()),
            services: view::services(&settings, &table, self.state, self.blocked.as_ref()),
            findings: findings::of(loaded),
            market: None,
            problem: self.problem.clone(),
            elsewhere: None,
            env_file: sources.env_file().display().to_string(),
            toml_file: sources.toml_file().display().to_string(),
        }
    }

    pub(crate) fn publish(&mut self, instance: &Instance) {
        self.revision += 1;
        instance.shared().publish(self.snapshot(&instance.shared().sources));
    }

    pub(crate) async fn start(&mut self, instance: &Instance) -> Result<(), Problem> {
        if self.running.is_some() {
            return Ok(());
        }
        self.state = RunState::Starting;
        self.problem = None;
        self.blocked = None;
        self.publish(instance);
        let bound = self.bind(instance).await;
        match bound {
            Ok(bound) => {
                self.run(instance, bound).await;
                Ok(())
            }
            Err(blocked) => {
                let problem = blocked.problem().clone();
                tracing::debug!(code = ?problem.code, "cannot start: {problem}");
                self.state = RunState::Stopped;
                self.problem = Some(problem.clone());
                self.blocked = blocked.service().is_some().then_some(blocked);
                self.publish(instance);
                Err(problem)
            }
        }
    }

    async fn bind(&mut self, instance: &Instance) -> Result<Bound, Blocked> {
        let sources = &instance.shared().sources;
        self.reload(sources);
        let loaded = self.loaded.as_ref().map_err(|problem| Blocked::by_problem(problem.clone()))?;
        let plan = plan(loaded);
        let lock =
            InstanceLock::acquire(sources).map_err(|error| Blocked::by_problem(lock::problem(&error, sources)))?;
        let listeners = Listeners::new(Service::ALL.map(|service| (service, endpoint(instance, service))).into());
        match listeners.prepare(&plan) {
            Ok(prepared) => Ok(Bound { lock, listeners, prepared }),
            Err(failed) => Err(conflict::explain(failed, sources, &plan, &loaded.port_table).await),
        }
    }

    async fn run(&mut self, instance: &Instance, bound: Bound) {
        let Bound { lock, mut listeners, prepared } = bound;
        // Nothing was served before, so nothing drains.
        drop(listeners.commit(prepared).await);
        let stop_market = CancellationToken::new();
        tokio::spawn(market::run(instance.exchange().clone(), instance.metrics().clone(), stop_market.clone()));
        let started_at = instance.clock().now();
        self.running = Some(Running { listeners, started_at, _market: stop_market.drop_guard(), _lock: lock });
        self.state = RunState::Running;
        self.mark_up(instance, 1);
        self.publish(instance);
        instance.record("All four services started");
    }

    pub(crate) async fn stop(&mut self, instance: &Instance) {
        let Some(mut running) = self.running.take() else { return };
        self.state = RunState::Stopping;
        self.publish(instance);
        // Health answers until the others have ended, so that a monitor reads "draining" instead of a refused connection.
        let health = running.listeners.address(Service::Health).map(|address| (Service::Health, address));
        let health = BTreeMap::from_iter(health);
        let mut cut = close_all_but(&mut running.listeners, &health, DRAIN_DEADLINE - HEALTH_DRAIN).await;
        cut += close_all_but(&mut running.listeners, &BTreeMap::new(), HEALTH_DRAIN).await;
        tracing::info!(cut, "All sockets are closed");
        self.state = RunState::Stopped;
        self.mark_up(instance, 0);
        self.this_run.clear();
        self.reload(&instance.shared().sources);
        self.publish(instance);
        instance.record("All four services stopped");
    }

    fn mark_up(&self, instance: &Instance, up: i64) {
        for service in Service::ALL {
            instance.metrics().service_up.with_label_values(&[service.id()]).set(up);
        }
    }

    /// A change succeeded: what failed before no longer matters.
    pub(crate) fn clear_problem(&mut self) {
        self.problem = None;
        self.blocked = None;
    }
}

/// Closes the sockets that `kept` does not have, and waits for their connections. Returns how many had to be cut.
async fn close_all_but(
    listeners: &mut Listeners<Service>,
    kept: &BTreeMap<Service, SocketAddr>,
    deadline: Duration,
) -> usize {
    match listeners.prepare(kept) {
        Ok(nothing_new) => listeners.commit(nothing_new).await.within(deadline).await.cut,
        Err(error) => {
            tracing::error!(%error, "a plan of sockets that are there binds nothing and cannot fail");
            0
        }
    }
}

/// What each service binds.
pub(crate) fn plan(loaded: &Loaded) -> BTreeMap<Service, SocketAddr> {
    Service::ALL.map(|service| (service, loaded.settings.socket_addr(service))).into()
}

fn endpoint(instance: &Instance, service: Service) -> Endpoint {
    Endpoint {
        router: instance.shared().services.router(service, instance),
        connections: instance.meter(service).connection_counter(),
        refused: instance.meter(service).refused_counter(),
        limits: instance.shared().services.connection_limits(),
    }
}
