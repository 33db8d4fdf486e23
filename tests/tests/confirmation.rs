//! Orders above `mcp.confirm_above` wait for a person, in both eras of the protocol.

use std::path::Path;

use cwts_config::Environment;
use cwts_domain::Service;
use cwts_tests::{
    Embedded, Home, McpClient, Ports, Socket, TRADE_TOKEN, finish, initialize_request, modern, python, send,
};
use serde_json::{Value, json};
use tokio::process::Command;

async fn careful() -> Embedded {
    let home = Home::with(&Ports::free());
    let toml = home.toml().replacen("[mcp]\n", "[mcp]\nconfirm_above = 500\n", 1);
    assert!(toml.contains("confirm_above"), "the file has a table for MCP: {toml}");
    home.write_toml(&toml);
    Embedded::start_in(home, Environment::empty()).await
}

fn order(quantity: u32) -> Value {
    json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": quantity })
}

#[tokio::test]
async fn a_person_decides_on_a_large_order_in_the_middle_of_the_call() {
    let embedded = careful().await;
    let mut socket = Socket::open(&embedded.url(Service::McpWebsocket)).await;
    let mut hello = initialize_request(1);
    hello["params"]["capabilities"] = json!({ "elicitation": {} });
    socket.send_text(hello.to_string()).await;
    socket.next().await;
    socket.send_text(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()).await;
    let answers = [
        (json!({ "action": "accept", "content": { "confirm": true } }), false),
        (json!({ "action": "accept", "content": { "confirm": false } }), true),
        (json!({ "action": "decline" }), true),
    ];
    for (id, (answer, refused)) in (2..).zip(answers) {
        let call = json!({ "name": "place_order", "arguments": order(10) });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call });
        socket.send_text(call.to_string()).await;
        let asked = socket.next().await;
        assert_eq!(asked["method"], "elicitation/create", "the person is asked first: {asked}");
        let message = asked["params"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("USD on the paper account"), "with the value: {message}");
        let told = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": answer });
        socket.send_text(told.to_string()).await;
        let result = socket.next().await["result"].take();
        assert_eq!(result["isError"] == true, refused, "{answer}: {result}");
    }
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let held = client.call("get_positions", json!({})).await.ok();
    assert_eq!(held["positions"][0]["quantity"], 10.0, "only what was confirmed was bought: {held}");
}

#[tokio::test]
async fn a_client_that_cannot_ask_is_refused_with_the_remedy() {
    let embedded = careful().await;
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let told = client.call("place_order", order(10)).await.error();
    assert!(told.contains("mcp.confirm_above") && told.contains("elicitation"), "what to do: {told}");
    client.call("place_order", order(4)).await.ok();
    let resting = json!({
        "symbol": "TESTUSD", "side": "buy", "order_type": "limit", "quantity": 1, "price": 99, "client_order_id": "a"
    });
    client.call("place_order", resting).await.ok();
    let grown = client.call("modify_order", json!({ "client_order_id": "a", "new_quantity": 10 })).await.error();
    assert!(grown.contains("mcp.confirm_above"), "a small order that grows is a large one: {grown}");
    client.call("close_position", json!({ "symbol": "TESTUSD" })).await.ok();
}

#[tokio::test]
async fn a_client_of_2026_is_told_what_to_ask_and_comes_again() {
    let embedded = careful().await;
    let mut socket = Socket::open(&embedded.url(Service::McpWebsocket)).await;
    let call = |id: u64, answer: Option<Value>| {
        let mut call = modern(id, "tools/call", json!({ "name": "place_order", "arguments": order(10) }));
        call["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({ "elicitation": {} });
        if let Some(answer) = answer {
            call["params"]["inputResponses"] = json!({ "confirm": answer });
        }
        call.to_string()
    };
    socket.send_text(call(1, None)).await;
    let asked = socket.next().await["result"].take();
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    assert_eq!(asked["inputRequests"]["confirm"]["method"], "elicitation/create", "{asked}");
    socket.send_text(call(2, Some(json!({ "action": "decline" })))).await;
    assert_eq!(socket.next().await["result"]["isError"], true, "no is no");
    socket.send_text(call(3, Some(json!({ "action": "accept", "content": { "confirm": true } })))).await;
    let placed = socket.next().await["result"].take();
    assert_eq!(placed["structuredContent"]["status"], "filled", "{placed}");
}

#[tokio::test]
async fn the_python_sdk_asks_its_person_over_streamable_http() {
    let Some(python) = python() else { return };
    let embedded = careful().await;
    let mut client = Command::new(python);
    client.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/confirm.py"));
    client.arg(embedded.url(Service::McpHttp)).arg(TRADE_TOKEN).kill_on_drop(true);
    let ended = finish(client).await;
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).expect("the client prints JSON");
    for (answer, refused) in told["seen"].as_array().expect("four answers").iter().zip([false, true, true, true]) {
        assert!(answer["asked"].as_str().is_some_and(|text| text.contains("USD on the paper account")), "{answer}");
        assert_eq!(answer["is_error"], refused, "only a yes is a yes: {answer}");
        let code = &answer["meta"]["cwts-ultra/error"]["code"];
        assert_eq!(*code == "not_confirmed", refused, "and a program is told: {answer}");
    }
    assert_eq!(told["positions"][0]["quantity"], 10.0, "only what was confirmed was bought: {told}");
}

#[tokio::test]
async fn a_client_of_2026_asks_over_http_too() {
    let embedded = careful().await;
    let ask = async |answer: Option<Value>| {
        let mut call = modern(1, "tools/call", json!({ "name": "place_order", "arguments": order(10) }));
        call["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({ "elicitation": {} });
        if let Some(answer) = answer {
            call["params"]["inputResponses"] = json!({ "confirm": answer });
        }
        let request = reqwest::Client::new().post(embedded.url(Service::McpHttp)).bearer_auth(TRADE_TOKEN);
        let request = request.header("accept", "application/json, text/event-stream");
        let request = request.header("content-type", "application/json").header("mcp-protocol-version", "2026-07-28");
        let request = request.header("mcp-method", "tools/call").header("mcp-name", "place_order");
        let answer = request.body(call.to_string()).send().await.expect("an answer").text().await.expect("text");
        // JSON, or the one event of a stream.
        let json = answer.lines().map(|line| line.strip_prefix("data:").unwrap_or(line).trim());
        let answer = json.filter_map(|line| serde_json::from_str::<Value>(line).ok()).find(|it| it["id"] == 1);
        answer.unwrap_or_default()["result"].take()
    };
    let asked = ask(None).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let declined = ask(Some(json!({ "action": "decline" }))).await;
    assert_eq!(declined["isError"], true, "no is no: {declined}");
    let placed = ask(Some(json!({ "action": "accept", "content": { "confirm": true } }))).await;
    assert_eq!(placed["structuredContent"]["status"], "filled", "{placed}");
}

#[tokio::test]
async fn an_order_over_rest_is_not_asked_for() {
    let embedded = careful().await;
    let headers = [("Host", "localhost"), ("Content-Type", "application/json")];
    let placed =
        send(embedded.port(Service::McpHttp), "POST", "/api/v1/orders", &headers, &order(10).to_string()).await;
    assert_eq!(placed.status, 201, "REST is for programs that a person wrote: {placed:?}");
}
