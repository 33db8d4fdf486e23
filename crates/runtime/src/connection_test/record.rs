//! The results of the last connection test, kept for whoever is sent the diagnostics.

use std::io;
use std::path::{Path, PathBuf};

use super::ServiceTest;
use crate::json_file;

/// Where they are kept in the data folder of an instance.
pub(crate) fn file(data: &Path) -> PathBuf {
    data.join("connection-tests.json")
}

/// Replaces what was kept. An instance that has never run has no data folder and keeps nothing.
pub(super) fn keep(data: &Path, tests: &[ServiceTest]) -> io::Result<()> {
    if !data.is_dir() {
        return Ok(());
    }
    json_file::replace(&file(data), tests)
}
