//! Orders above `mcp.confirm_above` wait for a person, in both eras of the protocol.

use cwts_config::Environment;
use cwts_domain::Service;
use cwts_tests::{Embedded, Home, McpClient, Ports, Socket, initialize_request, modern};
use serde_json::{Value, json};

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
