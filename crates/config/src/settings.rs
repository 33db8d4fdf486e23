//! The settings in force, each with its origin.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use cwts_domain::{Group, Service};
use serde::Serialize;

use crate::value::RawValue;
use crate::{AuthMode, Edit, HostNames, InstanceId, Key, Layer, LogLevel, Shadowed, Sourced, TlsMode};

/// Every setting. Serializes as an object keyed by the dotted names of [`Key::id`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Port of MCP over WebSocket.
    #[serde(rename = "mcp.mcp_port")]
    pub mcp_port: Sourced<u16>,
    /// Port of the control plane.
    #[serde(rename = "mcp.mcp_http_port")]
    pub mcp_http_port: Sourced<u16>,
    /// Address of both.
    #[serde(rename = "mcp.bind_addr")]
    pub mcp_bind_addr: Sourced<IpAddr>,
    /// Port of the metrics.
    #[serde(rename = "monitoring.metrics_port")]
    pub metrics_port: Sourced<u16>,
    /// Port of the health check.
    #[serde(rename = "monitoring.health_check_port")]
    pub health_check_port: Sourced<u16>,
    /// Address of both.
    #[serde(rename = "monitoring.bind_addr")]
    pub monitoring_bind_addr: Sourced<IpAddr>,
    /// The value of an order in US dollars above which a person confirms it; 0 for none.
    #[serde(rename = "mcp.confirm_above")]
    pub confirm_above: Sourced<u32>,
    /// Whether clients need a token.
    #[serde(rename = "security.auth")]
    pub auth: Sourced<AuthMode>,
    /// Whether the ports speak TLS.
    #[serde(rename = "security.tls")]
    pub tls: Sourced<TlsMode>,
    /// Further names that clients may use for this computer, beside loopback and the addresses.
    #[serde(rename = "security.allowed_hosts")]
    pub allowed_hosts: Sourced<HostNames>,
    /// Whether the panel starts the services when it opens.
    #[serde(rename = "panel.start_servers")]
    pub start_servers: Sourced<bool>,
    /// How much is logged.
    #[serde(rename = "log.level")]
    pub log_level: Sourced<LogLevel>,
    /// The instance. A choice of the command line has the origin `this-run`.
    #[serde(rename = "instance.id")]
    pub instance_id: Sourced<InstanceId>,
}

impl Settings {
    /// The port of a service.
    pub fn port(&self, service: Service) -> &Sourced<u16> {
        match service {
            Service::McpWebsocket => &self.mcp_port,
            Service::McpHttp => &self.mcp_http_port,
            Service::Prometheus => &self.metrics_port,
            Service::Health => &self.health_check_port,
        }
    }

    /// The bind address of a group of services; [`Service::group`] gives the group.
    pub fn bind_addr(&self, group: Group) -> &Sourced<IpAddr> {
        match group {
            Group::Mcp => &self.mcp_bind_addr,
            Group::Monitoring => &self.monitoring_bind_addr,
        }
    }

    /// What a service binds.
    pub fn socket_addr(&self, service: Service) -> SocketAddr {
        SocketAddr::new(self.bind_addr(service.group()).value, self.port(service).value)
    }

    /// Takes one setting over from `other`.
    pub fn adopt(&mut self, key: Key, other: &Self) {
        match key {
            Key::Port(service) => *self.port_mut(service) = other.port(service).clone(),
            Key::BindAddr(group) => *self.bind_addr_mut(group) = other.bind_addr(group).clone(),
            Key::ConfirmAbove => self.confirm_above = other.confirm_above.clone(),
            Key::Auth => self.auth = other.auth.clone(),
            Key::Tls => self.tls = other.tls.clone(),
            Key::AllowedHosts => self.allowed_hosts = other.allowed_hosts.clone(),
            Key::StartServers => self.start_servers = other.start_servers.clone(),
            Key::LogLevel => self.log_level = other.log_level.clone(),
            Key::InstanceId => self.instance_id = other.instance_id.clone(),
        }
    }

    /// Whether somebody chose the port of a service. One that is built in, comes from ports.conf, or stands in the TOML
    /// file as the default that it ships with was chosen by nobody.
    pub fn is_port_chosen(&self, service: Service) -> bool {
        let port = self.port(service);
        match port.origin.layer {
            Layer::PortTable | Layer::BuiltIn => false,
            Layer::Toml => port.shadowed.first().is_some_and(|default| default.value != port.value),
            Layer::EnvFile | Layer::Environment | Layer::ThisRun => true,
        }
    }

    /// Lays a value of this run over a port or an address, or lifts it when the edit removes it. Other settings do not
    /// change while the services run, and stay as they are.
    pub fn set_for_this_run(&mut self, edit: &Edit) {
        let raw = edit.value.as_deref().map(RawValue::untyped);
        match edit.key {
            Key::Port(service) => self.port_mut(service).set_for_this_run(raw.and_then(|raw| raw.port())),
            Key::BindAddr(group) => self.bind_addr_mut(group).set_for_this_run(raw.and_then(|raw| raw.address())),
            Key::ConfirmAbove
            | Key::Auth
            | Key::Tls
            | Key::AllowedHosts
            | Key::StartServers
            | Key::LogLevel
            | Key::InstanceId => {}
        }
    }

    fn port_mut(&mut self, service: Service) -> &mut Sourced<u16> {
        match service {
            Service::McpWebsocket => &mut self.mcp_port,
            Service::McpHttp => &mut self.mcp_http_port,
            Service::Prometheus => &mut self.metrics_port,
            Service::Health => &mut self.health_check_port,
        }
    }

    fn bind_addr_mut(&mut self, group: Group) -> &mut Sourced<IpAddr> {
        match group {
            Group::Mcp => &mut self.mcp_bind_addr,
            Group::Monitoring => &mut self.monitoring_bind_addr,
        }
    }

    /// A setting as text, in the spelling that ports.env takes.
    pub fn get(&self, key: Key) -> Sourced<String> {
        match key {
            Key::Port(service) => as_text(self.port(service)),
            Key::BindAddr(group) => as_text(self.bind_addr(group)),
            Key::ConfirmAbove => as_text(&self.confirm_above),
            Key::Auth => as_text(&self.auth),
            Key::Tls => as_text(&self.tls),
            Key::AllowedHosts => as_text(&self.allowed_hosts),
            Key::StartServers => as_text(&self.start_servers),
            Key::LogLevel => as_text(&self.log_level),
            Key::InstanceId => as_text(&self.instance_id),
        }
    }
}

fn as_text<T: ToString>(setting: &Sourced<T>) -> Sourced<String> {
    let hidden = setting.shadowed.iter();
    Sourced {
        value: setting.value.to_string(),
        origin: setting.origin.clone(),
        shadowed: hidden.map(|it| Shadowed { value: it.value.to_string(), origin: it.origin.clone() }).collect(),
    }
}

impl Default for Settings {
    /// The built-in values.
    fn default() -> Self {
        let port = |service: Service| Sourced::built_in(service.default_port());
        let loopback = || Sourced::built_in(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Self {
            mcp_port: port(Service::McpWebsocket),
            mcp_http_port: port(Service::McpHttp),
            mcp_bind_addr: loopback(),
            metrics_port: port(Service::Prometheus),
            health_check_port: port(Service::Health),
            monitoring_bind_addr: loopback(),
            confirm_above: Sourced::built_in(0),
            auth: Sourced::built_in(AuthMode::default()),
            tls: Sourced::built_in(TlsMode::default()),
            allowed_hosts: Sourced::built_in(HostNames::default()),
            start_servers: Sourced::built_in(true),
            log_level: Sourced::built_in(LogLevel::default()),
            instance_id: Sourced::built_in(InstanceId::default()),
        }
    }
}
