//! Orders of every kind, and the tools around them, on the test symbol: it always fills at 99.99 and 100.01.

use cwts_domain::Service;
use cwts_tests::{Embedded, McpClient};
use serde_json::{Value, json};

async fn client() -> (Embedded, McpClient) {
    let embedded = Embedded::start().await;
    let client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    (embedded, client)
}

/// An order for one unit of the test symbol; `more` adds or replaces arguments.
fn order(side: &str, order_type: &str, more: Value) -> Value {
    let mut order = json!({ "symbol": "TESTUSD", "side": side, "order_type": order_type, "quantity": 1 });
    for (name, value) in more.as_object().into_iter().flatten() {
        order[name] = value.clone();
    }
    order
}

async fn place(client: &mut McpClient, side: &str, order_type: &str, more: Value) -> Value {
    client.call("place_order", order(side, order_type, more)).await.ok()
}

#[tokio::test]
async fn the_test_symbol_fills_every_time_at_the_same_prices() {
    let (_embedded, mut client) = client().await;
    for _ in 0..3 {
        let bought = place(&mut client, "buy", "market", json!({ "quantity": 300 })).await;
        assert_eq!((&bought["status"], &bought["average_price"]), (&json!("filled"), &json!(100.01)), "{bought}");
        let sold = place(&mut client, "sell", "market", json!({ "quantity": 300 })).await;
        assert_eq!((&sold["status"], &sold["average_price"]), (&json!("filled"), &json!(99.99)), "{sold}");
    }
}

#[tokio::test]
async fn a_stop_order_waits_for_its_price_and_then_trades() {
    let (_embedded, mut client) = client().await;
    place(&mut client, "sell", "market", json!({})).await;
    let stop = place(&mut client, "buy", "stop", json!({ "stop_price": 100.01 })).await;
    assert_eq!((&stop["status"], &stop["stop_price"]), (&json!("open"), &json!(100.01)), "the last price is 99.99");
    place(&mut client, "buy", "market", json!({})).await;
    let stop = client.call("get_order_status", json!({ "order_id": stop["order_id"] })).await.ok();
    assert_eq!(
        (&stop["status"], &stop["average_price"]),
        (&json!("filled"), &json!(100.01)),
        "a trade at 100.01: {stop}"
    );
}

#[tokio::test]
async fn a_bracket_protects_what_it_bought_and_goes_with_it() {
    let (_embedded, mut client) = client().await;
    let exits = json!({ "take_profit_price": 105, "stop_loss_price": 95 });
    let entry = place(&mut client, "buy", "market", exits).await;
    assert_eq!(entry["status"], "filled", "the entry: {entry}");
    let open = client.call("list_orders", json!({ "symbol": "TESTUSD" })).await.ok();
    let types: Vec<_> = open["orders"].as_array().expect("orders").iter().map(|order| &order["order_type"]).collect();
    assert_eq!(types, [&json!("stop"), &json!("limit")], "loss and profit wait: {open}");
    let closed = client.call("close_position", json!({ "symbol": "TESTUSD" })).await.ok();
    assert_eq!((&closed["side"], &closed["status"]), (&json!("sell"), &json!("filled")), "{closed}");
    let open = client.call("list_orders", json!({})).await.ok();
    assert_eq!(open["orders"], json!([]), "an exit without a position would open one");
}

#[tokio::test]
async fn terms_that_do_not_fit_name_their_field() {
    let (_embedded, mut client) = client().await;
    let cases = [
        ("post_only", order("buy", "market", json!({ "post_only": true }))),
        ("post only", order("buy", "limit", json!({ "price": 100.01, "post_only": true }))),
        ("reduce only", order("sell", "market", json!({ "reduce_only": true }))),
        ("stop_loss_price", order("buy", "limit", json!({ "price": 99, "stop_loss_price": 99.5 }))),
        ("stop_loss_price", order("buy", "limit", json!({ "price": 99, "stop_loss_limit_price": 98 }))),
        ("oco_stop_price", order("sell", "limit", json!({ "price": 105, "oco_stop_price": 106 }))),
        ("stop_price", order("buy", "stop", json!({}))),
        ("stop_price", order("buy", "limit", json!({ "price": 99, "stop_price": 98 }))),
        ("price", order("buy", "stop_limit", json!({ "stop_price": 101 }))),
    ];
    for (named, order) in cases {
        let said = client.call("place_order", order.clone()).await.error();
        assert!(said.contains(named), "{order} must say what is wrong with {named}; it says {said:?}");
    }
}

#[tokio::test]
async fn an_order_can_be_changed_and_all_be_cancelled() {
    let (_embedded, mut client) = client().await;
    let placed = place(&mut client, "buy", "limit", json!({ "price": 95, "client_order_id": "a" })).await;
    let change = json!({ "client_order_id": "a", "new_price": 96, "new_quantity": 2 });
    let changed = client.call("modify_order", change).await.ok();
    let terms = (&changed["order_id"], &changed["price"], &changed["quantity"]);
    assert_eq!(terms, (&placed["order_id"], &json!(96.0), &json!(2.0)), "the same order with new terms");
    let said = client.call("modify_order", json!({ "client_order_id": "a" })).await.error();
    assert!(said.contains("new_price"), "a change of nothing is a mistake: {said}");
    let cancelled = client.call("cancel_all_orders", json!({ "symbol": "BTCUSD" })).await.ok();
    assert_eq!(cancelled["cancelled"], json!([]), "another instrument");
    let cancelled = client.call("cancel_all_orders", json!({})).await.ok();
    assert_eq!(cancelled["cancelled"], json!([placed["order_id"]]), "this one");
}

#[tokio::test]
async fn a_preview_says_what_an_order_would_do_and_does_nothing() {
    let (_embedded, mut client) = client().await;
    let preview = client.call("preview_order", order("buy", "market", json!({}))).await.ok();
    let told = (&preview["would_be_accepted"], &preview["filled_quantity"], &preview["average_price"]);
    assert_eq!(told, (&json!(true), &json!(1.0), &json!(100.01)), "{preview}");
    let preview = client.call("preview_order", order("buy", "limit", json!({ "price": 99 }))).await.ok();
    assert_eq!(preview["waiting_quantity"], 1.0, "below the market it would wait: {preview}");
    let preview = client.call("preview_order", order("buy", "market", json!({ "quantity": 1000 }))).await.ok();
    let reason = preview["reason"].as_str().unwrap_or_default();
    assert!(preview["would_be_accepted"] == false && reason.contains("available"), "too much: {preview}");
    let positions = client.call("get_positions", json!({})).await.ok();
    assert_eq!(positions["positions"], json!([]), "nothing was bought");
}

#[tokio::test]
async fn flattening_leaves_neither_orders_nor_positions() {
    let (_embedded, mut client) = client().await;
    place(&mut client, "buy", "market", json!({})).await;
    let open = place(&mut client, "buy", "limit", json!({ "price": 95 })).await;
    let flat = client.call("flatten_all", json!({})).await.ok();
    assert_eq!((&flat["cancelled"], &flat["problems"]), (&json!([open["order_id"]]), &json!([])), "{flat}");
    assert_eq!(flat["orders"][0]["status"], "filled", "the position is sold: {flat}");
    let positions = client.call("get_positions", json!({})).await.ok();
    assert_eq!(positions["positions"], json!([]), "flat");
    let said = client.call("close_position", json!({ "symbol": "TESTUSD" })).await.error();
    assert!(said.contains("no open position"), "there is nothing to close: {said}");
}

#[tokio::test]
async fn a_halt_holds_for_every_client_and_lets_cancel() {
    let (embedded, mut client) = client().await;
    let open = place(&mut client, "buy", "limit", json!({ "price": 95 })).await;
    let halted = client.call("halt_trading", json!({})).await.ok();
    assert_eq!((&halted["state"], &halted["cancelled"]), (&json!("halted"), &json!([])), "{halted}");
    let mut other = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let state = other.call("get_trading_state", json!({})).await.ok();
    assert_eq!(state["state"], "halted", "everyone sees it");
    let said = other.call("place_order", order("buy", "market", json!({}))).await.error();
    assert!(said.contains("halted") && said.contains("person"), "it says who can resume: {said}");
    let halted = client.call("halt_trading", json!({ "cancel_orders": true })).await.ok();
    assert_eq!(halted["cancelled"], json!([open["order_id"]]), "a second call cancels what is open");
}

#[tokio::test]
async fn limits_and_instruments_are_told() {
    let (_embedded, mut client) = client().await;
    let limits = client.call("get_risk_limits", json!({})).await.ok();
    assert_eq!(limits["price_band_percent"], 10, "{limits}");
    assert_eq!((&limits["equity"], &limits["margin_used"]), (&json!(100_000.0), &json!(0.0)), "nothing is held");
    place(&mut client, "buy", "limit", json!({ "price": 95, "quantity": 100 })).await;
    let limits = client.call("get_risk_limits", json!({})).await.ok();
    assert_eq!(limits["margin_used"], 9_500.0, "100 at 95 wait: {limits}");
    let list = client.call("list_instruments", json!({})).await.ok();
    let symbols: Vec<_> = list["instruments"].as_array().expect("a list").iter().map(|each| &each["symbol"]).collect();
    assert_eq!(symbols, [&json!("BTCUSD"), &json!("ETHUSD"), &json!("TESTUSD")], "{list}");
}
