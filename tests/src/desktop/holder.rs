//! Another program that has taken a port.

use std::process::Stdio;

use super::process::Process;
use super::session::Desktop;
use crate::deadline::until;
use crate::ports::refuses;

/// Python's own web server. Killed when it is dropped.
#[derive(Debug)]
pub struct Holder(Process);

impl Holder {
    /// Takes a port of 127.0.0.1.
    ///
    /// # Panics
    /// It does not listen in time.
    pub async fn of(desktop: &Desktop, port: u16) -> Self {
        let mut command = desktop.command("python3");
        command.args(["-m", "http.server", &port.to_string(), "--bind", "127.0.0.1"]).stdout(Stdio::null());
        let process = desktop.start_program("python3", &mut command);
        until(&format!("python3 on {port}"), async || (!refuses(port)).then_some(())).await;
        Self(process)
    }

    /// Takes a port of 127.0.0.1 and ignores SIGTERM.
    ///
    /// # Panics
    /// It does not listen in time.
    pub async fn deaf(desktop: &Desktop, port: u16) -> Self {
        let code = format!(
            "import signal, socket\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
             listener = socket.create_server(('127.0.0.1', {port}))\nsignal.pause()\n"
        );
        let mut command = desktop.command("python3");
        command.args(["-c", &code]).stdout(Stdio::null());
        let process = desktop.start_program("python3", &mut command);
        until(&format!("python3 on {port}"), async || (!refuses(port)).then_some(())).await;
        Self(process)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }
}
