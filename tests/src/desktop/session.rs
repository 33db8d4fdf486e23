//! The session of a desktop: display, window manager and bus, each a real program of this test alone.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tokio::sync::{Mutex, MutexGuard};
use zbus::Connection;

use super::folders::{Folders, Look};
use super::panel::Panel;
use super::process::Process;
use crate::deadline::{until, within};
use crate::skip::{is_installed, skip};

/// The title of the panel's window.
pub const TITLE: &str = "CWTS Ultra";

/// The programs of a session and the Debian packages that hold them.
const TOOLS: [(&str, &str); 7] = [
    ("Xvfb", "xvfb"),
    ("openbox", "openbox"),
    ("wmctrl", "wmctrl"),
    ("dbus-daemon", "dbus-daemon"),
    ("WebKitWebDriver", "webkit2gtk-driver"),
    ("python3", "python3"),
    ("gio", "libglib2.0-bin"),
];

/// A desktop on two cores is slow enough: the tests of a suite take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// A session with nothing on its screen. Its programs are killed when it is dropped.
#[derive(Debug)]
pub struct Desktop {
    display: String,
    bus: String,
    // Dropped from top to bottom: the folders last.
    _programs: Vec<Process>,
    folders: Folders,
    _turn: MutexGuard<'static, ()>,
}

impl Desktop {
    /// A light desktop. `None`, and a note, where the machine lacks a program that it takes.
    ///
    /// # Panics
    /// A program does not start, or is missing in CI.
    pub async fn start() -> Option<Self> {
        Self::start_with(Look::Light).await
    }

    /// The same with the look that the user has chosen.
    ///
    /// # Panics
    /// As for [`Desktop::start`].
    pub async fn start_with(look: Look) -> Option<Self> {
        if let Some((tool, package)) = TOOLS.iter().find(|(tool, _)| !is_installed(tool)) {
            skip(&format!("{tool} is missing. Install the Debian package {package}."));
            return None;
        }
        let turn = TURN.lock().await;
        let folders = Folders::new(look);
        let (screen, display) = display(&folders).await;
        let (daemon, bus) = bus(&folders).await;
        let programs = vec![screen, daemon];
        let mut desktop = Self { display, bus, _programs: programs, folders, _turn: turn };
        let manager = desktop.start_program("openbox", desktop.command("openbox").stdout(Stdio::null()));
        desktop._programs.insert(0, manager);
        until("the window manager", async || desktop.wmctrl(&["-m"]).await.map(drop)).await;
        Some(desktop)
    }

    /// A program of this session: its display, bus and folders, and nothing else of the test's environment but `PATH`.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.folders.programs()).chain(std::env::split_paths(&path));
        command.env_clear().env("PATH", std::env::join_paths(folders).expect("folders as PATH has them"));
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", &self.bus).env("LANG", "C.UTF-8");
        command.envs(self.folders.variables());
        // GTK would wait for an accessibility bus that this session does not have.
        command.env("NO_AT_BRIDGE", "1").env("GTK_A11Y", "none");
        command
    }

    /// The folder that the file manager is asked to show.
    ///
    /// # Panics
    /// It is not asked in time.
    pub async fn opened_folder(&self) -> PathBuf {
        until("the file manager to be asked", async || self.folders.opened()).await
    }

    /// Connects to the session bus.
    ///
    /// # Panics
    /// It does not answer in time.
    pub async fn connect(&self) -> Connection {
        let builder = zbus::connection::Builder::address(self.bus.as_str()).expect("the address of a bus");
        within("the session bus", builder.build()).await.expect("the session bus takes the test")
    }

    /// Whether the panel's window is on the screen.
    ///
    /// # Panics
    /// The window manager does not answer.
    pub async fn shows_window(&self) -> bool {
        let list = self.wmctrl(&["-l"]).await.expect("the window manager lists its windows");
        list.lines().any(|line| line.ends_with(TITLE))
    }

    /// Waits until the panel's window is on the screen, or until it is not.
    ///
    /// # Panics
    /// That does not come in time.
    pub async fn await_window(&self, shown: bool) {
        let what = if shown { "the window on the screen" } else { "the window to leave the screen" };
        until(what, async || (self.shows_window().await == shown).then_some(())).await;
    }

    /// Clicks the close button of the window's frame.
    ///
    /// # Panics
    /// There is no window.
    pub async fn close_window(&self) {
        self.wmctrl(&["-c", TITLE]).await.expect("there is a window to close");
    }

    /// The class of the panel's window, as `instance.Class`.
    ///
    /// # Panics
    /// There is no window.
    pub async fn window_class(&self) -> String {
        let list = self.wmctrl(&["-l", "-x"]).await.expect("the window manager lists its windows");
        let line = list.lines().find(|line| line.ends_with(TITLE)).expect("the panel's window");
        line.split_whitespace().nth(2).expect("wmctrl(1): id, desktop, class, host, title").to_owned()
    }

    /// Starts what a desktop entry names, as a click in the menu does.
    pub fn open(&self, entry: &Path) -> Panel {
        let mut command = self.command("gio");
        command.arg("launch").arg(entry).stdout(Stdio::null());
        Panel::of(self.start_program("panel", &mut command))
    }

    pub(super) fn start_program(&self, name: &str, command: &mut Command) -> Process {
        Process::start(name, self.folders.path(), command)
    }

    /// What `wmctrl` prints; `None` where it fails.
    async fn wmctrl(&self, arguments: &[&str]) -> Option<String> {
        let mut command = self.command("wmctrl");
        let output = within("wmctrl", command.args(arguments).output()).await.expect("wmctrl starts");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A screen, and the name by which programs find it.
async fn display(folders: &Folders) -> (Process, String) {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1400x900x24", "-nolisten", "tcp"]);
    // By default a screen starts over when its last program leaves, and throws out whoever comes at that moment.
    command.arg("-noreset");
    let (screen, number) = Process::start_ready("Xvfb", folders.path(), &mut command).await;
    (screen, format!(":{number}"))
}

/// A session bus that starts nothing by itself (no portal, no tray, no accessibility service of the machine), and its
/// address.
async fn bus(folders: &Folders) -> (Process, String) {
    let config = folders.path().join("bus.conf");
    let policy = r#"<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>"#;
    let text = format!(
        "<busconfig><type>session</type><listen>unix:path={}/bus</listen><policy context=\"default\">{policy}</policy>\
         </busconfig>\n",
        folders.path().display()
    );
    fs::write(&config, text).expect("the bus's configuration is writable");
    let mut command = Command::new("dbus-daemon");
    command.arg("--config-file").arg(config).args(["--nofork", "--nopidfile", "--print-address=1"]);
    Process::start_ready("dbus-daemon", folders.path(), &mut command).await
}
