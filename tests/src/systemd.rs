//! The manager of a systemd on a private system bus: no test may stop a unit of this computer.
//!
//! Speaks as much of org.freedesktop.systemd1(5) as is needed to stop a unit.

use std::fs;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{ObjectPath, OwnedObjectPath};
use zbus::{Connection, fdo, interface};

use crate::deadline::within;

const NAME: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "/org/freedesktop/systemd1";
const SERVICE_UNIT: &str = "/org/freedesktop/systemd1/unit/service";
const SOCKET_UNIT: &str = "/org/freedesktop/systemd1/unit/socket";

type ListedUnit = (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

/// What the manager knows.
#[derive(Clone, Debug)]
pub struct Units {
    /// A service.
    pub service: String,
    /// The socket unit that starts it when somebody connects.
    pub socket: Option<String>,
    /// What the socket unit listens on.
    pub listen: String,
    /// The process that ends when the last of the two is stopped; 0 for none.
    pub pid: u32,
    /// Whether polkit forbids everything.
    pub forbids: bool,
}

/// A system bus with a systemd on it. Both are gone when this is dropped.
#[derive(Debug)]
pub struct Systemd {
    address: String,
    stopped: Arc<Mutex<Vec<String>>>,
    _bus: Connection,
    _daemon: Child,
    _folder: TempDir,
}

impl Systemd {
    /// Puts a systemd that knows these units on a bus of its own.
    ///
    /// # Panics
    /// dbus-daemon does not start.
    pub async fn start(units: Units) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (daemon, address) = bus(&folder).await;
        let stopped = Arc::default();
        let manager = ManagerMock { units: units.clone(), stopped: Arc::clone(&stopped), jobs: 0 };
        let triggers = units.socket.iter().cloned().collect();
        let builder = zbus::connection::Builder::address(address.as_str()).expect("the address of a bus");
        let builder = builder.serve_at(MANAGER, manager).expect("a manager");
        let builder = builder.serve_at(SERVICE_UNIT, UnitMock { triggers }).expect("a service");
        let builder = builder.serve_at(SOCKET_UNIT, SocketMock { listen: units.listen }).expect("a socket");
        let builder = builder.name(NAME).expect("a name");
        let bus = within("the system bus", builder.build()).await.expect("the bus takes the manager");
        Self { address, stopped, _bus: bus, _daemon: daemon, _folder: folder }
    }

    /// The value of `DBUS_SYSTEM_BUS_ADDRESS` for a program that is to find it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The units that were stopped, in order.
    pub fn stopped(&self) -> Vec<String> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A bus that every user of this computer may use.
async fn bus(folder: &TempDir) -> (Child, String) {
    let config = folder.path().join("bus.conf");
    let policy = r#"<allow user="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>"#;
    let text = format!(
        "<busconfig><type>system</type><listen>unix:abstract={}/bus</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\">{policy}</policy></busconfig>\n",
        folder.path().display()
    );
    fs::write(&config, text).expect("the bus's configuration is writable");
    let mut command = Command::new("dbus-daemon");
    command.arg("--config-file").arg(config).args(["--nofork", "--nopidfile", "--print-address=1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut daemon = command.spawn().expect("the Debian package dbus-daemon is installed");
    let mut address = String::new();
    let mut output = BufReader::new(daemon.stdout.take().expect("standard output is a pipe"));
    within("the bus's address", output.read_line(&mut address)).await.expect("dbus-daemon says its address");
    (daemon, address.trim().to_owned())
}

struct ManagerMock {
    units: Units,
    stopped: Arc<Mutex<Vec<String>>>,
    jobs: u32,
}

#[interface(name = "org.freedesktop.systemd1.Manager")]
impl ManagerMock {
    fn subscribe(&self) {}

    fn get_unit(&self, name: &str) -> fdo::Result<OwnedObjectPath> {
        let path = if name == self.units.service { SERVICE_UNIT } else { SOCKET_UNIT };
        ObjectPath::try_from(path).map(Into::into).map_err(|error| fdo::Error::Failed(error.to_string()))
    }

    fn list_units_by_patterns(&self, states: Vec<String>, patterns: Vec<String>) -> fdo::Result<Vec<ListedUnit>> {
        if states != ["active"] || patterns != ["*.socket"] {
            return Err(fdo::Error::InvalidArgs(format!("{states:?} {patterns:?}")));
        }
        let path = |text: &str| ObjectPath::try_from(text.to_owned()).map(OwnedObjectPath::from);
        let (Ok(unit), Ok(job)) = (path(SOCKET_UNIT), path("/")) else { return Ok(Vec::new()) };
        let text = |text: &str| text.to_owned();
        let listed = |name: &String| {
            let names = (name.clone(), text("A socket"), text("loaded"), text("active"), text("listening"), text(""));
            (names.0, names.1, names.2, names.3, names.4, names.5, unit.clone(), 0, text(""), job.clone())
        };
        Ok(self.units.socket.iter().map(listed).collect())
    }

    async fn stop_unit(
        &mut self,
        name: String,
        mode: &str,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> fdo::Result<OwnedObjectPath> {
        if self.units.forbids {
            return Err(fdo::Error::AccessDenied("Permission denied".to_owned()));
        }
        if mode != "replace" {
            return Err(fdo::Error::InvalidArgs(mode.to_owned()));
        }
        self.jobs += 1;
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        if name == self.units.service || self.units.service.is_empty() {
            end(self.units.pid);
        }
        let job = ObjectPath::try_from(format!("/org/freedesktop/systemd1/job/{}", self.jobs));
        let job = job.map_err(|error| fdo::Error::Failed(error.to_string()))?;
        // As the real one may: the signal is on its way before the answer.
        Self::job_removed(&emitter, self.jobs, job.clone(), &name, "done").await?;
        Ok(job.into())
    }

    #[zbus(signal)]
    async fn job_removed(
        emitter: &SignalEmitter<'_>,
        id: u32,
        job: ObjectPath<'_>,
        unit: &str,
        result: &str,
    ) -> zbus::Result<()>;
}

/// Ends the process and returns when it has ended, as a unit has only stopped then.
fn end(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let process = pidfd_open(pid, PidfdFlags::empty()).expect("the holder runs");
    pidfd_send_signal(&process, Signal::KILL).expect("a child of the test may be killed");
    poll(&mut [PollFd::new(&process, PollFlags::IN)], None).expect("its end can be awaited");
}

struct UnitMock {
    triggers: Vec<String>,
}

#[interface(name = "org.freedesktop.systemd1.Unit")]
impl UnitMock {
    #[zbus(property)]
    fn triggered_by(&self) -> Vec<String> {
        self.triggers.clone()
    }
}

struct SocketMock {
    listen: String,
}

#[interface(name = "org.freedesktop.systemd1.Socket")]
impl SocketMock {
    #[zbus(property)]
    fn listen(&self) -> Vec<(String, String)> {
        vec![("Stream".to_owned(), self.listen.clone())]
    }
}
