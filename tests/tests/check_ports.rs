//! `cwts-ultra check-ports`, and who may start beside whom.

use std::net::TcpListener;

use cwts_domain::Service;
use cwts_tests::{Exit, Home, PortHolder, Ports, Server, command, finish, free_port};
use rustix::process::Signal;
use serde_json::{Value, json};

async fn check(home: &Home, arguments: &[&str]) -> Exit {
    let mut program = command(home);
    program.arg("check-ports").args(arguments);
    finish(program).await
}

async fn report(home: &Home, service: Service) -> (Option<i32>, Value) {
    let exit = check(home, &["--json"]).await;
    let reports: Vec<Value> = serde_json::from_str(&exit.stdout).expect("an array, whatever the status");
    assert_eq!(reports.len(), 4, "one report for each service");
    let found = reports.into_iter().find(|report| report["service"] == service.id());
    (exit.status, found.expect("each service is reported"))
}

#[tokio::test]
async fn free_ports_end_with_status_0() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let (status, report) = report(&home, Service::Prometheus).await;
    assert_eq!(status, Some(0), "nothing is in the way of a start");
    assert_eq!(report["port"], ports.of(Service::Prometheus));
    assert_eq!((&report["state"], &report["bindable"]), (&"free".into(), &true.into()));
    assert_eq!(report["holder"], Value::Null);
    assert_eq!(report["origin"]["layer"], "toml", "a script may ask where the port was set");
}

#[tokio::test]
async fn a_taken_port_names_its_holder_and_save_writes_a_free_one() {
    let holder = PortHolder::start().await;
    let ports = Ports::free().with(Service::Health, holder.port());
    let home = Home::with(&ports);

    let (status, taken) = report(&home, Service::Health).await;
    assert_eq!(status, Some(3), "a script must see that a start would fail");
    assert_eq!((&taken["state"], &taken["bindable"]), (&"taken".into(), &false.into()));
    assert_eq!(taken["holder"]["pid"], holder.pid(), "a person must find the program: {taken}");
    let suggestion = taken["suggestion"].as_u64().expect("a free port is offered");
    assert_ne!(suggestion, 10_080, "browsers refuse that one");

    let saved = check(&home, &["--save"]).await;
    assert_eq!(saved.status, Some(0), "after the save nothing is taken: {saved:?}");
    let pid = holder.pid().to_string();
    assert!(saved.stdout.contains(&pid), "who made the change necessary is still said: {}", saved.stdout);
    let written = format!("HEALTH_CHECK_PORT={suggestion}");
    assert!(saved.stderr.contains(&written), "and so is what was written: {}", saved.stderr);
    assert_eq!(home.env().trim(), format!("export HEALTH_CHECK_PORT={suggestion}"), "only what was taken is written");
    let server = Server::start(&home).await;
    assert!(server.url(Service::Health).contains(&format!(":{suggestion}/")), "the next start uses it");
    server.stop(Signal::TERM).await;
}

#[tokio::test]
async fn a_saved_port_that_the_environment_hides_is_no_solution() {
    let holder = PortHolder::start().await;
    let home = Home::with(&Ports::free());
    let mut program = command(&home);
    program.args(["check-ports", "--save"]).env("PROMETHEUS_PORT", holder.port().to_string());
    let exit = finish(program).await;
    assert_eq!(exit.status, Some(3), "the next start of this shell would still fail: {exit:?}");
    let cause = "PROMETHEUS_PORT in the environment";
    assert!(exit.stderr.contains(cause), "the person learns what to remove: {}", exit.stderr);
}

#[tokio::test]
async fn our_own_server_is_no_conflict_and_a_second_one_names_it() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let server = Server::start(&home).await;

    let (status, report) = report(&home, Service::McpWebsocket).await;
    assert_eq!((status, &report["state"]), (Some(0), &"ours".into()), "what runs as it should is no problem");
    assert_eq!(report["suggestion"], Value::Null, "nobody has to move");

    let mut second = command(&home);
    second.arg("run");
    let exit = finish(second).await;
    assert_eq!(exit.status, Some(3), "one process at a time runs an instance: {exit:?}");
    let pid = format!("pid {}", server.pid());
    assert!(exit.stderr.contains(&pid), "a person must find the first one: {}", exit.stderr);
    assert_eq!(server.stop(Signal::TERM).await.status, Some(0), "the first one was not disturbed");
}

#[tokio::test]
async fn a_port_that_a_start_could_not_have_is_saved_with_a_warning() {
    let home = Home::with(&Ports::free());
    let holder = PortHolder::start().await;
    let taken = format!("Port {} of MCP WebSocket is held by", holder.port());
    let cases = [
        ("mcp.mcp_port", holder.port().to_string(), 1, taken.as_str()),
        ("mcp.mcp_port", "10080".to_owned(), 1, "Port 10080 of MCP WebSocket is refused by browsers"),
        ("monitoring.bind_addr", "203.0.113.9".to_owned(), 1, "203.0.113.9 is no address of this computer."),
        ("mcp.mcp_port", free_port().to_string(), 0, ""),
    ];
    for (key, value, lines, said) in cases {
        let mut program = command(&home);
        program.args(["config", "set", key, &value]);
        let exit = finish(program).await;
        assert_eq!((exit.status, exit.stderr.lines().count()), (Some(0), lines), "it may be meant for later: {exit:?}");
        assert!(exit.stderr.contains(said), "{key} {value}: {}", exit.stderr);
    }
}

#[tokio::test]
async fn a_run_on_other_ports_than_the_files_have_is_told_with_them() {
    let home = Home::with(&Ports::free());
    let elsewhere = free_port();
    let mut program = command(&home);
    program.arg("run").env("PROMETHEUS_PORT", elsewhere.to_string());
    let server = Server::launch(program).await;

    let (status, metrics) = report(&home, Service::Prometheus).await;
    assert_eq!((status, &metrics["state"]), (Some(0), &"free".into()), "the port of the file is free: {metrics}");
    let expected = json!({ "pid": server.pid(), "address": "127.0.0.1", "port": elsewhere });
    assert_eq!(metrics["running"], expected, "and yet the service runs");
    let said = check(&home, &[]).await.stdout;
    let sentence = format!("It runs on 127.0.0.1:{elsewhere} now, pid {}.", server.pid());
    let lines: Vec<&str> = said.lines().filter(|line| line.contains(&sentence)).collect();
    assert!(matches!(lines[..], [line] if line.starts_with("Prometheus")), "of that service alone: {said}");

    let (_, health) = report(&home, Service::Health).await;
    assert_eq!(
        (&health["state"], &health["running"]["port"]),
        (&"ours".into(), &health["port"]),
        "as the files have it"
    );
    server.stop(Signal::TERM).await;
    let (_, metrics) = report(&home, Service::Prometheus).await;
    assert_eq!(metrics["running"], Value::Null, "what has ended runs nowhere");
}

#[tokio::test]
async fn a_holder_on_several_addresses_is_named_with_all_of_them() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let port = ports.of(Service::Health);
    let _held = ["127.0.0.1", "::1"].map(|address| TcpListener::bind((address, port)).expect("a free port"));
    let (_, report) = report(&home, Service::Health).await;
    let both = [format!("127.0.0.1:{port}"), format!("[::1]:{port}")];
    assert_eq!(report["addresses"], json!(both), "the one in the way first: {report}");
    for arguments in [&["check-ports"][..], &["ports", "free", &port.to_string()]] {
        let mut program = command(&home);
        program.args(arguments);
        let said = finish(program).await.stdout;
        assert!(said.contains(&format!("It also listens on [::1]:{port}.")), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn a_listener_on_ipv6_loopback_is_reported_but_does_not_stop_a_start() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let port = ports.of(Service::McpHttp);
    // In a process of its own: a socket of the server itself shadows nothing.
    let listener = TcpListener::bind(("::1", port)).expect("IPv6 on loopback");

    let (status, report) = report(&home, Service::McpHttp).await;
    assert_eq!((status, &report["state"]), (Some(3), &"taken".into()), "clients of localhost may reach it first");
    assert_eq!(report["bindable"], true, "but 127.0.0.1 itself is free");
    let server = Server::start(&home).await;
    let exit = server.stop(Signal::TERM).await;
    let warned = format!("Give them 127.0.0.1:{port}.");
    assert!(
        exit.stderr.contains("localhost") && exit.stderr.contains(&warned),
        "what clients may meet: {}",
        exit.stderr
    );
    drop(listener);
}
