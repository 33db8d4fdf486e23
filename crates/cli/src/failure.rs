//! How a command fails: one line for a person, one of four statuses for a script.

use std::fmt;
use std::process::ExitCode;

use cwts_config::ConfigError;
use cwts_domain::{ErrorCode, Problem};
use cwts_firewall::FirewallError;

/// The exit status when a port is taken.
pub(crate) const TAKEN: u8 = 3;

/// What went wrong. Displays as one line that ends with the remedy.
#[derive(Debug)]
pub(crate) struct Failure(Problem);

impl Failure {
    pub(crate) fn internal(error: impl fmt::Display) -> Self {
        Self(Problem::new(ErrorCode::Internal, error.to_string()))
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self(Problem::new(ErrorCode::InvalidInput, message))
    }

    /// 1 failed, 2 bad usage or configuration, 3 a port is taken or the instance already runs, 4 not permitted.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.0.code {
            ErrorCode::ConfigInvalid
            | ErrorCode::InvalidInput
            | ErrorCode::AddressUnavailable
            | ErrorCode::Shadowed
            | ErrorCode::RevisionConflict => 2,
            ErrorCode::PortTaken | ErrorCode::InstanceRunning => TAKEN,
            ErrorCode::NotPermitted => 4,
            ErrorCode::SaveFailed | ErrorCode::WrongState | ErrorCode::Overloaded | ErrorCode::Internal => 1,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A line break of a system message must not split the one line that scripts read.
        f.write_str(&self.0.to_string().replace('\n', " "))
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self(error.into())
    }
}

impl From<FirewallError> for Failure {
    fn from(error: FirewallError) -> Self {
        Self(error.into())
    }
}
