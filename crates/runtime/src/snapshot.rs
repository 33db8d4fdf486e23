//! The one picture of an instance that the panel, the command line and REST show.
//!
//! A snapshot carries a revision that grows by one with every change; an [`InstanceEvent`] says what changed. A reader
//! that misses a revision fetches the snapshot again.

use std::net::IpAddr;

use cwts_config::Sourced;
use cwts_domain::{Problem, Service};
use cwts_engine::Exchange;
use serde::{Deserialize, Serialize};

use crate::clients::StaleSnippet;
use crate::connected::Connected;
use crate::desk::TradingSummary;
use crate::logins::FailedLogins;
use crate::port_facts::Conflict;
use crate::security::Security;

/// Whether the services of an instance run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// No socket is open.
    Stopped,
    /// Sockets are being bound.
    Starting,
    /// All four services answer.
    Running,
    /// Connections drain.
    Stopping,
}

/// The state of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Not bound.
    Stopped,
    /// Binding.
    Starting,
    /// Bound and answering.
    Running,
    /// The last start failed because of this service's port.
    Blocked,
}

/// One of the four services.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServiceSnapshot {
    /// Which.
    pub service: Service,
    /// Its name for people.
    pub name: String,
    /// Its state.
    pub state: ServiceState,
    /// The port with its origin. While running, the port that is bound.
    pub port: Sourced<u16>,
    /// The bind address with its origin.
    #[cfg_attr(feature = "wire", ts(as = "Sourced<String>"))]
    pub address: Sourced<IpAddr>,
    /// URL for a client on this computer.
    pub url: String,
    /// Variable that sets the port.
    pub variable: String,
    /// The ports meant for the service by ports.conf, default first.
    pub alternatives: Vec<u16>,
    /// First and last port of the range to search when those are taken.
    pub range: [u16; 2],
    /// Open connections.
    pub clients: u32,
    /// Requests or messages per second over the last few seconds.
    pub rate: f64,
    /// Requests or messages since start.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub requests: u64,
    /// Seconds since the last request; `None` before the first.
    pub idle_seconds: Option<f64>,
    /// Why the service is blocked.
    pub problem: Option<Problem>,
    /// Who holds the port, when that is why.
    pub conflict: Option<Conflict>,
}

/// A fact worth a look, with the screen that deals with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// `attention` or `info`.
    pub level: FindingLevel,
    /// The fact.
    pub title: String,
    /// What it means.
    pub detail: String,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingLevel {
    /// Works, but look at it.
    Attention,
    /// Good to know.
    Info,
}

/// Something that happened, newest last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Activity {
    /// Milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub at: i64,
    /// One short sentence.
    pub text: String,
}

/// Figures of one second, for the charts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sample {
    /// Milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub at: i64,
    /// Requests and messages of all services per second.
    pub requests: f64,
    /// Median order latency in milliseconds; `None` in a second without orders.
    pub latency_p50: Option<f64>,
    /// 99th percentile of the order latency in milliseconds.
    pub latency_p99: Option<f64>,
    /// Connected MCP clients.
    pub clients: u32,
}

/// The market in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MarketSummary {
    /// Instrument.
    pub symbol: String,
    /// Best bid, or `None` for an empty side.
    pub bid: Option<f64>,
    /// Best ask.
    pub ask: Option<f64>,
    /// Last traded price.
    pub last: Option<f64>,
}

impl MarketSummary {
    /// The top of the book of the first instrument in wire numbers; `None` for an exchange without instruments.
    pub fn of(exchange: &Exchange) -> Option<Self> {
        let market = exchange.markets().first()?;
        let price = |ticks| market.instrument().price(ticks);
        Some(Self {
            symbol: market.instrument().symbol.clone(),
            bid: market.best_bid().map(price),
            ask: market.best_ask().map(price),
            last: market.last_trade().map(|trade| price(trade.price)),
        })
    }
}

/// Everything about an instance at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Snapshot {
    /// Grows by one with every change.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub revision: u64,
    /// Instance id.
    pub instance: String,
    /// Version of the program.
    pub version: String,
    /// Whether the services run.
    pub state: RunState,
    /// Milliseconds since the epoch at which the services came up.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub started_at: Option<i64>,
    /// Always all four, in the fixed order.
    pub services: Vec<ServiceSnapshot>,
    /// Worst first.
    pub findings: Vec<Finding>,
    /// How far the services reach, and what protects them.
    pub security: Security,
    /// Client programs that were given an address, a token or an authority that no longer is right.
    pub stale_clients: Vec<StaleSnippet>,
    /// The market; `None` while stopped.
    pub market: Option<MarketSummary>,
    /// Trading state and account; `None` while stopped, and where another process trades.
    pub trading: Option<TradingSummary>,
    /// Wrong tokens since the program started.
    pub failed_logins: FailedLogins,
    /// Why the last start failed; `None` after a success.
    pub problem: Option<Problem>,
    /// The configuration file that is damaged, where its last good copy would mend it.
    pub damaged_file: Option<String>,
    /// The other process that runs the instance; `None` when it is this one or none.
    pub elsewhere: Option<Elsewhere>,
    /// `ports.env` of the instance.
    pub env_file: String,
    /// `production.toml` of the instance, or the file given with `--config`.
    pub toml_file: String,
}

/// Another process that runs the instance: a headless server, another panel, or one that lost its window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Elsewhere {
    /// The process that holds the instance's lock.
    pub pid: u32,
    /// Its name, for example `cwts-ultra`; `None` when it is not to be seen.
    pub process: Option<String>,
    /// The other instances that it runs, which end with it.
    pub others: Vec<String>,
    /// Whether the picture is read from it: state, ports and clients are then what it says of itself.
    pub attached: bool,
    /// Why it could not be read, while attached.
    pub problem: Option<Problem>,
}

/// What changed. Delivered in order.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum InstanceEvent {
    /// The configuration, a state or an address changed: the new picture.
    Snapshot(Box<Snapshot>),
    /// One more second of figures, with the live figures of the services.
    Sample {
        /// The figures.
        sample: Sample,
        /// Clients, rate and requests per service, in the fixed order.
        services: Vec<ServiceLoad>,
        /// The market.
        market: Option<Box<MarketSummary>>,
        /// Trading state and account.
        trading: Option<Box<TradingSummary>>,
        /// Wrong tokens since the program started.
        failed_logins: FailedLogins,
        /// Who is connected.
        connected: Connected,
    },
    /// Something happened.
    Activity(Activity),
    /// The instance no longer exists.
    Removed,
}

/// An event with the instance that it is about. A snapshot of an unknown instance is its first: it is new.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct Envelope {
    /// Its id.
    pub instance: String,
    /// What changed.
    pub event: InstanceEvent,
}

/// The live figures of one service.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServiceLoad {
    /// Which.
    pub service: Service,
    /// Open connections.
    pub clients: u32,
    /// Requests or messages per second.
    pub rate: f64,
    /// Requests or messages since start.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub requests: u64,
    /// Seconds since the last request; `None` before the first.
    pub idle_seconds: Option<f64>,
}
