//! Two computers on one cable, as network namespaces: a server with a firewall of its own, and a client with an allowed
//! and a denied address. The machine's own network and firewall are never touched.

use std::ffi::OsStr;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Stdio;

use cwts_domain::Service;
use rustix::process::geteuid;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::deadline::{until, within};
use crate::home::Home;
use crate::server::{Exit, Server, binary, finish};
use crate::skip::{is_installed, skip, skip_also_in_ci};

/// Subnets whose computers are to be let in.
pub const ALLOWED: [&str; 2] = ["192.168.50.0/24", "fd00:50::/64"];

/// Where the client connects from and to: allowed and denied, IPv4 and IPv6.
const PATHS: [(&str, &str); 4] = [
    ("192.168.50.10", "192.168.50.1"),
    ("fd00:50::10", "fd00:50::1"),
    ("10.66.0.10", "10.66.0.1"),
    ("fd00:66::10", "fd00:66::1"),
];

/// Connects from and to the pairs of its arguments at once, and prints a line for each.
const CONNECT: &str = "
import socket, sys, threading
results = {}
def connect(pair):
    source, target, port = pair.split()
    try:
        socket.create_connection((target, int(port)), timeout=1.5, source_address=(source, 0)).close()
        results[pair] = 'open'
    except OSError as error:
        results[pair] = 'closed'
threads = [threading.Thread(target=connect, args=(pair,)) for pair in sys.argv[1:]]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print('\\n'.join(results[pair] for pair in sys.argv[1:]))
";

/// Who got through: the allowed client and the other one, each over IPv4 and over IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The client whose subnets are among the sources.
    pub allowed: [bool; 2],
    /// The other one.
    pub denied: [bool; 2],
}

impl Reach {
    /// Nobody gets through.
    pub const NOBODY: Self = Self { allowed: [false; 2], denied: [false; 2] };
    /// Everybody does.
    pub const EVERYBODY: Self = Self { allowed: [true; 2], denied: [true; 2] };
    /// Only who is to.
    pub const ALLOWED: Self = Self { allowed: [true; 2], denied: [false; 2] };
}

/// The two computers. What runs on them is killed when this is dropped.
#[derive(Debug)]
pub struct Hosts {
    server: Namespace,
    client: Namespace,
    programs: Vec<Child>,
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Hosts {
    /// The computers with no firewall yet. `None`, and a note, where the machine has not all of the programs, or allows no
    /// namespaces.
    ///
    /// # Panics
    /// A command fails, or a program is missing in CI.
    pub async fn connect(programs: &[&str]) -> Option<Self> {
        let needed = programs.iter().chain(&["ip", "unshare", "nsenter", "python3"]);
        if let Some(program) = needed.copied().find(|program| !is_installed(program)) {
            skip(&format!("{program} is missing. scripts/test.sh installs it where that starts no firewall."));
            return None;
        }
        if !geteuid().is_root() || !Namespace::is_allowed().await {
            skip_also_in_ci("only root may make network namespaces, and not everywhere");
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (server, client) = (Namespace::enter().await, Namespace::enter().await);
        let hosts = Self { server, client, programs: Vec::new(), folder, variables: Vec::new() };
        hosts.plug_in().await;
        Some(hosts)
    }

    async fn plug_in(&self) {
        let (server, client) = (self.server.pid, self.client.pid);
        let cable = format!("ip link add veth0 netns {server} type veth peer name veth0 netns {client}");
        assert_succeeds(Command::new("sh").args(["-euc", &cable])).await;
        self.server.run("mount -t tmpfs tmpfs /run; ip link set lo up; ip link set veth0 up").await;
        self.client.run("ip link set lo up; ip link set veth0 up").await;
        let nodad = |address: &str| if address.contains(':') { "/64 nodad" } else { "/24" };
        for (from, to) in PATHS {
            self.client.run(&format!("ip address add {from}{} dev veth0", nodad(from))).await;
            self.server.run(&format!("ip address add {to}{} dev veth0", nodad(to))).await;
        }
    }

    /// A folder for the files of the server's firewall.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sets a variable for every later program of the server.
    pub fn set(&mut self, variable: &'static str, value: impl Into<String>) {
        self.variables.push((variable, value.into()));
    }

    /// A program on the server, with nothing but `PATH`, `HOME` and what was set.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.server.command(program);
        command.envs(self.variables.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// Runs a script on the server, which must succeed. Returns what it prints.
    ///
    /// # Panics
    /// It fails.
    pub async fn run(&self, script: &str) -> String {
        assert_succeeds(self.command("sh").args(["-euc", script])).await
    }

    /// Starts a program on the server that runs until the end.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(&mut self, program: &str, arguments: &[&str]) {
        let mut command = self.command(program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        self.programs.push(command.spawn().unwrap_or_else(|error| panic!("{program} does not start: {error}")));
    }

    /// Runs a script on the server until it succeeds.
    ///
    /// # Panics
    /// It never does.
    pub async fn until_succeeds(&self, script: &str) {
        until(script, async || {
            let output = self.command("sh").args(["-euc", script]).output().await.expect("a shell");
            output.status.success().then_some(())
        })
        .await;
    }

    /// The program `cwts-ultra` on the server, with a home.
    pub fn cwts(&self, home: &Home) -> Command {
        let mut command = self.command(binary());
        command.env("CWTS_HOME", home.path());
        command
    }

    /// A command of another place, run on the server with the same variables.
    pub fn on_server(&self, command: &Command) -> Command {
        moved(self.command(command.as_std().get_program()), command)
    }

    /// A command of another place, run on the client with the same variables.
    pub fn on_client(&self, command: &Command) -> Command {
        moved(self.client.command(command.as_std().get_program()), command)
    }

    /// Starts the services of a home on all addresses of the server.
    pub async fn serve(&self, home: &Home) -> Server {
        home.write_env("export MCP_BIND_ADDR=::\nexport MONITORING_BIND_ADDR=::\n");
        Server::launch(self.cwts(home)).await
    }

    /// `cwts-ultra firewall` with the tool, the allowed subnets and more words.
    pub async fn firewall(&self, home: &Home, tool: &str, words: &[&str]) -> Exit {
        let mut command = self.cwts(home);
        command.args(["firewall", "--tool", tool, "--service", "mcp-websocket", "--service", "prometheus"]);
        command.args(ALLOWED.iter().flat_map(|source| ["--source", source])).args(words);
        finish(command).await
    }

    /// Who gets through to a service, which must be the same for the other chosen one.
    ///
    /// # Panics
    /// The client cannot try.
    pub async fn reach(&self, service: Service) -> Reach {
        let mut command = self.client.command("python3");
        command.args(["-c", CONNECT]);
        command.args(PATHS.map(|(from, to)| format!("{from} {to} {}", service.default_port())));
        let printed = assert_succeeds(&mut command).await;
        let open: Vec<bool> = printed.lines().map(|line| line == "open").collect();
        let [v4, v6, other_v4, other_v6] = open[..] else { panic!("a line for each path: {printed}") };
        Reach { allowed: [v4, v6], denied: [other_v4, other_v6] }
    }

    /// Whether the server reaches its own service at an address of its own.
    pub async fn reaches_itself(&self, service: Service) -> bool {
        let own: IpAddr = PATHS[0].1.parse().expect("an address");
        let pair = format!("{own} {own} {}", service.default_port());
        let mut command = self.command("python3");
        assert_succeeds(command.args(["-c", CONNECT, &pair])).await.trim() == "open"
    }

    /// Puts a program before those of the server's `PATH`.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn put_first(&mut self, name: &str, script: &str) {
        let folder = self.folder.path().join("bin");
        fs::create_dir_all(&folder).expect("a folder for programs");
        // Ordinary users run it too.
        for open in [self.folder.path(), &folder] {
            fs::set_permissions(open, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
        }
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
        self.set("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", folder.display()));
    }
}

/// A network and a view of the file system of its own, for as long as its process lives.
#[derive(Debug)]
struct Namespace {
    pid: u32,
    _holder: Child,
}

impl Namespace {
    async fn is_allowed() -> bool {
        let mut command = Command::new("unshare");
        let status = command.args(["--net", "--mount", "true"]).stderr(Stdio::null()).status().await;
        status.is_ok_and(|status| status.success())
    }

    async fn enter() -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--propagation", "private", "sh", "-c", "echo; exec sleep 600"]);
        let mut holder = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("a namespace");
        let mut ready = [0];
        let mut stdout = holder.stdout.take().expect("a pipe");
        let read = tokio::io::AsyncReadExt::read_exact(&mut stdout, &mut ready);
        within("a namespace", read).await.expect("the namespace is there");
        Self { pid: holder.id().expect("it runs"), _holder: holder }
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.pid.to_string(), "--net", "--mount", "--"]).arg(program);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/nonexistent");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    async fn run(&self, script: &str) {
        assert_succeeds(self.command("sh").args(["-euc", script])).await;
    }
}

fn moved(mut to: Command, command: &Command) -> Command {
    let variables = command.as_std().get_envs();
    to.args(command.as_std().get_args()).envs(variables.filter_map(|(name, value)| Some((name, value?))));
    to
}

/// What the command prints.
async fn assert_succeeds(command: &mut Command) -> String {
    let output = within(&format!("{command:?}"), command.output()).await.expect("the command starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
