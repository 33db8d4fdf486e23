//! The instances of one home in one process, by id.
//!
//! Holds them, carries their events on one channel, and looks every two seconds for what other programs made, removed or
//! run. What an instance does is its own affair.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use cwts_config::{Environment, InstanceId, Sources};
use cwts_domain::{ErrorCode, Problem, Service};
use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio::time::MissedTickBehavior;

use crate::elsewhere::{Runner, runners};
use crate::instance::{self, Instance};
use crate::port_facts::PortCheck;
use crate::profiles::{self, NewInstance, PortSet, ProfileInfo};
use crate::services::ServiceFactory;
use crate::snapshot::{Envelope, InstanceEvent, RunState, Snapshot};
use crate::surroundings::Surroundings;

/// How often the home is looked at.
const PERIOD: Duration = Duration::from_secs(2);

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
        supervisor.add(opened.clone())?;
        for id in cwts_config::profiles(opened.home()) {
            supervisor.add_profile(&id)?;
        }
        supervisor.0.tokio.spawn(watch(Arc::downgrade(&supervisor.0)));
        Ok(supervisor)
    }

    /// Opens an instance that is not open yet. It follows its files alone.
    fn add_profile(&self, id: &InstanceId) -> Result<(), Problem> {
        if self.instance(id.as_str()).is_ok() {
            return Ok(());
        }
        self.add(Sources::new(self.home(), id.clone(), None, Environment::empty())?)
    }

    fn add(&self, sources: Sources) -> Result<(), Problem> {
        let inner = &self.0;
        let (services, events) = (Arc::clone(&inner.services), inner.events.clone());
        let id = sources.instance().clone();
        let instance = Instance::open(inner.tokio.clone(), sources, services, Surroundings::default(), events)?;
        instance.announce();
        inner.instances.write().unwrap_or_else(PoisonError::into_inner).insert(id, instance);
        Ok(())
    }

    /// Takes over what the home looks like by now.
    async fn look(&self, found: Found) {
        for id in &found.ids {
            if let Err(problem) = self.add_profile(id) {
                tracing::warn!("instance {id} cannot be opened: {problem}");
            }
        }
        for instance in self.instances() {
            let runner = found.runners.get(instance.id()).cloned();
            let is_gone = runner.is_none() && instance.id().parse().is_ok_and(|id| !found.ids.contains(&id));
            if is_gone && instance.id() != self.opened() && instance.snapshot().state == RunState::Stopped {
                self.forget(&instance);
            } else {
                instance.note_runner(runner).await;
            }
        }
    }

    fn forget(&self, instance: &Instance) {
        let mut instances = self.0.instances.write().unwrap_or_else(PoisonError::into_inner);
        instances.retain(|_, other| other.id() != instance.id());
        drop(instances);
        instance.shared().send(InstanceEvent::Removed);
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

    /// Sets of four free ports for a new instance, best first. Those of a clone are tested on the addresses of `from`.
    ///
    /// # Errors
    /// There is no instance `from`, or its configuration is invalid.
    pub async fn free_port_sets(&self, from: Option<String>) -> Result<Vec<PortSet>, Problem> {
        self.blocking(move |home| profiles::free_port_sets(&home, from.as_deref())).await
    }

    /// Whether a service of a new instance could have the port.
    ///
    /// # Errors
    /// As for [`Supervisor::free_port_sets`].
    pub async fn check_new_port(
        &self,
        from: Option<String>,
        service: Service,
        port: u16,
    ) -> Result<PortCheck, Problem> {
        self.blocking(move |home| profiles::check_new_port(&home, from.as_deref(), service, port)).await
    }

    /// Makes an instance, stopped.
    ///
    /// # Errors
    /// As for [`create_instance`](crate::create_instance).
    pub async fn create(&self, new: NewInstance) -> Result<Snapshot, Problem> {
        let id = new.id.clone();
        self.blocking(move |home| profiles::create_instance(&home, &new)).await?;
        self.add_profile(&id.parse()?)?;
        Ok(self.instance(&id)?.snapshot())
    }

    /// Removes an instance that is stopped; its data stays unless it is asked for.
    ///
    /// # Errors
    /// As for [`remove_instance`](crate::remove_instance).
    pub async fn remove(&self, id: &str, with_data: bool) -> Result<(), Problem> {
        let instance = self.instance(id)?;
        let id = id.to_owned();
        self.blocking(move |home| profiles::remove_instance(&home, &id, with_data)).await?;
        self.forget(&instance);
        Ok(())
    }

    /// What lies on the disk of every instance, in the order of [`Supervisor::instances`].
    ///
    /// # Errors
    /// The services' runtime is ending.
    pub async fn profiles(&self) -> Result<Vec<ProfileInfo>, Problem> {
        let instances = self.instances();
        self.blocking(move |_| Ok(instances.iter().map(Instance::profile_info).collect())).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(PathBuf) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let home = self.home().to_owned();
        let done = self.0.tokio.spawn_blocking(move || work(home)).await;
        done.unwrap_or_else(|error| Err(Problem::new(ErrorCode::Internal, error.to_string())))
    }

    /// Starts every instance that is to start with the panel, and does not run elsewhere.
    pub async fn start(&self) {
        for instance in self.instances() {
            if instance.starts_with_panel() && instance.snapshot().elsewhere.is_none() {
                // A start that fails is in the snapshot with its remedy.
                drop(instance.start().await);
            }
        }
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

/// What a look at the home finds.
struct Found {
    /// The instances with a profile, and those that some process runs without one.
    ids: BTreeSet<InstanceId>,
    runners: BTreeMap<String, Runner>,
}

impl Found {
    /// Blocks.
    fn in_home(home: &Path) -> Self {
        let runners: BTreeMap<_, _> = runners(home).into_iter().collect();
        let running = runners.keys().filter_map(|id| id.parse().ok());
        Self { ids: cwts_config::profiles(home).into_iter().chain(running).collect(), runners }
    }
}

/// Looks at the home until nobody holds the instances any more.
async fn watch(inner: Weak<Inner>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        let home = inner.opened.home().to_owned();
        if let Ok(found) = tokio::task::spawn_blocking(move || Found::in_home(&home)).await {
            Supervisor(inner).look(found).await;
        }
    }
}
