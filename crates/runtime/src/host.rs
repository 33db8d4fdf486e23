//! The tokio runtime of the services, apart from any window's: a busy window never delays an order.

use std::sync::Arc;
use std::time::Duration;

use cwts_config::Sources;
use cwts_domain::Problem;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::runtime::{Builder, Runtime};

use crate::instance::{self, Instance};
use crate::services::ServiceFactory;
use crate::supervisor::Supervisor;
use crate::surroundings::Surroundings;

/// Runs instances. Dropping it from an async context is not allowed; call [`Host::shutdown`].
#[derive(Debug)]
pub struct Host {
    runtime: Runtime,
}

impl Host {
    /// A runtime with a thread for each core.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn new() -> std::io::Result<Self> {
        raise_descriptor_limit();
        let runtime = Builder::new_multi_thread().thread_name("cwts-services").enable_all().build()?;
        Ok(Self { runtime })
    }

    /// An instance in the state stopped. Its configuration is read; an invalid one shows in the snapshot and refuses to
    /// start.
    ///
    /// # Errors
    /// The metrics cannot be registered.
    pub fn open(&self, sources: Sources, services: impl ServiceFactory) -> Result<Instance, Problem> {
        self.open_in(Surroundings::default(), sources, services)
    }

    /// The same in another world.
    ///
    /// # Errors
    /// The metrics cannot be registered.
    pub fn open_in(
        &self,
        surroundings: Surroundings,
        sources: Sources,
        services: impl ServiceFactory,
    ) -> Result<Instance, Problem> {
        Instance::open(self.runtime.handle().clone(), sources, Arc::new(services), surroundings, instance::events())
    }

    /// The instances of a home, all stopped, `opened` among them with the sources that the program was started for.
    ///
    /// # Errors
    /// The metrics of an instance cannot be registered.
    pub fn supervise(&self, opened: Sources, services: impl ServiceFactory) -> Result<Supervisor, Problem> {
        Supervisor::open(self.runtime.handle().clone(), opened, Arc::new(services))
    }

    /// Runs a future on the services' runtime, and this thread until it ends.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Ends every task, waiting at most `timeout` for those that are blocked.
    pub fn shutdown(self, timeout: Duration) {
        self.runtime.shutdown_timeout(timeout);
    }
}

/// Lets the process open as many files as the system allows it: the usual soft limit is below what four services may
/// hold. Where the system refuses, the old limit stays.
fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}
