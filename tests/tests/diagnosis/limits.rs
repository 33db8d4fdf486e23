//! Causes in what the server allows, and in what the system allows the programs.

use std::process::Stdio;

use cwts_domain::Service;
use cwts_server::{Limits, RequestLimits, SessionLimits};
use cwts_tests::{Embedded, Home, HttpSession, Ports, Server, command, get, until};
use rustix::process::Signal;
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::matrix::{Matrix, by, test};

/// Lets a program open no connection: Landlock, from Linux 6.7 on (landlock(7)). Ends with 77 where there is none.
const LANDLOCK: &str = "
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(444, None, 0, 1) < 4: sys.exit(77)
ruleset = libc.syscall(444, struct.pack('QQ', 0, 2), 16, 0)
libc.prctl(38, 1, 0, 0, 0)
if libc.syscall(446, ruleset, 0): sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
";

pub(crate) async fn all(matrix: &mut Matrix) {
    of_the_server(matrix).await;
    files_of_the_server(matrix).await;
    policy(matrix).await;
}

async fn of_the_server(matrix: &mut Matrix) {
    let mut limits = Limits::default();
    limits.connections.per_source = 2;
    let full = Embedded::start_with(limits).await;
    let address = ("127.0.0.1", full.port(Service::Health));
    let open = [TcpStream::connect(address).await, TcpStream::connect(address).await];
    let refused = test(full.home(), "health", &[]);
    matrix.expect("handshake.too_many_connections", "all connections in use", refused).await;
    drop((open, full));

    let requests = RequestLimits { per_second: 1, burst: 2 };
    let busy = Embedded::start_with(Limits { requests, ..Limits::default() }).await;
    for _ in 0..4 {
        get(busy.port(Service::Health), "/health").await;
    }
    matrix.expect("handshake.too_many_requests", "more requests than allowed", test(busy.home(), "health", &[])).await;

    let sessions = SessionLimits { total: 1, ..SessionLimits::default() };
    let taken = Embedded::start_with(Limits { sessions, ..Limits::default() }).await;
    let session = HttpSession::connect(&taken.url(Service::McpHttp)).await;
    matrix.expect("protocol.too_many_sessions", "all sessions in use", test(taken.home(), "mcp-http", &[])).await;
    session.end().await;
}

/// The server can open no other file, so that it does not accept.
async fn files_of_the_server(matrix: &mut Matrix) {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let poor = by(&["bash", "-c", "ulimit -n 60; exec \"$@\"", "poor"], &command(&home));
    let server = Server::launch(poor).await;
    let address = ports.address(Service::Health);
    let mut held = Vec::new();
    for _ in 0..80 {
        held.push(TcpStream::connect(address).await.expect("the kernel takes it"));
    }
    let open = || std::fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("a process of ours").count();
    until("the server to open all files that it may", async || (open() >= 60).then_some(())).await;
    let waiting = test(&home, "mcp-http", &[]);
    matrix.expect("handshake.server_out_of_descriptors", "a server with too many open files", waiting).await;
    drop(held);
    server.stop(Signal::TERM).await;
}

async fn policy(matrix: &mut Matrix) {
    let mut probe = Command::new("python3");
    probe.args(["-c", LANDLOCK, "/bin/true"]).stdout(Stdio::null()).stderr(Stdio::null());
    let status = probe.status().await.expect("python3 is installed");
    if status.code() == Some(77) {
        cwts_tests::skip_also_in_ci("this kernel has no Landlock for networks");
        return;
    }
    let home = Home::with(&Ports::free());
    let confined = by(&["python3", "-c", LANDLOCK], &test(&home, "health", &[]));
    matrix.expect("tcp.denied_by_policy", "a client that Landlock confines", confined).await;
}
