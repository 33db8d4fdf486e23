//! Makes a profile: a file with every setting, a file for overrides, a folder for data.
//!
//! Whether a port is free is not known here; that no other instance has it is.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use cwts_domain::Service;

use super::{PortUse, ProfileError, data, files, folder, profile_ports, profiles};
use crate::env_file::EnvFile;
use crate::toml_file::TomlFile;
use crate::{Edit, Environment, InstanceId, Key, Sources, file, load};

/// What an installation ships: every setting with its default and what it is for.
pub(super) const TOML: &str = include_str!("../../../../config/production.toml");
pub(super) const ENV: &str = include_str!("../../../../config/ports.env");

/// A profile that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProfile {
    /// Its id, of which there must be none yet.
    pub id: InstanceId,
    /// The ports in the order of [`Service::ALL`].
    pub ports: [u16; 4],
    /// The instance whose settings are copied. `None` starts with the defaults.
    pub from: Option<InstanceId>,
    /// Whether the data of `from` is copied too, without its tokens and certificates. Nobody may write it meanwhile.
    pub with_data: bool,
}

/// Makes a profile, all of it or nothing. Its data folder may be there already, from an instance that was removed; it is
/// used again.
///
/// # Errors
/// The id is taken; `from` does not exist or its configuration is invalid; two services share a port; another instance
/// has one of the ports; or a file cannot be written.
pub fn create_profile(home: &Path, new: &NewProfile) -> Result<(), ProfileError> {
    refuse_shared(&new.ports)?;
    let write = |path: &Path, source| ProfileError::Write { path: path.to_owned(), source };
    let folder = folder(home);
    // Of two that are made at once, the second sees the ports of the first.
    let lock = file::lock(&folder).and_then(|lock| fs::create_dir_all(&folder).map(|()| lock));
    let lock = lock.map_err(|source| write(&folder, source))?;
    if profiles(home).contains(&new.id) {
        return Err(ProfileError::Exists { id: new.id.clone() });
    }
    refuse_foreign(&profile_ports(home), &new.ports)?;
    let texts = texts(home, new)?;
    let mut made = Undo(Vec::new());
    for (path, text) in files(home, &new.id).into_iter().zip(texts) {
        file::replace(&path, &text, &path).map_err(|source| write(&path, source))?;
        made.0.push(path);
    }
    let data = data::folder(home, &new.id);
    let builder = DirBuilder::new().recursive(true).mode(0o700).create(&data);
    builder.map_err(|source| write(&data, source))?;
    if let Some(from) = new.from.as_ref().filter(|_| new.with_data) {
        data::copy(&data::folder(home, from), &data)?;
    }
    made.keep();
    drop(lock);
    Ok(())
}

/// Files that vanish again unless everything went well.
struct Undo(Vec<PathBuf>);

impl Undo {
    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        for path in &self.0 {
            // What cannot be taken back is in the list of instances, where it can be removed.
            file::remove(path).ok();
        }
    }
}

fn refuse_shared(ports: &[u16; 4]) -> Result<(), ProfileError> {
    for (index, &port) in ports.iter().enumerate() {
        if let Some(first) = ports.iter().take(index).position(|earlier| *earlier == port) {
            let (service, other) = (Service::ALL[first], Service::ALL[index]);
            return Err(ProfileError::SharedPort { port, service, other });
        }
    }
    Ok(())
}

fn refuse_foreign(others: &[PortUse], ports: &[u16; 4]) -> Result<(), ProfileError> {
    for (&port, wanted_by) in ports.iter().zip(Service::ALL) {
        if let Some(other) = others.iter().find(|other| other.port == port) {
            let (owner, service) = (other.instance.clone(), other.service);
            return Err(ProfileError::PortOfInstance { port, owner, service, wanted_by });
        }
    }
    Ok(())
}

/// What `ID.toml` and `ID.env` are to hold.
fn texts(home: &Path, new: &NewProfile) -> Result<[String; 2], ProfileError> {
    let (toml, env) = match &new.from {
        None => (TOML.to_owned(), ENV.to_owned()),
        Some(from) => existing(home, from)?,
    };
    let [toml_file, env_file] = files(home, &new.id);
    let (mut toml, mut env) = named_after(&new.id, &toml, &env);
    let ports = Service::ALL.into_iter().zip(new.ports).map(|(service, port)| Edit::set(Key::Port(service), port));
    for edit in ports.chain([Edit::set(Key::InstanceId, &new.id)]) {
        toml = TomlFile::parse(&toml_file, &toml)?.edited(&edit?);
    }
    // A stronger layer would hide the ports that were chosen.
    for key in Service::ALL.map(Key::Port).into_iter().chain([Key::InstanceId]) {
        if let Some(variable) = key.variable() {
            env = EnvFile::parse(&env_file, &env)?.without(variable);
        }
    }
    Ok([toml, env])
}

/// The texts of `production.toml` and `ports.env`, with comments that name the files of another instance.
pub(super) fn named_after(id: &InstanceId, toml: &str, env: &str) -> (String, String) {
    let toml = toml
        .replace("settings of the default instance", &format!("settings of instance {id}"))
        .replace("config/ports.env", &format!("{id}.env beside it"));
    (toml, env.replace("in production.toml", &format!("in {id}.toml")))
}

/// The texts of an instance that is to be copied; those of an installation where it has no file.
fn existing(home: &Path, from: &InstanceId) -> Result<(String, String), ProfileError> {
    if !profiles(home).contains(from) {
        return Err(ProfileError::Missing { id: from.clone() });
    }
    let sources = Sources::new(home, from.clone(), None, Environment::empty())?;
    // An invalid original would only be invalid twice.
    load(&sources)?;
    let text = |path: &Path, shipped: &str| file::read(path).map(|text| text.unwrap_or_else(|| shipped.to_owned()));
    Ok((text(sources.toml_file(), TOML)?, text(sources.env_file(), ENV)?))
}
