//! What is known of a port: its verdict, who holds it, and what to use instead.

use std::net::SocketAddr;

use cwts_domain::Service;
use cwts_ports::Holder;
use serde::Serialize;

use crate::release::WayOut;

/// What is known of a port before it is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PortCheck {
    /// The port that was asked about.
    pub port: u16,
    /// The verdict.
    pub state: PortCheckState,
    /// One sentence for the hint below the field.
    pub message: String,
    /// Whether somebody holds it, who can be asked for with the ways out.
    pub held: bool,
    /// The next port worth offering, when this one is not free or comes with a warning.
    pub suggestion: Option<u16>,
}

/// The verdict on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PortCheckState {
    /// Can be bound.
    Free,
    /// This service of this instance listens on it.
    Ours,
    /// Can be bound, with a drawback that the message names.
    Warning,
    /// Cannot be used.
    Refused,
}

/// A taken port: who holds it, and what to use instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Conflict {
    /// Who holds it; `None` when not even the owner can be seen.
    pub holder: Option<Holder>,
    /// Every address on which the holder has the port, the one in the way first.
    #[cfg_attr(feature = "wire", ts(type = "string[]"))]
    pub addresses: Vec<SocketAddr>,
    /// Whether the holder is a CWTS instance.
    pub owner: Owner,
    /// The holder's command line; `None` where its process is hidden.
    pub command: Option<String>,
    /// When the holder started, in milliseconds since the epoch; `None` where its process is hidden.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub started_at: Option<i64>,
    /// Connections to the port, which end with the holder.
    pub clients: u32,
    /// Those of them that come from this computer.
    pub local_clients: u32,
    /// When all this was looked up, in milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub checked_at: i64,
    /// The other services of the instance whose ports cannot be had either.
    pub also_taken: Vec<Service>,
    /// Other ports.
    pub alternatives: Alternatives,
    /// What could be ended so that the port becomes free, the gentlest first.
    pub ways: Vec<WayOut>,
}

/// Who holds a port, in the eyes of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Owner {
    /// This instance, another one, or a stranger.
    pub kind: OwnerKind,
    /// The instance's id; `None` for a stranger.
    pub instance: Option<String>,
    /// The nonce of its process, as its health endpoint says; `None` where that did not answer.
    pub nonce: Option<String>,
    /// The process; `None` where it is hidden.
    pub pid: Option<u32>,
}

/// Whose a holder is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// Another process runs this very instance: a headless one, or one that lost its window.
    ThisInstance,
    /// Another CWTS instance: of this home, or one of another home that says so of itself.
    OtherInstance,
    /// Another program, or one that does not say.
    #[default]
    Foreign,
}

/// Ports to use instead of another one. Each was tested a moment ago, on the address that would be bound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alternatives {
    /// The ports that ports.conf names for the service, best first. Those that cannot be used are among them, with the
    /// reason.
    pub listed: Vec<PortCheck>,
    /// The range that ports.conf names.
    pub range: RangeCheck,
    /// The first without a drawback: of the listed ones, else of the range. `None` when nothing can be used.
    pub best: Option<u16>,
}

/// What is free in a range of ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RangeCheck {
    /// First port.
    pub first: u16,
    /// Last port.
    pub last: u16,
    /// How many ports were tested; a large range is not tested to its end.
    pub tested: u16,
    /// How many of them can be used.
    pub free: u16,
    /// The one to offer; `None` when none is left.
    pub next: Option<u16>,
}
