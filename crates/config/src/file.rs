//! Reads a file as text, and replaces one so that a crash leaves the old or the new content, never a mixture.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use cwts_domain::{Checkpoints, Step, Unhindered};

use crate::ConfigError;
use crate::text::line_number;

/// No configuration is as large; whatever is has not been written as one.
const LARGEST: u64 = 1 << 20;
/// As many as the kernel follows (path_resolution(7)).
const MOST_LINKS: usize = 40;
/// The end of the name of a temporary file.
const TEMPORARY: &str = ".tmp";

/// The text of a file; `None` when it does not exist.
///
/// # Errors
/// It is no text, or cannot be read. A link to nothing is an error too: whoever made it meant the file at its other end.
pub(crate) fn read(path: &Path) -> Result<Option<String>, ConfigError> {
    let unreadable = |line, source| ConfigError::Unreadable { path: path.to_owned(), line, source };
    let bytes = match read_regular(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_symlink() => {
            return Err(ConfigError::BrokenLink { path: path.to_owned(), target: target(path) });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(None, error)),
    };
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let valid = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let reason = io::Error::new(io::ErrorKind::InvalidData, "the text is not UTF-8");
        unreadable(Some(line_number(&valid, valid.len())), reason)
    })
}

/// The bytes of a regular file. A pipe or a device would block or never end.
fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let refused = |reason: &str| Err(io::Error::other(reason));
    match fs::metadata(path)? {
        found if found.is_dir() => refused("it is a folder"),
        found if !found.is_file() => refused("it is a pipe or a device"),
        found if found.len() > LARGEST => refused("it is larger than 1 MiB"),
        _ => fs::read(path),
    }
}

/// Where an edit of `path` really goes: the target of a symbolic link, also of one to nothing.
pub(crate) fn target(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| {
        let next = |link: &PathBuf| Some(link.parent()?.join(fs::read_link(link).ok()?));
        let chain = std::iter::successors(Some(path.to_owned()), next);
        chain.take(MOST_LINKS).last().unwrap_or_else(|| path.to_owned())
    })
}

/// `path` with its file name put between `before` and `after`, in the same folder.
pub(crate) fn beside(path: &Path, before: &str, after: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{before}{name}{after}"))
}

/// Excludes other writers of `path`, in this process and in others, until it is dropped. Creates the folder, and clears
/// away the temporary files of a writer that was killed.
///
/// # Errors
/// The folder or the lock file, `.NAME.lock`, cannot be created.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let lock = beside(path, ".", ".lock");
    // Read access is enough to lock, so that a lock file which another user created serves too.
    let file = File::open(&lock).or_else(|_| OpenOptions::new().append(true).create(true).open(&lock))?;
    file.lock()?;
    clear_away(path);
    Ok(file)
}

/// Removes the temporary files of `path` and of its copy. Under the lock nobody is writing one.
fn clear_away(path: &Path) {
    let prefix = beside(path, ".", ".");
    let prefix = prefix.file_name().unwrap_or_default().as_encoded_bytes();
    for entry in path.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(prefix) && name.ends_with(TEMPORARY.as_bytes()) {
            // One that cannot be removed is in nobody's way.
            fs::remove_file(entry.path()).ok();
        }
    }
}

/// Replaces the content of a file in one step and makes it durable. Gives it mode and owner of `model`, if that exists:
/// the file itself, or the one that it is a copy of.
///
/// # Errors
/// Nothing is replaced, unless the folder cannot be synced, which comes last.
pub(crate) fn replace(path: &Path, content: &str, model: &Path) -> io::Result<()> {
    replace_with(path, content, model, &Unhindered)
}

/// [`replace`] with somebody who may refuse a step.
pub(crate) fn replace_with(path: &Path, content: &str, model: &Path, checkpoints: &dyn Checkpoints) -> io::Result<()> {
    checkpoints.pass(Step::Save)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let prefix = beside(path, ".", ".");
    let mut temporary = tempfile::Builder::new()
        .prefix(prefix.file_name().unwrap_or_default())
        .suffix(TEMPORARY)
        // The mode of an ordinary new file; the process's umask applies.
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .tempfile_in(folder)
        // Which name it would have had is no help to anybody.
        .map_err(|error| io::Error::from(error.kind()))?;
    temporary.write_all(content.as_bytes())?;
    if let Ok(existing) = fs::metadata(model) {
        temporary.as_file().set_permissions(existing.permissions())?;
        let created = temporary.as_file().metadata()?;
        if (created.uid(), created.gid()) != (existing.uid(), existing.gid()) {
            // Only root may give a file away; for everyone else the new owner is the one who saved.
            fchown(temporary.as_file(), Some(existing.uid()), Some(existing.gid())).ok();
        }
    }
    temporary.as_file().sync_all()?;
    checkpoints.pass(Step::SaveWritten)?;
    temporary.persist(path).map_err(|error| error.error)?;
    checkpoints.pass(Step::SaveRenamed)?;
    sync_folder(path)
}

/// Removes a file durably.
///
/// # Errors
/// The file cannot be removed, or its folder cannot be synced.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all() {
        // Some network file systems cannot sync a folder; they have nothing to lose then.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}
