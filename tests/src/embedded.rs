//! An instance in this process, as the panel embeds it.

use std::time::Duration;

use cwts_config::{Environment, InstanceId, Key, Sources};
use cwts_domain::{Problem, Service};
use cwts_runtime::{Host, Instance, SaveTarget, ServiceFactory, SettingChange, SettingsEdit, Snapshot, Surroundings};
use cwts_server::Limits;

use crate::home::Home;
use crate::ports::Ports;

/// How long the services may take to end.
const GRACE: Duration = Duration::from_secs(1);

/// A running instance with its home. Ended when it is dropped.
#[derive(Debug)]
pub struct Embedded {
    host: Option<Host>,
    instance: Instance,
    home: Home,
}

impl Embedded {
    /// An instance on four free ports, which `production.toml` sets.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start() -> Self {
        Self::start_in(Home::with(&Ports::free()), Environment::empty()).await
    }

    /// An instance on a home and in an environment that a test prepared.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_in(home: Home, environment: Environment) -> Self {
        let embedded = Self::open(home, environment);
        embedded.instance.start().await.expect("the instance starts");
        embedded
    }

    /// The same, not started yet.
    ///
    /// # Panics
    /// The system gives no threads.
    pub fn open(home: Home, environment: Environment) -> Self {
        Self::open_in(Surroundings::default(), home, environment)
    }

    /// The same in a world that the test made.
    ///
    /// # Panics
    /// The system gives no threads.
    pub fn open_in(surroundings: Surroundings, home: Home, environment: Environment) -> Self {
        Self::open_with(surroundings, home, environment, Limits::default())
    }

    /// An instance on four free ports that allows its clients less than usual, so that a test meets a limit soon.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_with(limits: Limits) -> Self {
        let home = Home::with(&Ports::free());
        let embedded = Self::open_with(Surroundings::default(), home, Environment::empty(), limits);
        embedded.instance.start().await.expect("the instance starts");
        embedded
    }

    /// The same on a home that a test prepared, not started yet.
    ///
    /// # Panics
    /// The system gives no threads.
    pub fn open_limited(home: Home, limits: Limits) -> Self {
        Self::open_with(Surroundings::default(), home, Environment::empty(), limits)
    }

    /// An instance that also has what the conformance suites need, and asks for no token, since they have none.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_with_fixtures() -> Self {
        let home = Home::with(&Ports::free());
        home.write_toml(&format!("{}\n[security]\nauth = \"none\"\n", home.toml()));
        let services = cwts_server::services_with_fixtures(Limits::default());
        let embedded = Self::open_serving(Surroundings::default(), home, Environment::empty(), services);
        embedded.instance.start().await.expect("the instance starts");
        embedded
    }

    fn open_with(surroundings: Surroundings, home: Home, environment: Environment, limits: Limits) -> Self {
        Self::open_serving(surroundings, home, environment, cwts_server::services_with(limits))
    }

    fn open_serving(
        surroundings: Surroundings,
        home: Home,
        environment: Environment,
        services: impl ServiceFactory + 'static,
    ) -> Self {
        let sources = Sources::new(home.path(), InstanceId::default(), None, environment).expect("the home exists");
        let host = Host::new().expect("threads for the services");
        let instance = host.open_in(surroundings, sources, services).expect("an instance");
        Self { host: Some(host), instance, home }
    }

    /// The instance.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Its home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The URL of a service.
    ///
    /// # Panics
    /// Never: a snapshot has all four.
    pub fn url(&self, service: Service) -> String {
        let services = self.instance.snapshot().services;
        services.into_iter().find(|entry| entry.service == service).expect("a snapshot has all four services").url
    }

    /// The port of a service.
    ///
    /// # Panics
    /// Never: all four are configured.
    pub fn port(&self, service: Service) -> u16 {
        self.instance.address(service).expect("all four services are configured").port()
    }

    /// Moves services as a person does who looks at the present state.
    ///
    /// # Errors
    /// As [`Instance::change`].
    pub async fn move_ports(&self, ports: &[(Service, u16)], save: SaveTarget) -> Result<Snapshot, Problem> {
        self.change(ports.iter().map(|&(service, port)| SettingChange::set(Key::Port(service), port)), save).await
    }

    /// Changes settings as a person does who looks at the present state.
    ///
    /// # Errors
    /// As [`Instance::change`].
    pub async fn change(
        &self,
        changes: impl IntoIterator<Item = SettingChange>,
        save: SaveTarget,
    ) -> Result<Snapshot, Problem> {
        let expected_revision = self.instance.snapshot().revision;
        let changes = changes.into_iter().collect();
        self.instance.change(SettingsEdit { expected_revision, changes, save }).await
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // A runtime must not be ended from a task of another one, where tests run.
        if let Some(host) = self.host.take() {
            let instance = self.instance.clone();
            let end = move || {
                // Clients of a test that has ended need no time of grace.
                drop(host.block_on(async { tokio::time::timeout(GRACE, instance.stop()).await }));
                host.shutdown(GRACE);
            };
            let ended = std::thread::spawn(end).join();
            assert!(ended.is_ok() || std::thread::panicking(), "the services' runtime must end");
        }
    }
}
