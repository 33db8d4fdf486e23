//! Tool calls that the WebSocket answers without rmcp are answered as rmcp answers them.

use cwts_domain::Service;
use cwts_tests::{Embedded, McpClient, Socket, until};
use serde_json::{Value, json};

/// Makes a call unusual without changing its meaning, so that rmcp answers it: it passes over fields that it does not know.
fn unusual(mut params: Value) -> Value {
    params["unusual"] = json!(true);
    params
}

fn order(more: Value) -> Value {
    let mut order = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "limit", "quantity": 1, "price": 95 });
    for (name, value) in more.as_object().into_iter().flatten() {
        order[name] = value.clone();
    }
    order
}

/// Calls that do as much the second time as the first, good and bad.
fn calls() -> Vec<(&'static str, Value)> {
    let place = |more| ("place_order", order(more));
    vec![
        place(json!({ "client_order_id": "first" })),
        place(json!({ "client_order_id": "first", "quantity": 2 })),
        place(json!({ "quantity": -1 })),
        place(json!({ "quantity": 0.00001 })),
        place(json!({ "quantity": "1" })),
        place(json!({ "symbol": "NOPE" })),
        place(json!({ "side": "hold" })),
        place(json!({ "price": null })),
        place(json!({ "price": 1 })),
        place(json!({ "post_only": true, "price": 200 })),
        place(json!({ "colour": "red" })),
        place(json!({ "client_order_id": "" })),
        ("place_order", json!({})),
        ("modify_order", json!({ "client_order_id": "first", "new_quantity": 1 })),
        ("modify_order", json!({ "order_id": "999999", "new_quantity": 1 })),
        ("get_order_status", json!({ "client_order_id": "first" })),
        ("get_order_status", json!({ "order_id": "x" })),
        ("get_order_status", json!({})),
        ("cancel_order", json!({ "order_id": "999999" })),
        ("list_orders", json!({ "status": "all", "limit": 5.0 })),
        ("list_orders", json!({ "limit": 0 })),
        ("get_positions", json!({ "symbol": "TESTUSD" })),
        ("get_positions", json!({ "symbol": 5 })),
        ("get_market_data", json!({ "symbol": "TESTUSD", "depth": 1 })),
        ("get_market_data", json!({ "symbol": "TESTUSD", "depth": 101 })),
        ("get_account", json!({ "a": 1 })),
        ("get_risk_limits", json!({})),
        ("no_such_tool", json!({})),
    ]
}

/// What cannot be the same twice: how many events the exchange counts by now.
fn comparable(mut answer: Value) -> Value {
    for part in ["/result/structuredContent/sequence", "/id"] {
        if let Some(value) = answer.pointer_mut(part) {
            *value = Value::Null;
        }
    }
    if let Some(text) = answer.pointer_mut("/result/content/0/text")
        && let Ok(mut content) = serde_json::from_str::<Value>(text.as_str().unwrap_or_default())
    {
        content["sequence"] = Value::Null;
        *text = Value::String(content.to_string());
    }
    answer
}

async fn both(client: &mut McpClient, meta: Option<Value>) {
    for (tool, arguments) in calls() {
        let mut params = json!({ "name": tool, "arguments": arguments });
        if let Some(meta) = &meta {
            params["_meta"] = meta.clone();
        }
        let plain = client.request("tools/call", params.clone()).await;
        let by_rmcp = client.request("tools/call", unusual(params)).await;
        assert_eq!(comparable(plain), comparable(by_rmcp), "nobody may see who answers {tool} {arguments}");
    }
}

#[tokio::test]
async fn a_call_is_answered_the_same_whoever_answers_it() {
    let embedded = Embedded::start().await;
    let url = embedded.url(Service::McpWebsocket);
    let mut client = McpClient::connect(&url).await;
    // Prices are measured from the last trade.
    client.call("place_order", order(json!({ "order_type": "market", "price": null }))).await.ok();
    both(&mut client, None).await;
    let newest = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "tests", "version": "1" },
    });
    both(&mut client, Some(newest.clone())).await;
    let old = json!({ "io.modelcontextprotocol/protocolVersion": "1999-01-01" });
    both(&mut client, Some(old)).await;
    let answer = client.request("tools/call", json!({ "name": "get_account", "_meta": newest })).await;
    assert_eq!(answer["result"]["resultType"], "complete", "2026-07-28, also without arguments: {answer}");
    let answer = client.request("tools/call", json!({ "name": "get_account" })).await;
    assert!(answer["result"].get("resultType").is_none(), "2025-06-18 knows none: {answer}");
}

#[tokio::test]
async fn without_initialize_each_request_says_its_version() {
    let embedded = Embedded::start().await;
    let mut socket = Socket::open(&embedded.url(Service::McpWebsocket)).await;
    let mut ask = async |id: u64, meta: Value| {
        let params = json!({ "name": "get_account", "_meta": meta });
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        socket.send_text(request.to_string()).await;
        socket.next().await
    };
    let whole = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let without = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
    assert_eq!(ask(1, json!({})).await["error"]["code"], -32602, "nothing is agreed yet");
    for id in [2, 3] {
        let answer = ask(id, whole.clone()).await;
        assert_eq!((&answer["id"], &answer["result"]["resultType"]), (&json!(id), &json!("complete")), "{answer}");
    }
    for meta in [without, json!({})] {
        assert_eq!(ask(4, meta.clone()).await["error"]["code"], -32602, "{meta} lacks something, also later");
    }
}

#[tokio::test]
async fn orders_keep_their_order_whoever_takes_them() {
    let embedded = Embedded::start().await;
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let place = json!({ "name": "place_order", "arguments": order(json!({})) });
    for number in 0..60_u64 {
        let params = if number % 3 == 1 { unusual(place.clone()) } else { place.clone() };
        let request = json!({ "jsonrpc": "2.0", "id": 1_000 + number, "method": "tools/call", "params": params });
        client.socket().send_text(request.to_string()).await;
    }
    let mut placed = Vec::new();
    while placed.len() < 60 {
        let answer = client.socket().next().await;
        let id = answer["result"]["structuredContent"]["order_id"].as_str().map(str::parse::<u64>);
        placed.push((answer["id"].as_u64().expect("the id of the request"), id.expect("placed").expect("a number")));
    }
    placed.sort_unstable();
    assert!(placed.is_sorted_by_key(|(_, order)| *order), "an order must not overtake another: {placed:?}");
}

#[tokio::test]
async fn a_call_that_was_withdrawn_gets_no_answer_and_counts() {
    let embedded = Embedded::start().await;
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let mut withdrawn = 0;
    // Its answer may have been under way already; that is nobody's fault.
    until("an answer that was withdrawn in time", async || {
        let params = json!({ "name": "place_order", "arguments": order(json!({})) });
        let request = json!({ "jsonrpc": "2.0", "id": "gone", "method": "tools/call", "params": params });
        let cancel =
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "gone" } });
        let ping =
            json!({ "jsonrpc": "2.0", "id": "there", "method": "tools/call", "params": { "name": "get_account" } });
        for message in [request, cancel, ping] {
            client.socket().send_text(message.to_string()).await;
        }
        withdrawn += 1;
        let first = client.socket().next().await;
        if first["id"] == "gone" {
            client.socket().next().await;
            return None;
        }
        Some(())
    })
    .await;
    let open = client.call("list_orders", json!({ "symbol": "TESTUSD" })).await.ok();
    let placed = open["orders"].as_array().map(Vec::len);
    assert_eq!(placed, Some(withdrawn), "an order that was sent is placed; cancel_order takes it back: {open}");
}
