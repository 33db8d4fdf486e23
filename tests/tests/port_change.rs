//! A port change is a transaction: it happens whole, and whoever is not concerned notices nothing.

use std::fs;

use cwts_config::{Environment, Key, Layer};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_runtime::{RunState, SaveTarget, SettingChange, SettingsEdit};
use cwts_tests::{Embedded, Home, HttpSession, McpClient, PortHolder, Ports, free_port, get, released};
use serde_json::json;

use Service::{Health, McpHttp, McpWebsocket, Prometheus};

fn url(port: u16) -> String {
    format!("ws://127.0.0.1:{port}/mcp")
}

async fn answers(client: &mut McpClient) -> bool {
    client.call("server_info", json!({})).await.ok()["paper_trading"] == true
}

/// Everything that a failed change must leave as it was.
#[derive(Debug, PartialEq)]
struct World {
    revision: u64,
    ports: [u16; 4],
    toml: String,
    env: String,
}

impl World {
    fn of(embedded: &Embedded) -> Self {
        let (snapshot, home) = (embedded.instance().snapshot(), embedded.home());
        let ports = Service::ALL.map(|service| embedded.port(service));
        Self { revision: snapshot.revision, ports, toml: home.toml(), env: home.env() }
    }
}

async fn all_released(ports: [u16; 4]) {
    for port in ports {
        assert!(released(port).await, "a stopped instance holds no port, {port} neither");
    }
}

/// Tries a change that must fail, and checks that a client with an open session and new ones notice nothing.
async fn fails(embedded: &Embedded, ports: &[(Service, u16)], save: SaveTarget) -> Problem {
    let before = World::of(embedded);
    let mut client = McpClient::connect(&embedded.url(McpWebsocket)).await;
    let problem = embedded.move_ports(ports, save).await.expect_err("the change must fail");
    assert_eq!(World::of(embedded), before, "a failed change leaves the world as it was: {problem}");
    assert!(answers(&mut client).await, "an open session goes on after a failed change: {problem}");
    McpClient::connect(&url(before.ports[0])).await;
    for (service, port) in Service::ALL.into_iter().zip(before.ports).skip(1) {
        let reply = get(port, if service == McpHttp { "/api/v1/status" } else { service.path() }).await;
        assert_eq!(reply.status, 200, "{service} answers on {port} as before: {problem}");
    }
    problem
}

#[tokio::test]
async fn moving_the_mcp_port_moves_its_clients_and_nobody_else() {
    let embedded = Embedded::start().await;
    let (old, new) = (embedded.port(McpWebsocket), free_port());
    let mut moved = McpClient::connect(&url(old)).await;
    let session = HttpSession::connect(&embedded.url(McpHttp)).await;
    let mut events = session.listen().await;
    let snapshot = embedded.move_ports(&[(McpWebsocket, new)], SaveTarget::EnvFile).await.expect("a free port");
    assert_eq!(snapshot.state, RunState::Running, "a move stops nothing");
    assert!(released(old).await, "after a move the old port must refuse, or clients keep talking to a ghost");
    let mut client = McpClient::connect(&url(new)).await;
    assert!(answers(&mut client).await, "the new port serves as soon as the change is done");
    assert_eq!(moved.socket().close_code().await, 1012, "service restart: the client is to connect again");
    assert!(moved.socket().ended().await, "the old connection ends in order");
    assert!(session.call("server_info", json!({})).await.ok().is_object(), "the session over HTTP goes on");
    assert!(events.is_open(), "the event stream of another port is none of its business");
    for (service, path) in [(Prometheus, "/metrics"), (Health, "/health")] {
        assert_eq!(get(embedded.port(service), path).await.status, 200, "{service} answers as before");
    }
}

#[tokio::test]
async fn moving_the_http_port_ends_its_event_streams_in_order() {
    let embedded = Embedded::start().await;
    let old = embedded.port(McpHttp);
    let mut websocket = McpClient::connect(&embedded.url(McpWebsocket)).await;
    let session = HttpSession::connect(&embedded.url(McpHttp)).await;
    let mut events = session.listen().await;
    embedded.move_ports(&[(McpHttp, free_port())], SaveTarget::EnvFile).await.expect("a free port");
    assert!(released(old).await, "the old port refuses");
    assert!(events.ended_in_order().await, "a stream that ends whole is opened again by the client");
    let session = HttpSession::connect(&embedded.url(McpHttp)).await;
    assert!(session.call("server_info", json!({})).await.ok().is_object(), "the new port serves");
    assert!(answers(&mut websocket).await, "WebSockets of another port go on");
}

#[tokio::test]
async fn moving_the_metrics_leaves_an_open_websocket_alone() {
    let embedded = Embedded::start().await;
    let (old, new) = (embedded.port(Prometheus), free_port());
    let mut client = McpClient::connect(&embedded.url(McpWebsocket)).await;
    let address = client.socket().local_address();
    embedded.move_ports(&[(Prometheus, new)], SaveTarget::Toml).await.expect("a free port");
    assert!(answers(&mut client).await, "a call on the open WebSocket still works");
    assert_eq!(client.socket().local_address(), address, "on the same connection");
    assert_eq!(get(new, "/metrics").await.status, 200, "the new port is scraped");
    assert!(released(old).await, "the old one refuses");
}

#[tokio::test]
async fn two_services_swap_their_ports() {
    let embedded = Embedded::start().await;
    let (metrics, health) = (embedded.port(Prometheus), embedded.port(Health));
    let swap = [(Prometheus, health), (Health, metrics)];
    embedded.move_ports(&swap, SaveTarget::EnvFile).await.expect("both ports are ours");
    assert_eq!(get(health, "/metrics").await.status, 200, "metrics are where health was");
    assert_eq!(get(metrics, "/health").await.status, 200, "and the other way round");
    assert_eq!(get(health, "/health").await.status, 404, "nothing of the old service is left");
}

#[tokio::test]
async fn a_taken_port_names_its_holder_and_changes_nothing() {
    let embedded = Embedded::start().await;
    let holder = PortHolder::start().await;
    let problem = fails(&embedded, &[(McpWebsocket, holder.port())], SaveTarget::EnvFile).await;
    assert_eq!(problem.code, ErrorCode::PortTaken, "the form marks the field: {problem}");
    assert_eq!(problem.field.as_deref(), Some("mcp-websocket"), "the field that is to blame");
    let said = problem.message.as_str();
    assert!(
        said.contains("python") && said.contains(&format!("pid {}", holder.pid())),
        "a person must find the holder: {said}"
    );
    assert!(problem.help.is_some_and(|help| !help.is_empty()), "and is offered a way out");
    // A good move beside a bad one: all or nothing.
    let both = [(Health, free_port()), (Prometheus, holder.port())];
    let problem = fails(&embedded, &both, SaveTarget::Toml).await;
    assert_eq!(problem.field.as_deref(), Some("prometheus"), "only one of the two is to blame: {problem}");
    assert!(released(both[0].1).await, "the socket that was bound for the good half is closed again");
}

#[tokio::test]
async fn a_save_to_production_toml_keeps_comments_and_other_lines() {
    let embedded = Embedded::start().await;
    let (before, old, new) = (embedded.home().toml(), embedded.port(McpWebsocket), free_port());
    let snapshot = embedded.move_ports(&[(McpWebsocket, new)], SaveTarget::Toml).await.expect("a free port");
    let expected = before.replace(&format!("mcp_port = {old} "), &format!("mcp_port = {new} "));
    assert_ne!(expected, before, "the test looks at the right line");
    assert_eq!(embedded.home().toml(), expected, "an edit changes what the person changed and nothing else");
    let origin = &snapshot.services[0].port.origin;
    assert_eq!(origin.file.as_deref(), Some(embedded.home().toml_file().as_path()), "the port knows its file");
    assert_eq!(origin.line, Some(3), "and its line");
}

#[tokio::test]
async fn a_save_to_ports_env_keeps_comments_and_other_lines() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let env =
        |port: u16| format!("# My ports.\nexport EDITOR=vi\nexport MCP_SERVER_PORT={port}   # the bot\n\n# end\n");
    home.write_env(&env(ports.of(McpWebsocket)));
    let embedded = Embedded::start_in(home, Environment::empty()).await;
    let (websocket, metrics) = (free_port(), free_port());
    embedded.move_ports(&[(McpWebsocket, websocket)], SaveTarget::EnvFile).await.expect("a free port");
    assert_eq!(embedded.home().env(), env(websocket), "comments, order and foreign lines stay");
    embedded.move_ports(&[(Prometheus, metrics)], SaveTarget::EnvFile).await.expect("a free port");
    let added = embedded.home().env();
    assert!(added.starts_with(&env(websocket)), "a new line comes after what a person wrote: {added}");
    assert!(added.contains(&format!("PROMETHEUS_PORT={metrics}")), "the new line is there: {added}");
    assert_eq!(embedded.home().toml(), ports.toml(), "the other file is not touched");
    let again = Embedded::open(Home::with(&ports), Environment::empty());
    again.home().write_env(&added);
    let bound = Service::ALL.map(|service| embedded.port(service));
    drop(embedded);
    all_released(bound).await;
    again.instance().start().await.expect("what was saved can be loaded");
    assert_eq!(again.port(McpWebsocket), websocket, "the next start uses what was saved");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_changes_nothing() {
    let embedded = Embedded::start().await;
    // A folder in place of the file stops root too.
    fs::create_dir(embedded.home().env_file()).expect("a folder in place of ports.env");
    let new = free_port();
    let problem = fails(&embedded, &[(McpWebsocket, new)], SaveTarget::EnvFile).await;
    let codes = [ErrorCode::SaveFailed, ErrorCode::ConfigInvalid];
    assert!(codes.contains(&problem.code), "{:?} must say that the file is to blame: {problem}", problem.code);
    assert!(problem.to_string().contains("ports.env"), "a person must learn which file: {problem}");
    assert!(released(new).await, "the socket that was bound for the move is closed again");
    fs::remove_dir(embedded.home().env_file()).expect("the folder is empty");
    embedded.move_ports(&[(McpWebsocket, new)], SaveTarget::EnvFile).await.expect("the cause is gone");
}

#[tokio::test]
async fn a_missing_config_folder_that_cannot_be_made_changes_nothing() {
    let ports = Ports::free();
    let home = Home::empty();
    fs::remove_dir(home.path().join("config")).expect("the folder is empty");
    fs::write(home.path().join("config"), "in the way").expect("a file in place of the folder");
    let names = Service::ALL.map(|service| (service.port_variable(), ports.of(service).to_string()));
    let embedded = Embedded::open(home, Environment::from(names));
    // What stands where the folder should be makes the configuration unreadable, or else the save fails.
    match embedded.instance().start().await {
        Err(problem) => {
            assert_eq!(problem.code, ErrorCode::ConfigInvalid, "a start says what is in the way: {problem}")
        }
        Ok(_) => {
            let problem = fails(&embedded, &[(McpWebsocket, free_port())], SaveTarget::Toml).await;
            assert!(matches!(problem.code, ErrorCode::SaveFailed | ErrorCode::Shadowed), "a move does: {problem}");
        }
    }
}

#[tokio::test]
async fn a_save_below_a_stronger_layer_is_refused() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    home.write_env(&format!("export PROMETHEUS_PORT={}\n", ports.of(Prometheus)));
    let variables = [("MCP_SERVER_PORT", ports.of(McpWebsocket).to_string())];
    let embedded = Embedded::start_in(home, Environment::from(variables)).await;
    for save in [SaveTarget::EnvFile, SaveTarget::Toml] {
        let problem = fails(&embedded, &[(McpWebsocket, free_port())], save).await;
        assert_eq!(
            problem.code,
            ErrorCode::Shadowed,
            "a port that comes back at the next start is no change: {problem}"
        );
        assert!(problem.to_string().contains("MCP_SERVER_PORT"), "the variable to unset is named: {problem}");
    }
    let problem = fails(&embedded, &[(Prometheus, free_port())], SaveTarget::Toml).await;
    assert_eq!(problem.code, ErrorCode::Shadowed, "ports.env hides production.toml: {problem}");
    assert!(problem.to_string().contains("ports.env"), "the file that hides it is named: {problem}");
    let port = free_port();
    embedded.move_ports(&[(Prometheus, port)], SaveTarget::EnvFile).await.expect("ports.env decides this one");
    assert_eq!(get(port, "/metrics").await.status, 200, "and moves it");
}

#[tokio::test]
async fn a_stale_revision_is_a_conflict() {
    let embedded = Embedded::start().await;
    let stale = embedded.instance().snapshot().revision;
    embedded.move_ports(&[(Health, free_port())], SaveTarget::EnvFile).await.expect("a free port");
    let before = World::of(&embedded);
    let changes = vec![SettingChange::set(Key::Port(Health), free_port())];
    let edit = SettingsEdit { expected_revision: stale, changes, save: SaveTarget::EnvFile };
    let problem = embedded.instance().change(edit).await.expect_err("another window was first");
    assert_eq!(problem.code, ErrorCode::RevisionConflict, "the form shows the new state: {problem}");
    assert_eq!(World::of(&embedded), before, "the second of two windows must not overwrite the first");
}

#[tokio::test]
async fn an_edit_made_by_hand_meanwhile_is_not_overwritten() {
    let embedded = Embedded::start().await;
    let by_hand = embedded.home().toml().replace("metrics_port = ", "metrics_port = 1");
    embedded.home().write_toml(&by_hand);
    let before = World::of(&embedded);
    let moved = embedded.move_ports(&[(Prometheus, free_port())], SaveTarget::Toml).await;
    let problem = moved.expect_err("a person changed the same value in an editor");
    // The edit is noticed as well, before or after the move: its finding is a revision of its own.
    let after = World { revision: before.revision, ..World::of(&embedded) };
    assert_eq!(after, before, "what was written by hand stays: {problem}");
}

#[tokio::test]
async fn two_services_cannot_share_a_port() {
    let embedded = Embedded::start().await;
    let problem = fails(&embedded, &[(Prometheus, embedded.port(Health))], SaveTarget::EnvFile).await;
    assert_eq!(problem.code, ErrorCode::InvalidInput, "the form marks the field: {problem}");
    let problem = fails(&embedded, &[(Prometheus, 0)], SaveTarget::EnvFile).await;
    assert_eq!(problem.code, ErrorCode::InvalidInput, "0 would mean any port: {problem}");
    let problem = fails(&embedded, &[], SaveTarget::EnvFile).await;
    assert_eq!(problem.code, ErrorCode::InvalidInput, "a change that names nothing is a mistake: {problem}");
}

#[tokio::test]
async fn a_port_of_this_run_only_is_written_nowhere_and_ends_with_the_run() {
    let embedded = Embedded::start().await;
    let (toml, old, new) = (embedded.home().toml(), embedded.port(McpWebsocket), free_port());
    let snapshot = embedded.move_ports(&[(McpWebsocket, new)], SaveTarget::ThisRun).await.expect("a free port");
    McpClient::connect(&url(new)).await;
    let layer = snapshot.services[0].port.origin.layer;
    assert_eq!(layer, Layer::ThisRun, "the panel shows that it will not last");
    assert_eq!((embedded.home().toml(), embedded.home().env()), (toml, String::new()), "no file was written");
    let bound = Service::ALL.map(|service| embedded.port(service));
    embedded.instance().stop().await.expect("it stops");
    all_released(bound).await;
    embedded.instance().start().await.expect("it starts again");
    assert_eq!(embedded.port(McpWebsocket), old, "the next run is on the port of the file");
    McpClient::connect(&url(old)).await;
}

#[tokio::test]
async fn a_move_while_stopped_counts_at_the_next_start() {
    let embedded = Embedded::open(Home::with(&Ports::free()), Environment::empty());
    let holder = PortHolder::start().await;
    let moved = embedded.move_ports(&[(McpWebsocket, holder.port())], SaveTarget::Toml).await;
    assert_eq!(
        moved.expect_err("taken").code,
        ErrorCode::PortTaken,
        "a port that cannot be bound is refused while stopped"
    );
    let new = free_port();
    embedded.move_ports(&[(McpWebsocket, new)], SaveTarget::Toml).await.expect("a free port");
    assert!(released(new).await, "a stopped instance binds nothing");
    embedded.instance().start().await.expect("it starts");
    McpClient::connect(&url(new)).await;
}
