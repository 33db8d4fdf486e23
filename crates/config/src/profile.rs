//! Instance profiles: which instances a home has.
//!
//! The profile of `default` is always there. Every other one is `config/instances/ID.toml` or `ID.env`, or both; a file
//! whose name is no instance id is none.

use std::fs;
use std::path::Path;

use crate::InstanceId;

/// The folder of the profiles below the home.
fn folder(home: &Path) -> std::path::PathBuf {
    home.join("config").join("instances")
}

/// The instances of a home: `default` first, then the others by name. A folder that cannot be read holds none.
pub fn profiles(home: &Path) -> Vec<InstanceId> {
    let files = fs::read_dir(folder(home)).into_iter().flatten().flatten();
    let mut ids: Vec<InstanceId> = files
        .filter_map(|file| {
            let path = file.path();
            let is_profile = matches!(path.extension()?.to_str()?, "toml" | "env");
            if is_profile { path.file_stem()?.to_str()?.parse().ok() } else { None }
        })
        .filter(|id| *id != InstanceId::default())
        .collect();
    ids.sort();
    ids.dedup();
    ids.insert(0, InstanceId::default());
    ids
}

#[cfg(test)]
mod tests;
