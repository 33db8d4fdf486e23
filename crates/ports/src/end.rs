//! Ends the process that listens on a port, and no other.
//!
//! The process is held by a pidfd before it is looked at, and the signal goes through that pidfd: however late it is sent,
//! it reaches the process that was looked at or none (pidfd_open(2)).

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use cwts_domain::{ErrorCode, Problem};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, geteuid, pidfd_open, pidfd_send_signal};

use crate::lookup::excludes_address;
use crate::owner::sockets_of;
use crate::sockets::listening;
use crate::{PortsError, Protocol};

/// How a process is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// SIGTERM: it may save and say goodbye, or go on.
    Ask,
    /// SIGKILL: it ends at once and saves nothing. For a process that was asked before, and a person who confirmed twice.
    Force,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The process is gone.
    Gone,
    /// It runs on.
    StillRunning,
}

/// Why no signal was sent.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// The process is gone, or holds the port no longer, or never listened: a client of the port is not its listener.
    #[error("pid {pid} does not listen on {address}")]
    NotListening {
        /// The process.
        pid: u32,
        /// What it was to listen on.
        address: SocketAddr,
    },
    /// Ending it would end much more.
    #[error("pid {pid} is {whom} and must not be ended")]
    Protected {
        /// The process.
        pid: u32,
        /// What it is.
        whom: &'static str,
    },
    /// It belongs to another user.
    #[error("pid {pid} belongs to another user")]
    NotPermitted {
        /// The process.
        pid: u32,
    },
    /// The kernel does not list its sockets.
    #[error(transparent)]
    Ports(#[from] PortsError),
    /// The system refuses something else.
    #[error("pid {pid} cannot be ended: {source}")]
    System {
        /// The process.
        pid: u32,
        /// The reason.
        source: io::Error,
    },
}

/// Ends the process if it listens where it keeps `address` from being bound, and waits for its end, at most `patience`.
/// Blocks until then.
///
/// # Errors
/// No signal was sent: the process does not listen there, is this one, is the system's own, or belongs to another user.
pub fn end_listener(address: SocketAddr, pid: u32, how: Ending, patience: Duration) -> Result<Ended, EndError> {
    if let Some(whom) = protected(pid) {
        return Err(EndError::Protected { pid, whom });
    }
    let process = hold(pid, address)?;
    if !may_signal(pid) {
        return Err(EndError::NotPermitted { pid });
    }
    // From here on a process that gets the pid of the held one is out of reach.
    if !listens(pid, address)? {
        return Err(EndError::NotListening { pid, address });
    }
    let signal = match how {
        Ending::Ask => Signal::TERM,
        Ending::Force => Signal::KILL,
    };
    match pidfd_send_signal(&process, signal) {
        Ok(()) => await_end(&process, patience).map_err(|source| EndError::System { pid, source }),
        Err(Errno::SRCH) => Ok(Ended::Gone),
        Err(Errno::PERM) => Err(EndError::NotPermitted { pid }),
        Err(error) => Err(EndError::System { pid, source: error.into() }),
    }
}

/// What a process is that is never ended.
pub fn protected(pid: u32) -> Option<&'static str> {
    if pid == std::process::id() {
        return Some("this program itself");
    }
    // A user's systemd holds the sockets of that user's socket units, and the whole session below it.
    let is_systemd = fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == "systemd");
    (pid <= 1 || is_systemd).then_some("the manager of the system or of a session")
}

fn hold(pid: u32, address: SocketAddr) -> Result<OwnedFd, EndError> {
    let gone = EndError::NotListening { pid, address };
    let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Err(gone) };
    match pidfd_open(raw, PidfdFlags::empty()) {
        Ok(process) => Ok(process),
        Err(Errno::SRCH) => Err(gone),
        Err(error) => Err(EndError::System { pid, source: error.into() }),
    }
}

/// Whether the process is of this user. Another one's would be refused by the kernel, or looks like no listener.
fn may_signal(pid: u32) -> bool {
    let me = geteuid();
    me.is_root() || fs::metadata(format!("/proc/{pid}")).is_ok_and(|folder| folder.uid() == me.as_raw())
}

fn listens(pid: u32, address: SocketAddr) -> Result<bool, EndError> {
    let open = sockets_of(pid);
    let listeners = listening()?.into_iter().filter(|it| it.protocol == Protocol::Tcp && open.contains(&it.inode));
    Ok(listeners.into_iter().any(|it| excludes_address(&it, address)))
}

/// A pidfd is readable when its process has ended.
fn await_end(process: &OwnedFd, patience: Duration) -> io::Result<Ended> {
    let end = Instant::now() + patience;
    loop {
        let left = Timespec::try_from(end.saturating_duration_since(Instant::now())).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Ok(Ended::StillRunning),
            Ok(_) => return Ok(Ended::Gone),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl From<EndError> for Problem {
    fn from(error: EndError) -> Self {
        let (code, help) = match &error {
            EndError::NotListening { .. } => (ErrorCode::WrongState, "Check the port again."),
            EndError::Protected { .. } => (ErrorCode::NotPermitted, "Use another port."),
            EndError::NotPermitted { .. } => (ErrorCode::NotPermitted, "Ask that user, or use another port."),
            EndError::Ports(_) | EndError::System { .. } => (ErrorCode::Internal, "Use another port."),
        };
        Self::new(code, format!("{error}.")).with_help(help)
    }
}

#[cfg(test)]
mod tests;
