//! Writes edits into one file of the configuration: all of them or none.
//!
//! The edits are applied to what the file holds at that moment, under a lock, so that of two programs that save at once
//! neither loses its edit. An edit of a value that somebody else changed since `expected` is refused.

use std::io;
use std::path::{Path, PathBuf};

use cwts_domain::{Checkpoints, Unhindered};

use crate::env_file::EnvFile;
use crate::load::resolve;
use crate::toml_file::TomlFile;
use crate::value::RawValue;
use crate::{ConfigError, Edit, Key, Loaded, Origin, Revision, SaveLayer, Sources, file};

use told::as_it_stands;

mod told;

/// A save that took place.
#[derive(Debug)]
pub struct Saved {
    /// The configuration as it is now.
    pub loaded: Loaded,
    layer: SaveLayer,
    path: PathBuf,
    key: Option<Key>,
    previous: Option<String>,
    written: Option<String>,
}

/// The configuration as a save of the edits of each file would leave it. Writes nothing.
///
/// # Errors
/// As for [`save`], except that nothing is written.
pub fn preview(sources: &Sources, files: &[(SaveLayer, &[Edit])], expected: &Revision) -> Result<Loaded, ConfigError> {
    let current = Revision::read(sources)?;
    let mut next = current.clone();
    for (layer, edits) in files {
        next = changed(sources, *layer, edits, expected, &next)?;
    }
    resolve(sources, next).map_err(|error| as_it_stands(error, sources, files, &current))
}

/// Writes the edits, and a copy of the new content beside the file as `NAME.bak`: the last that was in order. Blocks while
/// another program saves the same file; a caller on an async runtime uses a blocking task.
///
/// # Errors
/// The files are unreadable or malformed, the edits would leave an invalid configuration, somebody else changed one of
/// the values since `expected`, or the file cannot be written. The file then holds what it held before.
pub fn save(sources: &Sources, layer: SaveLayer, edits: &[Edit], expected: &Revision) -> Result<Saved, ConfigError> {
    save_with(sources, layer, edits, expected, &Unhindered)
}

/// [`save`] with somebody who may refuse a step.
///
/// # Errors
/// As for [`save`].
pub fn save_with(
    sources: &Sources,
    layer: SaveLayer,
    edits: &[Edit],
    expected: &Revision,
    checkpoints: &dyn Checkpoints,
) -> Result<Saved, ConfigError> {
    // Nothing is created at the other end of a broken link.
    if let Err(broken @ ConfigError::BrokenLink { .. }) = file::read(layer.path(sources)) {
        return Err(broken);
    }
    let path = file::target(layer.path(sources));
    let failed = |source| ConfigError::SaveFailed { path: path.clone(), source };
    let lock = file::lock(&path).map_err(failed)?;
    let current = Revision::read(sources)?;
    let next = changed(sources, layer, edits, expected, &current)?;
    let (previous, written) = (layer.text(&current).cloned(), layer.text(&next).cloned());
    let loaded = resolve(sources, next);
    let loaded = loaded.map_err(|error| as_it_stands(error, sources, &[(layer, edits)], &current))?;
    if written != previous {
        if let Some(good) = previous.as_deref().filter(|_| resolve(sources, current.clone()).is_ok()) {
            keep_copy(&path, good)?;
        }
        if let Err(source) = put(&path, written.as_deref(), checkpoints) {
            put_back(&path, previous.as_deref(), written.as_deref());
            return Err(failed(source));
        }
        if let Some(good) = &written {
            // The save took place; without this the copy is one save older.
            keep_copy(&path, good).ok();
        }
    }
    drop(lock);
    Ok(Saved { loaded, layer, path, key: edits.first().map(Edit::key), previous, written })
}

impl Saved {
    /// Puts the file back as it was before the save.
    ///
    /// # Errors
    /// Somebody changed the file since, or it cannot be written. It then stays as it is.
    pub fn undo(self) -> Result<(), ConfigError> {
        let Self { layer, path, key, previous, written, .. } = self;
        let failed = |source| ConfigError::SaveFailed { path: path.clone(), source };
        let lock = file::lock(&path).map_err(failed)?;
        let found = file::read(&path)?;
        match key {
            Some(key) if found != written => {
                let found = layer.value(&path, found.as_deref().unwrap_or_default(), key)?;
                return Err(ConfigError::Conflict { path, key, found });
            }
            _ if written == previous => {}
            _ => put(&path, previous.as_deref(), &Unhindered).map_err(failed)?,
        }
        if let Some(good) = &previous {
            keep_copy(&path, good).ok();
        }
        drop(lock);
        Ok(())
    }
}

impl SaveLayer {
    /// The file of the layer.
    pub fn path(self, sources: &Sources) -> &Path {
        match self {
            Self::EnvFile => sources.env_file(),
            Self::Toml => sources.toml_file(),
        }
    }

    pub(crate) fn set_text(self, revision: &mut Revision, text: String) {
        match self {
            Self::EnvFile => revision.env_file = Some(text),
            Self::Toml => revision.toml_file = Some(text),
        }
    }

    pub(crate) fn text(self, revision: &Revision) -> Option<&String> {
        match self {
            Self::EnvFile => revision.env_file.as_ref(),
            Self::Toml => revision.toml_file.as_ref(),
        }
    }

    fn value(self, path: &Path, text: &str, key: Key) -> Result<Option<String>, ConfigError> {
        Ok(self.entry(path, text, key)?.map(|(raw, _)| raw.text))
    }

    /// A setting in the text of the file.
    pub(super) fn entry(self, path: &Path, text: &str, key: Key) -> Result<Option<(RawValue, Origin)>, ConfigError> {
        Ok(match self {
            Self::EnvFile => EnvFile::parse(path, text)?.get(key),
            Self::Toml => TomlFile::parse(path, text)?.get(key),
        })
    }

    fn edited(self, path: &Path, text: &str, edit: &Edit) -> Result<String, ConfigError> {
        match self {
            Self::EnvFile => EnvFile::parse(path, text)?.edited(edit),
            Self::Toml => Ok(TomlFile::parse(path, text)?.edited(edit)),
        }
    }
}

/// What the files hold after the edits.
fn changed(
    sources: &Sources,
    layer: SaveLayer,
    edits: &[Edit],
    expected: &Revision,
    current: &Revision,
) -> Result<Revision, ConfigError> {
    let path = layer.path(sources);
    let before = layer.text(current).map_or("", String::as_str);
    let mut text = before.to_owned();
    for edit in edits {
        refuse_conflict(layer, path, edit.key, layer.text(expected).map_or("", String::as_str), before)?;
        text = layer.edited(path, &text, edit)?;
    }
    let mut next = current.clone();
    if text != before {
        layer.set_text(&mut next, text);
    }
    Ok(next)
}

fn refuse_conflict(layer: SaveLayer, path: &Path, key: Key, expected: &str, current: &str) -> Result<(), ConfigError> {
    if expected == current {
        return Ok(());
    }
    let found = layer.value(path, current, key)?;
    match layer.value(path, expected, key) {
        Ok(known) if known == found => Ok(()),
        _ => Err(ConfigError::Conflict { path: path.to_owned(), key, found }),
    }
}

/// Where the last good copy of a file is.
pub(crate) fn copy_of(path: &Path) -> PathBuf {
    file::beside(path, "", ".bak")
}

pub(crate) fn keep_copy(path: &Path, content: &str) -> Result<(), ConfigError> {
    let copy = copy_of(path);
    if file::read(&copy).is_ok_and(|kept| kept.as_deref() == Some(content)) {
        return Ok(());
    }
    file::replace(&copy, content, path).map_err(|source| ConfigError::SaveFailed { path: copy, source })
}

fn put(path: &Path, content: Option<&str>, checkpoints: &dyn Checkpoints) -> io::Result<()> {
    content.map_or_else(|| file::remove(path), |content| file::replace_with(path, content, path, checkpoints))
}

/// After a failure that came later than the replacement, as far as the failing disk allows.
fn put_back(path: &Path, previous: Option<&str>, written: Option<&str>) {
    if file::read(path).is_ok_and(|found| found.as_deref() == written) {
        put(path, previous, &Unhindered).ok();
    }
}

#[cfg(test)]
mod tests;
