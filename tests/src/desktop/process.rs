//! A program that ends with the test, together with everything that it started.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::deadline::{until, within};

/// A running program in a process group of its own, which is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    child: Child,
    group: Pid,
    log: PathBuf,
}

impl Process {
    /// Starts the program. What it says goes to `NAME.log` in `folder`, and into the message of a test that fails.
    pub(super) fn start(name: &str, folder: &Path, command: &mut Command) -> Self {
        let log = folder.join(format!("{name}.log"));
        let said = File::options().create(true).append(true).open(&log).expect("a log is writable");
        command.stdin(Stdio::null()).stderr(said).process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { name: name.to_owned(), child, group: group.expect("a process that was just started has an id"), log }
    }

    /// The same with a program that prints one line as soon as it is ready. Returns the line with it.
    pub(super) async fn start_ready(name: &str, folder: &Path, command: &mut Command) -> (Self, String) {
        let mut process = Self::start(name, folder, command.stdout(Stdio::piped()));
        let mut stdout = BufReader::new(process.child.stdout.take().expect("standard output is a pipe"));
        let mut line = String::new();
        let read = within(&format!("{name} to be ready"), stdout.read_line(&mut line)).await;
        read.unwrap_or_else(|error| panic!("{name} said nothing: {error}"));
        assert!(!line.is_empty(), "{name} ended: {}", process.said());
        (process, line.trim().to_owned())
    }

    /// The process id.
    pub(super) fn pid(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }

    /// What the program has said so far.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it has not ended yet.
    pub(super) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// Whether anything that it started, directly or not, has not ended yet.
    pub(super) fn has_descendants(&self) -> bool {
        let processes = fs::read_dir("/proc").expect("the system lists its processes").filter_map(Result::ok);
        processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok()).any(|stat| {
            // proc_pid_stat(5): the id, the name in parentheses, the state, the parent, the group.
            let id = stat.split(' ').next().and_then(|id| id.parse().ok());
            let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            let fields: Vec<_> = rest.splitn(4, ' ').collect();
            let [state, _, group, _] = fields[..] else { return false };
            state != "Z" && group.parse() == Ok(self.pid()) && id != Some(self.pid())
        })
    }

    /// Waits for its end, and for that of everything it started.
    pub(super) async fn end(&mut self) -> ExitStatus {
        let status = within(&format!("the end of {}", self.name), self.child.wait()).await;
        until(&format!("the end of what {} started", self.name), async || {
            test_kill_process_group(self.group).is_err().then_some(())
        })
        .await;
        status.expect("a child can be awaited")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} said:\n{}", self.name, self.said());
        }
        // Fails where all of the group have ended, which is what is wanted.
        kill_process_group(self.group, Signal::KILL).ok();
    }
}
