//! What is wrong with an input, and how a change of the firewall fails.

use std::io;
use std::path::PathBuf;

use cwts_domain::{ErrorCode, Problem};

use crate::Failure;
use crate::pkexec::PkexecError;

/// Why no rule was written or changed. Nothing is half-applied, unless the message says what was left behind.
#[derive(Debug, thiserror::Error)]
pub enum FirewallError {
    /// The text is no subnet that a connection can come from.
    #[error("source {text:?} {reason}")]
    InvalidSource {
        /// What was given.
        text: String,
        /// What is wrong, as the end of a sentence.
        reason: &'static str,
    },
    /// The text cannot be the comment of a rule.
    #[error("comment {text:?} is not allowed")]
    InvalidComment {
        /// What was given.
        text: String,
    },
    /// The text cannot be the name of an instance, a zone, a table or a chain.
    #[error("name {text:?} is not allowed")]
    InvalidName {
        /// What was given.
        text: String,
    },
    /// The text names no chain of nftables.
    #[error("{text:?} is no chain such as \"inet filter input\"")]
    InvalidChain {
        /// What was given.
        text: String,
    },
    /// The text names no tool.
    #[error("{text:?} is no tool; use ufw, firewalld, iptables or nftables")]
    UnknownTool {
        /// What was given.
        text: String,
    },
    /// A vector is none that this program writes.
    #[error("not a firewall change of this program: {words}")]
    ForeignChange {
        /// The vector.
        words: String,
    },
    /// pkexec is missing, or could not be started.
    #[error("pkexec could not be started: {source}")]
    NoPkexec {
        /// The reason.
        source: io::Error,
    },
    /// The person dismissed the dialog for the password.
    #[error("the authorization was dismissed; nothing was changed")]
    Dismissed,
    /// polkit refused.
    #[error("polkit did not authorize the change; nothing was changed")]
    NotAuthorized,
    /// polkit would have to ask, and has nobody who does.
    #[error("no authentication agent of polkit runs that could ask for a password; nothing was changed")]
    NoAgent,
    /// A command failed. What had been applied before it was undone, except for what is named.
    #[error("{}", failed(.failure, .left_behind))]
    CommandFailed {
        /// The command.
        failure: Failure,
        /// Changes that could not be undone.
        left_behind: Vec<String>,
    },
    /// The privileged half gave no report.
    #[error("the firewall helper gave no answer: {detail}")]
    NoReport {
        /// What came instead.
        detail: String,
    },
    /// The list of what was added cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The list of what was added, or a script, cannot be written.
    #[error("{} was not written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

fn failed(failure: &Failure, left_behind: &[String]) -> String {
    let kept = match left_behind {
        [] => String::new(),
        left => format!(" Still in place, undo by hand: {}.", left.join("; ")),
    };
    format!("{failure}{kept}")
}

impl FirewallError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidSource { .. }
            | Self::InvalidComment { .. }
            | Self::InvalidName { .. }
            | Self::InvalidChain { .. }
            | Self::UnknownTool { .. }
            | Self::ForeignChange { .. } => ErrorCode::InvalidInput,
            Self::NoPkexec { .. } | Self::Dismissed | Self::NotAuthorized | Self::NoAgent => ErrorCode::NotPermitted,
            Self::CommandFailed { .. } | Self::NoReport { .. } | Self::Unreadable { .. } => ErrorCode::Internal,
            Self::Unwritable { .. } => ErrorCode::SaveFailed,
        }
    }

    fn help(&self) -> Option<&'static str> {
        match self {
            Self::InvalidSource { .. } => Some("Use a subnet such as 192.168.1.0/24 or fd00:1::/64, or one address."),
            Self::InvalidComment { .. } => {
                Some("Use up to 128 ASCII letters, digits, blanks and . : / _ - characters.")
            }
            Self::InvalidName { .. } => Some("Use up to 40 ASCII letters, digits, - and _, not starting with -."),
            Self::NoPkexec { .. } => Some("Install polkit's pkexec, or run the printed commands as root."),
            Self::Dismissed => Some("Apply again, or run the printed commands as root."),
            Self::NoAgent => Some("Apply in a desktop session or a terminal, or run the printed commands as root."),
            Self::NotAuthorized => Some("Ask an administrator, or run the printed commands as root."),
            Self::Unreadable { .. } => Some("Repair or remove the file; rules in place are then no longer remembered."),
            Self::InvalidChain { .. }
            | Self::UnknownTool { .. }
            | Self::ForeignChange { .. }
            | Self::CommandFailed { .. }
            | Self::NoReport { .. }
            | Self::Unwritable { .. } => None,
        }
    }

    /// The field of a form that is to be corrected.
    fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidSource { .. } => Some("source"),
            Self::InvalidChain { .. } => Some("chain"),
            Self::UnknownTool { .. } => Some("tool"),
            _ => None,
        }
    }
}

impl From<PkexecError> for FirewallError {
    fn from(error: PkexecError) -> Self {
        match error {
            PkexecError::Missing(source) => Self::NoPkexec { source },
            PkexecError::Dismissed => Self::Dismissed,
            PkexecError::NotAuthorized => Self::NotAuthorized,
            PkexecError::NoAgent => Self::NoAgent,
        }
    }
}

impl From<FirewallError> for Problem {
    fn from(error: FirewallError) -> Self {
        let (code, help, field) = (error.code(), error.help(), error.field());
        let text = error.to_string();
        let mut first = text.chars();
        let message: String = first.next().into_iter().flat_map(char::to_uppercase).chain(first).collect();
        let message = if message.ends_with('.') { message } else { message + "." };
        Self { code, message, field: field.map(str::to_owned), help: help.map(str::to_owned) }
    }
}
