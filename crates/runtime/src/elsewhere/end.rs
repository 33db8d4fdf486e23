//! Ends the process that holds an instance's lock.

use std::os::fd::AsFd;
use std::path::Path;

use cwts_config::{Environment, Sources};
use cwts_domain::{ErrorCode, Problem};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::process_name;
use crate::lock;

/// The desktop program, `cwts-ultra-panel`: the kernel keeps the first 15 characters of a name.
const PANEL: &str = "cwts-ultra-pane";

/// A server drains for at most ten seconds; the rest is for a busy computer.
const DEADLINE: Timespec = Timespec { tv_sec: 20, tv_nsec: 0 };

/// Asks the process that runs an instance to end, and waits until it has. Returns its id. Blocks.
///
/// # Errors
/// Nobody runs the instance; its process runs other instances too, or is the panel; it belongs to another user; or it
/// has not ended in time.
pub fn end_instance(home: &Path, id: &str) -> Result<u32, Problem> {
    let sources = Sources::new(home, id.parse()?, None, Environment::empty())?;
    let lock = lock::path(&sources);
    let Some(pid) = lock::holder(&lock) else {
        let problem = Problem::new(ErrorCode::WrongState, format!("Instance {id} does not run.")).at("instance");
        return Err(problem.with_help("`cwts-ultra instances list` shows which do."));
    };
    let others: Vec<String> =
        lock::running_instances(home).into_iter().filter(|it| it.pid == pid && it.id != id).map(|it| it.id).collect();
    let is_panel = process_name(pid).as_deref() == Some(PANEL);
    if is_panel || !others.is_empty() {
        let whom = if is_panel { "the panel".to_owned() } else { format!("one process with {}", others.join(", ")) };
        let message = format!("Instance {id} runs in {whom}, pid {pid}.");
        let problem = Problem::new(ErrorCode::WrongState, message).at("instance");
        return Err(problem.with_help("Stop it in the panel's window or tray menu."));
    }
    end_holder(&lock, pid)?;
    Ok(pid)
}

/// Sends SIGTERM to the process that holds `lock`, if that is `pid`, and waits until it has ended. Blocks.
///
/// # Errors
/// It is another process by now, or one that may not be ended; or it has not ended in time.
pub(super) fn end_holder(lock: &Path, pid: u32) -> Result<(), Problem> {
    let failed = |error: Errno| match error {
        Errno::PERM => not_permitted(pid),
        error => Problem::new(ErrorCode::Internal, format!("pid {pid} cannot be ended: {error}.")),
    };
    let target = i32::try_from(pid).ok().and_then(Pid::from_raw).filter(|target| !target.is_init());
    let target = target.filter(|target| *target != rustix::process::getpid()).ok_or_else(|| not_permitted(pid))?;
    let process = match pidfd_open(target, PidfdFlags::empty()) {
        Err(Errno::SRCH) => return Ok(()),
        opened => opened.map_err(failed)?,
    };
    // The descriptor stands for one process, whatever becomes of its number. Only now is it certain that it is the holder.
    match lock::holder(lock) {
        Some(holder) if holder == pid => {}
        None => return Ok(()),
        Some(_) => return Err(Problem::new(ErrorCode::WrongState, format!("pid {pid} no longer runs the instance."))),
    }
    match pidfd_send_signal(&process, Signal::TERM) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => return Err(failed(error)),
    }
    if has_ended(&process).map_err(failed)? {
        return Ok(());
    }
    let message = format!("pid {pid} has not ended within {} s.", DEADLINE.tv_sec);
    Err(Problem::new(ErrorCode::WrongState, message).with_help("It may still be draining. Look again in a moment."))
}

/// Waits for the end of a process: its descriptor is readable then (pidfd_open(2)).
fn has_ended(process: impl AsFd) -> rustix::io::Result<bool> {
    retry_on_intr(|| poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&DEADLINE))).map(|ready| ready > 0)
}

fn not_permitted(pid: u32) -> Problem {
    let message = format!("pid {pid} may not be ended by this user.");
    Problem::new(ErrorCode::NotPermitted, message).with_help("Ask its owner to stop it.")
}
