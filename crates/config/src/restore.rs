//! The last good copy in place of a file that is damaged. The damaged file is kept aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::load::resolve;
use crate::save::{copy_of, keep_copy};
use crate::{ConfigError, Loaded, Revision, SaveLayer, Sources, file};

/// A damaged file whose last good copy would make the configuration valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restorable {
    /// Which file.
    pub layer: SaveLayer,
    /// The damaged file.
    pub file: PathBuf,
    /// Its copy.
    pub copy: PathBuf,
}

/// What [`restore`] did.
#[derive(Debug)]
pub struct Restored {
    /// The configuration as it is now.
    pub loaded: Loaded,
    /// The file.
    pub file: PathBuf,
    /// Where the damaged one is now; `None` when there was none.
    pub aside: Option<PathBuf>,
}

/// The file to restore, if the configuration is invalid because of it.
pub fn restorable(sources: &Sources) -> Option<Restorable> {
    let is_valid = Revision::read(sources).and_then(|revision| resolve(sources, revision)).is_ok();
    if is_valid { None } else { candidates(sources).next().map(|(found, _)| found) }
}

/// Keeps a copy of what the files hold, which is in order. A file that cannot be copied keeps its older copy.
pub fn keep_good_copies(sources: &Sources, good: &Revision) {
    for layer in SaveLayer::ALL {
        let path = file::target(layer.path(sources));
        if let (Some(text), Ok(_lock)) = (layer.text(good), file::lock(&path)) {
            keep_copy(&path, text).ok();
        }
    }
}

/// Puts the last good copy in place of the damaged file. `layer` says which file; `None` takes the one to blame.
///
/// # Errors
/// The configuration is valid, there is no copy that would make it so, or the file cannot be written.
pub fn restore(sources: &Sources, layer: Option<SaveLayer>) -> Result<Restored, ConfigError> {
    let is_damaged = restorable(sources).is_some();
    let wanted = |found: &Restorable| layer.is_none_or(|layer| found.layer == layer);
    let found = candidates(sources).find(|(found, _)| is_damaged && wanted(found));
    let (Restorable { file, .. }, good) = found.ok_or(ConfigError::NothingToRestore)?;
    let failed = |source| ConfigError::SaveFailed { path: file.clone(), source };
    let _lock = file::lock(&file).map_err(failed)?;
    let aside = set_aside(&file).map_err(failed)?;
    file::replace(&file, &good, &copy_of(&file)).map_err(failed)?;
    Ok(Restored { loaded: crate::load(sources)?, file, aside })
}

/// The files whose copy would make the configuration valid, each with that content.
fn candidates(sources: &Sources) -> impl Iterator<Item = (Restorable, String)> {
    SaveLayer::ALL.into_iter().filter_map(|layer| {
        let file = file::target(layer.path(sources));
        let copy = copy_of(&file);
        let good = file::read(&copy).ok()??;
        let mut revision = Revision::read_except(sources, layer).ok()?;
        layer.set_text(&mut revision, good.clone());
        resolve(sources, revision).ok()?;
        Some((Restorable { layer, file, copy }, good))
    })
}

/// Gives the damaged file a second name, so that it is never missing.
fn set_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(None) };
    let name = |number: u32| if number == 1 { ".damaged".to_owned() } else { format!(".damaged-{number}") };
    let free =
        (1..).map(|number| file::beside(path, "", &name(number))).find(|path| fs::symlink_metadata(path).is_err());
    let Some(aside) = free else { return Ok(None) };
    if found.is_file() {
        fs::hard_link(path, &aside)?
    } else {
        fs::rename(path, &aside)?
    }
    Ok(Some(aside))
}

#[cfg(test)]
mod tests {
    use cwts_domain::Service;

    use super::*;
    use crate::{Edit, Environment, InstanceId, Key, load, save};

    fn home() -> (tempfile::TempDir, Sources) {
        let folder = tempfile::tempdir().unwrap();
        let sources = Sources::new(folder.path(), InstanceId::default(), None, Environment::empty()).unwrap();
        (folder, sources)
    }

    fn save_port(sources: &Sources, layer: SaveLayer, port: u16) {
        let edit = Edit::set(Key::Port(Service::McpWebsocket), port).unwrap();
        save(sources, layer, &[edit], &Revision::read(sources).unwrap()).unwrap();
    }

    #[test]
    fn a_damaged_file_is_restored_and_kept_aside() {
        for layer in SaveLayer::ALL {
            for damage in
                [&b"MCP_SERVER_PORT=$(id)\n[mcp\n"[..], b"\xff\xfe\x00", b"MCP_SERVER_PORT=0\nmcp.mcp_port = 0\n"]
            {
                let (_folder, sources) = home();
                save_port(&sources, layer, 5010);
                let path = layer.path(&sources).to_owned();
                fs::write(&path, damage).unwrap();
                let message = load(&sources).unwrap_err().to_string();
                assert!(message.contains(".bak: cwts-ultra config restore"), "the copy is named: {message}");
                assert!(!message.contains('\n'), "on one line: {message}");
                let restored = restore(&sources, None).unwrap();
                assert_eq!(restored.loaded.settings.mcp_port.value, 5010, "what was last in order is in force");
                assert_eq!(fs::read(restored.aside.unwrap()).unwrap(), damage, "nothing a person wrote is lost");
                assert!(matches!(restore(&sources, None), Err(ConfigError::NothingToRestore)), "once is enough");
                fs::write(&path, damage).unwrap();
                let again = restore(&sources, Some(layer)).unwrap();
                assert!(
                    again.aside.unwrap().to_string_lossy().ends_with(".damaged-2"),
                    "no earlier one is overwritten"
                );
            }
        }
    }

    #[test]
    fn the_copy_is_of_what_was_last_in_order_also_by_hand() {
        let (_folder, sources) = home();
        save_port(&sources, SaveLayer::EnvFile, 5010);
        fs::write(sources.env_file(), "MCP_SERVER_PORT=5020 # by hand\n").unwrap();
        keep_good_copies(&sources, &load(&sources).unwrap().revision);
        fs::write(sources.env_file(), "MCP_SERVER_PORT=").unwrap();
        fs::write(sources.env_file(), "MCP_SERVER_PORT=x").unwrap();
        assert_eq!(restore(&sources, None).unwrap().loaded.settings.mcp_port.value, 5020, "not the older save");
    }

    #[test]
    fn a_copy_that_would_not_help_is_not_offered() {
        let (_folder, sources) = home();
        save_port(&sources, SaveLayer::EnvFile, 5010);
        fs::write(sources.toml_file(), "[mcp\n").unwrap();
        assert_eq!(restorable(&sources), None, "the damaged file has no copy, and ports.env is in order");
        assert!(matches!(restore(&sources, None), Err(ConfigError::NothingToRestore)), "nothing is touched");
        assert_eq!(fs::read_to_string(sources.toml_file()).unwrap(), "[mcp\n", "the file stays as it is");
    }
}
