//! One running process for each instance: a lock that the kernel lets go when the process ends, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use cwts_config::Sources;
use cwts_domain::{ErrorCode, Problem};

/// Held from the start of the services to their stop.
#[derive(Debug)]
pub(crate) struct InstanceLock(#[expect(dead_code, reason = "closing the file lets the lock go")] File);

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

impl InstanceLock {
    /// Takes the lock of the instance, creating its data folder where it is missing.
    ///
    /// # Errors
    /// Another process has it, or the data folder cannot be written.
    pub(crate) fn acquire(sources: &Sources) -> Result<Self, LockError> {
        let folder = sources.home().join("data").join(sources.instance().as_str());
        fs::create_dir_all(&folder).map_err(|source| LockError::Io { path: folder.clone(), source })?;
        Self::take(&folder.join("instance.lock"))
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
                return Err(LockError::Held { pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(failed)?;
        Ok(Self(file))
    }
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
    fn a_lock_left_by_a_dead_process_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instance.lock");
        fs::write(&path, "999999999\n").unwrap();
        InstanceLock::take(&path).expect("only a living process holds a lock, whatever the file says");
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()), "no old digits remain");
    }
}
