//! Causes between two computers, and the firewalls on them.

use cwts_domain::Service;
use cwts_tests::{Home, Ports, Server, command};
use rustix::process::Signal;

use crate::causes::{CLIENT, HERE, HERE_V6, THERE, firewall, lay_cable, tear_down};
use crate::matrix::{Matrix, PASSED, by, test};

pub(crate) async fn all(matrix: &mut Matrix) {
    lay_cable().await;
    let (narrow, wide) = (Ports::free(), Ports::free());
    let home = Home::with(&narrow);
    let server = Server::start(&home).await;
    let loopback_only = test(&home, "mcp-http", &["--host", HERE]);
    matrix.expect("tcp.refused_loopback_only", "bound to loopback, asked at the LAN address", loopback_only).await;
    let closed = by(&CLIENT, &test(&home, "mcp-http", &["--host", HERE]));
    matrix.expect("tcp.refused_no_listener", "bound to loopback, asked from outside", closed).await;
    server.stop(Signal::TERM).await;
    nobody(matrix, &home).await;

    let home = Home::with(&wide);
    let mut program = command(&home);
    program.env("MCP_BIND_ADDR", "::").env("MONITORING_BIND_ADDR", "::");
    let server = Server::launch(program).await;
    let self_test = test(&home, "mcp-http", &["--host", HERE]);
    matrix.expect("tcp.self_test", "this computer asks itself at its LAN address", self_test).await;
    let plain = by(&CLIENT, &test(&home, "mcp-http", &["--host", HERE]));
    matrix.expect("handshake.remote_refused", "another computer, and no TLS", plain).await;
    let over_v6 = test(&home, "health", &["--host", "::1", "--count", "2"]);
    matrix.expect(PASSED, "over IPv6", over_v6).await;
    walls(matrix, &home, wide.of(Service::Health)).await;
    server.stop(Signal::TERM).await;
}

/// No computer, no way, and a wall of our own.
async fn nobody(matrix: &mut Matrix, home: &Home) {
    let nobody = test(home, "health", &["--host", "192.168.50.77", "--timeout", "6"]);
    matrix.expect("tcp.no_such_host", "an address that nobody has", nobody).await;
    matrix.expect("tcp.no_route", "a network without a route", test(home, "health", &["--host", "203.0.113.1"])).await;
    let port = |home: &Home| {
        let toml = home.toml();
        let line = toml.lines().find_map(|line| line.strip_prefix("health_check_port = ")).expect("a port");
        line.trim().parse::<u16>().expect("a number")
    };
    for verdict in ["reject", "reject with icmp type host-prohibited"] {
        firewall("output", port(home), verdict).await;
        let blocked = test(home, "health", &["--host", THERE]);
        matrix.expect("tcp.blocked_outgoing", &format!("a rule for what goes out: {verdict}"), blocked).await;
        tear_down().await;
    }
}

/// What each verdict of a firewall looks like from another computer, and from this one.
async fn walls(matrix: &mut Matrix, home: &Home, port: u16) {
    let v4 = [
        ("reject", "tcp.refused_by_firewall"),
        ("reject with icmp type host-prohibited", "tcp.host_prohibited"),
        ("reject with icmp type admin-prohibited", "tcp.admin_prohibited"),
        ("reject with tcp reset", "tcp.refused_no_listener"),
        ("drop", "tcp.dropped"),
    ];
    for (verdict, expected) in v4 {
        firewall("input", port, verdict).await;
        let test = by(&CLIENT, &test(home, "health", &["--host", HERE]));
        matrix.expect(expected, &format!("another computer, {verdict}"), test).await;
        tear_down().await;
    }
    let v6 = [
        ("reject", "tcp.refused_by_firewall"),
        ("reject with icmpv6 type admin-prohibited", "tcp.admin_prohibited_v6"),
        ("drop", "tcp.dropped"),
    ];
    for (verdict, expected) in v6 {
        firewall("input", port, verdict).await;
        let test = by(&CLIENT, &test(home, "health", &["--host", HERE_V6]));
        matrix.expect(expected, &format!("another computer over IPv6, {verdict}"), test).await;
        tear_down().await;
    }
    let here = [
        ("reject with tcp reset", "tcp.refused_reset_by_firewall"),
        ("reject", "tcp.refused_by_firewall"),
        ("drop", "tcp.dropped"),
    ];
    for (verdict, expected) in here {
        firewall("input", port, verdict).await;
        matrix.expect(expected, &format!("this computer, {verdict}"), test(home, "health", &["--host", HERE])).await;
        tear_down().await;
    }
}
