//! The rungs of the ladder, and what is told of each.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cwts_domain::Service;
use serde::{Deserialize, Serialize};

use crate::Fault;

/// One rung. Each needs those below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// The name becomes addresses, of both families.
    Resolve,
    /// A connection is made.
    Tcp,
    /// It is encrypted, and the certificate is good.
    Tls,
    /// The service answers to HTTP or to the request for a WebSocket, and takes the Host, the Origin and the peer.
    Handshake,
    /// It takes the token.
    Auth,
    /// It does its work: a read-only tool, the status, the metrics or the health are answered and understood.
    Protocol,
}

/// What became of one rung.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS), ts(rename = "TestStep"))]
pub struct Step {
    /// Which.
    pub name: Rung,
    /// Whether it held.
    pub ok: bool,
    /// How long it took.
    pub millis: f64,
    /// What was seen, in one line.
    pub detail: String,
    /// What was seen, for the diagnosis; `None` for a rung that held.
    #[serde(skip)]
    pub fault: Option<Fault>,
}

impl Rung {
    /// All of them, the lowest first.
    pub const ALL: [Self; 6] = [Self::Resolve, Self::Tcp, Self::Tls, Self::Handshake, Self::Auth, Self::Protocol];

    /// Stable id for JSON, for codes and for the options of the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Handshake => "handshake",
            Self::Auth => "auth",
            Self::Protocol => "protocol",
        }
    }

    /// Name for people; the upper rungs are called after what the service speaks.
    pub fn name(self, service: Service) -> &'static str {
        match (self, service) {
            (Self::Resolve, _) => "Resolve",
            (Self::Tcp, _) => "TCP",
            (Self::Tls, _) => "TLS",
            (Self::Handshake, Service::McpWebsocket) => "WebSocket handshake",
            (Self::Handshake, _) => "HTTP",
            (Self::Auth, _) => "Auth",
            (Self::Protocol, Service::McpWebsocket | Service::McpHttp) => "MCP",
            (Self::Protocol, Service::Prometheus) => "Metrics",
            (Self::Protocol, Service::Health) => "Health",
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Rung {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|rung| rung.id() == text);
        found.ok_or_else(|| format!("{text:?} is no rung; use resolve, tcp, tls, handshake, auth or protocol"))
    }
}

impl Step {
    pub(crate) fn new(name: Rung, took: Duration, outcome: Result<String, (Fault, String)>) -> Self {
        let millis = (took.as_secs_f64() * 1e6).round() / 1e3;
        match outcome {
            Ok(detail) => Self { name, ok: true, millis, detail, fault: None },
            Err((fault, detail)) => Self { name, ok: false, millis, detail, fault: Some(fault) },
        }
    }
}
