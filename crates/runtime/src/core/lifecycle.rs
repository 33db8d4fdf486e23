//! Starting and stopping: all four services, or none.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use cwts_config::{Key, Loaded};
use cwts_domain::{Problem, Service};
use cwts_net::{Endpoint, Listeners, Prepared};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{Core, Running};
use crate::audit::Actor;
use crate::conflict::Blocked;
use crate::fallback::{self, Placed};
use crate::follow;
use crate::instance::Instance;
use crate::keeper::journal_file;
use crate::lock::{self, InstanceLock};
use crate::market::Floor;
use crate::snapshot::RunState;

/// How long clients may take to end before their connections are cut.
pub(crate) const DRAIN_DEADLINE: Duration = Duration::from_secs(10);
/// The part of it that is kept for the health service, which ends last.
const HEALTH_DRAIN: Duration = Duration::from_secs(1);

/// Starts of one process bind in turn: who finds a port taken by its own process reads in the locks which instance has it.
static BINDING: Mutex<()> = Mutex::const_new(());

/// Sockets that are bound and may be served.
struct Bound {
    lock: Option<InstanceLock>,
    listeners: Listeners<Service>,
    prepared: Prepared<Service>,
}

impl Core {
    pub(crate) async fn start(&mut self, instance: &Instance) -> Result<(), Problem> {
        if self.running.is_some() {
            return self.serve_blocked(instance).await;
        }
        self.state = RunState::Starting;
        self.problem = None;
        self.blocked.clear();
        self.publish(instance);
        match self.bind(instance).await {
            Ok(bound) => {
                self.run(instance, bound).await;
                Ok(())
            }
            Err(blocked) => {
                let problem = blocked.problem().clone();
                tracing::debug!(code = ?problem.code, "cannot start: {problem}");
                if !self.away.is_empty() {
                    self.end_stand_in(&instance.shared().sources);
                }
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
        self.stand_in(instance).await;
        let loaded = self.loaded.as_ref().map_err(|problem| Blocked::by_problem(problem.clone()))?;
        let mut lock = match InstanceLock::acquire(sources) {
            Ok(mut lock) => {
                if let Err(error) = lock.tell(instance.nonce(), []) {
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
        let turn = BINDING.lock().await;
        let Placed { prepared, told } = fallback::place(&listeners, sources, loaded).await?;
        if let Some(lock) = &mut lock {
            lock.tell_addresses(instance.nonce(), prepared.addresses());
        }
        drop(turn);
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
        let market = tokio::spawn(Floor::of(instance.shared()).run(stop_market.clone()));
        let started_at = instance.clock().now();
        self.running = Some(Running { listeners, started_at, market, stop_market: stop_market.drop_guard(), lock });
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
        drop(running.stop_market);
        if let Err(error) = running.market.await {
            tracing::error!(%error, "the market has ended before it was asked to");
        }
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

fn endpoint(instance: &Instance, service: Service) -> Endpoint {
    Endpoint {
        router: instance.shared().services.router(service, instance),
        connections: instance.meter(service).connection_counter(),
        refused: instance.meter(service).refused_counter(),
        limits: instance.shared().services.connection_limits(),
        tls: instance.shared().tls.switch(),
    }
}
