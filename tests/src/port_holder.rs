//! Another program that holds a port.

use std::net::TcpStream;
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::deadline::until;
use crate::ports::free_port;

/// Python's own web server on 127.0.0.1. Killed when it is dropped.
#[derive(Debug)]
pub struct PortHolder {
    child: Child,
    port: u16,
}

impl PortHolder {
    /// Takes a free port.
    ///
    /// # Panics
    /// It does not listen in time.
    pub async fn start() -> Self {
        Self::take(free_port()).await
    }

    /// Takes a port that is free.
    ///
    /// # Panics
    /// It does not listen in time.
    pub async fn take(port: u16) -> Self {
        Self::take_on("127.0.0.1", port).await
    }

    /// Takes a port that is free on an address of this computer.
    ///
    /// # Panics
    /// It does not listen in time.
    pub async fn take_on(address: &str, port: u16) -> Self {
        let mut command = Command::new("python3");
        command.args(["-m", "http.server", "--bind", address, &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().expect("python3 is installed");
        until("the Python web server", async || TcpStream::connect((address, port)).is_ok().then_some(())).await;
        Self { child, port }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id.
    ///
    /// # Panics
    /// The program has ended.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the holder runs")
    }

    /// Ends the program.
    ///
    /// # Panics
    /// It does not end.
    pub async fn end(mut self) {
        self.child.kill().await.expect("a child of ours");
    }
}
