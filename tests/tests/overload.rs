//! What comes beyond a limit is answered at once: `overloaded`, with when to try again, and what was taken stays in order.

use std::sync::mpsc;

use cwts_domain::Service;
use cwts_runtime::ExchangeError;
use cwts_tests::{
    Embedded, Home, McpClient, Ports, Reply, Socket, TRADE_TOKEN, bearer, initialize_request, send_exactly,
};
use serde_json::{Value, json};

/// Requests of one connection that may be under way, as docs/trading.md says.
const MAX_UNDER_WAY: u64 = 128;

fn call(id: u64, tool: &str, arguments: &Value) -> String {
    request(id, "tools/call", &json!({ "name": tool, "arguments": arguments }))
}

fn request(id: u64, method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

fn order(quantity: u32) -> Value {
    json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "limit", "quantity": quantity, "price": 99 })
}

/// A client whose first call waits for a person, and with it all that come after.
async fn waiting(embedded: &Embedded) -> (Socket, Value) {
    let mut socket = Socket::open(&embedded.url(Service::McpWebsocket)).await;
    let mut hello = initialize_request(1);
    hello["params"]["capabilities"] = json!({ "elicitation": {} });
    socket.send_text(hello.to_string()).await;
    socket.next().await;
    socket.send_text(call(2, "place_order", &order(10))).await;
    let asked = socket.next().await;
    assert_eq!(asked["method"], "elicitation/create", "a person decides on this order: {asked}");
    (socket, asked["id"].clone())
}

async fn careful() -> Embedded {
    let home = Home::with(&Ports::free());
    home.write_toml(&home.toml().replacen("[mcp]\n", "[mcp]\nconfirm_above = 500\n", 1));
    Embedded::start_in(home, cwts_config::Environment::empty()).await
}

#[tokio::test]
async fn a_call_beyond_the_limit_is_answered_at_once_and_the_others_keep_their_order() {
    let embedded = careful().await;
    let (mut socket, question) = waiting(&embedded).await;
    let last = MAX_UNDER_WAY + 1;
    for id in 3..=last {
        // Some are answered by rmcp, some without it.
        let tool = if id % 2 == 0 { "get_account" } else { "get_risk_limits" };
        socket.send_text(call(id, tool, &json!({}))).await;
    }
    socket.send_text(call(1_000, "place_order", &order(1))).await;
    let refused = socket.next().await;
    assert_eq!(refused["id"], 1_000, "none of those before it can be answered yet: {refused}");
    let result = &refused["result"];
    assert_eq!(result["isError"], true, "{refused}");
    assert_eq!(result["_meta"]["cwts-ultra/error"], json!({ "code": "overloaded", "retry_after": 1 }), "{refused}");
    let text = result["content"][0]["text"].as_str().unwrap_or_default();
    assert!(text.starts_with("overloaded: 128 requests") && text.contains("send this one again"), "{text}");

    socket.send_text(request(1_001, "resources/read", &json!({ "uri": "trading://positions" }))).await;
    let refused = socket.next().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(1_001), &json!(-32005)), "{refused}");
    assert_eq!(refused["error"]["data"], json!({ "code": "overloaded", "retry_after": 1 }), "{refused}");
    socket.send_text(request(1_002, "ping", &json!({}))).await;
    assert_eq!(socket.next().await["id"], 1_002, "whoever asks whether somebody is there is answered");

    let confirmed = json!({ "action": "accept", "content": { "confirm": true } });
    socket.send_text(json!({ "jsonrpc": "2.0", "id": question, "result": confirmed }).to_string()).await;
    let mut answered = Vec::new();
    for _ in 2..=last {
        let answer = socket.next().await;
        assert_eq!(answer["result"]["isError"], false, "what was taken is done: {answer}");
        answered.push(answer["id"].as_u64().expect("the id of a request"));
    }
    answered.sort_unstable();
    assert_eq!(answered, (2..=last).collect::<Vec<_>>(), "each has one answer");
    socket.send_text(call(1_000, "place_order", &order(1))).await;
    let placed = socket.next().await;
    assert_eq!(placed["result"]["structuredContent"]["status"], "open", "sent again, it is placed: {placed}");
    socket.send_text(call(1_003, "list_orders", &json!({ "symbol": "TESTUSD" }))).await;
    let orders = socket.next().await["result"]["structuredContent"]["orders"].take();
    assert_eq!(orders.as_array().map(Vec::len), Some(2), "what was refused was not placed: {orders}");
}

#[tokio::test]
async fn sixty_four_in_flight_are_never_too_many_and_keep_their_order() {
    const ORDERS: u64 = 1_000;
    let embedded = Embedded::start().await;
    let client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let mut socket = client.into_socket();
    let mut sent = 0;
    let mut placed = Vec::new();
    while placed.len() < ORDERS as usize {
        while sent < ORDERS && sent - (placed.len() as u64) < 64 {
            socket.send_text(call(1_000 + sent, "place_order", &order(1))).await;
            sent += 1;
        }
        let answer = socket.next().await;
        let id = answer["result"]["structuredContent"]["order_id"].as_str().map(str::parse::<u64>);
        let id = id.unwrap_or_else(|| panic!("none is refused: {answer}")).expect("a number");
        placed.push((answer["id"].as_u64().expect("the id of the request"), id));
    }
    placed.sort_unstable();
    assert!(placed.is_sorted_by_key(|(_, order)| *order), "an order must not overtake another");
}

async fn rest(embedded: &Embedded, path: &str) -> Reply {
    let headers = [("Host", "localhost"), ("Authorization", &*bearer(TRADE_TOKEN))];
    send_exactly(embedded.port(Service::McpHttp), "GET", path, &headers, "").await
}

#[tokio::test]
async fn a_full_queue_of_the_exchange_is_told_by_every_way_in() {
    let embedded = Embedded::start().await;
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let exchange = embedded.instance().exchange().clone();
    let (go_on, hold) = mpsc::channel::<()>();
    let (holding, held) = tokio::sync::oneshot::channel();
    let mut asked = Vec::new();
    let first = exchange.clone();
    asked.push(tokio::spawn(async move {
        let read = first.read(move |_| {
            holding.send(()).expect("the test waits");
            hold.recv().ok();
        });
        read.await.map(drop)
    }));
    held.await.expect("the exchange works on this alone from now on");
    while !matches!(asked.last().map(|last| last.is_finished()), Some(true)) {
        let exchange = exchange.clone();
        asked.push(tokio::spawn(async move { exchange.read(|_| ()).await }));
        tokio::task::yield_now().await;
    }
    for (tool, arguments) in [("get_account", json!({})), ("place_order", order(1)), ("analyze_risk", json!({}))] {
        let refused = client.call(tool, arguments).await.0;
        assert_eq!(refused["isError"], true, "{tool}: {refused}");
        let error = &refused["_meta"]["cwts-ultra/error"];
        assert_eq!(*error, json!({ "code": "overloaded", "retry_after": 1 }), "{tool}: {refused}");
        assert!(
            refused["content"][0]["text"].as_str().is_some_and(|text| text.starts_with("overloaded: ")),
            "{refused}"
        );
    }
    for (method, params) in [
        ("resources/read", json!({ "uri": "trading://account/summary" })),
        ("prompts/get", json!({ "name": "risk_review" })),
    ] {
        let refused = client.request(method, params).await;
        assert_eq!(refused["error"]["code"], -32005, "{method}: {refused}");
        assert_eq!(refused["error"]["data"], json!({ "code": "overloaded", "retry_after": 1 }), "{method}: {refused}");
    }
    let refused = rest(&embedded, "/api/v1/account").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{refused:?}");
    assert!(refused.body.contains(r#""code":"overloaded""#), "{refused:?}");

    go_on.send(()).expect("the exchange waits for this");
    let mut full = 0;
    for each in asked {
        match each.await.expect("no panic") {
            Ok(()) => {}
            Err(ExchangeError::Overloaded) => full += 1,
            Err(other) => panic!("nothing else is wrong: {other}"),
        }
    }
    assert!(full > 0, "the queue was full");
    client.call("place_order", order(1)).await.ok();
}
