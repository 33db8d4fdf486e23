//! Turns the text of a layer into the value of a setting.
//!
//! Knows what is allowed, not where the text stands.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::Key;

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

impl LogLevel {
    /// All, quietest first.
    pub const ALL: [Self; 6] = [Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The name in files, in the environment and in filters of the `tracing` family.
    pub fn as_str(self) -> &'static str {
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

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a layer spells a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// The environment and ports.env know only text.
    Untyped,
    /// A TOML string.
    String,
    /// A TOML integer.
    Integer,
    /// Any other TOML type; no setting takes one so far.
    Other,
}

/// A value as a layer holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawValue {
    pub(crate) spelling: Spelling,
    /// The content, without quotes.
    pub(crate) text: String,
    /// As a person sees it in the layer.
    pub(crate) shown: String,
}

impl RawValue {
    pub(crate) fn untyped(text: &str) -> Self {
        Self { spelling: Spelling::Untyped, text: text.trim().to_owned(), shown: format!("{text:?}") }
    }

    pub(crate) fn port(&self) -> Option<u16> {
        let spelled = matches!(self.spelling, Spelling::Untyped | Spelling::Integer);
        // `u16::from_str` takes a leading plus sign, which no port has.
        let digits = self.text.bytes().all(|byte| byte.is_ascii_digit());
        self.text.parse().ok().filter(|port| spelled && digits && *port != 0)
    }

    pub(crate) fn address(&self) -> Option<IpAddr> {
        matches!(self.spelling, Spelling::Untyped | Spelling::String).then(|| self.text.parse().ok())?
    }

    pub(crate) fn log_level(&self) -> Option<LogLevel> {
        let spelled = matches!(self.spelling, Spelling::Untyped | Spelling::String);
        LogLevel::ALL.into_iter().find(|level| spelled && self.text.eq_ignore_ascii_case(level.as_str()))
    }

    /// The value of `key` in its canonical spelling; `None` when it is not allowed.
    pub(crate) fn canonical(&self, key: Key) -> Option<String> {
        match key {
            Key::Port(_) => self.port().map(|port| port.to_string()),
            Key::BindAddr(_) => self.address().map(|address| address.to_string()),
            Key::LogLevel => self.log_level().map(|level| level.to_string()),
        }
    }
}

/// What is allowed for a port, as the end of a sentence.
pub(crate) const PORT_RULE: &str = "a port is a whole number from 1 to 65535";

/// What is allowed for a setting, as the end of a sentence.
pub(crate) fn allowed(key: Key) -> &'static str {
    match key {
        Key::Port(_) => PORT_RULE,
        Key::BindAddr(_) => "a bind address is an IP address such as 127.0.0.1, 0.0.0.0 or ::1",
        Key::LogLevel => "a log level is one of off, error, warn, info, debug, trace",
    }
}

/// How TOML spells a value of the setting, as an addition to [`allowed`].
pub(crate) fn toml_spelling(key: Key) -> &'static str {
    match key {
        Key::Port(_) => ", without quotes",
        Key::BindAddr(_) | Key::LogLevel => ", in quotes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_whole_number_from_1_to_65535() {
        for (text, expected) in [("1", Some(1)), ("65535", Some(65535)), (" 5010 ", Some(5010))] {
            assert_eq!(RawValue::untyped(text).port(), expected, "{text:?} is in the range");
        }
        for text in ["0", "65536", "70000", "-1", "+1", "3000.5", "abc", "", "0x10", "３"] {
            assert_eq!(RawValue::untyped(text).port(), None, "{text:?} must be refused, never guessed");
        }
    }

    #[test]
    fn a_port_in_quotes_is_refused_in_toml() {
        let quoted = RawValue { spelling: Spelling::String, text: "3000".into(), shown: "\"3000\"".into() };
        assert_eq!(quoted.port(), None, "TOML has numbers; a string is a mistake that a person should see");
    }

    #[test]
    fn an_address_is_an_ip_address_and_no_name() {
        assert_eq!(RawValue::untyped("::1").address(), "::1".parse().ok(), "IPv6 is an address");
        for text in ["localhost", "127.0.0.1:3000", "[::1]", "300.0.0.1", ""] {
            assert_eq!(RawValue::untyped(text).address(), None, "{text:?} cannot be bound");
        }
    }

    #[test]
    fn a_log_level_is_taken_in_any_case() {
        assert_eq!(RawValue::untyped("DEBUG").log_level(), Some(LogLevel::Debug), "environments are often upper case");
        assert_eq!(RawValue::untyped("loud").log_level(), None, "there is no such level");
    }
}
