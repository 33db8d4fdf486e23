//! The connection test of an instance: which places are tried as which client, and what this computer knows beside.
//!
//! The ladder and the diagnosis are those of `cwts-probe`; this fills in its targets before, and its facts after.

mod facts;
mod proxy;
pub(crate) mod record;

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use cwts_config::{Loaded, Origin, Sources, TlsMode};
use cwts_credentials::{Scope, TlsStore, TokenStore, TrustStep, trust_steps};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_probe::{
    Diagnosis, Expected, FixAction, Ladder, Progress, Repetitions, Secret, Step, Target, Tested, Timeout, Timeouts,
    Trust, diagnose,
};
use rustls_pki_types::ServerName;
use serde::{Deserialize, Serialize};
use tokio_util::task::AbortOnDropHandle;

use crate::instance::Instance;
use crate::lock;
use crate::snapshot::{ServiceSnapshot, Snapshot};
use facts::Gatherer;

/// More repetitions would take hours where something times out.
const MOST: u32 = 10_000;

/// What a person asks for.
#[derive(Clone, Debug)]
pub struct TestRequest {
    /// Which services.
    pub services: Vec<Service>,
    /// A name or an address; `None` for the address that each service is bound to.
    pub host: Option<String>,
    /// The own address to connect from.
    pub from: Option<IpAddr>,
    /// The Origin of a web page to pretend to be.
    pub origin: Option<String>,
    /// Whether to speak TLS; `None` to go by the configuration.
    pub tls: Option<bool>,
    /// PEM text with an authority that the client trusts, beside those of the system and of the instance.
    pub authority: Option<Vec<u8>>,
    /// What is presented where a token is asked for.
    pub token: TestToken,
    /// How often.
    pub count: u32,
    /// How long each rung may take.
    pub timeouts: Timeouts,
}

impl Default for TestRequest {
    /// All services, once, where they are bound, as their usual clients.
    fn default() -> Self {
        Self {
            services: Service::ALL.into(),
            host: None,
            from: None,
            origin: None,
            tls: None,
            authority: None,
            token: TestToken::Own(Scope::Trade),
            count: 1,
            timeouts: Timeouts::default(),
        }
    }
}

/// The token of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestToken {
    /// One of the instance's own. Clients are given the one for trading: it trades, reads and scrapes.
    Own(Scope),
    /// This one.
    Given(String),
    /// None at all.
    Absent,
}

/// What the window asks for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct TestChoice {
    /// Which services.
    pub services: Vec<Service>,
    /// A name or an address; `None` for the address that each service is bound to.
    pub host: Option<String>,
    /// How often.
    pub count: u32,
    /// Which of the instance's tokens is presented; `None` for none.
    pub scope: Option<Scope>,
    /// How long rungs may take; 5 s where nothing is chosen.
    pub timeouts: Vec<Timeout>,
}

/// Where the services of an instance are expected.
#[derive(Clone, Debug)]
pub struct TestPlan {
    sources: Sources,
    loaded: Loaded,
    places: BTreeMap<Service, (SocketAddr, Origin)>,
}

/// What the test of one service came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct ServiceTest {
    /// Which.
    pub service: Service,
    /// Its URL, without a token.
    pub target: String,
    /// Whether every rung held, every time.
    pub ok: bool,
    /// The rungs of the first time that one did not hold, else of the last time.
    pub rungs: Vec<Step>,
    /// The time of all rungs together.
    pub millis: f64,
    /// What the repetitions came to.
    pub repetitions: Repetitions,
    /// Why it does not hold, or what to know although it does.
    pub diagnosis: Option<Diagnosis>,
    /// How systems and programs are told to trust the authority, where that is the fix.
    pub trust: Vec<TrustStep>,
}

impl TestPlan {
    /// Where the configuration says they are.
    pub fn new(sources: Sources, loaded: Loaded) -> Self {
        let place = |service| (loaded.settings.socket_addr(service), loaded.settings.port(service).origin.clone());
        let places = Service::ALL.map(|service| (service, place(service))).into();
        Self { sources, loaded, places }
    }

    /// Where they are at this moment, what a person set for this run included.
    fn of_snapshot(sources: Sources, loaded: Loaded, snapshot: &Snapshot) -> Self {
        let place = |entry: &ServiceSnapshot| {
            (entry.service, (SocketAddr::new(entry.address.value, entry.port.value), entry.port.origin.clone()))
        };
        Self { sources, loaded, places: snapshot.services.iter().map(place).collect() }
    }

    fn target(&self, service: Service, request: &TestRequest) -> Option<Target> {
        let (bound, _) = self.places.get(&service)?;
        let host = request.host.clone().unwrap_or_else(|| reachable(bound.ip()).to_string());
        let here = self.is_here(&host);
        let wanted = request.tls.unwrap_or_else(|| self.speaks_tls(&host, here));
        let lock = lock::path(&self.sources);
        Some(Target {
            service,
            port: bound.port(),
            tls: wanted.then(|| self.trust(request.authority.as_ref())),
            token: self.token(&request.token).map(Secret),
            from: request.from,
            origin: request.origin.clone(),
            expected: Expected {
                instance: here.then(|| self.sources.instance().to_string()),
                nonce: if here { lock::nonce(&lock) } else { None },
                is_absent: here && self.is_absent(&host, bound.port()),
            },
            host,
        })
    }

    /// Whether a host is this computer, as far as that is known before it is resolved.
    fn is_here(&self, host: &str) -> bool {
        let own = cwts_net::interface_addresses().unwrap_or_default();
        match host.parse::<IpAddr>() {
            Ok(ip) => ip.to_canonical().is_loopback() || own.iter().any(|each| each.address == ip.to_canonical()),
            Err(_) => host.eq_ignore_ascii_case("localhost") || host.ends_with(".localhost"),
        }
    }

    /// Whether the instance is known not to listen there, so that whoever answers is another one.
    fn is_absent(&self, host: &str, port: u16) -> bool {
        let Some(pid) = lock::holder(&lock::path(&self.sources)) else { return true };
        let Ok(ip) = host.parse::<IpAddr>() else { return false };
        let ours = cwts_ports::is_listener_of(pid, SocketAddr::new(ip, port));
        ours.ok().flatten() == Some(false)
    }

    /// Clients of this computer may speak plain text on loopback, and do where the certificate does not name it.
    fn speaks_tls(&self, host: &str, here: bool) -> bool {
        if self.loaded.settings.tls.value == TlsMode::Off {
            return false;
        }
        let certificate = TlsStore::new(&self.sources.data()).load().ok().flatten();
        let Some((certificate, name)) = certificate.zip(ServerName::try_from(host.to_owned()).ok()) else {
            return true;
        };
        !is_loopback(host, here) || certificate.info.covers(&name)
    }

    fn trust(&self, authority: Option<&Vec<u8>>) -> Trust {
        let own = TlsStore::new(&self.sources.data()).authority_file();
        let named = self.sources.environment().get("SSL_CERT_FILE").map(PathBuf::from);
        let files = [Some(&own), named.as_ref()].into_iter().flatten().filter_map(|path| fs::read(path).ok());
        Trust::new(&files.chain(authority.cloned()).collect::<Vec<_>>())
    }

    /// For an authority whose file is still to be fetched: a test trusts the instance's own already.
    fn trust_steps(&self) -> Vec<TrustStep> {
        trust_steps(Path::new("ca.pem"), self.sources.instance().as_str())
    }

    /// What is presented. Makes no token where there is none.
    fn token(&self, token: &TestToken) -> Option<String> {
        match token {
            TestToken::Own(scope) => {
                let text = fs::read_to_string(TokenStore::new(&self.sources.data()).file(*scope)).ok()?;
                Some(text.trim().to_owned())
            }
            TestToken::Given(token) => Some(token.clone()),
            TestToken::Absent => None,
        }
    }
}

impl Instance {
    /// Tests the services as they are at this moment, telling each rung. Ends, with all connections, when it is dropped.
    ///
    /// # Errors
    /// The host is neither a name nor an address, a time is out of range, the configuration cannot be read, or the services' runtime is ending.
    pub async fn test_connections(
        &self,
        choice: TestChoice,
        tell: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<Vec<ServiceTest>, Problem> {
        let sources = self.shared().sources.clone();
        let plan = TestPlan::of_snapshot(sources.clone(), cwts_config::load(&sources)?, &self.snapshot());
        let host = choice.host.as_deref().map(parse_host).transpose()?;
        let timeouts = Timeouts::chosen(&choice.timeouts).map_err(bad_timeout)?;
        let TestChoice { services, count, scope, .. } = choice;
        let request = TestRequest {
            services,
            host,
            count: count.clamp(1, MOST),
            token: scope.map_or(TestToken::Absent, TestToken::Own),
            timeouts,
            ..TestRequest::default()
        };
        let task = self.tokio().spawn(async move { test_connections(&plan, &request, &tell).await });
        let done = AbortOnDropHandle::new(task).await;
        done.unwrap_or_else(|error| Err(Problem::new(ErrorCode::Internal, error.to_string())))
    }
}

/// A name or an address as a person types it. The port comes from the configuration, and a URL is more than is asked for.
///
/// # Errors
/// It is neither.
pub fn parse_host(text: &str) -> Result<String, Problem> {
    let bare = text.trim();
    let bare = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(bare);
    let is_name = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_name || bare.parse::<IpAddr>().is_ok() {
        return Ok(bare.to_owned());
    }
    let message = format!("The host {text:?} is neither a name nor an address.");
    let help = "Leave out scheme and port; the configuration has the ports. For example 192.168.1.20.";
    Err(Problem::new(ErrorCode::InvalidInput, message).at("host").with_help(help))
}

fn bad_timeout(reason: String) -> Problem {
    Problem::new(ErrorCode::InvalidInput, format!("{reason}.")).at("timeouts")
}

/// Where a client of this computer reaches a socket that is bound to `ip`.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

fn is_loopback(host: &str, here: bool) -> bool {
    host.parse::<IpAddr>().map_or(here, |ip| ip.to_canonical().is_loopback())
}

/// Tests services, telling each rung as soon as it is known. Changes nothing. Ends, with all connections, when it is
/// dropped.
///
/// # Errors
/// The runtime ends meanwhile.
pub async fn test_connections(
    plan: &TestPlan,
    request: &TestRequest,
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<ServiceTest>, Problem> {
    let targets: Vec<Target> = request.services.iter().filter_map(|&service| plan.target(service, request)).collect();
    let tested = cwts_probe::run(&targets, &request.timeouts, request.count, tell).await;
    let (plan, request) = (plan.clone(), request.clone());
    let judged = tokio::task::spawn_blocking(move || {
        let mut gatherer = Gatherer::new(&plan, &request);
        let judged = |tested| judged(tested, &mut gatherer, &plan);
        let tests: Vec<ServiceTest> = tested.into_iter().map(judged).collect();
        if let Err(error) = record::keep(&plan.sources.data(), &tests) {
            tracing::warn!(%error, "the results of the connection test are not kept");
        }
        tests
    });
    judged.await.map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()))
}

fn judged(tested: Tested, gatherer: &mut Gatherer<'_>, plan: &TestPlan) -> ServiceTest {
    let Tested { ladder, repetitions } = tested;
    let diagnosis = diagnose(&ladder, &gatherer.facts(&ladder));
    let is_trust = diagnosis.as_ref().is_some_and(|it| it.action == FixAction::TrustAuthority);
    let trust = if is_trust { plan.trust_steps() } else { Vec::new() };
    let (ok, millis) = (ladder.is_ok(), ladder.millis());
    let Ladder { service, url, steps, .. } = ladder;
    ServiceTest { service, target: url, ok, rungs: steps, millis, repetitions, diagnosis, trust }
}
