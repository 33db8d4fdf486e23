//! One instance: its lifecycle, its truth and the questions that the wire and the window ask it.
//!
//! Every method may be awaited from any runtime: the work runs on the services' own, and goes on when the asker gives
//! up. Starting, stopping and changing settings exclude each other; reading never waits for them.

mod ports;
mod shared;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use cwts_config::{Settings, Sources};
use cwts_domain::{Clock, ErrorCode, Problem, Service};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::shared::Shared;
use crate::access::Access;
use crate::audit::{Actor, Audit, Tally, Trail};
use crate::connected::ConnectedClients;
use crate::core::Core;
use crate::edit::SettingsEdit;
use crate::elsewhere::ElsewhereCell;
use crate::exchange::ExchangeHandle;
use crate::follow::Emptied;
use crate::meter::{Meter, Meters};
use crate::metrics::Metrics;
use crate::operation::Operation;
use crate::policy::Policy;
use crate::refusals::Refusals;
use crate::services::ServiceFactory;
use crate::snapshot::{Activity, Envelope, InstanceEvent, Sample, Snapshot};
use crate::surroundings::Surroundings;
use crate::telemetry::Telemetry;
use crate::tls::Tls;
use crate::{away, candles, follow, sampler, trading};

/// Events that a slow window may lag behind before it has to fetch the snapshots again.
const EVENTS: usize = 1024;

/// A handle on an instance; clones are the same instance. One that runs stays alive, with its sockets, until it is
/// stopped: what answers on them holds a handle too.
#[derive(Clone)]
pub struct Instance(Arc<Shared>);

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance").field("id", self.0.sources.instance()).finish_non_exhaustive()
    }
}

impl Instance {
    pub(crate) fn open(
        tokio: Handle,
        sources: Sources,
        services: Arc<dyn ServiceFactory>,
        surroundings: Surroundings,
        events: broadcast::Sender<Envelope>,
    ) -> Result<Self, Problem> {
        let _entered = tokio.enter();
        let metrics = Metrics::new(sources.instance().as_str())
            .map_err(|error| Problem::new(ErrorCode::Internal, format!("metrics: {error}")))?;
        let exchange = ExchangeHandle::spawn(Arc::clone(&surroundings.clock), metrics.clone())
            .map_err(|error| Problem::new(ErrorCode::Internal, format!("a thread for the exchange: {error}")))?;
        let core = Core::load(&sources);
        let access = Access::new(&sources.data());
        let audit = Audit::start(Trail::new(&sources));
        let tls = Tls::new(&sources.data());
        let snapshot = core.snapshot(&sources, &access, &audit, &Policy::default());
        let gone = CancellationToken::new();
        let shared = Arc::new(Shared {
            sources,
            services,
            surroundings,
            metrics,
            meters: Meters::default(),
            connected: ConnectedClients::default(),
            exchange,
            candles: Arc::default(),
            market: Arc::default(),
            risk: Arc::default(),
            access,
            audit,
            remote_refused: Tally::default(),
            refusals: Refusals::default(),
            tls,
            sessions: TaskTracker::new(),
            policy: RwLock::default(),
            telemetry: Telemetry::default(),
            elsewhere: ElsewhereCell::default(),
            nonce: nonce(),
            tokio: tokio.clone(),
            core: Mutex::new(core),
            snapshot: RwLock::new(snapshot),
            events,
            _following: gone.clone().drop_guard(),
        });
        tokio.spawn(sampler::run(Arc::downgrade(&shared)));
        tokio.spawn(candles::run(Arc::downgrade(&shared)));
        tokio.spawn(trading::tell_faults(Arc::downgrade(&shared), shared.exchange.journal_faults()));
        tokio.spawn(follow::run(Arc::downgrade(&shared), gone));
        tokio.spawn(away::run(Arc::downgrade(&shared)));
        Ok(Self(shared))
    }

    /// The instance at this moment, with its live figures.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = self.0.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.0.surroundings.clock.now();
        for service in &mut snapshot.services {
            let meter = self.0.meters.of(service.service);
            service.clients = u32::try_from(meter.connections()).unwrap_or(u32::MAX);
            service.requests = meter.requests();
            service.idle_seconds = meter.idle_seconds(now);
        }
        snapshot.failed_logins = self.0.access.failed_logins();
        self.0.laid_over(snapshot)
    }

    /// One sample for each second that the services ran, for at most half an hour, oldest first.
    pub fn history(&self) -> Vec<Sample> {
        self.0.telemetry.samples()
    }

    /// The latest activities, oldest first.
    pub fn activities(&self) -> Vec<Activity> {
        self.0.telemetry.activities()
    }

    /// Adds an activity to the list that people see, and to the log.
    pub fn record(&self, text: impl Into<String>) {
        self.0.record(text.into());
    }

    /// Reads the configuration and binds all four services, or none. Running services stay as they are.
    ///
    /// # Errors
    /// The configuration is invalid, or a port cannot be bound; the problem names the holder. Nothing was started.
    pub async fn start(&self) -> Result<Snapshot, Problem> {
        self.run(Operation::Start).await
    }

    /// Lets clients end within ten seconds and closes all sockets. A stopped instance stays as it is.
    ///
    /// # Errors
    /// The services' runtime is ending.
    pub async fn stop(&self) -> Result<Snapshot, Problem> {
        self.run(Operation::Stop).await
    }

    /// Changes settings, all of the edit or none: binds the new sockets, saves, switches over, drains the old ones.
    ///
    /// # Errors
    /// The edit is invalid or outdated, a socket cannot be bound, the file cannot be saved, or the switch failed; nothing
    /// has changed. Where a socket that had to make room could not come back, its service is blocked in the snapshot.
    pub async fn change(&self, edit: SettingsEdit) -> Result<Snapshot, Problem> {
        self.change_by(edit, Actor::Panel).await
    }

    /// The same for somebody else than the person in the panel.
    ///
    /// # Errors
    /// As for [`Instance::change`].
    pub async fn change_by(&self, edit: SettingsEdit, by: Actor) -> Result<Snapshot, Problem> {
        self.refuse_elsewhere()?;
        self.run(Operation::Change(edit, by)).await
    }

    /// Asks the exchange.
    pub fn exchange(&self) -> &ExchangeHandle {
        &self.0.exchange
    }

    /// Who may ask it.
    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// The rules that requests are judged by at this moment.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.0.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The instance's metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The live figures of a service.
    pub fn meter(&self, service: Service) -> &Meter {
        self.0.meters.of(service)
    }

    /// What time it is for this instance.
    pub fn clock(&self) -> &dyn Clock {
        self.0.surroundings.clock.as_ref()
    }

    /// The instance's id.
    pub fn id(&self) -> &str {
        self.0.sources.instance().as_str()
    }

    /// Random text, new at every start of the program: tells this process from an orphan of the same instance.
    pub fn nonce(&self) -> &str {
        &self.0.nonce
    }

    /// The address that a service is configured for; while it runs, the bound one.
    pub fn address(&self, service: Service) -> Option<SocketAddr> {
        let snapshot = self.0.snapshot.read().unwrap_or_else(PoisonError::into_inner);
        let found = snapshot.services.iter().find(|entry| entry.service == service);
        found.map(|entry| SocketAddr::new(entry.address.value, entry.port.value))
    }

    pub(crate) fn of(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// The settings that the services run with, or would start with.
    pub(crate) async fn settings_in_force(&self) -> Result<Settings, Problem> {
        Ok(self.0.core.lock().await.loaded.as_ref().map_err(Clone::clone)?.settings.clone())
    }

    /// Puts into force what the files say by now; false when that has to wait.
    pub(crate) async fn follow(&self, emptied: Emptied) -> bool {
        let mut core = self.0.core.lock().await;
        core.acting = Actor::HandEdit;
        core.follow(self, emptied).await
    }

    pub(crate) fn publish_again(&self) {
        let instance = self.clone();
        self.0.tokio.spawn(async move { instance.0.core.lock().await.publish(&instance) });
    }

    /// Publishes the picture once more: what is laid over it changed.
    pub(crate) async fn show_again(&self) {
        // Nobody waits for the picture that this returns; it is told to everyone.
        drop(self.run(Operation::ShowAgain).await);
    }

    /// Tells everyone that the instance is there.
    pub(crate) fn announce(&self) {
        self.0.send(InstanceEvent::Snapshot(Box::new(self.snapshot())));
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    pub(crate) fn tokio(&self) -> &Handle {
        &self.0.tokio
    }

    /// Runs to its end on the services' runtime, also when the asker gives up.
    pub(crate) async fn on_runtime<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = self.0.tokio.spawn(work).await;
        done.unwrap_or_else(|error| Err(Problem::new(ErrorCode::Internal, error.to_string())))
    }

    /// Runs an exclusive operation to its end on the services' runtime.
    pub(crate) async fn run(&self, operation: Operation) -> Result<Snapshot, Problem> {
        let instance = self.clone();
        self.on_runtime(async move {
            let mut core = instance.0.core.lock().await;
            core.acting = operation.actor();
            match operation {
                Operation::Start => core.start(&instance).await,
                Operation::Stop => {
                    core.stop(&instance).await;
                    Ok(())
                }
                Operation::Change(edit, _) => core.change(&instance, &edit).await,
                Operation::Arm(armed, _) => core.arm(&instance, armed),
                Operation::FollowAddresses(present) => core.follow_addresses(&instance, &present).await,
                Operation::Reach(edit) => core.set_reach(&instance, &edit).await,
                Operation::Restore => core.restore(&instance).await,
                Operation::ShowAgain => {
                    core.show_again(&instance);
                    Ok(())
                }
            }?;
            Ok(instance.snapshot())
        })
        .await
    }
}

/// A channel for the events of one or more instances.
pub(crate) fn events() -> broadcast::Sender<Envelope> {
    broadcast::channel(EVENTS).0
}

fn nonce() -> String {
    let random = getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()));
    format!("{random:016x}")
}
