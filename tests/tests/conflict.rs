//! A port that is taken: whose it is, in the eyes of an instance that wants it.

use cwts_config::{Environment, InstanceId, Sources};
use cwts_domain::{ErrorCode, Service};
use cwts_ports::ListenerRow;
use cwts_runtime::{Conflict, Host, OwnerKind, PortCheckState, PortNews, PortWatch, Release, Released};
use cwts_tests::{Embedded, Home, PortHolder, Ports, Server, command, get, until};
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

#[tokio::test]
async fn the_other_ports_that_cannot_be_had_are_told_at_once() {
    let (one, other) = (PortHolder::start().await, PortHolder::start().await);
    let ports = Ports::free().with(WANTED, one.port()).with(Service::Health, other.port());
    let (_embedded, conflict) = blocked(Home::with(&ports)).await;
    assert_eq!(conflict.also_taken, [Service::Health], "moving one service would only lead to the next refusal");
}

#[tokio::test]
async fn a_start_works_once_the_holder_was_ended() {
    let holder = PortHolder::start().await;
    let home = Home::with(&Ports::free().with(WANTED, holder.port()));
    let (embedded, conflict) = blocked(home).await;
    let instance = embedded.instance();
    let way = conflict.ways.into_iter().find_map(|way| way.release).expect("a process of this user can be ended");
    assert_eq!(way, Release::Process { pid: holder.pid(), force: false }, "the gentle way first");
    let released = instance.free_port(WANTED, holder.port(), way.clone()).await;
    assert_eq!(released.ok(), Some(Released::Ended), "SIGTERM ends an ordinary program");
    instance.start().await.expect("the port is free");
    let again =
        instance.free_port(WANTED, holder.port(), way).await.expect_err("the port is this process's own by now");
    assert_eq!(again.code, ErrorCode::WrongState, "a pid from an old card must hit nobody: {again}");
}

#[tokio::test]
async fn a_foreign_listener_on_ipv6_loopback_is_a_finding_while_the_services_run() {
    let ports = Ports::free();
    let holder = PortHolder::take_on("::1", ports.of(Service::McpHttp)).await;
    let embedded = Embedded::start_in(Home::with(&ports), Environment::empty()).await;
    let findings = embedded.instance().snapshot().findings;
    let found = findings.iter().find(|finding| finding.title.contains("localhost"));
    let found = found.unwrap_or_else(|| panic!("clients of localhost reach somebody else: {findings:?}"));
    assert!(found.detail.contains(&holder.pid().to_string()), "a person must know whom: {found:?}");
    embedded.instance().stop().await.expect("it stops");
    let findings = embedded.instance().snapshot().findings;
    assert!(findings.iter().all(|finding| !finding.title.contains("localhost")), "nobody is reached in our place now");
}

#[tokio::test]
async fn the_table_names_ours_and_tells_only_what_changes() {
    let home = Home::with(&Ports::free());
    let sources =
        Sources::new(home.path(), InstanceId::default(), None, Environment::empty()).expect("the home exists");
    let host = Host::new().expect("threads");
    let supervisor = host.supervise(sources, cwts_server::services()).expect("the instances of the home");
    let instance = supervisor.instance("default").expect("there is always that one");
    let mut watch = PortWatch::new(supervisor);
    let first = watch.look();
    assert!(matches!(first, Some(PortNews::Rows(_))), "who opens the screen sees the table at once");

    instance.start().await.expect("free ports");
    let address = instance.address(Service::Prometheus).expect("a configured service");
    let is_metrics = |row: &ListenerRow| row.holder.address == address;
    let come = until("our metrics in the table", async || match watch.look() {
        Some(PortNews::Changed { come, .. }) => come.into_iter().find(is_metrics).filter(|row| row.ours),
        _ => None,
    });
    let row = come.await;
    assert_eq!(row.description.as_deref(), Some("Prometheus, default"), "a person knows the service, not the pid");

    instance.stop().await.expect("it stops");
    until("our metrics to leave the table", async || match watch.look() {
        Some(PortNews::Changed { gone, .. }) => gone.iter().any(is_metrics).then_some(()),
        _ => None,
    })
    .await;
    tokio::task::spawn_blocking(move || host.shutdown(std::time::Duration::from_secs(1))).await.expect("the host ends");
}
