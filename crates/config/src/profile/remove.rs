//! Takes a profile away.

use std::fs;
use std::io;
use std::path::Path;

use super::{ProfileError, data, files, profiles};
use crate::{InstanceId, file};

/// Removes the settings of an instance, and its data where that is asked for. Nobody may run it meanwhile.
///
/// # Errors
/// It is `default`, or there is none of that name; or the system refuses. Data goes first, so that what could not be
/// removed still has an instance that it belongs to.
pub fn remove_profile(home: &Path, id: &InstanceId, with_data: bool) -> Result<(), ProfileError> {
    if *id == InstanceId::default() {
        return Err(ProfileError::Default);
    }
    if !profiles(home).contains(id) {
        return Err(ProfileError::Missing { id: id.clone() });
    }
    if with_data {
        let folder = data::folder(home, id);
        gone(fs::remove_dir_all(&folder)).map_err(|source| ProfileError::Remove { path: folder, source })?;
    }
    for path in files(home, id) {
        for path in [file::beside(&path, "", ".bak"), path] {
            gone(file::remove(&path)).map_err(|source| ProfileError::Remove { path, source })?;
        }
    }
    Ok(())
}

/// What is not there need not be removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
