//! Settings that take one of a few words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A closed set of words.
pub(crate) trait Choice: Copy + 'static {
    /// All of them.
    const CHOICES: &'static [Self];

    /// The word in files, in the environment and in JSON.
    fn word(self) -> &'static str;
}

/// How much is logged. Each level includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What works but deserves a look.
    Warn,
    /// What happens to the services.
    #[default]
    Info,
    /// What happens to each request.
    Debug,
    /// Everything.
    Trace,
}

/// Whether clients need a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// A token of the instance.
    #[default]
    Token,
    /// Nothing; taken only while every service listens on loopback.
    None,
}

/// Whether the ports speak TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Plain text only.
    #[default]
    Off,
    /// TLS with the certificate of the instance; plain text stays for clients on loopback.
    On,
}

impl LogLevel {
    /// The name in files, in the environment and in filters of the `tracing` family.
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

impl Choice for LogLevel {
    const CHOICES: &'static [Self] = &[Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Choice for AuthMode {
    const CHOICES: &'static [Self] = &[Self::Token, Self::None];

    fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::None => "none",
        }
    }
}

impl Choice for TlsMode {
    const CHOICES: &'static [Self] = &[Self::Off, Self::On];

    fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for TlsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
