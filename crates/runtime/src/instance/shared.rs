//! What all handles on an instance share.

use std::sync::{Arc, PoisonError, RwLock};

use cwts_config::Sources;
use cwts_domain::Group;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, broadcast};
use tokio_util::sync::DropGuard;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::audit::{Audit, Tally};
use crate::candles::Candles;
use crate::connected::ConnectedClients;
use crate::core::Core;
use crate::elsewhere::ElsewhereCell;
use crate::exchange::ExchangeHandle;
use crate::market::MarketDesk;
use crate::meter::Meters;
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::refusals::Refusals;
use crate::risk::RiskSamples;
use crate::services::ServiceFactory;
use crate::snapshot::{Envelope, InstanceEvent, RunState, Snapshot};
use crate::surroundings::Surroundings;
use crate::telemetry::Telemetry;
use crate::tls::Tls;

pub(crate) struct Shared {
    pub(crate) sources: Sources,
    pub(crate) services: Arc<dyn ServiceFactory>,
    pub(crate) surroundings: Surroundings,
    pub(crate) metrics: Metrics,
    pub(crate) meters: Meters,
    pub(crate) connected: ConnectedClients,
    pub(crate) exchange: ExchangeHandle,
    pub(crate) candles: Arc<Candles>,
    pub(crate) market: Arc<MarketDesk>,
    pub(crate) risk: Arc<RiskSamples>,
    pub(crate) access: Access,
    pub(crate) audit: Audit,
    /// Requests of other computers that were refused and that the audit trail does not tell of yet.
    pub(crate) remote_refused: Tally,
    pub(crate) refusals: Refusals,
    pub(crate) tls: Tls,
    /// What lives longer than the connection that it began on.
    pub(crate) sessions: TaskTracker,
    pub(super) policy: RwLock<Arc<Policy>>,
    pub(crate) telemetry: Telemetry,
    pub(crate) elsewhere: ElsewhereCell,
    pub(super) nonce: String,
    pub(super) tokio: Handle,
    pub(super) core: Mutex<Core>,
    pub(super) snapshot: RwLock<Snapshot>,
    pub(super) events: broadcast::Sender<Envelope>,
    pub(super) _following: DropGuard,
}

impl Shared {
    pub(crate) fn is_running(&self) -> bool {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).state == RunState::Running
    }

    pub(crate) fn snapshot_revision(&self) -> u64 {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).revision
    }

    /// Requests and orders are judged by `policy` from now on.
    pub(crate) fn set_policy(&self, policy: Policy) {
        self.exchange.take_orders(policy.exposure(Group::Mcp).takes_orders());
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    /// Makes `snapshot` the truth and tells everyone.
    pub(crate) fn publish(&self, snapshot: Snapshot) {
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = snapshot.clone();
        self.send(InstanceEvent::Snapshot(Box::new(self.laid_over(snapshot))));
    }

    /// The picture with what is known beyond the services: the account, and what another process says.
    pub(super) fn laid_over(&self, mut snapshot: Snapshot) -> Snapshot {
        snapshot.trading = self.telemetry.trading().filter(|_| snapshot.state == RunState::Running);
        self.elsewhere.laid_over(snapshot)
    }

    pub(crate) fn send(&self, event: InstanceEvent) {
        let envelope = Envelope { instance: self.sources.instance().to_string(), event };
        // Without a window there is nobody to tell.
        drop(self.events.send(envelope));
    }

    pub(crate) fn record(&self, text: String) {
        tracing::info!(target: "activity", "{text}");
        crate::logs::tell(self.sources.instance().as_str(), &text);
        let activity = self.telemetry.push_activity(self.surroundings.clock.now(), text);
        self.send(InstanceEvent::Activity(activity));
    }
}
