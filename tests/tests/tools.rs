//! The tools as an agent sees them: what they promise, and what they say to wrong arguments.

use cwts_domain::{AccountId, Service};
use cwts_tests::{Embedded, McpClient, ToolResult};
use serde_json::{Value, json};

async fn client() -> (Embedded, McpClient) {
    let embedded = Embedded::start().await;
    let client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    (embedded, client)
}

/// A limit order that no price of the session reaches.
fn far_bid(quantity: Value) -> Value {
    json!({ "symbol": "BTCUSD", "side": "buy", "order_type": "limit", "quantity": quantity, "price": 60_000.5 })
}

fn with(mut arguments: Value, field: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(arguments.as_object_mut().expect("an object").remove(field)),
        value => arguments[field] = value,
    }
    arguments
}

#[tokio::test]
async fn every_tool_says_what_it_returns_and_how_it_acts() {
    let (_embedded, mut client) = client().await;
    let answer = client.request("tools/list", json!({})).await;
    let tools = answer["result"]["tools"].as_array().expect("a list of tools");
    let names: Vec<_> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    for name in [
        "place_order",
        "cancel_order",
        "get_order_status",
        "list_orders",
        "get_fills",
        "get_positions",
        "get_account",
        "get_market_data",
        "server_info",
        "modify_order",
        "preview_order",
        "cancel_all_orders",
        "close_position",
        "flatten_all",
        "get_risk_limits",
        "get_trading_state",
        "halt_trading",
        "list_instruments",
    ] {
        assert!(names.contains(&name), "agents rely on {name}: {names:?}");
    }
    for tool in tools {
        assert!(tool["description"].is_string(), "the model chooses by the description: {tool}");
        assert_eq!(tool["outputSchema"]["type"], "object", "a client checks the answer: {tool}");
        assert_eq!(tool["inputSchema"]["type"], "object", "a client checks the arguments: {tool}");
        let read_only = tool["annotations"]["readOnlyHint"].as_bool();
        let changing = [
            "place_order",
            "cancel_order",
            "modify_order",
            "cancel_all_orders",
            "close_position",
            "flatten_all",
            "halt_trading",
        ];
        let changes = tool["name"].as_str().is_some_and(|name| changing.contains(&name));
        assert_eq!(read_only, Some(!changes), "a host asks its person before a tool that changes something: {tool}");
    }
}

#[tokio::test]
async fn wrong_arguments_are_tool_errors_that_name_the_field() {
    let (_embedded, mut client) = client().await;
    let good = || far_bid(json!(0.001));
    let market = with(with(good(), "order_type", json!("market")), "price", json!(64_000));
    let cases = [
        ("price", "place_order", with(good(), "price", Value::Null)),
        ("price", "place_order", market),
        ("price", "place_order", with(good(), "price", json!(-1))),
        ("price", "place_order", with(good(), "price", json!(64_000.005))),
        ("price", "place_order", with(good(), "price", json!("64000"))),
        ("quantity", "place_order", with(good(), "quantity", json!(0))),
        ("quantity", "place_order", with(good(), "quantity", json!(-0.1))),
        ("quantity", "place_order", with(good(), "quantity", json!(0.000_01))),
        ("quantity", "place_order", with(good(), "quantity", json!(1e9))),
        ("quantity", "place_order", with(good(), "quantity", Value::Null)),
        ("DOGEUSD", "place_order", with(good(), "symbol", json!("DOGEUSD"))),
        ("side", "place_order", with(good(), "side", Value::Null)),
        ("hold", "place_order", with(good(), "side", json!("hold"))),
        ("iceberg", "place_order", with(good(), "order_type", json!("iceberg"))),
        ("SOON", "place_order", with(good(), "time_in_force", json!("SOON"))),
        ("leverage", "place_order", with(good(), "leverage", json!(100))),
        ("client_order_id", "place_order", with(good(), "client_order_id", json!(""))),
        ("client_order_id", "place_order", with(good(), "client_order_id", json!("x".repeat(65)))),
        ("order_id", "cancel_order", json!({})),
        ("order_id", "cancel_order", json!({ "order_id": "first" })),
        ("999999999", "cancel_order", json!({ "order_id": "999999999" })),
        ("order_id", "get_order_status", json!({ "order_id": "1", "client_order_id": "a" })),
        ("nobody", "get_order_status", json!({ "client_order_id": "nobody" })),
        ("DOGEUSD", "get_market_data", json!({ "symbol": "DOGEUSD" })),
        ("symbol", "get_market_data", json!({})),
        ("depth", "get_market_data", json!({ "symbol": "BTCUSD", "depth": 0 })),
        ("depth", "get_market_data", json!({ "symbol": "BTCUSD", "depth": 101 })),
        ("limit", "list_orders", json!({ "limit": 501 })),
        ("cursor", "list_orders", json!({ "cursor": "next" })),
        ("limit", "get_fills", json!({ "limit": 0 })),
    ];
    for (named, tool, arguments) in cases {
        let said = client.call(tool, arguments.clone()).await.error();
        assert!(said.contains(named), "{tool} {arguments} must say what is wrong with {named}; it says {said:?}");
    }
    let orders = client.call("list_orders", json!({ "status": "all" })).await.ok();
    assert_eq!(orders["orders"], json!([]), "what was refused left nothing behind");
}

#[tokio::test]
async fn an_agent_reads_what_it_gave_and_what_is_allowed() {
    let (_embedded, mut client) = client().await;
    let cases = [
        (
            "place_order",
            with(far_bid(json!(1)), "price", json!("64000")),
            &["price is \"64000\", a string", "a number"][..],
        ),
        ("place_order", with(far_bid(json!(1)), "side", json!("hold")), &["side is \"hold\"", "buy or sell"]),
        ("place_order", with(far_bid(json!(1)), "side", Value::Null), &["side is missing", "buy or sell"]),
        ("place_order", with(far_bid(json!(1)), "leverage", json!(2)), &["leverage is not known", "quantity"]),
        ("place_order", far_bid(json!([])), &["quantity is a list", "a number"]),
        ("get_fills", json!({ "limit": 1.5 }), &["limit is 1.5", "a whole number from 1 to 500"]),
        ("get_fills", json!({ "limit": 70_000 }), &["limit is 70000", "from 1 to 500"]),
        (
            "get_market_data",
            json!({ "symbol": "BTCUSD", "include_trades": "yes" }),
            &["include_trades", "true or false"],
        ),
    ];
    for (tool, arguments, parts) in cases {
        let said = client.call(tool, arguments.clone()).await.error();
        for part in parts {
            assert!(said.contains(part), "{tool} {arguments} must say {part:?}; it says {said:?}");
        }
        let rust = ["invalid type", "f64", "u16", "expected", "variant"].iter().any(|word| said.contains(word));
        assert!(!rust, "an agent knows nothing of our types: {said:?}");
    }
}

#[tokio::test]
async fn a_whole_number_may_be_written_with_a_fraction_of_zero() {
    let (_embedded, mut client) = client().await;
    client.call("place_order", far_bid(json!(0.001))).await.ok();
    for (tool, arguments) in [
        ("list_orders", json!({ "limit": 5.0 })),
        ("get_fills", json!({ "limit": 1e2 })),
        ("get_market_data", json!({ "symbol": "BTCUSD", "depth": 2.0 })),
    ] {
        let answer = client.call(tool, arguments.clone()).await;
        assert_ne!(answer.0["isError"], true, "5.0 and 5 are one number (RFC 8259, section 6): {tool} {arguments}");
    }
}

#[tokio::test]
async fn sequences_and_counts_are_integers() {
    let (_embedded, mut client) = client().await;
    let order = client.call("place_order", far_bid(json!(0.001))).await.ok();
    let account = client.call("get_account", json!({})).await.ok();
    let market = client.call("get_market_data", json!({ "symbol": "BTCUSD" })).await.ok();
    let positions = client.call("get_positions", json!({})).await.ok();
    for (field, value) in [
        ("order.sequence", &order["sequence"]),
        ("account.sequence", &account["sequence"]),
        ("account.open_orders", &account["open_orders"]),
        ("market.sequence", &market["sequence"]),
        ("positions.sequence", &positions["sequence"]),
    ] {
        assert!(value.is_u64(), "a client with typed integers fails on 1.0: {field} is {value}");
    }
    let tools = client.request("tools/list", json!({})).await;
    let tools = tools["result"]["tools"].as_array().expect("a list of tools").clone();
    let market = tools.iter().find(|tool| tool["name"] == "get_market_data").expect("a tool");
    let sequence = &market["outputSchema"]["properties"]["sequence"];
    assert_eq!(sequence["type"], "integer", "the schema says so: {sequence}");
    let depth = &market["inputSchema"]["properties"]["depth"];
    assert_eq!((&depth["minimum"], &depth["maximum"]), (&json!(1), &json!(100)), "and what is allowed: {depth}");
}

#[tokio::test]
async fn a_price_far_from_the_market_is_refused_with_the_band() {
    let (_embedded, mut client) = client().await;
    cwts_tests::until("a first trade", async || {
        let market = client.call("get_market_data", json!({ "symbol": "BTCUSD" })).await.ok();
        market["last"].is_number().then_some(())
    })
    .await;
    let said = client.call("place_order", with(far_bid(json!(0.001)), "price", json!(32_000))).await.error();
    let clear = said.contains("within 10 % of the last price") && said.contains("price must be from 5");
    assert!(clear, "an agent must learn what it may ask: {said}");
}

#[tokio::test]
async fn an_unknown_tool_is_an_error_of_the_protocol() {
    let (_embedded, mut client) = client().await;
    let answer = client.request("tools/call", json!({ "name": "place_bet", "arguments": {} })).await;
    assert_eq!(answer["error"]["code"], -32602, "MCP, \"Error handling\": an unknown tool is invalid params");
    let said = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(
        said.contains("place_bet") && said.contains("place_order"),
        "it names what was asked and what there is: {said}"
    );
}

#[tokio::test]
async fn a_client_order_id_places_once() {
    let (embedded, mut client) = client().await;
    let order = with(far_bid(json!(0.001)), "client_order_id", json!("agent-1"));
    let first = client.call("place_order", order.clone()).await.ok();
    let mut other = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let second = other.call("place_order", order.clone()).await.ok();
    assert_eq!(second["order_id"], first["order_id"], "a retry after a lost answer must not place a second order");
    let open = client.call("list_orders", json!({})).await.ok();
    assert_eq!(open["orders"].as_array().map(Vec::len), Some(1), "one order is in the book: {open}");
    let status = client.call("get_order_status", json!({ "client_order_id": "agent-1" })).await.ok();
    assert_eq!(status["order_id"], first["order_id"], "the client's name finds its order");
    client.call("cancel_order", json!({ "client_order_id": "agent-1" })).await.ok();
    let third = client.call("place_order", order).await.ok();
    let same = (&third["order_id"], &third["status"]);
    assert_eq!(same, (&first["order_id"], &json!("cancelled")), "a late retry must not bring a cancelled order back");
}

#[tokio::test]
async fn orders_of_the_simulator_are_nobodys_business() {
    let (embedded, mut client) = client().await;
    let maker = cwts_tests::until("quotes of the simulated makers", async || {
        let read = embedded
            .instance()
            .exchange()
            .read(|exchange| exchange.open_orders(AccountId::MAKER).next().map(|order| order.id));
        read.await.expect("the exchange answers")
    })
    .await;
    let id = json!({ "order_id": maker.to_string() });
    for tool in ["get_order_status", "cancel_order"] {
        let said = client.call(tool, id.clone()).await.error();
        assert!(said.contains("does not exist"), "{tool} must not even tell that the order exists: {said}");
    }
    let orders = client.call("list_orders", json!({ "status": "all" })).await.ok();
    assert_eq!(orders["orders"], json!([]), "only the paper account's orders are listed");
}

#[tokio::test]
async fn a_filled_order_shows_in_position_cash_and_fills() {
    let (_embedded, mut client) = client().await;
    wait_for_quotes(&mut client).await;
    let cash = async |client: &mut McpClient| client.call("get_account", json!({})).await.ok()["cash"].clone();
    let before = cash(&mut client).await.as_f64().expect("a number");
    let order = json!({ "symbol": "BTCUSD", "side": "buy", "order_type": "market", "quantity": 0.01 });
    let order = client.call("place_order", order).await.ok();
    assert_eq!((&order["status"], &order["filled_quantity"]), (&json!("filled"), &json!(0.01)), "a deep book fills it");
    let price = order["average_price"].as_f64().expect("a filled order has a price");
    let position = client.call("get_positions", json!({})).await.ok()["positions"][0].clone();
    assert_eq!(
        (&position["side"], &position["quantity"]),
        (&json!("buy"), &json!(0.01)),
        "bought means long: {position}"
    );
    assert_eq!(position["entry_price"], order["average_price"], "the only fill makes the entry price");
    let after = cash(&mut client).await.as_f64().expect("a number");
    let fees = order["fees"].as_f64().expect("a number");
    assert!((fees - price * 0.01 * 0.000_5).abs() < 2e-6, "a taker pays 0.05 %: {fees} of {price}");
    let paid = price * 0.01 + fees;
    assert!((before - after - paid).abs() < 1e-6, "what was bought was paid: {before} {after} {price}");
    let fills = client.call("get_fills", json!({})).await.ok();
    assert_eq!(fills["fills"][0]["order_id"], order["order_id"], "the fill names its order: {fills}");
}

#[tokio::test]
async fn a_fill_or_kill_order_that_finds_too_little_leaves_nothing() {
    let (_embedded, mut client) = client().await;
    wait_for_quotes(&mut client).await;
    let order = with(far_bid(json!(0.001)), "time_in_force", json!("FOK"));
    let said = client.call("place_order", order).await.error();
    assert!(said.contains("fill or kill"), "the agent must learn why: {said}");
    let order = with(far_bid(json!(0.001)), "time_in_force", json!("IOC"));
    let order = client.call("place_order", order).await.ok();
    let ended = (&order["status"], &order["cancel_reason"]);
    assert_eq!(ended, (&json!("cancelled"), &json!("unfilled")), "an IOC order never rests: {order}");
}

#[tokio::test]
async fn orders_come_page_by_page_newest_first() {
    let (_embedded, mut client) = client().await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(client.call("place_order", far_bid(json!(0.001))).await.ok()["order_id"].clone());
    }
    placed.reverse();
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    for pages in 1..=3 {
        let page = client.call("list_orders", with(json!({ "limit": 2 }), "cursor", cursor)).await.ok();
        seen.extend(page["orders"].as_array().expect("orders").iter().map(|order| order["order_id"].clone()));
        cursor = page["next_cursor"].clone();
        assert_eq!(cursor.is_null(), pages == 3, "only the last page ends the list: page {pages}");
    }
    assert_eq!(seen, placed, "every order comes once, the newest first");
}

async fn wait_for_quotes(client: &mut McpClient) {
    let quoted = |data: ToolResult| data.ok()["ask"].is_number();
    cwts_tests::until("quotes on both sides", async || {
        quoted(client.call("get_market_data", json!({ "symbol": "BTCUSD" })).await).then_some(())
    })
    .await;
}
