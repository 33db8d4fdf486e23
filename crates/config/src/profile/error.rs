//! Why a profile cannot be made or taken away.

use std::io;
use std::path::PathBuf;

use cwts_domain::{ErrorCode, Problem, Service};

use crate::{ConfigError, InstanceId};

/// Nothing was made or taken away, unless [`ProfileError::Remove`] says so.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// There is one of that name.
    #[error("Instance {id} exists already.")]
    Exists {
        /// The id.
        id: InstanceId,
    },
    /// There is data of that name, which a copy would have to replace.
    #[error("{} holds the data of an instance that was removed.", path.display())]
    DataExists {
        /// The folder.
        path: PathBuf,
    },
    /// There is none of that name.
    #[error("There is no instance {id}.")]
    Missing {
        /// The id.
        id: InstanceId,
    },
    /// The instance is always there.
    #[error("Instance default cannot be removed.")]
    Default,
    /// Two services would share a port.
    #[error("{service} and {other} share port {port}.")]
    SharedPort {
        /// The port.
        port: u16,
        /// The first.
        service: Service,
        /// The second.
        other: Service,
    },
    /// The files of another instance give the port to one of its services.
    #[error("Port {port} is {service} of instance {owner}.")]
    PortOfInstance {
        /// The port.
        port: u16,
        /// Whose it is.
        owner: InstanceId,
        /// Which of its services.
        service: Service,
        /// The service that was to have it.
        wanted_by: Service,
    },
    /// The configuration to start from cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file or folder cannot be written.
    #[error("{} cannot be written: {source}.", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file or folder cannot be removed. What comes before it is gone already: data first, then settings.
    #[error("{} cannot be removed: {source}.", path.display())]
    Remove {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl From<ProfileError> for Problem {
    fn from(error: ProfileError) -> Self {
        let message = error.to_string();
        let (code, field, help) = match error {
            ProfileError::Config(error) => return error.into(),
            ProfileError::Exists { .. } => (ErrorCode::InvalidInput, "instance", "Choose another name."),
            ProfileError::DataExists { .. } => {
                (ErrorCode::InvalidInput, "instance", "Choose another name, or move the folder away.")
            }
            ProfileError::Missing { .. } => {
                (ErrorCode::InvalidInput, "instance", "`cwts-ultra instances list` shows those that there are.")
            }
            ProfileError::Default => {
                (ErrorCode::InvalidInput, "instance", "To start it anew, remove production.toml and data/default.")
            }
            ProfileError::SharedPort { other, .. } => {
                (ErrorCode::InvalidInput, other.id(), "Give each service a port of its own.")
            }
            ProfileError::PortOfInstance { wanted_by, .. } => {
                (ErrorCode::InvalidInput, wanted_by.id(), "Choose another port.")
            }
            ProfileError::Write { .. } => {
                (ErrorCode::SaveFailed, "instance", "Make its folder writable, or choose another home with --home DIR.")
            }
            ProfileError::Remove { .. } => {
                (ErrorCode::SaveFailed, "instance", "Make its folder writable and remove the instance again.")
            }
        };
        Self::new(code, message).at(field).with_help(help)
    }
}
