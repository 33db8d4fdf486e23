//! What can be wrong with the configuration: where, what is allowed, and what to do.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use cwts_domain::{ErrorCode, Group, Problem, Service};

use crate::value::{allowed, toml_spelling};
use crate::{Key, Layer, Origin};

/// Why the configuration cannot be used or changed. Displays as one line that ends with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The instance id is no plain file name.
    InvalidInstance {
        /// What was given.
        id: String,
    },
    /// No home folder is known.
    NoHome,
    /// The file given as `--config` does not exist.
    ConfigFileMissing {
        /// As a person gave it.
        file: PathBuf,
        /// The places searched, in order.
        searched: Vec<PathBuf>,
    },
    /// A file exists but cannot be read as text.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The line that is not UTF-8, counted from 1.
        line: Option<u32>,
        /// The reason.
        source: io::Error,
    },
    /// A file is a symbolic link to one that does not exist.
    BrokenLink {
        /// The link.
        path: PathBuf,
        /// Where it leads to.
        target: PathBuf,
    },
    /// The text of a file is malformed.
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u32,
        /// What is wrong with the line.
        problem: String,
    },
    /// A layer holds a value that is not allowed.
    InvalidValue {
        /// The setting.
        key: Key,
        /// Where the value stands.
        origin: Origin,
        /// The value as it stands there.
        found: String,
    },
    /// Two services would listen on one port.
    SharedPort {
        /// The port.
        port: u16,
        /// Both, each with the origin of its port.
        services: Box<[(Service, Origin); 2]>,
    },
    /// No token is asked for, and a group of services listens beyond loopback.
    OpenBeyondLoopback {
        /// The group.
        group: Group,
        /// What it binds.
        address: IpAddr,
        /// Where `none` stands, and where the address.
        origins: Box<[Origin; 2]>,
    },
    /// The configuration is invalid, and the last good copy of a file would make it valid.
    Damaged {
        /// What is wrong.
        error: Box<ConfigError>,
        /// The copy.
        copy: PathBuf,
    },
    /// No file is damaged, or the damaged one has no copy that would help.
    NothingToRestore,
    /// There is no such setting.
    UnknownKey {
        /// What was asked for.
        key: String,
    },
    /// An edit asks for a value that is not allowed.
    InvalidEdit {
        /// The setting.
        key: Key,
        /// The value that was asked for.
        found: String,
    },
    /// ports.env cannot hold the setting.
    NoVariable {
        /// The setting.
        key: Key,
    },
    /// Someone else changed the value that an edit is about.
    Conflict {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: Key,
        /// What the file holds now; `None` when the setting was removed.
        found: Option<String>,
    },
    /// A file could not be written; nothing changed.
    SaveFailed {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl ConfigError {
    /// The code that the panel and the command line branch on.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Damaged { error, .. } => error.code(),
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                ErrorCode::NotPermitted
            }
            Self::NoHome
            | Self::ConfigFileMissing { .. }
            | Self::Unreadable { .. }
            | Self::BrokenLink { .. }
            | Self::Syntax { .. }
            | Self::InvalidValue { .. }
            | Self::SharedPort { .. }
            | Self::OpenBeyondLoopback { .. } => ErrorCode::ConfigInvalid,
            Self::InvalidInstance { .. }
            | Self::UnknownKey { .. }
            | Self::InvalidEdit { .. }
            | Self::NoVariable { .. } => ErrorCode::InvalidInput,
            Self::NothingToRestore => ErrorCode::WrongState,
            Self::Conflict { .. } => ErrorCode::RevisionConflict,
            Self::SaveFailed { .. } => ErrorCode::SaveFailed,
        }
    }

    /// The setting that is to blame, where there is one.
    pub fn key(&self) -> Option<Key> {
        match self {
            Self::InvalidValue { key, .. }
            | Self::InvalidEdit { key, .. }
            | Self::NoVariable { key }
            | Self::Conflict { key, .. } => Some(*key),
            Self::OpenBeyondLoopback { .. } => Some(Key::Auth),
            Self::Damaged { error, .. } => error.key(),
            Self::NothingToRestore => None,
            Self::SharedPort { services, .. } => Some(Key::Port(services[1].0)),
            Self::InvalidInstance { .. }
            | Self::NoHome
            | Self::ConfigFileMissing { .. }
            | Self::Unreadable { .. }
            | Self::BrokenLink { .. }
            | Self::Syntax { .. }
            | Self::UnknownKey { .. }
            | Self::SaveFailed { .. } => None,
        }
    }

    /// What is wrong and where, without the remedy.
    fn fact(&self) -> String {
        match self {
            Self::InvalidInstance { id } => format!("{id:?} is no instance id."),
            Self::NoHome => "The home folder is unknown: neither CWTS_HOME nor HOME is set.".to_owned(),
            Self::ConfigFileMissing { file, searched } => {
                let places: Vec<_> = searched.iter().map(|path| path.display().to_string()).collect();
                format!("{} does not exist; searched {}.", file.display(), places.join(" and "))
            }
            Self::Unreadable { path, line, source } => format!("{} cannot be read: {source}.", Place(path, *line)),
            Self::BrokenLink { path, target } => {
                format!("{} is a link to {}, which does not exist.", path.display(), target.display())
            }
            Self::Syntax { path, line, problem } => format!("{}: {problem}.", Place(path, Some(*line))),
            Self::InvalidValue { key, origin, found } => {
                let is_toml = matches!(origin.layer, Layer::Toml | Layer::PortTable);
                let spelling = if is_toml { toml_spelling(*key) } else { "" };
                format!("{}: {} is {found}; {}{spelling}.", place(origin), name(*key, origin), allowed(*key))
            }
            Self::SharedPort { port, services } => shared_port(*port, services),
            Self::OpenBeyondLoopback { group, address, origins } => {
                let ([auth, origin], bind_addr) = (origins.as_ref(), Key::BindAddr(*group));
                format!(
                    "security.auth is none ({auth}), which is taken for loopback only, but {bind_addr} is {address} ({origin})."
                )
            }
            Self::Damaged { error, .. } => error.fact(),
            Self::NothingToRestore => "No file is damaged, or the damaged one has no copy that would help.".to_owned(),
            Self::UnknownKey { key } => format!("There is no setting {key:?}."),
            Self::InvalidEdit { key, found } => format!("{key} cannot be {found:?}; {}.", allowed(*key)),
            Self::NoVariable { key } => format!("{key} has no variable, so ports.env cannot hold it."),
            Self::Conflict { path, key, found: Some(found) } => {
                format!("{}: {key} was changed to {found} in the meantime.", path.display())
            }
            Self::Conflict { path, key, found: None } => {
                format!("{}: {key} was removed in the meantime.", path.display())
            }
            Self::SaveFailed { path, source } => {
                format!("{} could not be saved, nothing changed: {source}.", path.display())
            }
        }
    }

    /// What to do.
    fn remedy(&self) -> String {
        match self {
            Self::InvalidInstance { .. } => "Use 1 to 32 letters, digits, '-' or '_'.".to_owned(),
            Self::NoHome => "Set CWTS_HOME or give --home DIR.".to_owned(),
            Self::ConfigFileMissing { .. } => "Create the file or name another one.".to_owned(),
            Self::Unreadable { line: Some(_), .. } => "Save the file as UTF-8.".to_owned(),
            Self::Unreadable { .. } => "Make it a file that this user may read.".to_owned(),
            Self::BrokenLink { .. } => "Create that file, or remove the link.".to_owned(),
            Self::Syntax { .. } => "Correct the line.".to_owned(),
            Self::InvalidValue { origin, .. } => match (&origin.file, &origin.variable) {
                (None, Some(variable)) => format!("Change or unset {variable}."),
                _ => "Edit the line or remove it.".to_owned(),
            },
            Self::SharedPort { services, .. } => match services.as_ref() {
                [(moved, origin), (stays, other)] | [(stays, other), (moved, origin)]
                    if origin.is_edit() && !other.is_edit() =>
                {
                    format!("Use another port for {moved}, or move {stays} first.")
                }
                _ => "Give one of them another port.".to_owned(),
            },
            Self::OpenBeyondLoopback { group, .. } => {
                format!("Set security.auth to token, or {} to 127.0.0.1.", Key::BindAddr(*group).id())
            }
            Self::Damaged { error, copy } => {
                let remedy = error.remedy();
                format!("{remedy} Or restore the last good copy, {}: cwts-ultra config restore.", copy.display())
            }
            Self::NothingToRestore => "cwts-ultra config check says which.".to_owned(),
            Self::UnknownKey { .. } => {
                let known: Vec<_> = Key::ALL.iter().map(|key| key.id()).collect();
                format!("Use one of {}.", known.join(", "))
            }
            Self::NoVariable { .. } => "Save it to production.toml.".to_owned(),
            Self::InvalidEdit { .. } => "Enter another value.".to_owned(),
            Self::Conflict { .. } => "Look at the new value and repeat the change if it still applies.".to_owned(),
            Self::SaveFailed { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "Free some space and try again.".to_owned()
                }
                io::ErrorKind::ReadOnlyFilesystem => "Make the file system writable.".to_owned(),
                io::ErrorKind::PermissionDenied => "Give this user write permission on the file's folder.".to_owned(),
                _ => "Remove the cause and try again.".to_owned(),
            },
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.fact(), self.remedy())
    }
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        let problem = Self::new(error.code(), error.fact()).with_help(error.remedy());
        match error.key() {
            Some(key) => problem.at(key.id()),
            None => problem,
        }
    }
}

/// Two services on one port: who has it, where somebody asks for it.
fn shared_port(port: u16, services: &[(Service, Origin); 2]) -> String {
    match services {
        [(moved, origin), (stays, other)] | [(stays, other), (moved, origin)]
            if origin.is_edit() && !other.is_edit() =>
        {
            format!("{moved} cannot have port {port}: {stays} has it ({other}).")
        }
        [(first, one), (second, other)] => format!("{first} ({one}) and {second} ({other}) share port {port}."),
    }
}

/// A file, with the line where there is one.
struct Place<'a>(&'a Path, Option<u32>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(line) => write!(f, "{}:{line}", self.0.display()),
            None => self.0.display().fmt(f),
        }
    }
}

/// The origin without the variable, which [`name`] gives.
fn place(origin: &Origin) -> String {
    match &origin.file {
        Some(file) => Place(file, origin.line).to_string(),
        None => "environment".to_owned(),
    }
}

/// The setting as its layer calls it.
fn name(key: Key, origin: &Origin) -> String {
    match (origin.layer, key) {
        (Layer::Environment | Layer::EnvFile, _) => key.variable_or_id().to_owned(),
        (Layer::PortTable, Key::Port(service)) => format!("{}.default", service.id()),
        (Layer::PortTable | Layer::Toml | Layer::BuiltIn | Layer::ThisRun, _) => key.id().to_owned(),
    }
}
