//! A person at a shell with an installation, who pastes what the guide says.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use cwts_tests::{Exit, Installation, Server, Socket, finish, get, initialize_request, write_tokens};
use rustix::process::Signal;
use tokio::process::Command;

/// Runs its words. In the sandbox the person is root already.
const SUDO: &str = "#!/bin/sh\nexec \"$@\"\n";

pub(crate) struct Person {
    pub(crate) installation: Installation,
}

impl Person {
    /// Somebody who has just installed the server on a computer without a display.
    pub(crate) async fn new() -> Self {
        let installation = Installation::headless().await;
        let sudo = installation.user().join("bin/sudo");
        fs::create_dir(installation.user().join("bin")).expect("a folder for the stand-in");
        fs::write(&sudo, SUDO).expect("the stand-in is writable");
        fs::set_permissions(&sudo, fs::Permissions::from_mode(0o755)).expect("the stand-in is a program");
        // What the person's clients present, in each instance of the guide.
        for instance in ["default", "1", "2"] {
            write_tokens(&installation.root(""), instance);
        }
        Self { installation }
    }

    /// A shell that was given this text.
    pub(crate) fn shell(&self, text: &str) -> Command {
        let mut path = self.installation.user().join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        path.push(":/usr/sbin:/sbin");
        let mut command = self.installation.command("bash");
        command.arg("-c").arg(text).env("PATH", path);
        command
    }

    /// Pastes commands that come to an end.
    pub(crate) async fn runs(&self, text: &str) -> Exit {
        finish(self.shell(text)).await
    }

    /// The same, with commands that must succeed. Returns what they printed.
    pub(crate) async fn succeeds(&self, text: &str) -> String {
        let exit = self.runs(text).await;
        assert_eq!(exit.status, Some(0), "the guide's command works as written: {text}: {exit:?}");
        exit.stdout
    }

    /// Pastes commands of which the last one is a server.
    pub(crate) async fn starts(&self, text: &str) -> Server {
        Server::launch(self.shell(text)).await
    }

    /// The same, checks that the services answer on these ports, and stops them.
    pub(crate) async fn starts_on(&self, text: &str, ports: [u16; 4]) {
        let server = self.starts(text).await;
        answer(ports).await;
        let exit = server.stop(Signal::TERM).await;
        assert_eq!(exit.status, Some(0), "it ends in peace: {exit:?}");
    }
}

/// Checks that each service answers on its port, in the order of the guide's first table.
pub(crate) async fn answer(ports: [u16; 4]) {
    let [websocket, http, metrics, health] = ports;
    let mut socket = Socket::open(&format!("ws://127.0.0.1:{websocket}/mcp")).await;
    socket.send_text(initialize_request(1).to_string()).await;
    let answer = socket.next().await;
    assert_eq!(answer["result"]["serverInfo"]["name"], "cwts-ultra", "an MCP client is served: {answer}");
    assert_eq!(get(http, "/api/v1/status").await.status, 200, "the control plane answers on {http}");
    assert!(get(metrics, "/metrics").await.body.contains("cwts_"), "Prometheus finds metrics on {metrics}");
    assert_eq!(get(health, "/health").await.status, 200, "the health check answers on {health}");
}
