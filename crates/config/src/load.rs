//! Reads the layers and decides every setting.
//!
//! Changes no file. An invalid value in any layer is an error, a hidden one too: nothing starts on a guess.

use std::net::{IpAddr, Ipv4Addr};

use cwts_domain::{Group, Service, addresses_overlap};

use crate::concern::port_concern;
use crate::env_file::EnvFile;
use crate::port_table::PortTableFile;
use crate::toml_file::TomlFile;
use crate::value::RawValue;
use crate::{
    AuthMode, ConfigError, HostNames, InstanceId, Key, Layer, LogLevel, Origin, PortTable, SaveLayer, Settings,
    Shadowed, Sourced, Sources, TlsMode, Warning, file, restorable,
};

/// The configuration of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The settings in force.
    pub settings: Settings,
    /// Which ports are meant for which service.
    pub port_table: PortTable,
    /// What deserves a look, file by file from the top, then the ports.
    pub warnings: Vec<Warning>,
    /// What the files held.
    pub revision: Revision,
}

impl Loaded {
    /// The same files with other settings in force.
    ///
    /// # Errors
    /// Two services would share a port, or one would be open to others without a token.
    pub fn with_settings(mut self, settings: Settings, sources: &Sources) -> Result<Self, ConfigError> {
        refuse_shared_ports(&settings)?;
        refuse_open_ports(&settings)?;
        self.warnings.retain(|warning| !matches!(warning, Warning::Port { .. }));
        self.warnings.extend(port_warnings(&settings, sources));
        Ok(Self { settings, ..self })
    }
}

/// What the files of an instance held at one moment. Two are equal exactly when no file changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// `None` when the file does not exist.
    pub(crate) env_file: Option<String>,
    /// `None` when the file does not exist.
    pub(crate) toml_file: Option<String>,
    /// `None` when the file does not exist.
    pub(crate) port_table: Option<String>,
}

impl Revision {
    /// What the files hold now. [`load`] gives the same, unless the configuration is invalid.
    ///
    /// # Errors
    /// A file is unreadable, or the one given as `--config` is gone.
    pub fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let env_file = file::read(sources.env_file())?;
        let toml_file = file::read(sources.toml_file())?;
        if toml_file.is_none() && sources.toml_is_named() {
            let path = sources.toml_file().to_owned();
            return Err(ConfigError::ConfigFileMissing { file: path.clone(), searched: vec![path] });
        }
        Ok(Self { env_file, toml_file, port_table: file::read(sources.port_table_file())? })
    }

    /// Whether a file that held something is missing or blank now. An editor may be about to write it.
    pub fn is_emptied_since(&self, earlier: &Self) -> bool {
        let is_blank = |file: &Option<String>| file.as_ref().is_none_or(|text| text.trim().is_empty());
        let files = |revision: &Self| [&revision.env_file, &revision.toml_file, &revision.port_table].map(is_blank);
        files(self).into_iter().zip(files(earlier)).any(|(now, before)| now && !before)
    }

    /// What the other files hold, where the file of `layer` may be unreadable.
    pub(crate) fn read_except(sources: &Sources, layer: SaveLayer) -> Result<Self, ConfigError> {
        let read = |other, path| if other == layer { Ok(None) } else { file::read(path) };
        Ok(Self {
            env_file: read(SaveLayer::EnvFile, sources.env_file())?,
            toml_file: read(SaveLayer::Toml, sources.toml_file())?,
            port_table: file::read(sources.port_table_file())?,
        })
    }
}

/// Reads the configuration. Files that do not exist are empty layers, except one given as `--config`.
///
/// # Errors
/// A file is unreadable or malformed, a value is not allowed, or two services share a port.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let loaded = Revision::read(sources).and_then(|revision| resolve(sources, revision));
    loaded.map_err(|error| match restorable(sources) {
        Some(found) => ConfigError::Damaged { error: Box::new(error), copy: found.copy },
        None => error,
    })
}

/// What [`load`] gives when the files hold `revision`.
pub(crate) fn resolve(sources: &Sources, revision: Revision) -> Result<Loaded, ConfigError> {
    let layers = Layers {
        sources,
        env_file: EnvFile::parse(sources.env_file(), revision.env_file.as_deref().unwrap_or_default())?,
        toml_file: TomlFile::parse(sources.toml_file(), revision.toml_file.as_deref().unwrap_or_default())?,
        port_table: PortTableFile::parse(
            sources.port_table_file(),
            revision.port_table.as_deref().unwrap_or_default(),
        )?,
    };
    let port_table = layers.port_table.table()?;
    let settings = layers.settings()?;
    let mut warnings = layers.warnings();
    warnings.extend(other_instance(&settings));
    Loaded { settings: Settings::default(), port_table, warnings, revision }.with_settings(settings, sources)
}

/// The parsed layers of one instance.
struct Layers<'a> {
    sources: &'a Sources,
    env_file: EnvFile,
    toml_file: TomlFile,
    port_table: PortTableFile,
}

impl Layers<'_> {
    fn settings(&self) -> Result<Settings, ConfigError> {
        Ok(Settings {
            mcp_port: self.port(Service::McpWebsocket)?,
            mcp_http_port: self.port(Service::McpHttp)?,
            mcp_bind_addr: self.bind_addr(Group::Mcp)?,
            metrics_port: self.port(Service::Prometheus)?,
            health_check_port: self.port(Service::Health)?,
            monitoring_bind_addr: self.bind_addr(Group::Monitoring)?,
            confirm_above: self.sourced(Key::ConfirmAbove, 0, RawValue::dollars)?,
            auth: self.sourced(Key::Auth, AuthMode::default(), RawValue::choice)?,
            tls: self.sourced(Key::Tls, TlsMode::default(), RawValue::choice)?,
            allowed_hosts: self.sourced(Key::AllowedHosts, HostNames::default(), RawValue::host_names)?,
            start_servers: self.sourced(Key::StartServers, true, RawValue::boolean)?,
            log_level: self.sourced(Key::LogLevel, LogLevel::default(), RawValue::choice)?,
            instance_id: self.instance_id()?,
        })
    }

    fn port(&self, service: Service) -> Result<Sourced<u16>, ConfigError> {
        self.sourced(Key::Port(service), service.default_port(), RawValue::port)
    }

    fn bind_addr(&self, group: Group) -> Result<Sourced<IpAddr>, ConfigError> {
        self.sourced(Key::BindAddr(group), IpAddr::V4(Ipv4Addr::LOCALHOST), RawValue::address)
    }

    /// Which instance it is was decided when the files were chosen. What a layer says can only agree.
    fn instance_id(&self) -> Result<Sourced<InstanceId>, ConfigError> {
        let mut found = self.sourced(Key::InstanceId, InstanceId::default(), RawValue::instance_id)?;
        if found.value != *self.sources.instance() {
            found.set_for_this_run(Some(self.sources.instance().clone()));
        }
        Ok(found)
    }

    fn sourced<T>(&self, key: Key, built_in: T, parse: fn(&RawValue) -> Option<T>) -> Result<Sourced<T>, ConfigError> {
        let mut strongest_first = Vec::new();
        for (raw, origin) in self.raw_values(key) {
            match parse(&raw) {
                Some(value) => strongest_first.push(Shadowed { value, origin }),
                None => {
                    return Err(ConfigError::InvalidValue { key, origin, found: raw.shown });
                }
            }
        }
        strongest_first.push(Shadowed { value: built_in, origin: Origin::built_in() });
        let Shadowed { value, origin } = strongest_first.remove(0);
        Ok(Sourced { value, origin, shadowed: strongest_first })
    }

    /// What each layer holds for the setting, strongest first.
    fn raw_values(&self, key: Key) -> impl Iterator<Item = (RawValue, Origin)> {
        let files = [self.env_file.get(key), self.toml_file.get(key), self.port_table.get(key)];
        let layers = std::iter::once(self.environment_value(key)).chain(files);
        layers.flatten()
    }

    fn environment_value(&self, key: Key) -> Option<(RawValue, Origin)> {
        let variable = key.variable()?;
        let value = self.sources.environment().get(variable)?;
        let variable = Some(variable.to_owned());
        let origin = Origin { layer: Layer::Environment, file: None, line: None, variable };
        Some((RawValue::untyped(&value.to_string_lossy()), origin))
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut warnings = self.env_file.warnings();
        warnings.extend(self.toml_file.warnings());
        warnings.extend(self.port_table.warnings());
        warnings
    }
}

fn refuse_shared_ports(settings: &Settings) -> Result<(), ConfigError> {
    for (index, second) in Service::ALL.into_iter().enumerate() {
        for first in Service::ALL.into_iter().take(index) {
            let (a, b) = (settings.socket_addr(first), settings.socket_addr(second));
            if a.port() == b.port() && addresses_overlap(a.ip(), b.ip()) {
                let services = [first, second].map(|service| (service, settings.port(service).origin.clone()));
                return Err(ConfigError::SharedPort { port: a.port(), services: services.into() });
            }
        }
    }
    Ok(())
}

/// Without a token only loopback is served.
fn refuse_open_ports(settings: &Settings) -> Result<(), ConfigError> {
    let beyond = |group: &Group| !settings.bind_addr(*group).value.to_canonical().is_loopback();
    match [Group::Mcp, Group::Monitoring].into_iter().find(beyond) {
        Some(group) if settings.auth.value == AuthMode::None => {
            let Sourced { value: address, origin, .. } = settings.bind_addr(group).clone();
            let origins = Box::new([settings.auth.origin.clone(), origin]);
            Err(ConfigError::OpenBeyondLoopback { group, address, origins })
        }
        _ => Ok(()),
    }
}

/// A file that names another instance than its own, unless the environment or a stronger file puts it right.
fn other_instance(settings: &Settings) -> Option<Warning> {
    let Sourced { value: instance, origin, shadowed } = &settings.instance_id;
    let strongest = shadowed.first().filter(|_| origin.layer == Layer::ThisRun)?;
    strongest.origin.file.as_ref()?;
    let (named, origin) = (strongest.value.clone(), strongest.origin.clone());
    Some(Warning::OtherInstance { named, instance: instance.clone(), origin })
}

fn port_warnings(settings: &Settings, sources: &Sources) -> impl Iterator<Item = Warning> {
    Service::ALL.into_iter().filter_map(|service| {
        let Sourced { value: port, ref origin, .. } = *settings.port(service);
        let concern = port_concern(port, sources.ephemeral_ports())?;
        Some(Warning::Port { service, port, origin: origin.clone(), concern })
    })
}

#[cfg(test)]
mod tests;
