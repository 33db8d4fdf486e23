//! Files that only their owner may read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use cwts_domain::{ErrorCode, Problem};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// No token and no chain of certificates is as large.
const LARGEST: u64 = 256 << 10;
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;
/// Group and others.
const FOREIGN: u32 = 0o077;
const FOREIGN_WRITE: u32 = 0o022;

/// Why a private file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Others may read the file, so what it holds is no secret.
    #[error("{} can be read by others (mode {mode:04o})", path.display())]
    Shared {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others may replace what lies in the folder.
    #[error("{} can be changed by others (mode {mode:04o})", path.display())]
    OpenFolder {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else than what it is for.
    #[error("{} holds no {expected}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What belongs there.
        expected: &'static str,
    },
    /// The system does not let the program read or write.
    #[error("{} cannot be {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `read` or `written`.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
}

impl StoreError {
    fn help(&self) -> String {
        match self {
            Self::Shared { path, .. } => format!(
                "Run `chmod 600 {}`. Who may have read it can still use it: make new tokens with `cwts-ultra token \
                 rotate`, a new certificate with `cwts-ultra tls make`.",
                path.display()
            ),
            Self::OpenFolder { path, .. } => format!("Run `chmod 700 {}`.", path.display()),
            Self::Malformed { path, .. } => format!("Delete {}; a new one is made at the next start.", path.display()),
            Self::Io { path, .. } => format!("Make {} accessible to this user.", path.display()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Shared { .. } | StoreError::OpenFolder { .. } | StoreError::Malformed { .. } => {
                ErrorCode::ConfigInvalid
            }
            StoreError::Io { action: "read", .. } => ErrorCode::NotPermitted,
            StoreError::Io { .. } => ErrorCode::SaveFailed,
        };
        Problem::new(code, format!("{error}.")).with_help(error.help())
    }
}

fn io_error(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { path, action, source }
}

/// Creates the folder where it is missing, and those above it, for their owner only.
///
/// # Errors
/// It cannot be created, or others may change what lies in it.
pub(crate) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
    made.map_err(io_error(folder, "written"))?;
    check_folder(folder)
}

/// # Errors
/// Others may change what lies in the folder.
fn check_folder(folder: &Path) -> Result<(), StoreError> {
    match fs::metadata(folder) {
        Ok(found) if found.mode() & FOREIGN_WRITE != 0 => {
            Err(StoreError::OpenFolder { path: folder.to_owned(), mode: found.mode() & 0o7777 })
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error(folder, "read")(error)),
    }
}

/// The text of a private file and when it was written; `None` when there is no such file.
///
/// # Errors
/// Others can read the file or change its folder, it is not text, or the system refuses.
pub(crate) fn read(path: &Path) -> Result<Option<(Zeroizing<String>, std::time::SystemTime)>, StoreError> {
    check_folder(path.parent().unwrap_or(Path::new(".")))?;
    // A pipe must not block, a link must not lead elsewhere.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(path, "read")(error)),
    };
    let (text, written) = read_checked(path, &mut file)?;
    Ok(Some((text, written)))
}

fn read_checked(path: &Path, file: &mut File) -> Result<(Zeroizing<String>, std::time::SystemTime), StoreError> {
    let found = file.metadata().map_err(io_error(path, "read"))?;
    if !found.is_file() || found.len() > LARGEST {
        return Err(io_error(path, "read")(io::Error::other("it is no small regular file")));
    }
    if found.mode() & FOREIGN != 0 {
        return Err(StoreError::Shared { path: path.to_owned(), mode: found.mode() & 0o7777 });
    }
    let mut text = Zeroizing::new(String::with_capacity(found.len() as usize));
    file.read_to_string(&mut text).map_err(io_error(path, "read"))?;
    let written = found.modified().map_err(io_error(path, "read"))?;
    Ok((text, written))
}

/// Excludes other writers of the folder, in this process and in others, until it is dropped.
///
/// # Errors
/// The folder cannot be made or is open to others, or the system refuses.
pub(crate) fn lock(folder: &Path) -> Result<File, StoreError> {
    make_folder(folder)?;
    let path = folder.join(".lock");
    let opened = OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(&path);
    opened.and_then(|file| file.lock().map(|()| file)).map_err(io_error(&path, "written"))
}

/// Tells one state of a file from the next, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp {
    inode: u64,
    /// Seconds and nanoseconds. The clock of some file systems stands still for milliseconds: a file that is cut short and
    /// then written keeps its time, but not its length.
    changed: (i64, i64),
    length: u64,
}

impl FileStamp {
    /// `None` where there is no such file.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let found = fs::symlink_metadata(path).ok()?;
        Some(Self { inode: found.ino(), changed: (found.ctime(), found.ctime_nsec()), length: found.len() })
    }
}

/// Replaces the content of a private file in one step and makes it durable.
///
/// # Errors
/// The folder cannot be made or is open to others, or the system refuses; the old content stands.
pub(crate) fn replace(path: &Path, content: &str) -> Result<(), StoreError> {
    let temporary = temporary(path, content)?;
    temporary.persist(path).map_err(|failed| io_error(path, "written")(failed.error))?;
    sync_folder(path)
}

/// Writes a private file unless there is one; whoever comes first has made it.
///
/// # Errors
/// As [`replace`].
pub(crate) fn create(path: &Path, content: &str) -> Result<(), StoreError> {
    match temporary(path, content)?.persist_noclobber(path) {
        Ok(_) => sync_folder(path),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(failed) => Err(io_error(path, "written")(failed.error)),
    }
}

/// Removes a private file; one that is not there is removed already.
///
/// # Errors
/// The system refuses.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error(path, "written")(error)),
    }
}

fn temporary(path: &Path, content: &str) -> Result<tempfile::NamedTempFile, StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let write = || {
        let mode = fs::Permissions::from_mode(FILE_MODE);
        let mut file = tempfile::Builder::new().prefix(".new-").permissions(mode).tempfile_in(folder)?;
        file.write_all(content.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    write().map_err(io_error(path, "written"))
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network file systems cannot sync a folder; they have nothing to lose then.
        Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(io_error(folder, "written")(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_private_file_and_its_folders_are_for_their_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data/desk/tokens/trade");
        replace(&path, "secret\n").unwrap();
        assert_eq!(mode(&path), 0o600, "nobody else may read a secret");
        for folder in ["data/desk/tokens", "data/desk", "data"] {
            assert_eq!(mode(&home.path().join(folder)), 0o700, "nobody else may look into {folder}");
        }
        let (text, _) = read(&path).unwrap().unwrap();
        assert_eq!(*text, "secret\n", "what was written is there");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_remedy() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("trade");
        for bits in [0o640, 0o604, 0o644, 0o660] {
            replace(&path, "secret").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            let problem = Problem::from(read(&path).unwrap_err()).to_string();
            let mode = format!("(mode {bits:04o})");
            assert!(
                problem.contains(&mode) && problem.contains("chmod 600"),
                "what is wrong, and the way out: {problem}"
            );
            assert!(!problem.contains("secret"), "a refusal does not tell the secret: {problem}");
        }
    }

    #[test]
    fn a_folder_that_others_can_change_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("tokens/trade");
        replace(&path, "secret").unwrap();
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
        let refusals = [read(&path).map(drop).unwrap_err(), replace(&path, "other").unwrap_err()];
        for refused in refusals {
            let problem = Problem::from(refused).to_string();
            assert!(problem.contains("chmod 700"), "a neighbour could put a token of theirs there: {problem}");
        }
    }

    #[test]
    fn a_link_and_a_folder_are_no_private_files() {
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real"), home.path().join("link"));
        replace(&real, "secret").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(matches!(read(&link), Err(StoreError::Io { .. })), "a link may lead to a file of somebody else");
        let folder = home.path().join("folder");
        make_folder(&folder).unwrap();
        assert!(matches!(read(&folder), Err(StoreError::Io { .. })), "a folder holds no secret");
        assert!(read(&home.path().join("missing")).unwrap().is_none(), "a missing file is no fault");
    }

    #[test]
    fn the_first_of_two_makers_wins() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("trade");
        create(&path, "first").unwrap();
        create(&path, "second").unwrap();
        let (text, _) = read(&path).unwrap().unwrap();
        assert_eq!(*text, "first", "two programs that start at once must agree on one token");
    }
}
