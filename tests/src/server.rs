//! The real program `cwts-ultra` as a child process.

use std::path::PathBuf;
use std::process::Stdio;

use cwts_domain::Service;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

use crate::deadline::within;
use crate::home::Home;

/// Names the binary to test; without it, the one beside the test executable.
const BINARY_VARIABLE: &str = "CWTS_ULTRA_BIN";

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The exit status; `None` when a signal killed it.
    pub status: Option<i32>,
    /// What it printed, for [`Server::stop`] without the lines that [`Server::start`] read.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

/// The program on `home`, in an environment of nothing but `PATH` and `HOME`. Killed when its child is dropped.
///
/// # Panics
/// The program was not built.
pub fn command(home: &Home) -> Command {
    let mut command = Command::new(binary());
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", home.path()).env("CWTS_HOME", home.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs a program to its end.
///
/// # Panics
/// It cannot be started, or does not end in time.
pub async fn finish(mut command: Command) -> Exit {
    let output = within(&format!("the end of {command:?}"), command.output()).await.expect("the program starts");
    Exit {
        status: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The program to test.
pub(crate) fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os(BINARY_VARIABLE) {
        let named = PathBuf::from(named);
        assert!(named.is_file(), "{BINARY_VARIABLE} names {}, which is no file", named.display());
        return named;
    }
    // target/PROFILE/deps/SUITE-HASH, and the program in target/PROFILE.
    let suite = std::env::current_exe().expect("the path of the test executable");
    let built = suite.ancestors().nth(2).map(|profile| profile.join("cwts-ultra")).unwrap_or_default();
    assert!(
        built.is_file(),
        "{} does not exist. Build it with `cargo build --bin cwts-ultra` in the same profile and target folder, or \
         name one in {BINARY_VARIABLE}.",
        built.display()
    );
    built
}

/// A running server. Killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: JoinHandle<String>,
    urls: [String; 4],
}

impl Server {
    /// Starts the server and reads its four URLs.
    ///
    /// # Panics
    /// It does not print them in time; the message holds what it said on standard error.
    pub async fn start(home: &Home) -> Self {
        Self::launch(command(home)).await
    }

    /// The same with a command that a test prepared.
    ///
    /// # Panics
    /// As for [`Server::start`].
    pub async fn launch(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let mut errors = child.stderr.take().expect("standard error is a pipe");
        let stderr = tokio::spawn(async move {
            let mut text = Vec::new();
            errors.read_to_end(&mut text).await.expect("standard error is readable");
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut urls = [const { String::new() }; 4];
        for (url, service) in urls.iter_mut().zip(Service::ALL) {
            let mut line = String::new();
            let read = within(&format!("the URL of {service}"), stdout.read_line(&mut line)).await;
            if read.expect("standard output is readable") == 0 {
                panic!("the server ended: {}", within("its standard error", stderr).await.expect("the reader ends"));
            }
            assert!(line.starts_with(service.name()), "lines come in the fixed order, {service} now: {line:?}");
            *url = line.split_whitespace().last().unwrap_or_default().to_owned();
        }
        Self { child, stdout, stderr, urls }
    }

    /// The URL that was printed for a service.
    pub fn url(&self, service: Service) -> &str {
        let [websocket, http, metrics, health] = &self.urls;
        match service {
            Service::McpWebsocket => websocket,
            Service::McpHttp => http,
            Service::Prometheus => metrics,
            Service::Health => health,
        }
    }

    /// Its process id.
    ///
    /// # Panics
    /// The server has ended.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the server runs")
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// The server has ended.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process id"), signal).expect("a child may be signalled");
    }

    /// Asks the server to end, and waits.
    ///
    /// # Panics
    /// It does not end in time.
    pub async fn stop(mut self, signal: Signal) -> Exit {
        self.signal(signal);
        let mut stdout = String::new();
        let status = within("the end of the server", self.child.wait()).await.expect("a child can be awaited");
        self.stdout.read_to_string(&mut stdout).await.expect("standard output is text");
        let stderr = within("standard error to end", self.stderr).await.expect("the reader ends");
        Exit { status: status.code(), stdout, stderr }
    }
}
