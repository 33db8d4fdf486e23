//! A port that is taken: whose it is, in the eyes of an instance that wants it.

use cwts_config::Environment;
use cwts_domain::{ErrorCode, Service};
use cwts_runtime::{Conflict, OwnerKind, PortCheckState};
use cwts_tests::{Embedded, Home, PortHolder, Ports, Server, command, get};
use rustix::process::Signal;

const WANTED: Service = Service::McpWebsocket;

/// An instance whose start fails because of the port of its WebSocket service.
async fn blocked(home: Home) -> (Embedded, Conflict) {
    let embedded = Embedded::open(home, Environment::empty());
    let problem = embedded.instance().start().await.expect_err("the port is taken");
    assert_eq!(problem.code, ErrorCode::PortTaken, "the panel shows its card for that: {problem}");
    let services = embedded.instance().snapshot().services;
    let found = services.into_iter().find(|entry| entry.service == WANTED).and_then(|entry| entry.conflict);
    (embedded, found.expect("the card has something to show"))
}

#[tokio::test]
async fn a_foreign_program_is_told_with_all_that_is_known_of_it() {
    let holder = PortHolder::start().await;
    let home = Home::with(&Ports::free().with(WANTED, holder.port()));
    let (_embedded, conflict) = blocked(home).await;
    assert_eq!(conflict.owner.kind, OwnerKind::Foreign, "a web server that answers no health is none of ours");
    assert_eq!(conflict.owner.instance, None, "it has no instance");
    assert_eq!(conflict.holder.and_then(|holder| holder.pid), Some(holder.pid()), "a person must find it");
    let command = conflict.command.expect("its command line");
    assert!(command.contains("http.server"), "python3 alone says little: {command}");
    assert!(conflict.started_at.is_some(), "when it came up");
}

#[tokio::test]
async fn another_instance_of_the_same_home_is_told_by_its_lock_and_its_nonce() {
    let ports = Ports::free();
    let home = Home::with(&Ports::free().with(WANTED, ports.of(WANTED)));
    std::fs::create_dir(home.path().join("config/instances")).expect("a folder for profiles");
    std::fs::write(home.path().join("config/instances/desk.toml"), ports.toml()).expect("a profile");
    let mut desk = command(&home);
    desk.args(["--instance", "desk", "run"]);
    let server = Server::launch(desk).await;

    let (_embedded, conflict) = blocked(home).await;
    assert_eq!(conflict.owner.kind, OwnerKind::OtherInstance, "it is ours, and not this one");
    assert_eq!(conflict.owner.instance.as_deref(), Some("desk"), "a person knows it by its name");
    assert_eq!(conflict.owner.pid, Some(server.pid()), "and may want its process");
    let health = get(ports.of(Service::Health), "/health").await.json();
    assert_eq!(conflict.owner.nonce.as_deref(), health["nonce"].as_str(), "its health endpoint was asked");
    server.stop(Signal::TERM).await;
}

#[tokio::test]
async fn an_instance_of_another_home_is_told_by_its_health() {
    let ports = Ports::free();
    let server = Server::start(&Home::with(&ports)).await;
    let home = Home::with(&Ports::free().with(WANTED, ports.of(WANTED)));
    let (_embedded, conflict) = blocked(home).await;
    assert_eq!(conflict.owner.kind, OwnerKind::OtherInstance, "no lock of this home knows it, but it answers");
    assert_eq!(conflict.owner.instance.as_deref(), Some("default"), "the name that it gives");
    assert!(conflict.owner.nonce.is_some(), "with the nonce of its process");
    server.stop(Signal::TERM).await;
}

#[tokio::test]
async fn a_second_process_of_the_same_instance_is_told_by_the_form() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let server = Server::start(&home).await;
    let embedded = Embedded::open(home, Environment::empty());
    let check = embedded.instance().check_port(WANTED, ports.of(WANTED)).await;
    assert_eq!(check.state, PortCheckState::Ours, "a headless one of ours is no stranger: {check:?}");
    server.stop(Signal::TERM).await;
}
