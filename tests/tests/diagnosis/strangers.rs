//! Causes that another computer meets: programs that are none of ours, and a proxy before ours.

use std::process::Stdio;

use cwts_domain::Service;
use cwts_tests::{Home, Ports, Server, within};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::causes::{CLIENT, HERE};
use crate::encrypted::self_signed;
use crate::matrix::{Matrix, by, test};

/// Killed when it is dropped.
struct Stranger {
    _child: Child,
}

impl Stranger {
    /// A program that listens on the LAN address of this computer.
    async fn start(mode: &str, port: u16, more: &str) -> Self {
        let mut command = Command::new("python3");
        command.args(["-c", include_str!("stranger.py"), mode, HERE, &port.to_string(), more]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("python3 is installed");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let line = within("the stranger", lines.next_line()).await.expect("a pipe can be read");
        assert_eq!(line.as_deref(), Some("listening"), "the stranger is there");
        Self { _child: child }
    }
}

/// From the other computer, which knows nothing of the programs on this one.
pub(crate) async fn all(matrix: &mut Matrix) {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let certificate = self_signed(&home);
    let cases = [
        ("silent", "health", "off", "handshake.no_answer", "a program that says nothing"),
        ("silent", "health", "on", "tls.silent", "TLS to a program that says nothing"),
        ("close", "health", "off", "handshake.closed", "a program that hangs up"),
        ("close", "health", "on", "tls.closed", "TLS to a program that hangs up"),
        ("ssh", "mcp-websocket", "off", "handshake.not_http", "an SSH server"),
        ("ssh", "mcp-websocket", "on", "tls.plain_text", "TLS to an SSH server"),
        ("web", "mcp-http", "off", "handshake.foreign_server", "a web server"),
        ("web", "mcp-websocket", "off", "handshake.foreign_server", "a web server in place of a WebSocket"),
        ("tls", "prometheus", "off", "handshake.tls_port", "HTTP to a port that speaks TLS"),
        ("tls", "prometheus", "on", "tls.untrusted", "a certificate of nobody"),
        ("old", "prometheus", "on", "tls.failed", "a server with ciphers of the past"),
        ("metrics", "prometheus", "off", "protocol.not_ours", "the metrics of something else"),
        ("garbled", "prometheus", "off", "protocol.failed", "metrics without values"),
        ("mcp", "mcp-websocket", "off", "protocol.no_answer", "a server that takes the token and says nothing"),
    ];
    for (mode, service, tls, expected, what) in cases {
        let port = ports.of(service.parse().expect("a service"));
        let _stranger = Stranger::start(mode, port, &certificate).await;
        let client = by(&CLIENT, &test(&home, service, &["--host", HERE, "--tls", tls, "--timeout", "1"]));
        matrix.expect(expected, what, client).await;
    }
    behind_a_proxy(matrix).await;
}

async fn behind_a_proxy(matrix: &mut Matrix) {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let server = Server::start(&home).await;
    let port = ports.of(Service::McpWebsocket);
    let _proxy = Stranger::start("proxy", port, &port.to_string()).await;
    let lost = by(&CLIENT, &test(&home, "mcp-websocket", &["--host", HERE]));
    matrix.expect("handshake.upgrade_lost", "a proxy that knows no WebSocket", lost).await;
    server.stop(Signal::TERM).await;
}
