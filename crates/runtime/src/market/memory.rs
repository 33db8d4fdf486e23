//! What the market was told, for the next start: `market.json` in the data folder of the instance.

use std::io;
use std::path::{Path, PathBuf};

use cwts_domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::status::{ReplayRequest, SimulatorView};
use crate::json_file;

/// Everything that the market needs to go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    pub(super) simulator: SimulatorView,
    pub(super) paused: bool,
    pub(super) replay: Option<Remembered>,
}

/// A file that was played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Remembered {
    pub(super) request: ReplayRequest,
    /// The moment of the file up to which it was played.
    pub(super) position: Timestamp,
    pub(super) ended: bool,
}

impl Memory {
    /// As it was at the last start; of a new instance what is usual. Blocks.
    ///
    /// # Errors
    /// The file is there and says nothing that can be used.
    pub(super) fn load(data: &Path) -> io::Result<Self> {
        match std::fs::read(path(data)) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Blocks.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn save(&self, data: &Path) -> io::Result<()> {
        json_file::replace(&path(data), self)
    }
}

pub(super) fn path(data: &Path) -> PathBuf {
    data.join("market.json")
}
