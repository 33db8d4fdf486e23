//! A change of any settings at once: it happens whole, or the world is as it was.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use cwts_config::{Environment, Key, Layer};
use cwts_domain::{ErrorCode, Group, Service, Step};
use cwts_runtime::{RunState, SaveTarget, ServiceState, SettingChange, Surroundings};
use cwts_tests::{Embedded, Faults, Home, McpClient, PortHolder, Ports, absent_address, answers, free_port};
use serde_json::json;

use SaveTarget::{EnvFile, ThisRun, Toml};
use Service::{Health, McpHttp, McpWebsocket, Prometheus};

fn port(service: Service, port: u16) -> SettingChange {
    SettingChange::set(Key::Port(service), port)
}

fn bind(group: Group, address: &str) -> SettingChange {
    SettingChange::set(Key::BindAddr(group), address)
}

fn at(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip.parse().expect("an address"), port)
}

async fn lives(client: &mut McpClient) -> bool {
    client.call("server_info", json!({})).await.ok()["paper_trading"] == true
}

/// An instance on a system that can be told to refuse.
async fn on_faults() -> (Embedded, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let surroundings = Surroundings { checkpoints: faults.clone(), ..Surroundings::default() };
    let embedded = Embedded::open_in(surroundings, Home::with(&Ports::free()), Environment::empty());
    embedded.instance().start().await.expect("the ports are free");
    (embedded, faults)
}

/// Everything that a failed change must leave as it was.
#[derive(Debug, PartialEq)]
struct World {
    revision: u64,
    sockets: [Option<SocketAddr>; 4],
    toml: String,
    env: String,
}

fn world(embedded: &Embedded) -> World {
    let sockets = Service::ALL.map(|service| embedded.instance().address(service));
    let revision = embedded.instance().snapshot().revision;
    World { revision, sockets, toml: embedded.home().toml(), env: embedded.home().env() }
}

/// Every service answers on the address that the snapshot says.
async fn all_answer(embedded: &Embedded, why: &str) {
    for service in Service::ALL {
        let address = embedded.instance().address(service).expect("configured");
        let ip = if address.ip().is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { address.ip() };
        let reachable = SocketAddr::new(ip, address.port());
        assert!(answers(service, reachable).await, "{why}: {service} answers on {reachable}");
    }
}

#[tokio::test]
async fn ports_and_addresses_of_several_services_change_at_once() {
    let embedded = Embedded::start().await;
    let (metrics, health) = (embedded.port(Prometheus), embedded.port(Health));
    let mut client = McpClient::connect(&embedded.url(McpWebsocket)).await;
    let changes = [bind(Group::Monitoring, "0.0.0.0"), port(Prometheus, health), port(Health, metrics)];
    let snapshot = embedded.change(changes, Toml).await.expect("two ports swap and widen");
    assert_eq!(snapshot.state, RunState::Running, "nothing stops for it");
    for ip in ["127.0.0.1", "127.0.0.2"] {
        assert!(answers(Prometheus, at(ip, health)).await, "metrics are where health was, on {ip} too");
        assert!(answers(Health, at(ip, metrics)).await, "and the other way round");
    }
    assert!(lives(&mut client).await, "a WebSocket of a service that is not concerned goes on");
    let toml = embedded.home().toml();
    assert!(toml.contains("bind_addr = \"0.0.0.0\"") && toml.starts_with("# Written by a person."), "saved: {toml}");
    let origin = &snapshot.services[2].address.origin;
    assert_eq!((origin.layer, origin.file.as_ref()), (Layer::Toml, Some(&embedded.home().toml_file())), "it is said");
}

#[tokio::test]
async fn an_address_widens_narrows_and_changes_its_family() {
    let embedded = Embedded::start().await;
    let websocket = embedded.port(McpWebsocket);
    let mut monitored = McpClient::connect(&embedded.url(McpWebsocket)).await;
    for (address, reached, given_up) in [
        ("0.0.0.0", "127.0.0.2", None),
        ("127.0.0.2", "127.0.0.2", Some("127.0.0.1")),
        ("::", "::1", None),
        ("::1", "::1", Some("127.0.0.1")),
        ("127.0.0.1", "127.0.0.1", Some("::1")),
    ] {
        let clients_port = embedded.port(Health);
        embedded.change([bind(Group::Mcp, address)], EnvFile).await.unwrap_or_else(|it| panic!("{address}: {it}"));
        assert!(answers(McpWebsocket, at(reached, websocket)).await, "{address}: it is reached on {reached}");
        if let Some(given_up) = given_up {
            assert!(!answers(McpHttp, at(given_up, embedded.port(McpHttp))).await, "{address}: {given_up} is given up");
        }
        assert!(answers(Health, at("127.0.0.1", clients_port)).await, "{address}: the other group stays");
        let saved = embedded.home().env();
        assert!(saved.contains(&format!("MCP_BIND_ADDR={address}\n")), "{address}: the file says it: {saved}");
    }
    assert_eq!(monitored.socket().close_code().await, 1012, "a client of the moved service is to connect again");
}

#[tokio::test]
async fn a_widening_that_somebody_is_in_the_way_of_names_them_and_changes_nothing() {
    let embedded = Embedded::start().await;
    let http = embedded.port(McpHttp);
    let holder = PortHolder::take_on("127.0.0.2", http).await;
    let mut client = McpClient::connect(&embedded.url(McpWebsocket)).await;
    let before = world(&embedded);
    let problem = embedded.change([bind(Group::Mcp, "0.0.0.0")], Toml).await.expect_err("held on 127.0.0.2");
    assert_eq!((problem.code, problem.field.as_deref()), (ErrorCode::PortTaken, Some("mcp-http")), "{problem}");
    assert!(problem.message.contains(&format!("pid {}", holder.pid())), "their pid, not ours: {problem}");
    assert_eq!(world(&embedded), before, "a failed change leaves the world as it was");
    assert!(lives(&mut client).await, "and its clients");
    holder.end().await;
    embedded.change([bind(Group::Mcp, "0.0.0.0")], Toml).await.expect("the cause is gone");
}

#[tokio::test]
async fn an_address_of_another_computer_changes_nothing() {
    let embedded = Embedded::start().await;
    let before = world(&embedded);
    let absent = absent_address().to_string();
    let problem = embedded.change([bind(Group::Monitoring, &absent)], Toml).await.expect_err("it is not here");
    assert_eq!(problem.code, ErrorCode::AddressUnavailable, "{problem}");
    let problem = embedded.change([bind(Group::Monitoring, "localhost")], Toml).await.expect_err("a name");
    assert_eq!((problem.code, problem.field.as_deref()), (ErrorCode::InvalidInput, Some("monitoring.bind_addr")));
    assert_eq!(world(&embedded), before, "nothing changed");
    all_answer(&embedded, "after refused addresses").await;
}

#[tokio::test]
async fn an_address_of_this_run_ends_with_the_run_and_can_be_taken_back() {
    let embedded = Embedded::start().await;
    let toml = embedded.home().toml();
    let snapshot = embedded.change([bind(Group::Mcp, "0.0.0.0")], ThisRun).await.expect("for now");
    assert_eq!(snapshot.services[0].address.origin.layer, Layer::ThisRun, "the panel shows that it will not last");
    let snapshot = embedded.change([SettingChange::remove(Key::BindAddr(Group::Mcp))], ThisRun).await.expect("back");
    assert_eq!(snapshot.services[0].address.value, IpAddr::from([127, 0, 0, 1]), "what the files say is in force");
    embedded.change([bind(Group::Mcp, "127.0.0.2")], ThisRun).await.expect("for now");
    assert_eq!(embedded.home().toml(), toml, "no file was written");
    embedded.instance().stop().await.expect("it stops");
    let snapshot = embedded.instance().start().await.expect("it starts");
    assert_eq!(snapshot.services[0].address.value, IpAddr::from([127, 0, 0, 1]), "the run has ended");
}

#[tokio::test]
async fn a_setting_that_is_taken_out_falls_back_to_the_next_layer() {
    let embedded = Embedded::start().await;
    let (configured, other) = (embedded.port(Health), free_port());
    embedded.change([port(Health, other)], EnvFile).await.expect("a free port");
    embedded.change([SettingChange::remove(Key::Port(Health))], EnvFile).await.expect("reset");
    assert_eq!(embedded.port(Health), configured, "production.toml decides again");
    assert!(answers(Health, at("127.0.0.1", configured)).await, "and the service is there");
    assert!(!embedded.home().env().contains("HEALTH_CHECK_PORT"), "the line is gone: {}", embedded.home().env());
}

#[tokio::test]
async fn settings_without_a_socket_are_saved_and_the_sockets_stay() {
    let embedded = Embedded::start().await;
    let mut client = McpClient::connect(&embedded.url(McpWebsocket)).await;
    let changes = [SettingChange::set(Key::Auth, "none"), SettingChange::set(Key::LogLevel, "debug")];
    embedded.change(changes.clone(), Toml).await.expect("every address is loopback");
    assert!(embedded.home().toml().contains("auth = \"none\""), "both are saved: {}", embedded.home().toml());
    assert!(lives(&mut client).await, "nobody was moved");
    let before = world(&embedded);
    let problem = embedded.change([bind(Group::Mcp, "0.0.0.0")], Toml).await.expect_err("open to everyone");
    assert_eq!((problem.code, problem.field.as_deref()), (ErrorCode::InvalidInput, Some("mcp.bind_addr")));
    let problem = embedded.change(changes, ThisRun).await.expect_err("not while the services run");
    assert_eq!(problem.code, ErrorCode::InvalidInput, "{problem}");
    let problem = embedded.change([SettingChange::set(Key::Tls, "on")], EnvFile).await.expect_err("no variable");
    assert_eq!((problem.code, problem.field.as_deref()), (ErrorCode::InvalidInput, Some("security.tls")), "{problem}");
    let unknown = SettingChange { key: "mcp.port".to_owned(), value: Some("1".to_owned()) };
    let problem = embedded.change([unknown], Toml).await.expect_err("no such setting");
    assert_eq!(problem.code, ErrorCode::InvalidInput, "{problem}");
    assert_eq!(world(&embedded), before, "nothing changed");
}

#[tokio::test]
async fn a_refusal_at_any_step_leaves_the_world_as_it_was() {
    let (embedded, faults) = on_faults().await;
    let steps = [Step::Bind, Step::Save, Step::SaveWritten, Step::SaveRenamed, Step::Switch, Step::Listen];
    for (step, save) in steps.into_iter().flat_map(|step| [(step, EnvFile), (step, Toml)]) {
        let what = format!("{step:?} with {save:?}");
        let before = world(&embedded);
        let (mut moved, free) = (McpClient::connect(&embedded.url(McpWebsocket)).await, free_port());
        // A new socket, a handed-over one, and one that must take the place of an old one.
        let swap = [port(Prometheus, embedded.port(Health)), port(Health, embedded.port(Prometheus))];
        let changes = swap.into_iter().chain([bind(Group::Mcp, "0.0.0.0"), port(McpHttp, free)]);
        faults.refuse(&[step]);
        let problem = embedded.change(changes, save).await.expect_err(&what);
        faults.end();
        assert_eq!(world(&embedded), before, "{what}: {problem}");
        assert!(lives(&mut moved).await, "{what}: an open session goes on: {problem}");
        assert!(!answers(McpHttp, at("127.0.0.1", free)).await, "{what}: what was bound is closed again");
        all_answer(&embedded, &what).await;
    }
    embedded.change([bind(Group::Mcp, "0.0.0.0")], Toml).await.expect("the system is well again");
    all_answer(&embedded, "afterwards").await;
}

#[tokio::test]
async fn the_second_bind_of_a_change_fails_as_the_first_does() {
    let (embedded, faults) = on_faults().await;
    let before = world(&embedded);
    let (one, two) = (free_port(), free_port());
    faults.refuse_after(1, Step::Bind);
    let problem = embedded.change([port(McpHttp, one), port(Health, two)], Toml).await.expect_err("the second");
    assert_eq!(problem.field.as_deref(), Some("health"), "the first was bound: {problem}");
    assert_eq!(world(&embedded), before, "and is closed again: {problem}");
    faults.end();
    embedded.change([port(McpHttp, one), port(Health, two)], Toml).await.expect("both are free");
}

#[tokio::test]
async fn a_socket_that_cannot_come_back_blocks_its_service_and_no_other() {
    let (embedded, faults) = on_faults().await;
    let address = embedded.instance().address(Health).expect("configured");
    let mut client = McpClient::connect(&embedded.url(McpWebsocket)).await;
    let before = (embedded.home().toml(), embedded.home().env());
    faults.refuse(&[Step::Listen, Step::ListenAgain]);
    let problem = embedded.change([bind(Group::Monitoring, "0.0.0.0")], Toml).await.expect_err("no way on, none back");
    let snapshot = embedded.instance().snapshot();
    let states: Vec<_> = snapshot.services.iter().map(|service| service.state).collect();
    use ServiceState::{Blocked, Running};
    assert_eq!(states[..2], [Running, Running], "the other group was not concerned: {problem}");
    assert!(states[2..].contains(&Blocked), "what is down is shown as down: {states:?}");
    assert!(snapshot.problem.is_some(), "and the person is told");
    assert!(lives(&mut client).await, "WebSockets of other services survive");
    assert_eq!((embedded.home().toml(), embedded.home().env()), before, "the files say what was in force");
    faults.end();
    let snapshot = embedded.instance().start().await.expect("Start serves what is missing");
    assert!(snapshot.services.iter().all(|service| service.state == Running), "all four answer again");
    assert!(snapshot.problem.is_none(), "and nothing is wrong");
    assert!(answers(Health, address).await, "on its old address");
    assert!(lives(&mut client).await, "still on the same connection");
}

#[tokio::test]
async fn a_file_that_cannot_be_put_back_is_said() {
    let (embedded, faults) = on_faults().await;
    let free = free_port();
    faults.refuse(&[Step::Switch, Step::PutBack]);
    let problem = embedded.change([port(Health, free)], Toml).await.expect_err("neither forth nor back");
    assert!(problem.message.contains("could not be taken back"), "a person must know what the file says: {problem}");
    all_answer(&embedded, "the old sockets serve").await;
}
