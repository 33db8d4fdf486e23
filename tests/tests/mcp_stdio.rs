//! `cwts-ultra mcp-stdio`: the official Python SDK starts it, trades through it, and notices nothing when the instance moves.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use cwts_domain::Service;
use cwts_tests::{
    Exit, Home, McpClient, Ports, Server, command, finish, free_port, initialize_request, modern, python, released,
    until, within,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A program that speaks JSON in lines.
struct Spoken {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Spoken {
    fn start(mut program: Command) -> Self {
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = program.spawn().expect("the program starts");
        let (input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        Self { child, input, lines: BufReader::new(output).lines() }
    }

    async fn say(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("the program reads");
    }

    async fn hear(&mut self) -> Value {
        let line = within("a line of the program", self.lines.next_line()).await.expect("text");
        let Some(line) = line else { panic!("the program ended: {:?}", self.end().await) };
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    async fn end(&mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        let errors = self.child.stderr.take().map(BufReader::new);
        if let Some(mut errors) = errors {
            tokio::io::AsyncReadExt::read_to_string(&mut errors, &mut said).await.expect("text");
        }
        (within("the end of the program", self.child.wait()).await.expect("a child").code(), said)
    }
}

async fn run(home: &Home, arguments: &[&str]) -> Exit {
    let mut program = command(home);
    program.args(arguments);
    finish(program).await
}

fn relay(home: &Home) -> Spoken {
    let mut program = command(home);
    program.arg("mcp-stdio");
    Spoken::start(program)
}

/// Moves the WebSocket as a person does who edits a setting, and waits until the old port is let go. Returns the new one.
async fn move_websocket(home: &Home, from: u16) -> u16 {
    let port = free_port();
    let moved = run(home, &["config", "set", "mcp.mcp_port", &port.to_string(), "--layer", "toml"]).await;
    assert_eq!(moved.status, Some(0), "{moved:?}");
    released(from).await;
    port
}

fn port(server: &Server) -> u16 {
    let url = server.url(Service::McpWebsocket);
    url.trim_end_matches("/mcp").rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
}

#[tokio::test]
async fn the_python_sdk_trades_over_stdio_while_the_port_moves() {
    let Some(python) = python() else { return };
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let text = run(&home, &["client", "claude-desktop"]).await.stdout;
    let mut configured: Value = serde_json::from_str(&text).expect("JSON");
    let entry = configured["mcpServers"]["cwts-ultra"].take();
    let words = entry["args"].as_array().expect("words").iter().filter_map(Value::as_str);
    let mut client = Command::new(python);
    client.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/stdio_session.py"));
    client.arg(entry["command"].as_str().expect("a program")).args(words);
    let mut client = Spoken::start(client);
    let first = client.hear().await;
    assert_eq!((&first["server"], &first["order"]["status"]), (&json!("cwts-ultra"), &json!("filled")), "{first}");
    let tools = first["tools"].as_array().map_or(0, Vec::len);
    assert!(tools >= 9, "the tools of the server: {first}");
    move_websocket(&home, port(&server)).await;
    client.say("moved").await;
    let positions = client.hear().await;
    assert_eq!(positions["positions"][0]["symbol"], "TESTUSD", "the session went on: {positions}");
    let (status, said) = client.end().await;
    assert_eq!(status, Some(0), "{said}");
}

#[tokio::test]
async fn a_session_survives_a_replaced_token() {
    let home = Home::with(&Ports::free());
    let _server = Server::start(&home).await;
    let mut relay = relay(&home);
    relay.say(&initialize_request(1).to_string()).await;
    assert_eq!(relay.hear().await["result"]["serverInfo"]["name"], "cwts-ultra", "the answer comes from the instance");
    relay.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()).await;
    relay.say("no JSON").await;
    assert_eq!(relay.hear().await["error"]["code"], -32700, "what the client says wrong is the instance's to tell");
    assert_eq!(run(&home, &["token", "rotate"]).await.status, Some(0));
    // The instance notices within a second; what is asked in the gap is answered with an error or with its result.
    let mut id = 1;
    until("an answer with the new token", async || {
        id += 1;
        let ask =
            json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": "get_trading_state" } });
        relay.say(&ask.to_string()).await;
        let answer = relay.hear().await;
        assert_eq!(answer["id"], id, "every request has one answer: {answer}");
        answer["error"].is_null().then_some(())
    })
    .await;
    drop(relay.input.shutdown().await);
}

#[tokio::test]
async fn an_instance_that_does_not_run_is_named_in_one_line() {
    let home = Home::with(&Ports::free());
    let refused = run(&home, &["mcp-stdio"]).await;
    assert_eq!(refused.status, Some(1), "{refused:?}");
    assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    assert!(refused.stderr.contains("Instance default does not run.") && refused.stderr.contains("cwts-ultra run"));
}

const BOOK: &str = "trading://order_book/TESTUSD";

/// Changes the book as another client.
async fn trade(port: u16, price: f64) {
    let mut client = McpClient::connect(&format!("ws://127.0.0.1:{port}/mcp")).await;
    let order = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "limit", "quantity": 1, "price": price });
    client.call("place_order", order).await.ok();
}

/// Waits for the answer to a request among what is told.
async fn answered(relay: &mut Spoken, id: u64) -> Value {
    loop {
        let heard = relay.hear().await;
        if heard["id"] == id {
            return heard;
        }
        assert!(heard.get("id").is_none(), "only notifications come in between: {heard}");
    }
}

/// The next update of the book.
async fn told(relay: &mut Spoken) -> Value {
    let told = relay.hear().await;
    assert_eq!(told["method"], "notifications/resources/updated", "{told}");
    assert_eq!(told["params"]["uri"], BOOK, "{told}");
    told["params"]["_meta"].clone()
}

#[tokio::test]
async fn a_subscription_survives_a_server_that_moves_and_one_that_starts_again() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let mut relay = relay(&home);
    let mut hello = initialize_request(1);
    hello["params"]["protocolVersion"] = json!("2025-11-25");
    relay.say(&hello.to_string()).await;
    assert_eq!(relay.hear().await["result"]["protocolVersion"], "2025-11-25", "the era of the client");
    relay.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()).await;
    for (id, uri) in [(2, BOOK), (3, "trading://positions"), (4, "trading://nothing")] {
        let ask = json!({ "jsonrpc": "2.0", "id": id, "method": "resources/subscribe", "params": { "uri": uri } });
        relay.say(&ask.to_string()).await;
        answered(&mut relay, id).await;
    }
    let end = json!({ "jsonrpc": "2.0", "id": 5, "method": "resources/unsubscribe", "params": { "uri": "trading://positions" } });
    relay.say(&end.to_string()).await;
    answered(&mut relay, 5).await;
    let moved = move_websocket(&home, port(&server)).await;
    // What changed in the gap nobody told: the client is to read anew. Until the move there may be other news.
    while !told(&mut relay).await.is_null() {}
    trade(moved, 98.0).await;
    assert!(told(&mut relay).await["cwts-ultra/sequence"].is_u64(), "and is told of changes as before");
    assert_eq!(server.stop(Signal::TERM).await.status, Some(0));
    let server = Server::start(&home).await;
    // The market of the new start may tell of the book too.
    while !told(&mut relay).await.is_null() {}
    trade(port(&server), 97.0).await;
    assert!(told(&mut relay).await["cwts-ultra/sequence"].is_u64(), "also after a start");
    drop(relay.input.shutdown().await);
}

#[tokio::test]
async fn a_stream_of_2026_survives_a_server_that_starts_again() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let mut relay = relay(&home);
    relay.say(&modern(1, "server/discover", json!({})).to_string()).await;
    let versions = relay.hear().await["result"]["supportedVersions"].take();
    assert!(versions.as_array().is_some_and(|all| all.contains(&json!("2026-07-28"))), "{versions}");
    let wish = json!({ "notifications": { "resourceSubscriptions": [BOOK] } });
    relay.say(&modern("books", "subscriptions/listen", wish).to_string()).await;
    assert_eq!(relay.hear().await["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(server.stop(Signal::TERM).await.status, Some(0));
    let server = Server::start(&home).await;
    let subscription = "io.modelcontextprotocol/subscriptionId";
    let meta = told(&mut relay).await;
    assert_eq!(meta[subscription], "books", "no second acknowledgement, and a reason to read: {meta}");
    trade(port(&server), 98.0).await;
    let meta = told(&mut relay).await;
    assert_eq!((&meta[subscription], meta["cwts-ultra/sequence"].is_u64()), (&json!("books"), true), "{meta}");
    let order = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": 1 });
    relay.say(&modern(2, "tools/call", json!({ "name": "place_order", "arguments": order })).to_string()).await;
    let placed = answered(&mut relay, 2).await;
    assert_eq!(placed["result"]["structuredContent"]["status"], "filled", "and trades: {placed}");
    drop(relay.input.shutdown().await);
}

#[tokio::test]
async fn a_token_that_others_can_read_is_refused_with_the_remedy() {
    let home = Home::with(&Ports::free());
    let _server = Server::start(&home).await;
    let file = home.path().join("data/default/tokens/trade");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("own file");
    let refused = run(&home, &["mcp-stdio"]).await;
    assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    assert!(refused.status != Some(0) && refused.stderr.contains("chmod 600"), "{refused:?}");
}
