//! What people are told of who is connected.

use std::fmt;
use std::net::IpAddr;

use cwts_credentials::Scope;
use cwts_domain::Service;
use serde::{Deserialize, Serialize};

/// What a client is connected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// A WebSocket with its MCP session.
    Websocket,
    /// An MCP session over HTTP, whatever connections carry it.
    Session,
    /// An HTTP connection.
    Connection,
}

/// A client that is connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientInfo {
    /// Tells it from others; never used twice in one run of the program.
    pub id: String,
    /// As it calls itself: by MCP `clientInfo`, else by its User-Agent.
    pub name: String,
    /// Its version, in its own words.
    pub version: Option<String>,
    /// Where it is.
    #[cfg_attr(feature = "wire", ts(type = "string"))]
    pub address: IpAddr,
    /// The service that it uses.
    pub service: Service,
    /// What it is connected by.
    pub link: Link,
    /// What its token allows; `None` where it presented none.
    pub scope: Option<Scope>,
    /// Milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub since: i64,
    /// Requests or messages per second over the last few seconds.
    pub rate: f64,
    /// Requests or messages so far.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub requests: u64,
    /// What it was last refused.
    pub last_error: Option<ClientError>,
}

/// An answer that refused something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientError {
    /// Milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub at: i64,
    /// What the client was told.
    pub text: String,
}

/// Everyone who is connected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Connected {
    /// Longest connected first, at most 200.
    pub clients: Vec<ClientInfo>,
    /// Those beyond.
    pub more: u32,
}

impl fmt::Display for ClientInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        write!(f, " ({})", self.address)
    }
}
