//! Makes what a home lacks, so that a person finds every setting in a file. What is there is never touched.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use cwts_domain::Service;

use super::create::{ENV, TOML, named_after};
use super::{ProfileError, data};
use crate::{Edit, InstanceId, Key, Sources, load, toml_file::TomlFile};

/// The table of ports that an installation ships.
const PORT_TABLE: &str = include_str!("../../../../config/ports.conf");

/// Makes the missing files and folders of an instance: its two configuration files, `ports.conf`, `data/ID` and `logs`.
/// Returns the files that were made. A file given as `--config` is the person's own and not made.
///
/// The ports of a new instance other than `default` are set by nobody, so that they give way to those of others.
///
/// # Errors
/// The configuration is invalid; nothing is made then. Or the first file or folder that cannot be made, in a home that
/// cannot be written for example; those before it are there.
pub fn furnish(sources: &Sources) -> Result<Vec<PathBuf>, ProfileError> {
    load(sources)?;
    let (toml, env) = texts(sources)?;
    let files =
        [(sources.toml_file(), toml), (sources.env_file(), env), (sources.port_table_file(), PORT_TABLE.to_owned())];
    let mut made = Vec::new();
    for (path, text) in files {
        if write_new(path, &text).map_err(|source| ProfileError::Write { path: path.to_owned(), source })? {
            made.push(path.to_owned());
        }
    }
    for (folder, mode) in
        [(data::folder(sources.home(), sources.instance()), 0o700), (sources.home().join("logs"), 0o755)]
    {
        let built = DirBuilder::new().recursive(true).mode(mode).create(&folder);
        built.map_err(|source| ProfileError::Write { path: folder, source })?;
    }
    Ok(made)
}

fn texts(sources: &Sources) -> Result<(String, String), ProfileError> {
    let id = sources.instance();
    if *id == InstanceId::default() {
        return Ok((TOML.to_owned(), ENV.to_owned()));
    }
    let (mut toml, env) = named_after(id, TOML, ENV);
    for service in Service::ALL {
        let (_, name) = Key::Port(service).section_and_name();
        toml = toml.replace(&format!("\n{name} = "), &format!("\n# {name} = "));
    }
    let edit = Edit::set(Key::InstanceId, id)?;
    Ok((TomlFile::parse(sources.toml_file(), &toml)?.edited(&edit), env))
}

/// Whether the file was made; false when there is one already.
fn write_new(path: &Path, text: &str) -> io::Result<bool> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(false);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Whole or not at all, and never over what another program makes at the same moment.
    let mut temporary = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o666)).tempfile_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    match temporary.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}
