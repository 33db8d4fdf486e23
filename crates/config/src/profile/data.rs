//! The data folder of an instance.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ProfileError;
use crate::InstanceId;

/// What belongs to one instance alone: who runs it, by which secrets it is known, and to whom. So does what was done to it.
const NOT_COPIED: [&str; 4] = ["clients.json", "instance.lock", "tokens", "tls"];
/// Full files of the audit trail are `audit.1.jsonl` and so on.
const TRAIL: &str = "audit.";

/// `data/ID`, as [`Sources::data`](crate::Sources::data) has it.
pub(super) fn folder(home: &Path, id: &InstanceId) -> PathBuf {
    home.join("data").join(id.as_str())
}

/// The bytes that the files of an instance's data folder hold; 0 when there is none. What cannot be read counts nothing.
pub fn data_bytes(home: &Path, id: &InstanceId) -> u64 {
    bytes(&folder(home, id))
}

fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes(&entry.path()),
            Ok(found) if found.is_file() => found.len(),
            _ => 0,
        })
        .sum()
}

/// Copies everything but what belongs to one instance alone, all of it or nothing. Data that is there already is not mixed
/// with it.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), ProfileError> {
    let failed = |source| ProfileError::Write { path: to.to_owned(), source };
    let folder = to.parent().unwrap_or(Path::new("."));
    // For its owner only, as data is. A crash leaves no folder that looks like an instance's.
    let temporary = tempfile::Builder::new().prefix(".copy-").tempdir_in(folder).map_err(failed)?;
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let is_trail = name.to_str().is_some_and(|name| name.starts_with(TRAIL));
        if !is_trail && !NOT_COPIED.iter().any(|own| name == *own) {
            copy_entry(&entry, &temporary.path().join(name)).map_err(failed)?;
        }
    }
    // An empty folder gives way (rename(2)).
    match fs::rename(temporary.path(), to) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            Err(ProfileError::DataExists { path: to.to_owned() })
        }
        renamed => renamed.map_err(failed),
    }
}

fn copy_entry(entry: &fs::DirEntry, target: &Path) -> io::Result<()> {
    if !entry.file_type()?.is_dir() {
        return fs::copy(entry.path(), target).map(drop);
    }
    fs::create_dir_all(target)?;
    for inner in fs::read_dir(entry.path())? {
        let inner = inner?;
        copy_entry(&inner, &target.join(inner.file_name()))?;
    }
    Ok(())
}
