//! What a person is told when something cannot be done.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The closed set of codes that the panel, the command line and REST branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A configuration file or variable is unreadable or invalid.
    ConfigInvalid,
    /// A value of a form is outside what is allowed.
    InvalidInput,
    /// Another program or service holds the port.
    PortTaken,
    /// Another process already runs the instance.
    InstanceRunning,
    /// The system refuses the port, or to read a file, to this user.
    NotPermitted,
    /// The bind address is no address of this computer.
    AddressUnavailable,
    /// A stronger layer decides the value; the edit would have no effect.
    Shadowed,
    /// Someone else changed the configuration first.
    RevisionConflict,
    /// A file could not be written; nothing changed.
    SaveFailed,
    /// The services are in a state in which this cannot be done.
    WrongState,
    /// More work is queued than the exchange takes.
    Overloaded,
    /// A fault of the program or the system without a remedy of its own.
    Internal,
}

/// An error as it goes to a person: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// What the caller may branch on.
    pub code: ErrorCode,
    /// One sentence: what is wrong and where.
    pub message: String,
    /// The form field or setting, for example `mcp-websocket` or `mcp.mcp_port`.
    pub field: Option<String>,
    /// One sentence: what to do.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with neither field nor help.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, help: None }
    }

    /// The same problem, tied to a field.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same problem with its remedy.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " {help}"))
    }
}

impl std::error::Error for Problem {}
