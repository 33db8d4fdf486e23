//! Where the configuration of an instance is read from.
//!
//! Finds paths. Opens no file but the one given as `--config`, for the instance that it names.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;

use crate::toml_file::TomlFile;
use crate::{ConfigError, Environment, INSTANCE_VARIABLE, Key, file};

/// The name of an instance: 1 to 32 ASCII letters, digits, `-` or `_`. Becomes a file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct InstanceId(String);

impl InstanceId {
    /// The id of the instance that uses `production.toml` and `ports.env`.
    pub const DEFAULT: &'static str = "default";

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for InstanceId {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for InstanceId {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ConfigError::InvalidInstance { id: text.to_owned() })
        }
    }
}

/// Everything that decides the configuration of one instance, resolved to absolute paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    home: PathBuf,
    instance: InstanceId,
    environment: Environment,
    env_file: PathBuf,
    toml_file: PathBuf,
    toml_is_named: bool,
    port_table: PathBuf,
    ephemeral_ports: Option<RangeInclusive<u16>>,
}

impl Sources {
    /// The sources of `instance` below `home`. `config_file` is what a person gave as `--config`: it stands for the
    /// TOML layer and is looked up in the working folder, then in `home/config`.
    ///
    /// # Errors
    /// The named file is in neither folder, or the working folder is gone.
    pub fn new(
        home: &Path,
        instance: InstanceId,
        config_file: Option<&Path>,
        environment: Environment,
    ) -> Result<Self, ConfigError> {
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|source| ConfigError::Unreadable {
                path: path.to_owned(),
                line: None,
                source,
            })
        };
        let home = absolute(home)?;
        let config = home.join("config");
        let (env_file, own_toml_file) = if instance.as_str() == InstanceId::DEFAULT {
            (config.join("ports.env"), config.join("production.toml"))
        } else {
            let profiles = config.join("instances");
            (profiles.join(format!("{instance}.env")), profiles.join(format!("{instance}.toml")))
        };
        let toml_file = match config_file {
            None => own_toml_file,
            Some(file) => {
                let searched = vec![absolute(file)?, config.join(file)];
                let found = searched.iter().find(|path| path.exists()).cloned();
                found.ok_or_else(|| ConfigError::ConfigFileMissing { file: file.to_owned(), searched })?
            }
        };
        let toml_is_named = config_file.is_some();
        let port_table = config.join("ports.conf");
        let ephemeral_ports = ephemeral_ports();
        Ok(Self { home, instance, environment, env_file, toml_file, toml_is_named, port_table, ephemeral_ports })
    }

    /// The sources that a command line names. Without `instance` it is the one of `CWTS_INSTANCE_ID`, then the one that
    /// the file given as `--config` names, then `default`.
    ///
    /// # Errors
    /// As [`Sources::new`]; the variable holds no instance id; or the named file cannot be read.
    pub fn find(
        home: &Path,
        instance: Option<InstanceId>,
        config_file: Option<&Path>,
        environment: Environment,
    ) -> Result<Self, ConfigError> {
        if instance.is_some() || config_file.is_none() || environment.get(INSTANCE_VARIABLE).is_some() {
            let instance = instance.map_or_else(|| environment.instance(), Ok)?;
            return Self::new(home, instance, config_file, environment);
        }
        let sources = Self::new(home, InstanceId::default(), config_file, environment.clone())?;
        match instance_of(sources.toml_file())? {
            Some(named) => Self::new(home, named, config_file, environment),
            None => Ok(sources),
        }
    }

    /// The same sources on a system with another range of ephemeral ports; `None` when it is unknown.
    #[must_use]
    pub fn with_ephemeral_ports(mut self, range: Option<RangeInclusive<u16>>) -> Self {
        self.ephemeral_ports = range;
        self
    }

    /// The home folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The data folder of the instance. Need not exist.
    pub fn data(&self) -> PathBuf {
        self.home.join("data").join(self.instance.as_str())
    }

    /// The instance.
    pub fn instance(&self) -> &InstanceId {
        &self.instance
    }

    /// The captured environment.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// `ports.env`, or `instances/ID.env`. Need not exist.
    pub fn env_file(&self) -> &Path {
        &self.env_file
    }

    /// `production.toml`, `instances/ID.toml`, or the file given as `--config`. Only the last must exist.
    pub fn toml_file(&self) -> &Path {
        &self.toml_file
    }

    /// `ports.conf`, the same for all instances. Need not exist.
    pub fn port_table_file(&self) -> &Path {
        &self.port_table
    }

    /// Whether a person named the TOML file, so that its absence is an error.
    pub(crate) fn toml_is_named(&self) -> bool {
        self.toml_is_named
    }

    /// The ports that the kernel hands to outgoing connections; `None` when it is unknown.
    pub fn ephemeral_ports(&self) -> Option<&RangeInclusive<u16>> {
        self.ephemeral_ports.as_ref()
    }
}

/// The instance that a TOML file names; `None` when it names none that can be used, which [`load`](crate::load) reports.
fn instance_of(path: &Path) -> Result<Option<InstanceId>, ConfigError> {
    let text = file::read(path)?.unwrap_or_default();
    let named = TomlFile::parse(path, &text)?.get(Key::InstanceId);
    Ok(named.and_then(|(raw, _)| raw.instance_id()))
}

/// The kernel's range of ephemeral ports.
fn ephemeral_ports() -> Option<RangeInclusive<u16>> {
    parse_range(&std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?)
}

fn parse_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (low, high) = text.trim().split_once(char::is_whitespace)?;
    Some(low.parse().ok()?..=high.trim().parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(home: &Path, instance: &str, file: Option<&str>) -> Result<Sources, ConfigError> {
        Sources::new(home, instance.parse()?, file.map(Path::new), Environment::empty())
    }

    #[test]
    fn the_default_instance_has_the_files_of_the_guide() {
        let found = sources(Path::new("/srv/cwts"), "default", None).unwrap();
        assert_eq!(found.env_file(), Path::new("/srv/cwts/config/ports.env"), "the guide names this file");
        assert_eq!(found.toml_file(), Path::new("/srv/cwts/config/production.toml"), "the guide names this file");
    }

    #[test]
    fn another_instance_has_files_of_its_own() {
        let found = sources(Path::new("/srv/cwts"), "bot-2", None).unwrap();
        assert_eq!(found.env_file(), Path::new("/srv/cwts/config/instances/bot-2.env"), "instances share no file");
        assert_eq!(found.toml_file(), Path::new("/srv/cwts/config/instances/bot-2.toml"), "instances share no file");
    }

    #[test]
    fn an_instance_id_is_a_plain_file_name() {
        for id in ["1", "bot_2", "A-b", &"x".repeat(32)] {
            assert_eq!(id.parse::<InstanceId>().unwrap().as_str(), id, "{id:?} is allowed");
        }
        for id in ["", "..", "a/b", "a b", "ä", "a.toml", &"x".repeat(33)] {
            assert!(id.parse::<InstanceId>().is_err(), "{id:?} must not become a file name");
        }
    }

    #[test]
    fn a_named_file_is_taken_from_the_working_folder_first() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("config")).unwrap();
        std::fs::write(home.path().join("config/Cargo.toml"), "").unwrap();
        let found = sources(home.path(), "default", Some("Cargo.toml")).unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert_eq!(found.toml_file(), here, "a person who types a file name means the one before their eyes");
    }

    #[test]
    fn a_named_file_is_found_in_the_config_folder() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config/instance1.toml");
        std::fs::create_dir(home.path().join("config")).unwrap();
        std::fs::write(&file, "").unwrap();
        let found = sources(home.path(), "1", Some("instance1.toml")).unwrap();
        assert_eq!(found.toml_file(), file, "the guide's command names a file without a folder");
    }

    #[test]
    fn a_named_file_may_name_its_instance() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("instance1.toml");
        std::fs::write(&file, "[instance]\nid = \"desk\"\n").unwrap();
        let find = |instance: Option<&str>, environment| {
            let instance = instance.map(|id| id.parse().unwrap());
            Sources::find(home.path(), instance, Some(&file), environment).unwrap().instance().to_string()
        };
        let variable = || Environment::from([(INSTANCE_VARIABLE, "2")]);
        assert_eq!(find(None, Environment::empty()), "desk", "the file decides when nobody else does");
        assert_eq!(find(None, variable()), "2", "the environment is stronger than a file");
        assert_eq!(find(Some("3"), variable()), "3", "the command line is stronger than the environment");
    }

    #[test]
    fn a_missing_named_file_lists_the_places_searched() {
        let message = sources(Path::new("/srv/cwts"), "default", Some("nowhere.toml")).unwrap_err().to_string();
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("nowhere.toml").display().to_string();
        assert!(message.contains(&here), "the working folder was searched: {message}");
        assert!(message.contains("/srv/cwts/config/nowhere.toml"), "the config folder was searched: {message}");
    }

    #[test]
    fn the_kernels_range_is_two_numbers() {
        assert_eq!(parse_range("32768\t60999\n"), Some(32768..=60999), "the format of the kernel");
        assert_eq!(parse_range("32768"), None, "half a range is none");
    }
}
