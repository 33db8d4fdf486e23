//! Ports in the real window: started, moved, refused and saved, with real clients connected.

use cwts_domain::Service;
use cwts_tests::desktop::{Desktop, Holder, Window};
use cwts_tests::{Exposition, Home, HttpSession, McpClient, Ports, free_port, get, refuses};
use serde_json::json;

/// The close code for a service that restarts (IANA WebSocket Close Code Number Registry).
const SERVICE_RESTART: u16 = 1012;

/// A panel whose services are stopped. Nothing where the machine cannot show one.
async fn stopped_panel() -> Option<(Desktop, Home, Ports, Window)> {
    let desktop = Desktop::start().await?;
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &["--stopped"]).await;
    Some((desktop, home, ports, window))
}

/// The same, started through its window and on the screen Ports.
async fn started_panel() -> Option<(Desktop, Home, Ports, Window)> {
    let (desktop, home, ports, window) = stopped_panel().await?;
    window.click("start").await;
    window.is("run-state", "running").await;
    window.click("nav-ports").await;
    window.see("apply").await;
    Some((desktop, home, ports, window))
}

fn websocket(port: u16) -> String {
    format!("ws://127.0.0.1:{port}/")
}

/// Asks each service what its clients ask first.
async fn all_answer(ports: &Ports) {
    McpClient::connect(&websocket(ports.of(Service::McpWebsocket))).await;
    let status = get(ports.of(Service::McpHttp), "/api/v1/status").await;
    assert_eq!(status.json()["state"], "running", "the control plane tells what the window shows: {status:?}");
    let metrics = get(ports.of(Service::Prometheus), "/metrics").await;
    assert!(!Exposition::parse(&metrics.body).families.is_empty(), "a scrape must bring metrics: {metrics:?}");
    let health = get(ports.of(Service::Health), "/health").await;
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("pass")), "a running instance is ready");
}

/// Types a port that must be free, and waits for the hint to say so.
async fn type_free_port(window: &Window, service: Service) -> u16 {
    let port = free_port();
    window.fill(&format!("port-{}", service.id()), &port.to_string()).await;
    window.says(&format!("hint-{}", service.id()), "Free").await;
    port
}

#[tokio::test]
async fn start_and_stop_in_the_window_open_and_close_all_four_ports() {
    let Some((_desktop, _home, ports, window)) = stopped_panel().await else { return };
    window.is("run-state", "stopped").await;
    assert!(ports.all().into_iter().all(refuses), "--stopped must open no port");
    let marked =
        window.execute("return !!document.querySelector(args)", json!("[data-testid='nav-ports'] [aria-label]")).await;
    assert_eq!(marked, false, "a port that a person has set is no trouble: a warning that is always there is none");
    window.click("start").await;
    window.is("run-state", "running").await;
    for service in Service::ALL {
        window.is(&format!("card-{}", service.id()), "running").await;
    }
    all_answer(&ports).await;
    window.click("stop").await;
    window.is("run-state", "stopped").await;
    assert!(ports.all().into_iter().all(refuses), "Stop must close every port");
}

#[tokio::test]
async fn a_moved_port_answers_and_the_clients_of_the_others_stay() {
    let Some((_desktop, _home, ports, window)) = started_panel().await else { return };
    let old = ports.of(Service::McpWebsocket);
    let http = HttpSession::connect(&format!("http://127.0.0.1:{}/mcp", ports.of(Service::McpHttp))).await;
    let mut events = http.listen().await;
    let mut client = McpClient::connect(&websocket(old)).await;

    let new = type_free_port(&window, Service::McpWebsocket).await;
    window.click("apply").await;
    window.says("toast", &format!("MCP WebSocket moved to {new}")).await;

    all_answer(&ports.with(Service::McpWebsocket, new)).await;
    assert!(refuses(old), "after a move the old port must refuse, or clients keep talking to a ghost");
    let code = client.socket().close_code().await;
    assert_eq!(code, SERVICE_RESTART, "a client of the old port must learn that it may connect again");
    assert!(client.socket().ended().await, "the connection must end in order");
    assert!(events.is_open(), "the event stream of another service must not notice");
    http.call("server_info", json!({})).await.ok();

    window.click("stop").await;
    assert!(events.ended_in_order().await, "the stream that survived the move must end with its own service");
}

#[tokio::test]
async fn moving_the_metrics_leaves_a_websocket_alone() {
    let Some((_desktop, _home, ports, window)) = started_panel().await else { return };
    let old = ports.of(Service::Prometheus);
    let mut client = McpClient::connect(&websocket(ports.of(Service::McpWebsocket))).await;

    let new = type_free_port(&window, Service::Prometheus).await;
    window.click("apply").await;
    window.says("toast", &format!("Prometheus moved to {new}")).await;

    assert!(refuses(old), "after a move the old port must refuse");
    Exposition::parse(&get(new, "/metrics").await.body);
    client.call("get_market_data", json!({ "symbol": "BTCUSD" })).await.ok();
}

#[tokio::test]
async fn a_port_of_another_program_is_named_and_cannot_be_applied() {
    let Some((desktop, home, ports, window)) = started_panel().await else { return };
    let taken = free_port();
    let holder = Holder::of(&desktop, taken).await;
    let (toml, env) = (home.toml(), home.env());

    window.fill("port-mcp-websocket", &taken.to_string()).await;
    let hint = window.says("hint-mcp-websocket", "python3").await;
    assert!(hint.contains(&holder.pid().to_string()), "the hint must say which process to look at: {hint}");
    assert!(!window.offers("apply").await, "a port that is taken must not be offered for applying");
    // The key asks the same as the button.
    window.chord("\u{e009}s").await;
    window.says("hint-mcp-websocket", "python3").await;

    all_answer(&ports).await;
    assert_eq!((home.toml(), home.env()), (toml, env), "a refused change must leave the files as they were");
}

#[tokio::test]
async fn a_port_taken_behind_the_forms_back_moves_nothing() {
    let Some((desktop, home, ports, window)) = started_panel().await else { return };
    let (toml, env) = (home.toml(), home.env());
    let mut client = McpClient::connect(&websocket(ports.of(Service::McpWebsocket))).await;
    // Two changes at once: the one that is possible must not happen either.
    type_free_port(&window, Service::McpWebsocket).await;
    let taken = type_free_port(&window, Service::Health).await;
    let holder = Holder::of(&desktop, taken).await;

    window.click("apply").await;
    let hint = window.says("hint-health", "python3").await;
    assert!(hint.contains(&holder.pid().to_string()), "the refusal must say which process to look at: {hint}");
    all_answer(&ports).await;
    client.call("server_info", json!({})).await.ok();
    assert_eq!((home.toml(), home.env()), (toml, env), "a refused change must leave the files as they were");
}

#[tokio::test]
async fn a_port_saved_to_ports_env_stands_there_and_nowhere_else() {
    let Some((_desktop, home, _ports, window)) = started_panel().await else { return };
    let toml = home.toml();
    window.click("save-env-file").await;
    let new = type_free_port(&window, Service::Health).await;
    window.click("apply").await;
    window.says("toast", &format!("Health check moved to {new}")).await;
    let env = home.env();
    let line = format!("export HEALTH_CHECK_PORT={new}");
    assert!(env.lines().any(|found| found == line), "a shell must be able to source the file: {env}");
    assert_eq!(home.toml(), toml, "only the chosen file is written");
}

#[tokio::test]
async fn a_port_saved_to_production_toml_keeps_the_comments_of_a_person() {
    let Some((_desktop, home, ports, window)) = started_panel().await else { return };
    let env = home.env();
    window.click("save-toml").await;
    let new = type_free_port(&window, Service::McpHttp).await;
    window.click("apply").await;
    window.says("toast", &format!("MCP HTTP API moved to {new}")).await;
    let expected = ports.with(Service::McpHttp, new).toml();
    assert_eq!(home.toml(), expected, "an edit changes what the person changed, and nothing else");
    assert_eq!(home.env(), env, "only the chosen file is written");
}

#[tokio::test]
async fn a_port_for_this_run_is_written_nowhere_and_forgotten_on_stop() {
    let Some((_desktop, home, ports, window)) = started_panel().await else { return };
    let (toml, env) = (home.toml(), home.env());
    window.click("save-this-run").await;
    let new = type_free_port(&window, Service::Prometheus).await;
    window.click("apply").await;
    window.says("toast", &format!("Prometheus moved to {new}")).await;
    all_answer(&ports.with(Service::Prometheus, new)).await;
    assert_eq!((home.toml(), home.env()), (toml, env), "this run writes no file");
    window.click("stop").await;
    window.is("run-state", "stopped").await;
    window.click("start").await;
    window.is("run-state", "running").await;
    all_answer(&ports).await;
}

#[tokio::test]
async fn a_start_on_a_taken_port_names_the_holder_and_offers_another() {
    let Some((desktop, home, ports, window)) = stopped_panel().await else { return };
    let taken = ports.of(Service::McpWebsocket);
    let holder = Holder::of(&desktop, taken).await;
    window.click("start").await;
    let card = window.says("conflict", &format!("Port {taken} is held by python3")).await;
    assert!(card.contains(&holder.pid().to_string()), "the card must say which process to look at: {card}");
    window.is("card-mcp-websocket", "blocked").await;
    window.is("run-state", "stopped").await;
    let free = ports.all().into_iter().filter(|&port| port != taken).all(refuses);
    assert!(free, "a start is all or nothing");

    let offer = card.split("Start on ").nth(1).expect("another port is offered");
    let offered: String = offer.chars().take_while(char::is_ascii_digit).collect();
    window.press(&format!("Start on {offered}")).await;
    window.is("run-state", "running").await;
    window.miss("conflict").await;
    let offered = offered.parse().expect("a port");
    window.says("card-mcp-websocket", &format!("127.0.0.1:{offered}")).await;
    all_answer(&ports.with(Service::McpWebsocket, offered)).await;
    assert!(home.env().contains(&format!("MCP_SERVER_PORT={offered}")), "the offer says that it is saved");
    assert!(!refuses(taken), "the program that held the port must be left alone");
}
