//! Ports, processes and control groups for the tests.
//!
//! A test that needs another process runs this test program once more, told by environment variables what to do.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use socket2::{Domain, Socket, Type};

use crate::unit::mount_point;

const LISTEN_ON: &str = "CWTS_TEST_LISTEN_ON";
const LOOK_UP: &str = "CWTS_TEST_LOOK_UP";
const JOIN: &str = "CWTS_TEST_JOIN";
const CONNECT_TO: &str = "CWTS_TEST_CONNECT_TO";
const END: &str = "CWTS_TEST_END";
/// The user `nobody` of every Linux system.
const NOBODY: u32 = 65_534;

/// A port that nobody uses on any address, below the ephemeral range so that no outgoing connection takes it.
pub(crate) fn fresh_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = 20_000 + (std::process::id() % 1_000) as u16 * 12;
    loop {
        let port = base + NEXT.fetch_add(1, Ordering::Relaxed);
        if is_untouched(port) {
            return port;
        }
    }
}

/// Whether nothing uses the port, not even what is left of an earlier run's connection, which `SO_REUSEADDR` hides.
fn is_untouched(port: u16) -> bool {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    socket.set_only_v6(false).unwrap();
    socket.bind(&SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port).into()).is_ok()
}

/// Notes past the capture of the test runner that something was not tested, and counts it.
pub(crate) fn skip(what: &str) {
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let said = writeln!(io::stderr(), "skipped: {what} ({count} skipped in this suite)");
    assert!(said.is_ok(), "a skipped test must not pass in silence: {said:?}");
}

/// Another process, until it is dropped.
pub(crate) struct Child(pub(crate) std::process::Child);

impl Child {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn is_running(&self) -> bool {
        // A child that has ended stays a zombie until it is awaited.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    /// Starts a program of this suite that says `word` when it is ready.
    fn start_ready(program: &mut Command, word: &str) -> Self {
        let mut child = Self(program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
        let mut output = BufReader::new(child.0.stdout.take().unwrap()).lines();
        let is_ready = output.any(|line| line.unwrap().ends_with(word));
        assert!(is_ready, "the other process must be {word} before the test goes on");
        child
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Another process that listens, until it is dropped.
pub(crate) struct ForeignListener(Child);

impl ForeignListener {
    pub(crate) fn on(address: SocketAddr) -> Self {
        let mut program = this_program_as("listens_for_another_test");
        Self(Child::start_ready(program.env(LISTEN_ON, address.to_string()), "listening"))
    }

    /// The socket is made in the group.
    pub(crate) fn in_group(address: SocketAddr, group: &ControlGroup) -> Self {
        let mut program = this_program_as("listens_for_another_test");
        Self(Child::start_ready(program.env(LISTEN_ON, address.to_string()).env(JOIN, &group.0), "listening"))
    }

    /// The same, deaf to SIGTERM.
    pub(crate) fn deaf_on(address: SocketAddr) -> Self {
        // A signal that a shell ignores stays ignored in what it becomes.
        let program = this_program_as("listens_for_another_test");
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' TERM; exec \"$0\" \"$@\""]).arg(program.get_program()).args(program.get_args());
        Self(Child::start_ready(shell.env(LISTEN_ON, address.to_string()), "listening"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.pid()
    }
}

/// Another process that is connected to the address and does nothing else, until it is dropped.
pub(crate) fn client_of(address: SocketAddr) -> Child {
    Child::start_ready(this_program_as("connects_for_another_test").env(CONNECT_TO, address.to_string()), "connected")
}

/// What a process of `nobody` is told that tries to end the listener. The error is the reason why that process cannot run
/// here.
pub(crate) fn end_as_nobody(address: SocketAddr, pid: u32) -> Result<String, String> {
    let mut program = this_program_as("ends_for_another_test");
    program.env(LISTEN_ON, address.to_string()).env(END, pid.to_string());
    said_by_nobody(&mut program, "refused: ")
}

/// Pid, user, unit and words for the holder of the address, as another process sees it. The error is the reason why that
/// process cannot run here.
pub(crate) fn look_up(address: SocketAddr, as_nobody: bool) -> Result<String, String> {
    let mut program = this_program_as("looks_up_for_another_test");
    program.env(LOOK_UP, address.to_string());
    if as_nobody { said_by_nobody(&mut program, "holder: ") } else { said(&mut program, "holder: ") }
}

fn said_by_nobody(program: &mut Command, before: &str) -> Result<String, String> {
    said(program.uid(NOBODY).gid(NOBODY).current_dir("/"), before)
}

/// What the program prints after these words.
fn said(program: &mut Command, before: &str) -> Result<String, String> {
    let output = program.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = text.lines().find_map(|line| line.split_once(before));
    found.map(|(_, said)| said.to_owned()).ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A control group below the root, until it is dropped. Its name makes it look like a systemd unit.
pub(crate) struct ControlGroup(PathBuf);

impl ControlGroup {
    pub(crate) fn new(name: &str) -> Result<Self, String> {
        let root = mount_point().ok_or("no control groups of version 2 are mounted")?;
        let folder = root.join(name);
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        fs::remove_dir(&self.0).ok();
    }
}

fn this_program_as(test: &str) -> Command {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", &format!("fixture::{test}"), "--nocapture"]);
    program
}

/// The address that the variable names in the other process; `None` in the test run itself.
fn told(variable: &str) -> Option<SocketAddr> {
    Some(std::env::var(variable).ok()?.parse().unwrap())
}

#[test]
fn listens_for_another_test() {
    let Some(address) = told(LISTEN_ON) else { return };
    if let Some(group) = std::env::var_os(JOIN) {
        // 0 is the writer itself.
        fs::write(PathBuf::from(group).join("cgroup.procs"), "0").unwrap();
    }
    let listener = TcpListener::bind(address).unwrap();
    println!("listening");
    // Ends with the test, also when that is killed: its end of the pipe closes.
    let end = io::stdin().lines().next();
    assert!(end.is_none(), "nobody writes to the process on {:?}", listener.local_addr());
}

#[test]
fn looks_up_for_another_test() {
    let Some(address) = told(LOOK_UP) else { return };
    let holder = crate::holder(address).unwrap().unwrap();
    assert_eq!(holder.address, address, "the socket that the test asks about");
    println!("holder: {:?} {:?} {:?}: {holder}", holder.pid, holder.user, holder.unit);
}

#[test]
fn connects_for_another_test() {
    let Some(address) = told(CONNECT_TO) else { return };
    let connection = std::net::TcpStream::connect(address).unwrap();
    println!("connected");
    let end = io::stdin().lines().next();
    assert!(end.is_none(), "nobody writes to the process with {connection:?}");
}

#[test]
fn ends_for_another_test() {
    let Some(pid) = std::env::var(END).ok().and_then(|pid| pid.parse().ok()) else { return };
    let address = told(LISTEN_ON).unwrap();
    let refused = crate::end_listener(address, pid, crate::Ending::Force, std::time::Duration::ZERO);
    println!("refused: {}", refused.unwrap_err());
}
