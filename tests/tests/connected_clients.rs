//! Who is connected, as the list and REST say it: real WebSockets, sessions and connections, and their end by the owner.

use std::time::Duration;

use cwts_domain::Service;
use cwts_runtime::{ClientInfo, Link, SaveTarget, Scope};
use cwts_tests::{
    Embedded, HttpSession, OWNER_TOKEN, Reply, Socket, TRADE_TOKEN, bearer, free_port, initialize_request, modern,
    send_exactly, until,
};
use serde_json::{Value, json};

fn listed(embedded: &Embedded) -> Vec<ClientInfo> {
    embedded.instance().connected().list().clients
}

async fn one(embedded: &Embedded, wanted: impl Fn(&ClientInfo) -> bool) -> ClientInfo {
    until("the client to be listed", async || listed(embedded).into_iter().find(&wanted)).await
}

async fn nobody(embedded: &Embedded) {
    until("the list to be empty", async || listed(embedded).is_empty().then_some(())).await;
}

async fn as_owner(embedded: &Embedded, method: &str, path: &str) -> Reply {
    as_holder(embedded, OWNER_TOKEN, method, path).await
}

async fn as_holder(embedded: &Embedded, token: &str, method: &str, path: &str) -> Reply {
    let headers = [("Host", "localhost"), ("Authorization", &*bearer(token)), ("User-Agent", "owner/1.0")];
    send_exactly(embedded.port(Service::McpHttp), method, path, &headers, "").await
}

async fn initialized(embedded: &Embedded) -> Socket {
    let mut socket = Socket::open(&embedded.url(Service::McpWebsocket)).await;
    socket.send_text(initialize_request(1).to_string()).await;
    socket.next().await;
    socket
}

#[tokio::test]
async fn a_websocket_is_listed_by_its_name_until_the_owner_ends_it() {
    let embedded = Embedded::start().await;
    let mut socket = initialized(&embedded).await;
    let client = one(&embedded, |client| client.name == "cwts-tests").await;
    assert_eq!(
        (client.version.as_deref(), client.link, client.scope),
        (Some("1"), Link::Websocket, Some(Scope::Trade))
    );
    assert!(client.address.is_loopback() && client.service == Service::McpWebsocket, "where it is: {client:?}");
    assert_eq!((client.requests, client.last_error), (1, None), "it has only said hello");

    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": { "name": "place_order", "arguments": { "symbol": "BTCUSD", "side": "buy", "order_type": "market", "quantity": 0 } } });
    socket.send_text(call.to_string()).await;
    assert_eq!(socket.next().await["result"]["isError"], true, "no order has a size of zero");
    let refused = one(&embedded, |client| client.last_error.is_some()).await;
    let error = refused.last_error.map(|error| error.text).unwrap_or_default();
    assert!(error.starts_with("place_order: ") && error.contains("quantity"), "what the client was told: {error}");
    until("its rate", async || listed(&embedded).first().is_some_and(|client| client.rate > 0.0).then_some(())).await;

    let ended = as_owner(&embedded, "DELETE", &format!("/api/v1/clients/{}", client.id)).await;
    assert_eq!(ended.status, 204, "{ended:?}");
    assert_eq!(socket.close_code().await, 1008, "the client is told by the close code");
    nobody(&embedded).await;
    let told = embedded
        .instance()
        .activities()
        .into_iter()
        .any(|activity| activity.text.contains("Disconnected cwts-tests 1"));
    assert!(told, "a person sees what was done");
}

#[tokio::test]
async fn a_client_of_2026_is_listed_by_the_name_in_its_requests() {
    let embedded = Embedded::start().await;
    let mut socket = Socket::open(&embedded.url(Service::McpWebsocket)).await;
    socket.send_text(modern(1, "server/discover", json!({})).to_string()).await;
    socket.next().await;
    let client = one(&embedded, |client| client.link == Link::Websocket).await;
    assert_eq!(
        (&*client.name, client.version.as_deref()),
        ("cwts-tests", Some("1")),
        "there is no initialize: {client:?}"
    );
    let told = embedded.instance().activities().into_iter().any(|it| it.text.starts_with("cwts-tests connected on "));
    assert!(told, "the person sees it come like one of before");

    let request = modern(1, "tools/call", json!({ "name": "get_account", "arguments": {} })).to_string();
    let asked =
        reqwest::Client::new().post(embedded.url(Service::McpHttp)).header("authorization", bearer(TRADE_TOKEN));
    let asked =
        asked.header("accept", "application/json, text/event-stream").header("content-type", "application/json");
    let asked = asked.header("mcp-protocol-version", "2026-07-28").header("mcp-method", "tools/call");
    let answer = asked.header("mcp-name", "get_account").body(request).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{answer:?}");
    one(&embedded, |client| client.service == Service::McpHttp && client.name == "cwts-tests").await;
}

#[tokio::test]
async fn a_disconnected_client_reads_why() {
    let embedded = Embedded::start().await;
    let mut socket = initialized(&embedded).await;
    let client = one(&embedded, |client| client.name == "cwts-tests").await;
    embedded.instance().disconnect(&client.id).expect("it is connected");
    let frame = format!("{:?}", socket.any_frame().await);
    assert!(frame.contains("disconnected by the owner"), "the reason goes with the code: {frame}");
}

#[tokio::test]
async fn an_http_session_is_one_client_however_many_connections_carry_it() {
    let embedded = Embedded::start().await;
    let session = HttpSession::connect(&embedded.url(Service::McpHttp)).await;
    let client = one(&embedded, |client| client.link == Link::Session).await;
    assert_eq!((client.name.as_str(), client.scope), ("cwts-tests", Some(Scope::Trade)), "by its clientInfo");
    session.call("server_info", json!({})).await;
    session.call("server_info", json!({})).await;
    let all = listed(&embedded);
    assert_eq!(all.len(), 1, "one session, one row: {all:?}");
    assert!(all[0].requests >= 3, "every request counts: {all:?}");
    assert_eq!(as_owner(&embedded, "DELETE", &format!("/api/v1/clients/{}", client.id)).await.status, 204);
    nobody(&embedded).await;
    let gone = session.call_as(TRADE_TOKEN, "server_info").await;
    assert_eq!(gone, 404, "its next request tells the client to begin anew");
}

#[tokio::test]
async fn other_connections_are_listed_by_their_user_agent_while_they_are_open() {
    let embedded = Embedded::start().await;
    let scraper = reqwest::Client::builder().user_agent("Prometheus/3.1.0").build().expect("a client");
    let metrics = embedded.url(Service::Prometheus);
    assert!(scraper.get(&metrics).send().await.expect("metrics").status().is_success());
    let client = one(&embedded, |client| client.service == Service::Prometheus).await;
    assert_eq!((client.name.as_str(), client.version.as_deref()), ("Prometheus", Some("3.1.0")));
    assert_eq!(
        (client.link, client.scope, client.requests),
        (Link::Connection, None, 1),
        "a scrape from here has no token"
    );
    let missing = scraper.get(metrics.replace("/metrics", "/metric")).send().await.expect("an answer");
    assert_eq!(missing.status(), 404);
    let refused = one(&embedded, |client| client.last_error.is_some()).await;
    assert_eq!(refused.last_error.map(|error| error.text).as_deref(), Some("404 Not Found for GET /metric"));
    embedded.instance().disconnect(&client.id).expect("it is connected");
    nobody(&embedded).await;
    assert!(scraper.get(&metrics).send().await.expect("metrics").status().is_success(), "it may come again");
    drop(scraper);
    nobody(&embedded).await;
}

#[tokio::test]
async fn only_the_owner_sees_and_ends_clients() {
    let embedded = Embedded::start().await;
    let _socket = initialized(&embedded).await;
    let list: Value = serde_json::from_str(&as_owner(&embedded, "GET", "/api/v1/clients").await.body).expect("JSON");
    let clients = list["clients"].as_array().expect("a list");
    let names: Vec<_> = clients.iter().filter_map(|client| client["name"].as_str()).collect();
    assert_eq!(names, ["cwts-tests", "owner"], "who asks is connected too: {list}");
    assert_eq!((&clients[0]["link"], &clients[0]["scope"]), (&json!("websocket"), &json!("trade")), "{list}");
    assert!(!list.to_string().contains("cwts_trade_"), "no token is in it");
    for (method, path) in [("GET", "/api/v1/clients"), ("DELETE", "/api/v1/clients/1")] {
        let refused = as_holder(&embedded, TRADE_TOKEN, method, path).await;
        assert_eq!(refused.status, 403, "{method}: {refused:?}");
        assert!(refused.body.contains("scope_too_small") && refused.body.contains("--scope owner"), "{refused:?}");
    }
    let unknown = as_owner(&embedded, "DELETE", "/api/v1/clients/99999").await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
    assert!(
        unknown.body.contains("client_unknown") && unknown.header("content-type") == Some("application/problem+json")
    );
}

#[tokio::test]
async fn the_list_does_not_outlive_its_clients() {
    let embedded = Embedded::start().await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(initialized(&embedded).await);
    }
    assert_eq!(listed(&embedded).len(), 20, "each has its row");
    embedded.move_ports(&[(Service::McpWebsocket, free_port())], SaveTarget::ThisRun).await.expect("a move");
    for socket in &mut sockets {
        assert_eq!(socket.close_code().await, 1012, "a move says something else than the owner");
    }
    drop(sockets);
    tokio::time::timeout(Duration::from_secs(10), nobody(&embedded)).await.expect("no row stays behind");
}
