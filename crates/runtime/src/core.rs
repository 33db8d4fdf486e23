//! What only one operation at a time may touch: the configuration in force, the sockets, the run state.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cwts_config::{ConfigError, Edit, Key, Loaded, Sources};
use cwts_domain::{ErrorCode, Group, Problem, Service, Timestamp};
use cwts_net::{Endpoint, Listeners, Prepared};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::access::Access;
use crate::audit::{Actor, Audit, AuditEntry, Reach};
use crate::away::Away;
use crate::clients::{ClientFacts, Issued};
use crate::conflict::Blocked;
use crate::exposure::Exposure;
use crate::fallback::{self, Placed};
use crate::instance::Instance;
use crate::keeper::journal_file;
use crate::lock::{self, InstanceLock};
use crate::policy::Policy;
use crate::security::Security;
use crate::snapshot::{RunState, Snapshot};
use crate::{away, findings, follow, logs, market, trading, view};

/// How long clients may take to end before their connections are cut.
pub(crate) const DRAIN_DEADLINE: Duration = Duration::from_secs(10);
/// The part of it that is kept for the health service, which ends last.
const HEALTH_DRAIN: Duration = Duration::from_secs(1);

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
    _market: DropGuard,
    _lock: Option<InstanceLock>,
}

/// Sockets that are bound and may be served.
struct Bound {
    lock: Option<InstanceLock>,
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
    fn reload(&mut self, sources: &Sources) {
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

    pub(crate) fn snapshot(&self, sources: &Sources, access: &Access, audit: &Audit, policy: &Policy) -> Snapshot {
        let loaded = self.loaded.as_ref().ok();
        let settings = loaded.map(|loaded| loaded.settings.clone()).unwrap_or_default();
        let stale_clients = Issued::stale(&sources.data(), || {
            ClientFacts::gather(sources, &settings, |service| settings.socket_addr(service)).ok()
        });
        let table = loaded.map(|loaded| loaded.port_table.clone()).unwrap_or_default();
        let mut findings = loaded.map_or_else(Vec::new, |loaded| findings::claimed(loaded, sources));
        findings.extend(loaded.into_iter().flat_map(|loaded| away::findings(loaded, &self.away)));
        findings.extend(findings::of(
            loaded,
            access,
            audit,
            policy,
            self.pending.as_ref(),
            self.running.is_some(),
            &stale_clients,
        ));
        Snapshot {
            revision: self.revision,
            instance: sources.instance().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: self.state,
            started_at: self.running.as_ref().map(|running| running.started_at.millis()),
            services: view::services(&settings, &table, self.state, &self.blocked),
            findings,
            security: Security {
                mcp: policy.exposure(Group::Mcp),
                monitoring: policy.exposure(Group::Monitoring),
                auth: settings.auth,
                tls: settings.tls,
                certificate: policy.certificate.clone(),
                mcp_away: self.away.get(&Group::Mcp).map(|away| away.address),
                monitoring_away: self.away.get(&Group::Monitoring).map(|away| away.address),
            },
            stale_clients,
            market: None,
            failed_logins: access.failed_logins(),
            problem: self.problem.clone(),
            damaged_file: self.damaged_file(sources),
            elsewhere: None,
            env_file: sources.env_file().display().to_string(),
            toml_file: sources.toml_file().display().to_string(),
        }
    }

    /// Looks at the files only where they are known to be invalid.
    fn damaged_file(&self, sources: &Sources) -> Option<String> {
        let invalid = self.loaded.as_ref().err().or(self.pending.as_ref());
        invalid.filter(|problem| matches!(problem.code, ErrorCode::ConfigInvalid | ErrorCode::NotPermitted))?;
        Some(cwts_config::restorable(sources)?.file.display().to_string())
    }

    pub(crate) fn publish(&mut self, instance: &Instance) {
        self.revision += 1;
        let shared = instance.shared();
        if let Ok(loaded) = &self.loaded {
            logs::follow_level(instance.id(), loaded.settings.log_level.value);
        }
        let policy = self.policy(instance);
        if policy.exposure(Group::Mcp) != Exposure::Armed {
            self.armed_for = None;
        }
        self.audit_exposure(instance, &policy);
        shared.set_policy(policy.clone());
        let mut snapshot = self.snapshot(&shared.sources, &shared.access, &shared.audit, &policy);
        let fault = shared.exchange.journal_fault();
        snapshot.findings.splice(..0, fault.as_ref().map(trading::finding));
        shared.publish(snapshot);
    }

    /// Tells the audit trail when services reach further or less far, and when trading is armed or disarmed.
    fn audit_exposure(&mut self, instance: &Instance, policy: &Policy) {
        let armed = self.armed_for.is_some();
        if std::mem::replace(&mut self.was_armed, armed) != armed {
            instance.audit(AuditEntry::trading(self.acting, armed));
        }
        let serving = matches!(self.state, RunState::Running);
        for (told, group) in self.reach.iter_mut().zip([Group::Mcp, Group::Monitoring]) {
            let bound = self.loaded.as_ref().ok().filter(|_| serving).map(|loaded| loaded.settings.bind_addr(group));
            let now = bound.as_ref().map_or(Reach::Here, |it| Reach::of(it.value, policy.exposure(group)));
            if *told != now {
                let origin = bound.map_or(String::new(), |it| it.origin.to_string());
                instance.audit(AuditEntry::reach(self.acting, group, *told, now, &origin));
                *told = now;
            }
        }
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

    pub(crate) async fn start(&mut self, instance: &Instance) -> Result<(), Problem> {
        if self.running.is_some() {
            return self.serve_blocked(instance).await;
        }
        self.state = RunState::Starting;
        self.problem = None;
        self.blocked.clear();
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
                self.blocked.extend(blocked.service().is_some().then_some(blocked));
                self.publish(instance);
                Err(problem)
            }
        }
    }

    async fn bind(&mut self, instance: &Instance) -> Result<Bound, Blocked> {
        let sources = &instance.shared().sources;
        self.reload(sources);
        let loaded = self.loaded.as_ref().map_err(|problem| Blocked::by_problem(problem.clone()))?;
        let lock = match InstanceLock::acquire(sources) {
            Ok(lock) => {
                if let Err(error) = lock.sign(instance.nonce()) {
                    tracing::warn!(%error, "The lock is not signed: a connection test cannot tell this process from another");
                }
                Some(lock)
            }
            Err(error) if error.is_of_read_only_home() => {
                tracing::warn!(%error, "The home cannot be written: a second start of this instance is not noticed");
                None
            }
            Err(error) => return Err(Blocked::by_problem(lock::problem(&error, sources))),
        };
        let shared = instance.shared();
        let news = shared.access.read().map_err(Blocked::by_problem)?;
        instance.audit_tokens(&news);
        let tls = shared.tls.prepare(loaded.settings.tls.value, sources.instance().as_str());
        shared.tls.show(tls.map_err(Blocked::by_problem)?);
        let listeners = Listeners::new(Service::ALL.map(|service| (service, endpoint(instance, service))).into())
            .with_checkpoints(instance.shared().surroundings.checkpoints.clone());
        let Placed { prepared, told } = fallback::place(&listeners, sources, loaded).await?;
        if !told.is_empty() {
            let before = loaded.settings.clone();
            self.reload(sources);
            if let Ok(Loaded { settings: after, .. }) = &self.loaded {
                let moved: Vec<Key> = follow::differing(&before, after).collect();
                instance.audit_settings(Actor::Program, &before, after, &moved);
            }
        }
        told.into_iter().for_each(|text| instance.record(text));
        Ok(Bound { lock, listeners, prepared })
    }

    async fn run(&mut self, instance: &Instance, bound: Bound) {
        let Bound { lock, mut listeners, prepared } = bound;
        // Nobody may be served by the rules of another configuration.
        instance.shared().set_policy(self.policy(instance));
        instance.exchange().open_journal(journal_file(&instance.shared().sources.data())).await;
        // Nothing was served before, so that nothing drains, and no socket takes the place of another, so that none fails.
        drop(listeners.commit(prepared).await);
        let stop_market = CancellationToken::new();
        tokio::spawn(market::run(instance.exchange().clone(), instance.metrics().clone(), stop_market.clone()));
        let started_at = instance.clock().now();
        self.running = Some(Running { listeners, started_at, _market: stop_market.drop_guard(), _lock: lock });
        self.state = RunState::Running;
        self.mark_up(instance, 1);
        self.publish(instance);
        self.keep_good_copies(instance).await;
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
        // With the routers the sessions end; whoever ends the runtime before them cuts them in the middle of it.
        drop(running.listeners);
        instance.end_sessions().await;
        instance.exchange().close_journal().await;
        self.state = RunState::Stopped;
        self.blocked.clear();
        self.mark_up(instance, 0);
        self.this_run.clear();
        self.away.clear();
        self.armed_for = None;
        self.reload(&instance.shared().sources);
        self.publish(instance);
        instance.record("All four services stopped");
        instance.finish_audit().await;
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

/// Closes the sockets that `kept` does not have, and waits for their connections. Returns how many had to be cut.
async fn close_all_but(
    listeners: &mut Listeners<Service>,
    kept: &BTreeMap<Service, SocketAddr>,
    deadline: Duration,
) -> usize {
    match listeners.prepare(kept) {
        Ok(nothing_new) => {
            let closed = listeners.commit(nothing_new).await.unwrap_or_else(|failed| failed.drain);
            closed.within(deadline).await.cut
        }
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
        tls: instance.shared().tls.switch(),
    }
}
