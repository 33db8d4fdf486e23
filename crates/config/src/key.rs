//! The settings that exist: their names in production.toml and in the environment.
//!
//! Holds no value and reads nothing.

use std::fmt;
use std::str::FromStr;

use cwts_domain::{Group, Service};

use crate::{ConfigError, INSTANCE_VARIABLE};

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The port of a service.
    Port(Service),
    /// The address that a group of services binds.
    BindAddr(Group),
    /// The value of an order in US dollars above which a person confirms it; 0 for none.
    ConfirmAbove,
    /// Whether clients need a token.
    Auth,
    /// Whether the ports speak TLS.
    Tls,
    /// Further names that clients may use for this computer.
    AllowedHosts,
    /// Whether the panel starts the services when it opens.
    StartServers,
    /// How much is logged.
    LogLevel,
    /// The id of the instance that the files belong to.
    InstanceId,
}

impl Key {
    /// Every setting, in the order in which they are shown.
    pub const ALL: [Self; 13] = [
        Self::Port(Service::McpWebsocket),
        Self::Port(Service::McpHttp),
        Self::BindAddr(Group::Mcp),
        Self::ConfirmAbove,
        Self::Port(Service::Prometheus),
        Self::Port(Service::Health),
        Self::BindAddr(Group::Monitoring),
        Self::Auth,
        Self::Tls,
        Self::AllowedHosts,
        Self::StartServers,
        Self::LogLevel,
        Self::InstanceId,
    ];

    /// The dotted name in production.toml, for example `mcp.mcp_port`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Port(Service::McpWebsocket) => "mcp.mcp_port",
            Self::Port(Service::McpHttp) => "mcp.mcp_http_port",
            Self::Port(Service::Prometheus) => "monitoring.metrics_port",
            Self::Port(Service::Health) => "monitoring.health_check_port",
            Self::BindAddr(Group::Mcp) => "mcp.bind_addr",
            Self::BindAddr(Group::Monitoring) => "monitoring.bind_addr",
            Self::ConfirmAbove => "mcp.confirm_above",
            Self::Auth => "security.auth",
            Self::Tls => "security.tls",
            Self::AllowedHosts => "security.allowed_hosts",
            Self::StartServers => "panel.start_servers",
            Self::LogLevel => "log.level",
            Self::InstanceId => "instance.id",
        }
    }

    /// The variable of the environment and of ports.env; `None` for a setting that only production.toml holds.
    pub fn variable(self) -> Option<&'static str> {
        match self {
            Self::Port(service) => Some(service.port_variable()),
            Self::BindAddr(Group::Mcp) => Some("MCP_BIND_ADDR"),
            Self::BindAddr(Group::Monitoring) => Some("MONITORING_BIND_ADDR"),
            Self::LogLevel => Some("CWTS_LOG"),
            Self::InstanceId => Some(INSTANCE_VARIABLE),
            Self::ConfirmAbove | Self::Auth | Self::Tls | Self::AllowedHosts | Self::StartServers => None,
        }
    }

    /// The setting that a variable sets.
    pub(crate) fn of_variable(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.variable() == Some(name))
    }

    /// As a person calls it who edits variables: the variable, or the dotted name where there is none.
    pub(crate) fn variable_or_id(self) -> &'static str {
        self.variable().unwrap_or(self.id())
    }

    /// The table of production.toml that holds the setting, and the name within it.
    pub(crate) fn section_and_name(self) -> (&'static str, &'static str) {
        // Every id has exactly one dot; the test below keeps it so.
        self.id().split_once('.').unwrap_or(("", self.id()))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Key {
    type Err = ConfigError;

    /// Takes the dotted name or the variable.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let found = Self::ALL.into_iter().find(|key| key.id() == text);
        found.or_else(|| Self::of_variable(text)).ok_or_else(|| ConfigError::UnknownKey { key: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_table_and_a_name() {
        for key in Key::ALL {
            assert_eq!(key.id().matches('.').count(), 1, "{key} must name one table and one entry of production.toml");
        }
    }

    #[test]
    fn a_key_is_found_by_its_name_and_by_its_variable() {
        for key in Key::ALL {
            assert_eq!(key.id().parse::<Key>().unwrap(), key, "`config get {key}` names the setting as the file does");
            if let Some(variable) = key.variable() {
                assert_eq!(variable.parse::<Key>().unwrap(), key, "the guide names the setting by its variable");
            }
        }
    }

    #[test]
    fn an_unknown_key_lists_the_known_ones() {
        let message = "mcp.port".parse::<Key>().unwrap_err().to_string();
        assert!(message.contains("mcp.mcp_port"), "a typing mistake must show the right name: {message}");
    }
}
