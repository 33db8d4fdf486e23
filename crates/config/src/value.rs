//! Turns the text of a layer into the value of a setting.
//!
//! Knows what is allowed, not where the text stands.

use std::net::IpAddr;

use crate::choice::Choice;
use crate::{AuthMode, HostNames, InstanceId, Key, LogLevel, TlsMode};

/// How a layer spells a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// The environment and ports.env know only text.
    Untyped,
    /// A TOML string.
    String,
    /// A TOML integer.
    Integer,
    /// `true` or `false` in TOML.
    Boolean,
    /// Any other TOML type; no setting takes one.
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

    /// One of a few words, in any case.
    pub(crate) fn choice<T: Choice>(&self) -> Option<T> {
        let spelled = matches!(self.spelling, Spelling::Untyped | Spelling::String);
        T::CHOICES.iter().copied().find(|choice| spelled && self.text.eq_ignore_ascii_case(choice.word()))
    }

    /// A whole number of dollars.
    pub(crate) fn dollars(&self) -> Option<u32> {
        let digits = !self.text.is_empty() && self.text.bytes().all(|byte| byte.is_ascii_digit());
        (digits && matches!(self.spelling, Spelling::Untyped | Spelling::Integer)).then(|| self.text.parse().ok())?
    }

    pub(crate) fn host_names(&self) -> Option<HostNames> {
        matches!(self.spelling, Spelling::Untyped | Spelling::String).then(|| self.text.parse().ok())?
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        matches!(self.spelling, Spelling::Untyped | Spelling::Boolean).then(|| self.text.parse().ok())?
    }

    pub(crate) fn instance_id(&self) -> Option<InstanceId> {
        matches!(self.spelling, Spelling::Untyped | Spelling::String).then(|| self.text.parse().ok())?
    }

    /// The value of `key` in its canonical spelling; `None` when it is not allowed.
    pub(crate) fn canonical(&self, key: Key) -> Option<String> {
        match key {
            Key::Port(_) => self.port().map(|port| port.to_string()),
            Key::BindAddr(_) => self.address().map(|address| address.to_string()),
            Key::ConfirmAbove => self.dollars().map(|dollars| dollars.to_string()),
            Key::Auth => self.choice::<AuthMode>().map(|mode| mode.to_string()),
            Key::Tls => self.choice::<TlsMode>().map(|mode| mode.to_string()),
            Key::AllowedHosts => self.host_names().map(|names| names.to_string()),
            Key::StartServers => self.boolean().map(|start| start.to_string()),
            Key::LogLevel => self.choice::<LogLevel>().map(|level| level.to_string()),
            Key::InstanceId => self.instance_id().map(|id| id.to_string()),
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
        Key::ConfirmAbove => "it is a whole number of US dollars up to 4294967295, or 0 for none",
        Key::Auth => "it is token or none",
        Key::Tls => "it is off or on",
        Key::AllowedHosts => {
            "they are DNS names or addresses without a port, separated by commas, such as studio.lan, bot.lan"
        }
        Key::StartServers => "it is true or false",
        Key::LogLevel => "a log level is one of off, error, warn, info, debug, trace",
        Key::InstanceId => "an instance id is 1 to 32 letters, digits, '-' or '_'",
    }
}

/// How TOML spells a value of the setting, as an addition to [`allowed`].
pub(crate) fn toml_spelling(key: Key) -> &'static str {
    match key {
        Key::Port(_) | Key::ConfirmAbove | Key::StartServers => ", without quotes",
        Key::BindAddr(_) | Key::Auth | Key::Tls | Key::AllowedHosts | Key::LogLevel | Key::InstanceId => ", in quotes",
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
        assert_eq!(RawValue::untyped("DEBUG").choice(), Some(LogLevel::Debug), "environments are often upper case");
        assert_eq!(RawValue::untyped("loud").choice::<LogLevel>(), None, "there is no such level");
    }

    #[test]
    fn what_is_true_or_false_has_no_quotes_in_toml() {
        let quoted = RawValue { spelling: Spelling::String, text: "true".into(), shown: "\"true\"".into() };
        assert_eq!(quoted.boolean(), None, "TOML has booleans; a string is a mistake that a person should see");
        assert_eq!(RawValue::untyped("true").boolean(), Some(true), "the command line knows only text");
        for text in ["yes", "1", "True", ""] {
            assert_eq!(RawValue::untyped(text).boolean(), None, "{text:?} must be refused, never guessed");
        }
    }
}
