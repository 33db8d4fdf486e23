//! Why a journal cannot be written or read, and what to do.

use std::path::{Path, PathBuf};

use cwts_domain::{ErrorCode, Problem};
use rusqlite::ErrorCode as SqliteCode;

/// Why nothing more can be acknowledged. What was acknowledged before stays where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// No space is left for it.
    #[error("the disk of {} is full", path.display())]
    Full {
        /// The journal.
        path: PathBuf,
    },
    /// What was acknowledged cannot be read back whole. Nothing of the files was changed.
    #[error("{} is damaged after event {sequence}: {detail}", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The last event before the damage.
        sequence: u64,
        /// What was found.
        detail: String,
    },
    /// Another version of the program wrote it, or another program.
    #[error("{} has format {found}; this version reads format {supported}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says; 0 for a file of another program.
        found: i32,
        /// [`FORMAT`](crate::FORMAT).
        supported: i32,
    },
    /// The system or SQLite refuses.
    #[error("{} cannot be used: {reason}", path.display())]
    Unusable {
        /// The journal.
        path: PathBuf,
        /// As the system says it.
        reason: String,
    },
}

impl JournalError {
    /// What a person can do about it, in a sentence or two.
    pub fn help(&self) -> String {
        match self {
            Self::Full { .. } => "Free some space there, then resume trading.".to_owned(),
            Self::Damaged { path, .. } => format!(
                "Restore the folder {} from a backup, or move {} and the files beside it away to begin a new account; then \
                 start again.",
                folder(path).display(),
                path.display(),
            ),
            Self::Format { path, .. } => format!(
                "Use the version that wrote it, or move {} and the files beside it away to begin a new account.",
                path.display()
            ),
            Self::Unusable { path, .. } => {
                format!("See that this user may write in {}, then resume trading.", folder(path).display())
            }
        }
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        Self::new(ErrorCode::SaveFailed, format!("{error}.")).with_help(error.help())
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// What went wrong inside, before it is told which file it is about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("a record cannot be decoded: {0}")]
    Decode(#[from] postcard::Error),
    #[error("{0}")]
    Damage(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("format {0}")]
    Format(i32),
}

impl Fault {
    /// The same for a person. `sequence` is the last event that is sound.
    pub(crate) fn of(self, path: &Path, sequence: u64) -> JournalError {
        let path = path.to_owned();
        let damaged = |detail: String| JournalError::Damaged { path: path.clone(), sequence, detail };
        match self {
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(SqliteCode::DiskFull) => JournalError::Full { path },
                Some(SqliteCode::DatabaseCorrupt) => damaged(error.to_string()),
                Some(SqliteCode::NotADatabase) => JournalError::Format { path, found: 0, supported: crate::FORMAT },
                _ => JournalError::Unusable { path, reason: error.to_string() },
            },
            Self::Decode(_) | Self::Damage(_) => damaged(self.to_string()),
            Self::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => JournalError::Full { path },
            Self::Io(error) => JournalError::Unusable { path, reason: error.to_string() },
            Self::Format(found) => JournalError::Format { path, found, supported: crate::FORMAT },
        }
    }
}
