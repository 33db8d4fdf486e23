//! `cwts-ultra mcp-stdio`: the official Python SDK starts it, trades through it, and notices nothing when the instance moves.

use std::path::Path;
use std::process::Stdio;

use cwts_domain::Service;
use cwts_tests::{
    Exit, Home, Ports, Server, command, finish, free_port, initialize_request, python, released, until, within,
};
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

/// Moves the WebSocket as a person does who edits a setting, and waits until the old port is let go.
async fn move_websocket(home: &Home, from: u16) {
    let port = free_port().to_string();
    let moved = run(home, &["config", "set", "mcp.mcp_port", &port, "--layer", "toml"]).await;
    assert_eq!(moved.status, Some(0), "{moved:?}");
    released(from).await;
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
