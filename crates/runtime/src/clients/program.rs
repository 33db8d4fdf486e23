//! The client programs that there is a text for, and how each of them can connect.

use std::fmt;
use std::str::FromStr;

use cwts_domain::{ErrorCode, Problem, Service};
use serde::{Deserialize, Serialize};

/// A program, or a kind of program, that connects to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClientProgram {
    /// Claude Desktop, which starts MCP servers itself.
    ClaudeDesktop,
    /// Claude Code.
    ClaudeCode,
    /// Cursor.
    Cursor,
    /// Visual Studio Code.
    #[serde(rename = "vscode")]
    VsCode,
    /// A program with the Python MCP SDK.
    Python,
    /// A program with the TypeScript MCP SDK.
    #[serde(rename = "typescript")]
    TypeScript,
    /// A FreqTrade strategy.
    #[serde(rename = "freqtrade")]
    FreqTrade,
    /// Prometheus.
    Prometheus,
    /// curl.
    Curl,
}

/// How a client reaches an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// MCP through a program that the client starts.
    Stdio,
    /// MCP over Streamable HTTP.
    Http,
    /// MCP over WebSocket.
    WebSocket,
    /// REST.
    Rest,
    /// A scrape of the metrics.
    Scrape,
}

impl ClientProgram {
    /// All, in the order of the screen.
    pub const ALL: [Self; 9] = [
        Self::ClaudeDesktop,
        Self::ClaudeCode,
        Self::Cursor,
        Self::VsCode,
        Self::Python,
        Self::TypeScript,
        Self::FreqTrade,
        Self::Prometheus,
        Self::Curl,
    ];

    /// The word in commands and on the wire.
    pub fn id(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "claude-desktop",
            Self::ClaudeCode => "claude-code",
            Self::Cursor => "cursor",
            Self::VsCode => "vscode",
            Self::Python => "python",
            Self::TypeScript => "typescript",
            Self::FreqTrade => "freqtrade",
            Self::Prometheus => "prometheus",
            Self::Curl => "curl",
        }
    }

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::Cursor => "Cursor",
            Self::VsCode => "VS Code",
            Self::Python => "Python SDK",
            Self::TypeScript => "TypeScript SDK",
            Self::FreqTrade => "FreqTrade",
            Self::Prometheus => "Prometheus",
            Self::Curl => "curl",
        }
    }

    /// How it can connect, the usual way first.
    pub fn transports(self) -> &'static [Transport] {
        match self {
            Self::ClaudeDesktop => &[Transport::Stdio],
            Self::ClaudeCode | Self::Cursor | Self::VsCode => &[Transport::Http, Transport::Stdio],
            Self::Python | Self::TypeScript => &[Transport::WebSocket, Transport::Http],
            Self::FreqTrade => &[Transport::Http],
            Self::Prometheus => &[Transport::Scrape],
            Self::Curl => &[Transport::Rest],
        }
    }

    /// The wanted transport, or the usual one where it is not offered.
    pub fn transport(self, wanted: Option<Transport>) -> Transport {
        let usual = self.transports()[0];
        wanted.filter(|transport| self.transports().contains(transport)).unwrap_or(usual)
    }

    /// The service that it asks.
    pub fn service(self, transport: Transport) -> Service {
        match transport {
            Transport::WebSocket => Service::McpWebsocket,
            Transport::Stdio | Transport::Http | Transport::Rest => Service::McpHttp,
            Transport::Scrape => Service::Prometheus,
        }
    }
}

impl Transport {
    /// The word in commands and on the wire.
    pub fn id(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
            Self::WebSocket => "websocket",
            Self::Rest => "rest",
            Self::Scrape => "scrape",
        }
    }
}

impl fmt::Display for ClientProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for ClientProgram {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|client| client.id() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|client| client.id()).collect();
            Problem::new(ErrorCode::InvalidInput, format!("There is no text for a client {text:?}."))
                .with_help(format!("Use one of {}.", names.join(", ")))
        })
    }
}
