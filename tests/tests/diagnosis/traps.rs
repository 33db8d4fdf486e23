//! What looks like another cause than it is: two causes at once, and facts that are true and explain nothing.

use std::fs;

use cwts_domain::Service;
use cwts_tests::{Home, PortHolder, Ports, Server, command, finish, until};
use rustix::process::Signal;

use crate::causes::{HERE, firewall, shell, tear_down};
use crate::matrix::{Matrix, PASSED, by, test};

pub(crate) async fn all(matrix: &mut Matrix) {
    swapped(matrix).await;
    families(matrix).await;
    addresses(matrix).await;
    proxies(matrix).await;
    slow(matrix).await;
    other_instances(matrix).await;
    moved_and_taken(matrix).await;
    two_at_once(matrix).await;
    away(matrix).await;
}

/// Each service is asked for where each other one listens.
async fn swapped(matrix: &mut Matrix) {
    let ports = Ports::free();
    let (home, spare) = (Home::with(&ports), Ports::free().of(Service::Health).to_string());
    let server = Server::start(&home).await;
    for asked in Service::ALL {
        for found in Service::ALL.into_iter().filter(|found| *found != asked) {
            let mut wrong = test(&home, asked.id(), &[]);
            wrong.env(asked.port_variable(), ports.of(found).to_string()).env(found.port_variable(), &spare);
            let what = format!("{asked} is asked for where {found} listens");
            matrix.expect("handshake.other_service", &what, wrong).await;
        }
    }
    server.stop(Signal::TERM).await;
}

/// `localhost` is ::1 first, and whoever is there answers.
async fn families(matrix: &mut Matrix) {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let hosts = home.path().join("hosts");
    fs::write(&hosts, "::1 localhost\n127.0.0.1 localhost\n").expect("a file of names");
    let both = format!("mount --bind {} /etc/hosts && exec \"$@\"", hosts.display());
    let both = |words: &[&str]| {
        let words = [&["--host", "localhost"], words].concat();
        by(&["unshare", "-m", "bash", "-c", &both, "both"], &test(&home, "mcp-http", &words))
    };
    matrix.expect("tcp.refused_stopped", "localhost, and our services are stopped", both(&[])).await;
    let server = Server::start(&home).await;
    matrix.expect(PASSED, "localhost is ::1 first, and nobody is there", both(&[])).await;
    let _before = PortHolder::take_on("::1", ports.of(Service::McpHttp)).await;
    matrix.expect("handshake.foreign_program", "another program is on ::1, ours on 127.0.0.1", both(&[])).await;
    server.stop(Signal::TERM).await;
}

/// The port is right, and the address is not.
async fn addresses(matrix: &mut Matrix) {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let other_loopback = test(&home, "health", &["--host", "::1"]);
    matrix.expect("tcp.refused_other_address", "bound to 127.0.0.1, asked at ::1", other_loopback).await;
    server.stop(Signal::TERM).await;
    let mut program = command(&home);
    program.env("MCP_BIND_ADDR", HERE);
    let server = Server::launch(program).await;
    let loopback = test(&home, "mcp-http", &[]);
    matrix.expect("tcp.refused_other_address", "bound to the LAN address, asked at 127.0.0.1", loopback).await;
    server.stop(Signal::TERM).await;
}

/// A proxy in the environment that is not the cause.
async fn proxies(matrix: &mut Matrix) {
    let home = Home::with(&Ports::free());
    let mut stopped = test(&home, "mcp-http", &[]);
    stopped.env("HTTP_PROXY", "http://proxy.invalid:3128");
    matrix.expect("tcp.refused_stopped", "a proxy in the environment, and the services are stopped", stopped).await;
    let server = Server::start(&home).await;
    let mut none = test(&home, "mcp-http", &[]);
    none.env("HTTP_PROXY", "").env("ALL_PROXY", "");
    matrix.expect(PASSED, "variables for proxies that are empty", none).await;
    let mut excepted = test(&home, "mcp-http", &[]);
    excepted.env("http_proxy", "http://proxy.invalid:3128").env("no_proxy", "localhost,127.0.0.1");
    matrix.expect(PASSED, "a proxy with an exception for this computer", excepted).await;
    server.stop(Signal::TERM).await;
}

/// A server that answers late, and one that does not answer in time, are not stopped.
async fn slow(matrix: &mut Matrix) {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let server = Server::start(&home).await;
    let address = ports.address(Service::Health);
    server.signal(Signal::STOP);
    let asked = tokio::spawn(finish(test(&home, "health", &["--timeout", "20"])));
    let waits = || cwts_ports::accept_queue(address).ok().flatten().is_some_and(|(waiting, _)| waiting > 0);
    until("the client to wait in the queue", async || waits().then_some(())).await;
    server.signal(Signal::CONT);
    let exit = asked.await.expect("the test ends");
    matrix.keep(PASSED, "a server that stood still for a moment", &exit);
    server.stop(Signal::TERM).await;
}

/// Another instance holds the port, and the first rung that fails speaks of something else.
async fn other_instances(matrix: &mut Matrix) {
    let ports = Ports::free();
    let (ours, theirs) = (Home::with(&ports), Home::untouched());
    theirs.write_toml(&ports.toml());
    let server = Server::start(&theirs).await;
    let encrypted = test(&ours, "mcp-http", &["--tls", "on"]);
    matrix.expect("handshake.other_instance", "TLS to another instance, which speaks plain text", encrypted).await;
    server.signal(Signal::STOP);
    let still = test(&ours, "mcp-http", &[]);
    matrix.expect("handshake.other_instance", "an instance of another home, suspended", still).await;
    server.signal(Signal::CONT);
    server.stop(Signal::TERM).await;
    let folder = ours.path().join("config/instances");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("desk.toml"), ports.toml()).expect("the settings of another instance");
    let mut desk = command(&ours);
    desk.env("CWTS_INSTANCE_ID", "desk");
    let server = Server::launch(desk).await;
    server.signal(Signal::STOP);
    let still = test(&ours, "mcp-http", &[]);
    matrix.expect("handshake.other_instance", "another instance of the home, suspended", still).await;
    server.signal(Signal::CONT);
    server.stop(Signal::TERM).await;
    fs::remove_file(folder.join("desk.toml")).expect("the settings go");
    let mut make = command(&theirs);
    make.args(["tls", "make"]);
    assert_eq!(finish(make).await.status, Some(0), "a certificate");
    theirs.write_toml(&format!("{}\n[security]\ntls = \"on\"\n", ports.toml()));
    let server = Server::start(&theirs).await;
    let encrypted = test(&ours, "mcp-http", &["--tls", "on"]);
    matrix
        .expect("handshake.other_instance", "TLS to another instance, whose authority is unknown here", encrypted)
        .await;
    server.stop(Signal::TERM).await;
    let foreign = PortHolder::take(ports.of(Service::Health)).await;
    shell(&format!("kill -STOP {}", foreign.pid())).await;
    matrix.expect("handshake.foreign_program", "another program, suspended", test(&ours, "health", &[])).await;
    shell(&format!("kill -CONT {}", foreign.pid())).await;
}

/// The environment has moved the service, and somebody else has the port that the files name.
async fn moved_and_taken(matrix: &mut Matrix) {
    let (known, real) = (Ports::free(), Ports::free());
    let home = Home::with(&known);
    let mut shadowed = command(&home);
    for service in Service::ALL {
        shadowed.env(service.port_variable(), real.of(service).to_string());
    }
    let server = Server::launch(shadowed).await;
    let _foreign = PortHolder::take(known.of(Service::McpHttp)).await;
    let taken = test(&home, "mcp-http", &[]);
    matrix.expect("handshake.elsewhere", "the service was moved, and another program has its port", taken).await;
    server.stop(Signal::TERM).await;
}

/// The lower rung is named: nothing above it can be known before it holds.
async fn two_at_once(matrix: &mut Matrix) {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let wrong = home.path().join("wrong");
    fs::write(&wrong, format!("cwts_trade_{}", "0".repeat(64))).expect("a token file");
    let wrong = ["--token-file", wrong.to_str().expect("a path")];
    firewall("input", ports.of(Service::Health), "drop").await;
    matrix.expect("tcp.dropped", "stopped, and a rule drops", test(&home, "health", &[])).await;
    tear_down().await;
    matrix.expect("tcp.refused_stopped", "stopped, and the token is wrong", test(&home, "mcp-http", &wrong)).await;
    let server = Server::start(&home).await;
    let page = [&wrong[..], &["--origin", "https://evil.example"]].concat();
    matrix
        .expect("handshake.origin_refused", "a foreign page with a wrong token", test(&home, "mcp-http", &page))
        .await;
    let encrypted = [&wrong[..], &["--tls", "on"]].concat();
    matrix.expect("tls.plain_text", "TLS without it, with a wrong token", test(&home, "mcp-http", &encrypted)).await;
    server.stop(Signal::TERM).await;
}

/// The address that the services are bound to leaves this computer.
async fn away(matrix: &mut Matrix) {
    let home = Home::with(&Ports::free());
    home.write_env(&format!("export MCP_BIND_ADDR={HERE}\nexport MONITORING_BIND_ADDR={HERE}\n"));
    let server = Server::start(&home).await;
    matrix.expect("tcp.self_test", "bound to the LAN address, asked there", test(&home, "health", &[])).await;
    shell(&format!("ip address del {HERE}/24 dev server")).await;
    let gone = || test(&home, "health", &["--timeout", "6"]);
    matrix.expect("tcp.address_away", "the address that it is bound to is gone", gone()).await;
    server.stop(Signal::TERM).await;
    matrix.expect("tcp.address_away", "the address is gone, and the services are stopped", gone()).await;
    shell(&format!("ip address add {HERE}/24 dev server")).await;
}
