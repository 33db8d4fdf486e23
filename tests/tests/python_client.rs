//! The official Python SDK trades on the real program, over WebSocket and over Streamable HTTP.

use std::path::Path;

use cwts_domain::Service;
use cwts_tests::{Home, McpClient, Ports, Server, TRADE_TOKEN, command, finish, python, sandboxed, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::Command;

/// What the client saw in its session with a fresh server; `None` when it could not run.
async fn session(transport: &str, service: Service) -> Option<Value> {
    let python = python()?;
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let mut client = Command::new(python);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/ws_session.py");
    client.arg(script).arg(transport).arg(server.url(service)).arg(TRADE_TOKEN).kill_on_drop(true);
    let ended = finish(client).await;
    assert_eq!(ended.status, Some(0), "the client must get through its session: {}", ended.stderr);
    let stopped = server.stop(Signal::TERM).await;
    assert_eq!(stopped.status, Some(0), "the server ends in order after a session: {}", stopped.stderr);
    Some(serde_json::from_str(&ended.stdout).expect("the client prints JSON"))
}

fn check(seen: &Value) {
    check_tools(&seen["tools"]);
    assert_eq!(seen["server"], "cwts-ultra", "the server introduces itself");
    let info = &seen["server_info"];
    assert_eq!(
        (&info["paper_trading"], &info["instance"]),
        (&json!(true), &json!("default")),
        "an agent reads it: {info}"
    );
    let market = &seen["market"];
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("a number was expected, not {value}"));
    assert!(number(&market["bid"]) < number(&market["ask"]), "a book is never crossed: {market}");
    assert_eq!(market["bids"].as_array().map(Vec::len), Some(5), "depth levels as asked: {market}");
    check_orders(seen);
    let text = seen["wrong"]["text"].as_str().unwrap_or_default();
    assert!(seen["wrong"]["is_error"] == true && text.contains("quantity"), "the model reads what to mend: {text}");
}

fn check_tools(tools: &Value) {
    let tools = tools.as_array().expect("a list of tools");
    assert!(tools.len() >= 9, "every tool is listed: {}", tools.len());
    for tool in tools {
        assert!(tool["outputSchema"].is_object(), "the SDK checks answers by the output schema: {tool}");
        assert!(tool["annotations"]["readOnlyHint"].is_boolean(), "a host decides by it whether to ask: {tool}");
    }
}

fn check_orders(seen: &Value) {
    let (resting, filled) = (&seen["resting"], &seen["filled"]);
    assert_eq!(resting["status"], "open", "five per cent below the market nothing trades: {resting}");
    assert_eq!(seen["again"]["order_id"], resting["order_id"], "the same client_order_id places once");
    assert_eq!(
        (&filled["status"], &filled["filled_quantity"]),
        (&json!("filled"), &json!(0.01)),
        "a market order fills"
    );
    let position = &seen["positions"]["positions"][0];
    assert_eq!((&position["side"], &position["quantity"]), (&json!("buy"), &json!(0.01)), "the fill is the position");
    assert_eq!(position["entry_price"], filled["average_price"], "the only fill makes the entry price");
    assert_eq!(seen["fills"]["fills"][0]["order_id"], filled["order_id"], "the fill names its order");
    let spent = 100_000.0 - seen["account"]["cash"].as_f64().unwrap_or_default();
    let notional = filled["average_price"].as_f64().unwrap_or_default() * 0.01;
    let fees = filled["fees"].as_f64().expect("what the order cost beside its price");
    assert!(fees > 0.0, "a market order takes, and takers pay: {filled}");
    assert!((spent - notional - fees).abs() < 1e-6, "bought and paid: {spent} is not {notional} and {fees}");
    let open = seen["open_before"]["orders"].as_array().expect("orders");
    assert!(open.len() == 1 && open[0]["order_id"] == resting["order_id"], "only the far order rests: {open:?}");
    assert_eq!(seen["cancelled"][0]["status"], "cancelled", "the far order is taken back");
    assert_eq!(seen["open_after"]["orders"], json!([]), "nothing rests at the end");
}

#[tokio::test]
async fn the_python_sdk_trades_over_websocket() {
    if let Some(seen) = session("websocket", Service::McpWebsocket).await {
        check(&seen);
    }
}

#[tokio::test]
async fn the_python_sdk_trades_over_http() {
    if let Some(seen) = session("http", Service::McpHttp).await {
        check(&seen);
    }
}

#[tokio::test]
async fn the_snippet_of_the_readme_runs_as_printed() {
    // In a network of its own: the snippet names the default port.
    if !sandboxed(the_snippet_of_the_readme_runs_as_printed).await {
        return;
    }
    let Some(python) = python() else { return };
    let readme = include_str!("../../README.md").split_once("```python\n").expect("the README has a snippet").1;
    let snippet = readme.split_once("```").expect("which ends").0;
    let home = Home::empty();
    let server = Server::start(&home).await;
    let mut market = McpClient::connect(server.url(Service::McpWebsocket)).await;
    until("quotes on both sides", async || {
        let quote = market.call("get_market_data", json!({ "symbol": "BTCUSD" })).await.ok();
        (quote["bid"].is_number() && quote["ask"].is_number()).then_some(())
    })
    .await;
    // What a person has who installed it.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = command(&home).as_std().get_program().to_owned();
    std::os::unix::fs::symlink(program, folder.path().join("cwts-ultra")).expect("a link");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap_or_default());
    let mut client = Command::new(python);
    client.arg("-c").arg(snippet).env("PATH", path).env("CWTS_HOME", home.path()).kill_on_drop(true);
    let ended = finish(client).await;
    assert_eq!(ended.status, Some(0), "a reader pastes it: {}", ended.stderr);
    for shown in ["'status': 'filled'", "{'positions': [{", "'entry_price': "] {
        assert!(ended.stdout.contains(shown), "the order and the position are shown: {}", ended.stdout);
    }
    server.stop(Signal::TERM).await;
}
