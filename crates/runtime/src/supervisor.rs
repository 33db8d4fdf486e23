//! The instances of one home in one process, by id.
//!
//! Holds them and carries their events on one channel. What an instance does is its own affair.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use cwts_config::{Environment, InstanceId, Sources};
use cwts_domain::{ErrorCode, Problem};
use tokio::runtime::Handle;
use tokio::sync::broadcast;

use crate::instance::{self, Instance};
use crate::services::ServiceFactory;
use crate::snapshot::{Envelope, Snapshot};
use crate::surroundings::Surroundings;

/// A handle on the instances of a home; clones are the same.
#[derive(Clone)]
pub struct Supervisor(Arc<Inner>);

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("opened", &self.0.opened.instance()).finish_non_exhaustive()
    }
}

struct Inner {
    tokio: Handle,
    /// What the program was started for. Only this instance follows the environment: its ports are meant for one.
    opened: Sources,
    services: Arc<dyn ServiceFactory>,
    events: broadcast::Sender<Envelope>,
    instances: RwLock<BTreeMap<InstanceId, Instance>>,
}

impl Supervisor {
    pub(crate) fn open(tokio: Handle, opened: Sources, services: Arc<dyn ServiceFactory>) -> Result<Self, Problem> {
        let events = instance::events();
        let supervisor = Self(Arc::new(Inner { tokio, opened, services, events, instances: RwLock::default() }));
        let opened = supervisor.0.opened.clone();
        for id in cwts_config::profiles(opened.home()) {
            if id != *opened.instance() {
                let sources = Sources::new(opened.home(), id, None, Environment::empty())?;
                supervisor.add(sources)?;
            }
        }
        supervisor.add(opened)?;
        Ok(supervisor)
    }

    fn add(&self, sources: Sources) -> Result<(), Problem> {
        let inner = &self.0;
        let (services, events) = (Arc::clone(&inner.services), inner.events.clone());
        let id = sources.instance().clone();
        let instance = Instance::open(inner.tokio.clone(), sources, services, Surroundings::default(), events)?;
        inner.instances.write().unwrap_or_else(PoisonError::into_inner).insert(id, instance);
        Ok(())
    }

    /// The home folder.
    pub fn home(&self) -> &Path {
        self.0.opened.home()
    }

    /// The id of the instance that the program was started for.
    pub fn opened(&self) -> &str {
        self.0.opened.instance().as_str()
    }

    /// The instance of that id.
    ///
    /// # Errors
    /// There is none.
    pub fn instance(&self, id: &str) -> Result<Instance, Problem> {
        let instances = self.0.instances.read().unwrap_or_else(PoisonError::into_inner);
        let found = id.parse::<InstanceId>().ok().and_then(|id| instances.get(&id).cloned());
        found.ok_or_else(|| {
            let problem = Problem::new(ErrorCode::InvalidInput, format!("There is no instance {id}."));
            problem.at("instance").with_help("It may have been removed. Choose another one.")
        })
    }

    /// Every instance: `default` first, then by id.
    pub fn instances(&self) -> Vec<Instance> {
        let instances = self.0.instances.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Instance> = instances.values().cloned().collect();
        all.sort_by_key(|instance| instance.id() != InstanceId::DEFAULT);
        all
    }

    /// Every instance as it is now, in the order of [`Supervisor::instances`].
    pub fn snapshots(&self) -> Vec<Snapshot> {
        self.instances().iter().map(Instance::snapshot).collect()
    }

    /// Every change of every instance from now on; those of one instance in order. A reader that lags fetches the
    /// snapshots again.
    pub fn subscribe(&self) -> broadcast::Receiver<Envelope> {
        self.0.events.subscribe()
    }

    /// Stops every instance at once, each as [`Instance::stop`] does.
    pub async fn stop(&self) {
        let stops: Vec<_> = self
            .instances()
            .into_iter()
            .map(|instance| (instance.id().to_owned(), self.0.tokio.spawn(async move { instance.stop().await })))
            .collect();
        for (id, stop) in stops {
            if let Ok(Err(problem)) = stop.await {
                tracing::warn!("instance {id} did not stop: {problem}");
            }
        }
    }
}
