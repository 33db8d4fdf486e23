//! Several instances in one home: made and removed, side by side in one process, and run by another process.

use std::collections::BTreeSet;
use std::fs;

use cwts_config::{Key, is_browser_blocked};
use cwts_domain::{ErrorCode, Service};
use cwts_runtime::{Instance, InstanceEvent, NewInstance, RunState, SaveTarget, SettingChange, SettingsEdit};
use cwts_tests::{
    Exit, Fleet, Home, McpClient, PortHolder, Ports, Server, command, finish, free_port, get, refuses, until, within,
};
use rustix::process::Signal;
use serde_json::Value;

async fn run(home: &Home, arguments: &[&str]) -> Exit {
    let mut program = command(home);
    program.args(arguments);
    finish(program).await
}

async fn json(home: &Home, arguments: &[&str]) -> Value {
    let exit = run(home, &[&["--json"], arguments].concat()).await;
    assert_eq!(exit.status, Some(0), "{arguments:?}: {}", exit.stderr);
    serde_json::from_str(&exit.stdout).expect("--json prints JSON")
}

/// One line on standard error with that status, which names all of these.
async fn refused(home: &Home, arguments: &[&str], status: i32, named: &[&str]) {
    let exit = run(home, arguments).await;
    assert_eq!(exit.status, Some(status), "{arguments:?}: {exit:?}");
    assert_eq!(exit.stderr.lines().count(), 1, "one line that a person can read: {:?}", exit.stderr);
    for part in named {
        assert!(exit.stderr.contains(part), "{arguments:?} must name {part}: {}", exit.stderr);
    }
}

fn ports(row: &Value) -> Vec<u16> {
    let services = row["services"].as_array().expect("a list of services");
    services.iter().map(|it| u16::try_from(it["port"].as_u64().expect("a port")).expect("a port")).collect()
}

/// The program on one instance of the home.
async fn serve(home: &Home, id: &str) -> Server {
    let mut program = command(home);
    program.args(["--instance", id, "run"]);
    Server::launch(program).await
}

/// The clients of this suite have no token of a new instance.
async fn open_to_all(home: &Home, id: &str) {
    let set = run(home, &["--instance", id, "config", "set", "security.auth", "none", "--layer", "toml"]).await;
    assert_eq!(set.status, Some(0), "{}", set.stderr);
}

async fn is_healthy(port: u16) -> bool {
    get(port, "/health").await.status == 200
}

#[tokio::test]
async fn new_instances_get_four_ports_that_are_free_and_nobody_elses() {
    let home = Home::apart(&Ports::free());
    let mut given = BTreeSet::new();
    for id in ["one", "two", "three"] {
        let row = json(&home, &["instances", "create", id]).await;
        assert_eq!(row["state"], "stopped", "making does not start");
        for port in ports(&row) {
            assert!(given.insert(port), "{port} belongs to another instance already");
            assert!(!is_browser_blocked(port), "a browser would refuse {port}");
            assert!(refuses(port), "{port} was tested");
        }
    }
    let list = json(&home, &["instances", "list"]).await;
    let ids: Vec<&str> = list.as_array().expect("a list").iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!(ids, ["default", "one", "three", "two"], "the default instance is always there, and first");

    open_to_all(&home, "one").await;
    open_to_all(&home, "two").await;
    let (one, two) = (serve(&home, "one").await, serve(&home, "two").await);
    for server in [&one, &two] {
        McpClient::connect(server.url(Service::McpWebsocket)).await;
    }
    let list = run(&home, &["instances", "list"]).await.stdout;
    assert!(list.contains(&format!("running, pid {}", one.pid())), "a person sees what runs and as what: {list}");
}

#[tokio::test]
async fn ports_that_are_named_must_be_free_and_nobody_elses() {
    let own = Ports::free();
    let home = Home::apart(&own);
    let [a, b, c, d] = Ports::free().all();
    let named = |ports: [u16; 4]| ports.map(|port| port.to_string()).join(",");
    let create = |ports: [u16; 4]| ["instances", "create", "desk", "--ports", &named(ports)].map(str::to_owned);
    let holder = PortHolder::take(b).await;
    for (ports, status, named) in [
        ([a, b, c, d], 3, format!("Port {b} of MCP HTTP API is held by")),
        ([a, a, c, d], 2, format!("share port {a}")),
        ([a, own.of(Service::Health), c, d], 2, "is set for instance default".to_owned()),
        ([a, 0, c, d], 2, "0 is no port".to_owned()),
    ] {
        let words = create(ports);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        refused(&home, &words, status, &[&named, "."]).await;
    }
    refused(&home, &["instances", "create", "desk", "--ports", "5010"], 2, &["1 ports, not four", "MCP WebSocket"])
        .await;
    for wrong in ["a,b,c,d", "70000,1,2,3", ""] {
        refused(&home, &["instances", "create", "desk", "--ports", wrong], 2, &["whole number from 1 to 65535"]).await;
    }
    refused(&home, &["instances", "create", "../desk"], 2, &["is no instance id", "letters"]).await;
    assert!(!home.path().join("config/instances/desk.toml").exists(), "what is refused leaves nothing behind");
    holder.end().await;
    let row = json(&home, &["instances", "create", "desk", "--ports", &named([a, b, c, d])]).await;
    assert_eq!(ports(&row), [a, b, c, d], "a choice is kept");
    refused(&home, &["instances", "create", "desk"], 2, &["desk exists already"]).await;
}

#[tokio::test]
async fn a_clone_has_the_settings_of_its_original_and_ports_of_its_own() {
    let home = Home::apart(&Ports::free());
    home.write_toml(&format!("{}[log]\nlevel = \"debug\"\n", home.toml()));
    let row = json(&home, &["instances", "clone", "default", "copy"]).await;
    let default = json(&home, &["instances", "list"]).await;
    assert!(ports(&row).iter().all(|port| !ports(&default[0]).contains(port)), "both can run at once: {row}");
    let level = run(&home, &["--instance", "copy", "config", "get", "log.level"]).await;
    assert_eq!(level.stdout.trim(), "debug", "settings are what a clone is for");
    refused(&home, &["instances", "clone", "nobody", "copy2"], 2, &["There is no instance nobody"]).await;
}

#[tokio::test]
async fn a_running_instance_is_not_removed_and_a_stopped_one_keeps_its_data() {
    let home = Home::apart(&Ports::free());
    json(&home, &["instances", "create", "desk"]).await;
    let server = serve(&home, "desk").await;
    let data = home.path().join("data/desk");
    fs::write(data.join("orders"), "one").expect("the data folder is there");
    let pid = server.pid().to_string();
    refused(&home, &["instances", "remove", "desk", "--data"], 3, &["desk", &pid, "Stop it first"]).await;
    assert!(is_healthy(port_of(&server, Service::Health)).await, "it must not notice");
    refused(&home, &["instances", "clone", "desk", "copy", "--with-data"], 3, &[&pid, "Stop it first"]).await;

    let said = run(&home, &["instances", "stop", "desk"]).await;
    assert_eq!(said.status, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains(&pid), "a person reads which process ended: {}", said.stdout);
    refused(&home, &["instances", "stop", "desk"], 1, &["does not run"]).await;

    let said = run(&home, &["instances", "remove", "desk"]).await.stdout;
    assert!(said.contains(&data.display().to_string()), "what stays is named: {said}");
    assert!(data.join("orders").exists() && !home.path().join("config/instances/desk.toml").exists(), "{said}");
    json(&home, &["instances", "create", "desk"]).await;
    let gone = run(&home, &["instances", "remove", "desk", "--data"]).await;
    assert!(gone.status == Some(0) && !data.exists(), "asked for, data goes too: {gone:?}");
    refused(&home, &["instances", "remove", "default", "--data"], 2, &["cannot be removed"]).await;
    refused(&home, &["instances", "remove", "desk"], 2, &["There is no instance desk"]).await;
}

fn port_of(server: &Server, service: Service) -> u16 {
    let url = server.url(service);
    let authority = url.split('/').nth(2).expect("a URL names host and port");
    authority.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

#[tokio::test]
async fn one_process_runs_several_instances_side_by_side() {
    let home = Home::apart(&Ports::free());
    let fleet = Fleet::open(&home);
    let desk = NewInstance { id: "desk".to_owned(), ..NewInstance::default() };
    fleet.supervisor().create(desk.clone()).await.expect("four ports are free");
    assert_eq!(fleet.ids(), ["default", "desk"], "it is there at once");
    open_to_all(&home, "desk").await;
    let mut clients = Vec::new();
    for id in ["default", "desk"] {
        let running = fleet.instance(id).start().await.expect("ports of its own");
        clients.push(McpClient::connect(&running.services[0].url).await);
    }
    let refused = fleet.supervisor().create(desk).await.expect_err("an id is given once");
    assert_eq!(refused.code, ErrorCode::InvalidInput, "{refused}");
    let refused = fleet.supervisor().remove("desk", false).await.expect_err("it runs");
    assert_eq!(refused.code, ErrorCode::InstanceRunning, "{refused}");

    let stopped = fleet.instance("desk").stop().await.expect("it stops");
    assert_eq!(stopped.state, RunState::Stopped);
    let answer = clients[0].call("server_info", serde_json::json!({})).await;
    answer.ok();
    fleet.supervisor().remove("desk", true).await.expect("it is stopped");
    assert_eq!(fleet.ids(), ["default"], "it is gone at once");
}

/// Moves the WebSocket of an instance for this run, so that no file tells of it.
async fn move_for_this_run(instance: &Instance, port: u16) {
    let changes = vec![SettingChange::set(Key::Port(Service::McpWebsocket), port)];
    let expected_revision = instance.snapshot().revision;
    let moved = instance.change(SettingsEdit { expected_revision, changes, save: SaveTarget::ThisRun }).await;
    moved.expect("a free port");
}

#[tokio::test]
async fn two_instances_of_one_process_are_told_apart_by_what_they_have_bound() {
    let ports = Ports::free();
    let home = Home::apart(&ports);
    let fleet = Fleet::open(&home);
    fleet.supervisor().create(NewInstance { id: "desk".to_owned(), ..NewInstance::default() }).await.expect("made");
    let [default, desk] = ["default", "desk"].map(|id| fleet.instance(id));
    default.start().await.expect("free ports");
    desk.start().await.expect("ports of its own");
    let (old, new) = (ports.of(Service::McpWebsocket), free_port());
    let own = desk.snapshot().services[0].port.value;
    move_for_this_run(&default, new).await;
    move_for_this_run(&desk, old).await;

    let by = |id: &str, port: u16| format!("{port} is held by instance {id}, pid {}.", std::process::id());
    let seen = desk.check_port(Service::McpWebsocket, new).await;
    assert_eq!(seen.message, by("default", new), "no file names that port");
    let seen = default.check_port(Service::McpWebsocket, old).await;
    assert_eq!(seen.message, by("desk", old), "the file says that it is of default, which has left it");
    let card = default.conflict(Service::McpWebsocket, old).await.expect("it is held");
    assert_eq!(card.owner.instance.as_deref(), Some("desk"), "the card says the same: {card:?}");
    let seen = default.check_port(Service::McpWebsocket, own).await;
    assert!(!seen.held, "what desk has left is held by nobody: {seen:?}");

    // Another process sees the same.
    let said = run(&home, &["--json", "check-ports"]).await;
    let report: Value = serde_json::from_str(&said.stdout).expect("--json prints JSON");
    let websocket = &report[0];
    assert_eq!(
        (&websocket["state"], &websocket["owner"]["instance"]),
        (&"taken".into(), &"desk".into()),
        "{websocket}"
    );
}

#[tokio::test]
async fn instances_of_one_process_that_start_at_once_give_way_to_each_other() {
    let home = Home::empty();
    home.write_table(&Ports::free());
    fs::create_dir_all(home.path().join("config/instances")).expect("writable");
    for id in ["a", "b", "c"] {
        fs::write(home.path().join(format!("config/instances/{id}.toml")), "").expect("writable");
    }
    let fleet = Fleet::open(&home);
    let [a, b, c] = ["a", "b", "c"].map(|id| fleet.instance(id));
    let started = tokio::join!(a.start(), b.start(), c.start());
    for snapshot in [started.0, started.1, started.2] {
        let snapshot = snapshot.expect("ports that nobody chose give way, whoever binds first");
        assert_eq!(snapshot.state, RunState::Running, "{}", snapshot.instance);
    }
}

#[tokio::test]
async fn a_clone_with_data_goes_on_from_the_account_of_its_original() {
    let home = Home::apart(&Ports::free());
    json(&home, &["instances", "create", "desk"]).await;
    open_to_all(&home, "desk").await;
    let desk = serve(&home, "desk").await;
    let mut client = McpClient::connect(desk.url(Service::McpWebsocket)).await;
    let order = serde_json::json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": 3 });
    client.call("place_order", order).await.ok();
    let waiting =
        serde_json::json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "limit", "quantity": 1, "price": 95 });
    client.call("place_order", waiting).await.ok();
    let state = async |client: &mut McpClient| {
        let mut state = Vec::new();
        for tool in ["get_account", "list_orders", "get_fills"] {
            state.push(client.call(tool, serde_json::json!({})).await.ok());
        }
        let [account, orders, fills] = &mut state[..] else { panic!("three answers: {state:?}") };
        assert_eq!(account["open_orders"], 1, "the limit order waits: {account}");
        // Grows with every event of the exchange.
        orders["orders"][0]["sequence"] = Value::Null;
        ([&account["cash"], &account["fees_paid"], &orders["orders"], &fills["fills"]]).map(Value::clone)
    };
    let before = state(&mut client).await;
    drop(client);
    assert_eq!(desk.stop(Signal::TERM).await.status, Some(0), "a copy needs data that nobody writes");

    let row = json(&home, &["instances", "clone", "desk", "copy", "--with-data"]).await;
    assert!(row["data_bytes"].as_u64() > Some(0), "the journal is copied: {row}");
    for own in ["tokens", "instance.lock", "audit.jsonl"] {
        assert!(!home.path().join("data/copy").join(own).exists(), "{own} belongs to one instance alone");
    }
    let (desk, copy) = (serve(&home, "desk").await, serve(&home, "copy").await);
    let mut client = McpClient::connect(copy.url(Service::McpWebsocket)).await;
    assert_eq!(state(&mut client).await, before, "account, open orders and fills go on in the copy");
    client.call("close_position", serde_json::json!({ "symbol": "TESTUSD" })).await.ok();
    let mut original = McpClient::connect(desk.url(Service::McpWebsocket)).await;
    assert_eq!(state(&mut original).await, before, "and what the copy does is its own affair");
    refused(&home, &["instances", "clone", "desk", "desk2", "--with-data"], 3, &["Stop it first"]).await;
    let owner = |id: &str| fs::read_to_string(home.path().join(format!("data/{id}/tokens/owner"))).expect("a token");
    assert_ne!(owner("desk"), owner("copy"), "a token opens one instance, never two");
}

#[tokio::test]
async fn a_change_of_ports_does_not_take_those_of_another_instance() {
    let home = Home::apart(&Ports::free());
    let fleet = Fleet::open(&home);
    let created = fleet.supervisor().create(NewInstance { id: "desk".to_owned(), ..NewInstance::default() }).await;
    let theirs = created.expect("four ports are free").services[0].port.value;
    let check = fleet.instance("default").check_port(Service::McpWebsocket, theirs).await;
    assert!(check.message.contains("desk"), "the form says whose port it is: {check:?}");
}

#[tokio::test]
async fn what_the_command_line_makes_and_removes_appears_and_vanishes() {
    let home = Home::apart(&Ports::free());
    let fleet = Fleet::open(&home);
    let mut events = fleet.supervisor().subscribe();
    json(&home, &["instances", "create", "desk"]).await;
    fleet.shows("desk", "the new instance", |snapshot| (snapshot.state == RunState::Stopped).then_some(())).await;
    run(&home, &["instances", "remove", "desk"]).await;
    until("the instance to vanish", async || (fleet.ids() == ["default"]).then_some(())).await;
    let mut told = Vec::new();
    while let Ok(envelope) = events.try_recv() {
        told.push(format!("{} {}", envelope.instance, serde_json::to_value(&envelope.event).expect("JSON")["type"]));
    }
    assert!(told.contains(&"desk \"snapshot\"".to_owned()), "windows learn of the new one: {told:?}");
    assert_eq!(told.last().map(String::as_str), Some("desk \"removed\""), "and that it is gone: {told:?}");
}

#[tokio::test]
async fn an_instance_that_another_process_runs_can_be_attached_and_ended() {
    let ports = Ports::free();
    let home = Home::apart(&ports);
    // As an orphan: its ports are known to its own environment alone.
    let orphan_ports = Ports::free();
    let mut program = command(&home);
    program.env("MCP_HTTP_PORT", orphan_ports.of(Service::McpHttp).to_string()).arg("run");
    let orphan = Server::launch(program).await;
    let fleet = Fleet::open(&home);
    let found = fleet.shows("default", "the orphan", |snapshot| snapshot.elsewhere.clone()).await;
    assert_eq!(found.pid, orphan.pid(), "the lock says who runs it");
    assert_eq!(found.process.as_deref(), Some("cwts-ultra"), "a person knows programs by their names");
    assert!(!found.attached, "nothing is shown of it before somebody asks");
    assert_eq!(fleet.instance("default").snapshot().state, RunState::Stopped, "nothing runs here");

    let refused = fleet.instance("default").start().await.expect_err("a second one would share its data");
    assert_eq!(refused.code, ErrorCode::InstanceRunning, "{refused}");
    assert!(refused.message.contains(&orphan.pid().to_string()), "the first one is named: {refused}");

    let attached = fleet.instance("default").attach().await.expect("it answers on loopback");
    assert_eq!(attached.state, RunState::Running, "the picture is that of the other process");
    assert_eq!(attached.problem, None, "a start that was refused is no trouble of what runs");
    let http = attached.services.iter().find(|it| it.service == Service::McpHttp).expect("four services");
    assert_eq!(http.port.value, orphan_ports.of(Service::McpHttp), "its environment decides, not the file");
    let mut events = fleet.supervisor().subscribe();
    let _client = McpClient::connect(&attached.services[0].url).await;
    let clients = |snapshot: &cwts_runtime::Snapshot| (snapshot.services[0].clients == 1).then_some(());
    fleet.shows("default", "the client of the other process", clients).await;
    let named = async {
        loop {
            if let InstanceEvent::Sample { connected, .. } = events.recv().await.expect("events go on").event
                && let Some(client) = connected.clients.into_iter().find(|it| it.name == "cwts-tests")
            {
                return client;
            }
        }
    };
    let named = within("the client's name, as the other process tells it", named).await;
    assert!(
        named.address.is_loopback() && named.service == Service::McpWebsocket,
        "and what is known there: {named:?}"
    );

    let ended = fleet.instance("default").end_elsewhere().await.expect("it is ours");
    assert_eq!((ended.elsewhere, ended.state), (None, RunState::Stopped), "nobody runs it now");
    assert!(ports.all().into_iter().all(refuses), "the process has ended, not only promised to");
    fleet.instance("default").start().await.expect("afterwards it can be started here");
}

#[tokio::test]
async fn an_attached_process_that_ends_by_itself_leaves_a_stopped_instance() {
    let home = Home::apart(&Ports::free());
    let orphan = Server::start(&home).await;
    let fleet = Fleet::open(&home);
    fleet.shows("default", "the orphan", |snapshot| snapshot.elsewhere.clone()).await;
    fleet.instance("default").attach().await.expect("it answers on loopback");
    orphan.stop(Signal::TERM).await;
    let stopped = |snapshot: &cwts_runtime::Snapshot| snapshot.elsewhere.is_none().then_some(snapshot.state);
    let state = fleet.shows("default", "the end of the orphan", stopped).await;
    assert_eq!(state, RunState::Stopped, "a picture of what has ended must not stay");
    let refused = fleet.instance("default").attach().await.expect_err("there is nothing to attach to");
    assert_eq!(refused.code, ErrorCode::WrongState, "{refused}");
}

#[tokio::test]
async fn a_port_that_two_profiles_have_by_hand_is_told_before_one_of_them_fails() {
    let ports = Ports::free();
    let home = Home::apart(&ports);
    fs::create_dir_all(home.path().join("config/instances")).expect("writable");
    let health = ports.of(Service::Health);
    let desk = format!("[monitoring]\nmetrics_port = {health}\n");
    fs::write(home.path().join("config/instances/desk.toml"), desk).expect("writable");
    let fleet = Fleet::open(&home);
    for (id, other) in [("default", "desk"), ("desk", "default")] {
        let findings = fleet.supervisor().instance(id).expect("it is open").snapshot().findings;
        let title = format!("Port {health} is also set for instance {other}");
        let found = findings.iter().filter(|finding| finding.title == title).count();
        assert_eq!(found, 1, "{id} must say {title:?} once, and nothing of ports that nobody chose: {findings:?}");
        let said = findings.iter().filter(|finding| finding.title.contains("also set for")).count();
        assert_eq!(said, 1, "the other ports clash with nobody's choice: {findings:?}");
    }
}
