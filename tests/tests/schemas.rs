//! Every tool is called with right and wrong arguments through the official Python SDK, and its answers fit its schema.

use std::path::Path;
use std::process::Stdio;

use cwts_domain::Service;
use cwts_tests::{Embedded, TRADE_TOKEN, python, within};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

fn order(more: Value) -> Value {
    let mut order = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "limit", "quantity": 1, "price": 95 });
    for (name, value) in more.as_object().into_iter().flatten() {
        order[name] = value.clone();
    }
    order
}

/// Arguments of the wrong kind, out of range, missing, unknown and against the rules.
fn bad_orders() -> Vec<Value> {
    let mut bad: Vec<Value> = [
        json!({ "quantity": "1" }),
        json!({ "quantity": 0 }),
        json!({ "quantity": -1 }),
        json!({ "quantity": 0.000_01 }),
        json!({ "quantity": 1e300 }),
        json!({ "quantity": 9_007_199_254_740_993_u64 }),
        json!({ "price": 95.001 }),
        json!({ "price": null }),
        json!({ "price": 1 }),
        json!({ "stop_price": 90 }),
        json!({ "symbol": "EURUSD" }),
        json!({ "symbol": 5 }),
        json!({ "side": "hold" }),
        json!({ "order_type": "iceberg" }),
        json!({ "time_in_force": "gtc" }),
        json!({ "client_order_id": "" }),
        json!({ "client_order_id": "x".repeat(65) }),
        json!({ "post_only": "yes" }),
        json!({ "take_profit_price": 90 }),
        json!({ "oco_stop_price": 101, "take_profit_price": 100 }),
        json!({ "oco_stop_limit_price": 101 }),
    ]
    .into_iter()
    .map(order)
    .collect();
    bad.extend([json!({}), json!({ "symbol": "TESTUSD" })]);
    bad
}

/// The calls of one tool: those that do what they say, and those that are refused. None takes what it does not know.
fn calls(tool: &str, fine: &[Value], bad: &[Value]) -> Vec<Value> {
    let fine = fine.iter().map(|arguments| json!([tool, arguments, "ok"]));
    let unknown = json!({ "colour": "red" });
    fine.chain(bad.iter().chain([&unknown]).map(|arguments| json!([tool, arguments, "error"]))).collect()
}

fn named(name: &str) -> Value {
    json!({ "client_order_id": name })
}

/// What names no order.
fn nobody() -> Vec<Value> {
    let both = json!({ "order_id": "1", "client_order_id": "one" });
    vec![named("nobody"), json!({ "order_id": "999999" }), json!({ "order_id": 1 }), json!({}), both]
}

fn no_symbol(more: Value) -> Vec<Value> {
    vec![json!({ "symbol": "EURUSD" }), json!({ "symbol": 5 }), more]
}

fn no_page(more: Value) -> Vec<Value> {
    vec![json!({ "limit": 0 }), json!({ "limit": 501 }), json!({ "limit": "5" }), json!({ "cursor": "x" }), more]
}

fn orders() -> Vec<Value> {
    let market = order(json!({ "order_type": "market", "price": null }));
    let exits = json!({ "take_profit_price": 110, "stop_loss_price": 91, "stop_loss_limit_price": 90.5 });
    let mut bracket = order(exits);
    bracket["client_order_id"] = json!("bracket");
    let oco = order(json!({ "oco_stop_price": 105 }));
    let day = order(json!({ "time_in_force": "DAY", "client_order_id": "one" }));
    let changed = json!({ "client_order_id": "one", "new_quantity": 2 });
    let zero = json!({ "client_order_id": "one", "new_quantity": 0 });
    let unreadable = [order(json!({ "quantity": "1" })), order(json!({ "symbol": "EURUSD" })), json!({})];
    let (mut no_change, mut gone) = (nobody(), nobody());
    no_change.push(zero);
    gone.push(named("one"));
    [
        calls("preview_order", &[market.clone(), day.clone(), order(json!({ "price": 1 }))], &unreadable),
        calls("place_order", &[market, bracket, oco, day], &bad_orders()),
        calls("modify_order", &[changed], &no_change),
        calls("get_order_status", &[named("one"), named("bracket")], &nobody()),
        calls(
            "list_orders",
            &[json!({}), json!({ "status": "all", "limit": 2 })],
            &no_page(json!({ "status": "new" })),
        ),
        calls("cancel_order", &[named("one")], &gone),
    ]
    .concat()
}

fn questions() -> Vec<Value> {
    let deep = json!({ "symbol": "BTCUSD", "depth": 100, "include_trades": true });
    let exit = json!({ "symbol": "TESTUSD", "exit_price": 120 });
    let risk = json!({ "symbol": "TESTUSD", "confidence_percent": 95, "horizon_minutes": 60 });
    let all = &[json!({})];
    [
        calls("get_fills", &[json!({}), json!({ "limit": 1, "symbol": "TESTUSD" })], &no_page(json!({ "symbol": 1 }))),
        calls("get_positions", &[json!({}), json!({ "include_pnl": false })], &no_symbol(json!({ "include_pnl": 1 }))),
        calls(
            "get_market_data",
            &[json!({ "symbol": "TESTUSD" }), deep],
            &no_symbol(json!({ "symbol": "TESTUSD", "depth": 0 })),
        ),
        calls("analyze_risk", &[json!({}), risk], &no_symbol(json!({ "confidence_percent": 100 }))),
        calls("calculate_profit_loss", &[json!({}), exit], &no_symbol(json!({ "exit_price": 1 }))),
        calls("get_account", all, &[]),
        calls("get_risk_limits", all, &[]),
        calls("get_trading_state", all, &[]),
        calls("list_instruments", all, &[]),
        calls("server_info", all, &[]),
    ]
    .concat()
}

fn ends() -> Vec<Value> {
    let test = json!({ "symbol": "TESTUSD" });
    [
        calls("cancel_all_orders", &[json!({ "symbol": "BTCUSD" }), json!({})], &no_symbol(json!({ "symbol": true }))),
        calls("close_position", std::slice::from_ref(&test), &no_symbol(test.clone())),
        calls("flatten_all", &[json!({}), json!({})], &[]),
        calls("halt_trading", &[json!({ "cancel_orders": true }), json!({})], &[json!({ "cancel_orders": 1 })]),
        calls("get_trading_state", &[json!({})], &[]),
    ]
    .concat()
}

#[tokio::test]
async fn every_answer_fits_the_schema_of_its_tool_and_every_error_has_a_code() {
    let Some(python) = python() else { return };
    let embedded = Embedded::start().await;
    let mut client = Command::new(python);
    client.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/schemas.py"));
    client.arg(embedded.url(Service::McpWebsocket)).arg(TRADE_TOKEN).kill_on_drop(true);
    let mut child =
        client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("python starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let cases = json!([orders(), questions(), ends()].concat());
    stdin.write_all(cases.to_string().as_bytes()).await.expect("the script reads");
    drop(stdin);
    let ended = within("the end of the script", child.wait_with_output()).await.expect("an end");
    let faults = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{faults}");
    let seen: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    let seen = seen.as_object().expect("by tool");
    assert!(seen.len() >= 20, "every tool: {seen:?}");
    assert!(seen.values().all(|counts| counts["ok"] != 0 && counts["error"] != 0), "both ways: {seen:?}");
}
