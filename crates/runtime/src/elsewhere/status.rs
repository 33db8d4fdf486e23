//! What a process says of an instance that it runs, asked at `/api/v1/status`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use cwts_config::{InstanceId, Origin, Sourced, Sources};
use cwts_credentials::{Scope, TokenStore};
use cwts_domain::{ErrorCode, Group, Problem, Service, Timestamp};
use cwts_ports::{Protocol, loopback};
use serde::Deserialize;

use crate::connected::Connected;
use crate::logins::FailedLogins;
use crate::security::Security;
use crate::snapshot::{Finding, InstanceEvent, MarketSummary, RunState, Sample, ServiceLoad, ServiceState, Snapshot};

const PATH: &str = "/api/v1/status";
const CLIENTS: &str = "/api/v1/clients";
/// A snapshot has a few kilobytes.
const LONGEST_ANSWER: usize = 1 << 20;

/// The part of a [`Snapshot`] that is taken over. An older or newer program may send less or more of the rest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Status {
    instance: String,
    version: String,
    state: RunState,
    started_at: Option<i64>,
    services: Vec<ServiceStatus>,
    #[serde(default)]
    findings: Vec<Finding>,
    security: Option<Security>,
    market: Option<MarketSummary>,
    #[serde(default)]
    failed_logins: FailedLogins,
    toml_file: String,
    env_file: String,
    /// Who is connected there, asked for apart.
    #[serde(skip)]
    connected: Connected,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct ServiceStatus {
    service: Service,
    state: ServiceState,
    port: Sourced<u16>,
    address: Sourced<IpAddr>,
    url: String,
    clients: u32,
    requests: u64,
    idle_seconds: Option<f64>,
    /// Requests per second since the answer before.
    #[serde(skip)]
    rate: f64,
}

impl Status {
    /// The picture with everything that the other process says in place of what is known here.
    pub(super) fn laid_over(&self, mut snapshot: Snapshot) -> Snapshot {
        for theirs in &self.services {
            let Some(service) = snapshot.services.iter_mut().find(|it| it.service == theirs.service) else { continue };
            service.state = theirs.state;
            service.port = theirs.port.clone();
            service.address = theirs.address.clone();
            service.url.clone_from(&theirs.url);
            service.clients = theirs.clients;
            service.requests = theirs.requests;
            service.idle_seconds = theirs.idle_seconds;
            service.rate = theirs.rate;
            service.problem = None;
            service.conflict = None;
        }
        let status = self.clone();
        Snapshot {
            version: status.version,
            state: status.state,
            started_at: status.started_at,
            findings: status.findings,
            security: status.security.unwrap_or(snapshot.security),
            market: status.market,
            trading: None,
            failed_logins: status.failed_logins,
            toml_file: status.toml_file,
            env_file: status.env_file,
            ..snapshot
        }
    }

    /// The figures of this moment, as the process itself would tell them to its window; `None` while it is stopped.
    pub(super) fn figures(&self, now: Timestamp) -> Option<InstanceEvent> {
        let load = |it: &ServiceStatus| ServiceLoad {
            service: it.service,
            clients: it.clients,
            rate: it.rate,
            requests: it.requests,
            idle_seconds: it.idle_seconds,
        };
        let services: Vec<ServiceLoad> = self.services.iter().map(load).collect();
        let is_mcp = |load: &&ServiceLoad| load.service.group() == Group::Mcp;
        let sample = Sample {
            at: now.millis(),
            requests: services.iter().map(|load| load.rate).sum(),
            // The status says nothing of latencies.
            latency_p50: None,
            latency_p99: None,
            clients: services.iter().filter(is_mcp).map(|load| load.clients).sum(),
        };
        let (market, failed_logins) = (self.market.clone(), self.failed_logins);
        let event = InstanceEvent::Sample {
            sample,
            services,
            market: market.map(Box::new),
            trading: None,
            failed_logins,
            connected: self.connected.clone(),
        };
        (self.state == RunState::Running).then_some(event)
    }

    /// Whether both give the same picture, apart from the figures that change every second.
    pub(super) fn same_picture(&self, other: &Self) -> bool {
        let still = |status: &Self| {
            let mut still = Self {
                market: None,
                failed_logins: FailedLogins::default(),
                connected: Connected::default(),
                ..status.clone()
            };
            for service in &mut still.services {
                (service.clients, service.requests, service.idle_seconds, service.rate) = (0, 0, None, 0.0);
            }
            still
        };
        still(self) == still(other)
    }
}

/// Where an instance that the process `pid` runs listens, as it says itself; `None` when it does not answer. Blocks.
pub fn running_addresses(sources: &Sources, pid: u32) -> Option<Vec<(Service, SocketAddr)>> {
    let places = running_places(sources, pid)?;
    Some(places.into_iter().map(|(service, address, _)| (service, address)).collect())
}

/// The same, with where each port came from.
pub(crate) fn running_places(sources: &Sources, pid: u32) -> Option<Vec<(Service, SocketAddr, Origin)>> {
    let services = Reader::new(sources, pid).read().ok()?.services.into_iter();
    Some(services.map(|it| (it.service, SocketAddr::new(it.address.value, it.port.value), it.port.origin)).collect())
}

/// Asks one process about one instance, again and again.
#[derive(Debug)]
pub(super) struct Reader {
    instance: InstanceId,
    /// Its tokens, which only its user can read.
    tokens: TokenStore,
    pid: u32,
    /// Where it answered last. A token goes to no address that the process was not seen to listen on.
    address: Option<SocketAddr>,
    /// The requests at the answer before, with its time.
    before: Option<(Instant, BTreeMap<Service, u64>)>,
}

impl Reader {
    pub(super) fn new(sources: &Sources, pid: u32) -> Self {
        let (instance, tokens) = (sources.instance().clone(), TokenStore::new(&sources.data()));
        Self { instance, tokens, pid, address: None, before: None }
    }

    /// Asks where it answered last, then on every port that the process listens on. Blocks.
    ///
    /// # Errors
    /// It does not answer as the instance.
    pub(super) fn read(&mut self) -> Result<Status, Problem> {
        let mut refused = None;
        let known = self.address.take();
        for address in known.into_iter().chain(listeners(self.pid)) {
            match self.ask(address) {
                Asked::Answer(mut status) => {
                    self.address = Some(address);
                    self.measure(&mut status);
                    status.connected = self.clients(address).unwrap_or_default();
                    return Ok(*status);
                }
                Asked::Refused(code) => refused = Some(code),
                Asked::Nothing => {}
            }
        }
        let (pid, id) = (self.pid, &self.instance);
        Err(match refused {
            Some(code) => {
                let message = format!("pid {pid} refuses to say how instance {id} is ({code}).");
                Problem::new(ErrorCode::NotPermitted, message).with_help("Stop it there, or start it here.")
            }
            None => {
                let message = format!("pid {pid} does not answer as instance {id}.");
                Problem::new(ErrorCode::WrongState, message)
                    .with_help("It may be starting or stopping. Try again in a moment.")
            }
        })
    }

    /// Where it answered last.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Requests per second since the answer before.
    fn measure(&mut self, status: &mut Status) {
        let now = Instant::now();
        if let Some((at, counts)) = &self.before {
            let seconds = now.duration_since(*at).as_secs_f64();
            for service in &mut status.services {
                let earlier = counts.get(&service.service).copied().unwrap_or(service.requests);
                // A process that started anew counts from zero.
                service.rate = service.requests.saturating_sub(earlier) as f64 / seconds;
            }
        }
        self.before = Some((now, status.services.iter().map(|it| (it.service, it.requests)).collect()));
    }

    /// Who is connected, which its owner alone is told.
    fn clients(&self, address: SocketAddr) -> Option<Connected> {
        let tokens = self.tokens.open_or_make().ok()?;
        let owner = tokens.get(Scope::Owner).secret.expose();
        let answer = loopback::get(address, CLIENTS, Some(owner), LONGEST_ANSWER).ok()?;
        serde_json::from_slice(&answer.body).ok()
    }

    fn ask(&self, address: SocketAddr) -> Asked {
        // A process that runs has made them; one that asks for none is asked all the same.
        let tokens = self.tokens.open_or_make().ok();
        let token = tokens.as_ref().map(|tokens| tokens.get(Scope::Read).secret.expose());
        let Ok(answer) = loopback::get(address, PATH, token, LONGEST_ANSWER) else { return Asked::Nothing };
        if matches!(answer.status, 401 | 403) {
            return Asked::Refused(answer.status);
        }
        match serde_json::from_slice::<Status>(&answer.body) {
            Ok(status) if status.instance == self.instance.as_str() => Asked::Answer(Box::new(status)),
            _ => Asked::Nothing,
        }
    }
}

/// The addresses on which a process listens. The table is read only when somebody looks at the first.
fn listeners(pid: u32) -> impl Iterator<Item = SocketAddr> {
    let rows = std::iter::once_with(cwts_ports::system_table).flat_map(Result::unwrap_or_default);
    rows.filter(move |row| row.protocol == Protocol::Tcp && row.holder.pid == Some(pid)).map(|row| row.holder.address)
}

/// What one address answered.
enum Asked {
    Answer(Box<Status>),
    /// It asks for more than this program has, with this status.
    Refused(u16),
    /// Nothing, or something else.
    Nothing,
}
