//! The four network services and the fixed facts about each.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the four network services of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Model Context Protocol over WebSocket: the trading endpoint.
    McpWebsocket,
    /// REST control plane and MCP over Streamable HTTP.
    McpHttp,
    /// Metrics in the Prometheus text format.
    Prometheus,
    /// Health, liveness and readiness.
    Health,
}

/// Services that share a bind address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Trading and control.
    Mcp,
    /// Metrics and health.
    Monitoring,
}

/// The text is no service id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no service; use mcp-websocket, mcp-http, prometheus or health")]
pub struct UnknownService(pub String);

impl Service {
    /// All four, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::McpWebsocket, Self::McpHttp, Self::Prometheus, Self::Health];

    /// Stable id for commands, JSON and metrics.
    pub fn id(self) -> &'static str {
        match self {
            Self::McpWebsocket => "mcp-websocket",
            Self::McpHttp => "mcp-http",
            Self::Prometheus => "prometheus",
            Self::Health => "health",
        }
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::McpWebsocket => "MCP WebSocket",
            Self::McpHttp => "MCP HTTP API",
            Self::Prometheus => "Prometheus",
            Self::Health => "Health check",
        }
    }

    /// Port when nobody set one.
    pub fn default_port(self) -> u16 {
        match self {
            Self::McpWebsocket => 3000,
            Self::McpHttp => 3001,
            Self::Prometheus => 9090,
            Self::Health => 8080,
        }
    }

    /// Alternatives that the port guide names for a taken default.
    pub fn alternative_ports(self) -> [u16; 2] {
        match self {
            Self::McpWebsocket => [5010, 10000],
            Self::McpHttp => [5011, 10001],
            Self::Prometheus => [9190, 10090],
            Self::Health => [8180, 10080],
        }
    }

    /// Environment variable, also the name in ports.env, that sets the port.
    pub fn port_variable(self) -> &'static str {
        match self {
            Self::McpWebsocket => "MCP_SERVER_PORT",
            Self::McpHttp => "MCP_HTTP_PORT",
            Self::Prometheus => "PROMETHEUS_PORT",
            Self::Health => "HEALTH_CHECK_PORT",
        }
    }

    /// Scheme of the service's URL without TLS.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::McpWebsocket => "ws",
            Self::McpHttp | Self::Prometheus | Self::Health => "http",
        }
    }

    /// Path that a client of the service is given.
    pub fn path(self) -> &'static str {
        match self {
            Self::McpWebsocket | Self::McpHttp => "/mcp",
            Self::Prometheus => "/metrics",
            Self::Health => "/health",
        }
    }

    /// Whose bind address the service uses.
    pub fn group(self) -> Group {
        match self {
            Self::McpWebsocket | Self::McpHttp => Group::Mcp,
            Self::Prometheus | Self::Health => Group::Monitoring,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Service {
    type Err = UnknownService;

    fn from_str(text: &str) -> Result<Self, UnknownService> {
        let found = Self::ALL.into_iter().find(|service| service.id() == text);
        found.ok_or_else(|| UnknownService(text.to_owned()))
    }
}
