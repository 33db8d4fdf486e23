//! One running process for each instance: a lock that the kernel lets go when the process ends, however it ends.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use cwts_config::Sources;
use cwts_domain::{ErrorCode, Problem, Service};

/// In the data folder of the instance.
const LOCK_FILE: &str = "instance.lock";

/// Held from the start of the services to their stop. Its file says who holds it: the pid, then the nonce of the process,
/// then a line for each service with the address that it listens on.
#[derive(Debug)]
pub(crate) struct InstanceLock {
    file: File,
    told: String,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// Another process runs the instance.
    #[error("held by pid {}", pid.map_or("unknown".to_owned(), |pid| pid.to_string()))]
    Held {
        /// Its process id, unless it has not been written yet.
        pid: Option<u32>,
    },
    /// The data folder cannot be used.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl LockError {
    /// Whether nobody can lock in this home, because this user cannot write in it.
    pub(crate) fn is_of_read_only_home(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem))
    }
}

impl InstanceLock {
    /// Takes the lock of the instance, creating its data folder, for its owner only, where it is missing.
    ///
    /// # Errors
    /// Another process has it, or the data folder cannot be written.
    pub(crate) fn acquire(sources: &Sources) -> Result<Self, LockError> {
        let folder = sources.data();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|source| LockError::Io { path: folder.clone(), source })?;
        Self::take(&path(sources))
    }

    /// Writes down the nonce of the process and where its services listen, so that whoever can read the data folder tells
    /// its answers and its sockets from those of another one.
    pub(crate) fn tell(
        &mut self,
        nonce: &str,
        addresses: impl IntoIterator<Item = (Service, SocketAddr)>,
    ) -> io::Result<()> {
        let lines = addresses.into_iter().map(|(service, address)| format!("{} {address}\n", service.id()));
        let text = format!("{}\n{nonce}\n{}", std::process::id(), lines.collect::<String>());
        if text != self.told {
            // A reader at this moment finds pid and nonce all the same.
            self.file.write_all_at(text.as_bytes(), 0)?;
            self.file.set_len(text.len() as u64)?;
            self.told = text;
        }
        Ok(())
    }

    /// The same for addresses that others can do without: that they are not told is logged.
    pub(crate) fn tell_addresses(&mut self, nonce: &str, addresses: impl IntoIterator<Item = (Service, SocketAddr)>) {
        if let Err(error) = self.tell(nonce, addresses) {
            tracing::warn!(%error, "The lock does not say where the services listen: others guess it from the settings");
        }
    }

    /// Lets the lock go, and takes its file away, and a data folder that held nothing else.
    pub(crate) fn discard(self, sources: &Sources) {
        // What is left of an instance that was removed is in nobody's way.
        fs::remove_file(path(sources)).ok();
        fs::remove_dir(sources.data()).ok();
    }

    fn take(path: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = open.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(failed)?;
                return Err(LockError::Held { pid: first_line(&text) });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let told = format!("{}\n", std::process::id());
        file.set_len(0).and_then(|()| file.write_all_at(told.as_bytes(), 0)).map_err(failed)?;
        Ok(Self { file, told })
    }
}

/// Where the lock of an instance lies.
pub(crate) fn path(sources: &Sources) -> PathBuf {
    sources.data().join(LOCK_FILE)
}

/// An instance whose services run in some process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningInstance {
    /// Its id.
    pub id: String,
    /// The process.
    pub pid: u32,
    /// Where its services listen; empty until they are bound.
    pub addresses: Vec<(Service, SocketAddr)>,
}

/// The instances below `home` that run at this moment, by id. What cannot be read does not run for this user.
pub fn running_instances(home: &Path) -> Vec<RunningInstance> {
    let folders = fs::read_dir(home.join("data")).into_iter().flatten().flatten();
    let mut running: Vec<_> = folders
        .filter_map(|folder| {
            let path = folder.path().join(LOCK_FILE);
            let pid = holder(&path)?;
            let addresses = addresses(&fs::read_to_string(&path).ok()?);
            Some(RunningInstance { id: folder.file_name().into_string().ok()?, pid, addresses })
        })
        .collect();
    running.sort_by(|one, other| one.id.cmp(&other.id));
    running
}

/// The process that holds a lock; `None` when nobody does. Reads the kernel's table instead of trying the lock, so that a
/// start at the same moment is not disturbed.
pub(crate) fn holder(path: &Path) -> Option<u32> {
    let pid = first_line(&fs::read_to_string(path).ok()?)?;
    let inode = fs::metadata(path).ok()?.ino();
    // proc_locks(5): `1: FLOCK  ADVISORY  WRITE 4711 08:02:12345 0 EOF`, the process and then device and inode.
    let table = fs::read_to_string("/proc/locks").ok()?;
    let held = table.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, "WRITE", owner, file, ..] = words[..] else { return false };
        let same_inode = file.rsplit(':').next().and_then(|text| text.parse().ok()) == Some(inode);
        same_inode && owner.parse() == Ok(pid)
    });
    held.then_some(pid)
}

/// The nonce of the process that runs an instance; `None` where none does, or it has not been written yet.
pub(crate) fn nonce(path: &Path) -> Option<String> {
    holder(path)?;
    fs::read_to_string(path).ok()?.lines().nth(1).map(str::to_owned)
}

/// Below the pid and the nonce.
fn addresses(text: &str) -> Vec<(Service, SocketAddr)> {
    let rows = text.lines().skip(2).filter_map(|line| line.split_once(' '));
    rows.filter_map(|(id, address)| Some((id.parse().ok()?, address.parse().ok()?))).collect()
}

fn first_line(text: &str) -> Option<u32> {
    text.lines().next()?.parse().ok()
}

/// What a person is told.
pub(crate) fn problem(error: &LockError, sources: &Sources) -> Problem {
    let instance = sources.instance();
    match error {
        LockError::Held { pid } => {
            let whom = pid.map_or("another process".to_owned(), |pid| format!("pid {pid}"));
            let problem =
                Problem::new(ErrorCode::InstanceRunning, format!("Instance {instance} already runs as {whom}."));
            problem.with_help("Stop that one first, or start another with --instance ID and ports of its own.")
        }
        LockError::Io { path, source } => {
            let message = format!("The data folder of {instance} cannot be used: {}: {source}.", path.display());
            Problem::new(ErrorCode::SaveFailed, message)
                .with_help("Make it writable, or choose another with --home DIR.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_learns_the_pid_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.lock");
        let first = InstanceLock::take(&path).unwrap();
        let refused = InstanceLock::take(&path).unwrap_err();
        let me = std::process::id();
        assert!(matches!(refused, LockError::Held { pid: Some(pid) } if pid == me), "a person must find it: {refused}");
        drop(first);
        InstanceLock::take(&path).expect("what has stopped no longer holds the instance");
    }

    #[test]
    fn the_nonce_is_read_while_the_process_lives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.lock");
        let mut lock = InstanceLock::take(&path).unwrap();
        assert_eq!(nonce(&path), None, "not written yet");
        lock.tell("00ff", []).unwrap();
        assert_eq!(nonce(&path).as_deref(), Some("00ff"), "an orphan is told from ours by it");
        assert_eq!(holder(&path), Some(std::process::id()), "the process stands before it");
        drop(lock);
        assert_eq!(nonce(&path), None, "what has ended has none");
    }

    #[test]
    fn running_instances_are_found_by_their_locks() {
        let home = tempfile::tempdir().unwrap();
        for id in ["default", "desk", "ended"] {
            fs::create_dir_all(home.path().join("data").join(id)).unwrap();
        }
        let path = |id: &str| home.path().join("data").join(id).join(LOCK_FILE);
        let _held = (InstanceLock::take(&path("default")).unwrap(), InstanceLock::take(&path("desk")).unwrap());
        drop(InstanceLock::take(&path("ended")).unwrap());
        let me = std::process::id();
        let row = |id: &str| RunningInstance { id: id.to_owned(), pid: me, addresses: Vec::new() };
        let expected = ["default", "desk"].map(row);
        assert_eq!(running_instances(home.path()), expected, "a file without a lock is a run that has ended");
        assert_eq!(running_instances(Path::new("/nonexistent")), [], "a new home has no instances");
    }

    #[test]
    fn a_lock_tells_where_its_services_listen_now() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data/desk").join(LOCK_FILE);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut lock = InstanceLock::take(&path).unwrap();
        let told = || running_instances(home.path()).pop().unwrap().addresses;
        let [long, short] = ["[2001:db8::1]:13000", "127.0.0.1:1"].map(|text| text.parse().unwrap());
        lock.tell("00ff", [(Service::McpWebsocket, long), (Service::Health, long)]).unwrap();
        assert_eq!(told(), [(Service::McpWebsocket, long), (Service::Health, long)], "one line for each service");
        lock.tell("00ff", [(Service::Health, short)]).unwrap();
        assert_eq!(told(), [(Service::Health, short)], "nothing is left of what was longer");
        assert_eq!(nonce(&path).as_deref(), Some("00ff"), "and the nonce stands before them");
    }

    #[test]
    fn a_lock_left_by_a_dead_process_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.lock");
        fs::write(&path, "999999999\n").unwrap();
        InstanceLock::take(&path).expect("only a living process holds a lock, whatever the file says");
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()), "no old digits remain");
    }
}
