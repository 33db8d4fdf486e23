//! Instance profiles: which instances a home has, how one is made and taken away.
//!
//! The profile of `default` is always there. Every other one is `config/instances/ID.toml` or `ID.env`, or both; a file
//! whose name is no instance id is none. What an instance leaves behind lies in `data/ID`.

mod create;
mod data;
mod error;
mod furnish;
mod remove;

use std::fs;
use std::path::{Path, PathBuf};

use cwts_domain::Service;

use crate::{Environment, InstanceId, Sources, load};

pub use create::{NewProfile, create_profile};
pub use data::data_bytes;
pub use error::ProfileError;
pub use furnish::furnish;
pub use remove::remove_profile;

/// A port that the files of an instance give to one of its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortUse {
    /// The port.
    pub port: u16,
    /// Whose it is.
    pub instance: InstanceId,
    /// Which of its services.
    pub service: Service,
    /// Whether somebody chose it. One that nobody chose gives way to another instance.
    pub is_chosen: bool,
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

/// The ports of every instance of a home, as their files have them. An environment is nobody's but its process's.
/// Instances whose files are invalid have none.
pub fn profile_ports(home: &Path) -> Vec<PortUse> {
    profiles(home).into_iter().flat_map(|id| ports_of(home, id).into_iter().flatten()).collect()
}

fn ports_of(home: &Path, instance: InstanceId) -> Option<[PortUse; 4]> {
    let sources = Sources::new(home, instance.clone(), None, Environment::empty()).ok()?;
    let settings = load(&sources).ok()?.settings;
    Some(Service::ALL.map(|service| {
        let is_chosen = settings.is_port_chosen(service);
        PortUse { port: settings.port(service).value, instance: instance.clone(), service, is_chosen }
    }))
}

/// The folder of the profiles below the home.
fn folder(home: &Path) -> PathBuf {
    home.join("config").join("instances")
}

/// The two files of an instance that is not `default`.
fn files(home: &Path, id: &InstanceId) -> [PathBuf; 2] {
    ["toml", "env"].map(|extension| folder(home).join(format!("{id}.{extension}")))
}

#[cfg(test)]
mod tests;
