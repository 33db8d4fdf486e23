//! The instances of a home in this process, as the panel holds them.

use std::time::Duration;

use cwts_config::{Environment, InstanceId, Sources};
use cwts_runtime::{Host, Instance, Snapshot, Supervisor};

use crate::deadline::until;
use crate::home::Home;

/// How long the services may take to end.
const GRACE: Duration = Duration::from_secs(1);

/// All instances of a home, opened and stopped. Ended when it is dropped.
#[derive(Debug)]
pub struct Fleet {
    host: Option<Host>,
    supervisor: Supervisor,
}

impl Fleet {
    /// The instances of `home`, opened for the default one in an empty environment.
    ///
    /// # Panics
    /// The system gives no threads.
    pub fn open(home: &Home) -> Self {
        let sources = Sources::new(home.path(), InstanceId::default(), None, Environment::empty());
        let host = Host::new().expect("threads for the services");
        let supervisor = host.supervise(sources.expect("the home exists"), cwts_server::services());
        Self { host: Some(host), supervisor: supervisor.expect("the instances open") }
    }

    /// Whoever holds them.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// One of them.
    ///
    /// # Panics
    /// There is none of that id.
    pub fn instance(&self, id: &str) -> Instance {
        self.supervisor.instance(id).expect("an instance of that id")
    }

    /// Waits until the picture of an instance is as `look` wants it.
    ///
    /// # Panics
    /// That does not come in time; the message names `what`.
    pub async fn shows<T>(&self, id: &str, what: &str, mut look: impl FnMut(&Snapshot) -> Option<T>) -> T {
        until(what, async || self.supervisor.instance(id).ok().and_then(|instance| look(&instance.snapshot()))).await
    }

    /// Their ids, in the order of the list.
    pub fn ids(&self) -> Vec<String> {
        self.supervisor.snapshots().into_iter().map(|snapshot| snapshot.instance).collect()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // A runtime must not be ended from a task of another one, where tests run.
        if let Some(host) = self.host.take() {
            let supervisor = self.supervisor.clone();
            let end = move || {
                drop(host.block_on(async { tokio::time::timeout(GRACE, supervisor.stop()).await }));
                host.shutdown(GRACE);
            };
            let ended = std::thread::spawn(end).join();
            assert!(ended.is_ok() || std::thread::panicking(), "the services' runtime must end");
        }
    }
}
