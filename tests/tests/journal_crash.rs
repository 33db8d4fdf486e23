//! The real program is killed under load again and again: no acknowledged order is lost or doubled, and the journal replays
//! to the state that the next start goes on from. Twenty times here, two hundred with `CWTS_SOAK=1`.

use std::collections::BTreeMap;
use std::time::Duration;

use cwts_domain::Service;
use cwts_tests::{Exit, Home, McpClient, Ports, Server, Socket, command, finish, initialize_request, within};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const CLIENTS: u64 = 4;
/// Orders of one client that are under way at a time.
const IN_FLIGHT: u64 = 8;

fn rounds() -> u64 {
    if std::env::var_os("CWTS_SOAK").is_some() { 200 } else { 20 }
}

/// An order that the server has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Acknowledged {
    name: String,
    id: String,
}

/// Every other order fills at once, the rest wait far from the market. Small, so that no load comes to the limit of exposure.
fn order(name: &str, number: u64) -> Value {
    let mut order = json!({ "symbol": "TESTUSD", "quantity": 0.01, "client_order_id": name });
    let more = match number % 4 {
        0 => json!({ "side": "buy", "order_type": "market" }),
        1 => json!({ "side": "sell", "order_type": "market" }),
        2 => json!({ "side": "buy", "order_type": "limit", "price": 95 }),
        _ => json!({ "side": "sell", "order_type": "limit", "price": 105, "time_in_force": "GTC" }),
    };
    order.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    order
}

/// Places orders until the connection ends, and returns what was acknowledged.
async fn trade(url: String, round: u64, client: u64) -> Vec<Acknowledged> {
    let mut socket = Socket::open(&url).await;
    let (mut acknowledged, mut sent, mut open) = (Vec::new(), 0, 0);
    socket.send_unless_ended(initialize_request(0).to_string()).await;
    if socket.next_unless_ended().await.is_none() {
        return acknowledged;
    }
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    socket.send_unless_ended(ready.to_string()).await;
    loop {
        while open < IN_FLIGHT {
            sent += 1;
            open += 1;
            let arguments = order(&format!("r{round}c{client}n{sent}"), sent);
            let params = json!({ "name": "place_order", "arguments": arguments });
            let call = json!({ "jsonrpc": "2.0", "id": sent, "method": "tools/call", "params": params });
            if !socket.send_unless_ended(call.to_string()).await {
                return acknowledged;
            }
        }
        let Some(answer) = socket.next_unless_ended().await else { return acknowledged };
        let Some(number) = answer["id"].as_u64() else { continue };
        open -= 1;
        let placed = &answer["result"]["structuredContent"];
        assert!(placed["order_id"].is_string(), "an order within every limit is taken: {answer}");
        let name = format!("r{round}c{client}n{number}");
        acknowledged.push(Acknowledged { name, id: placed["order_id"].as_str().expect("a string").to_owned() });
    }
}

async fn cli(home: &Home, words: &[&str]) -> Exit {
    let mut command = command(home);
    command.args(words);
    finish(command).await
}

/// Client order ids with the ids of the orders that bear them, as the journal has them.
async fn kept(home: &Home) -> BTreeMap<String, Vec<String>> {
    let exported = cli(home, &["journal", "export", "orders"]).await;
    assert_eq!(exported.status, Some(0), "the journal can be read: {}", exported.stderr);
    let mut kept = BTreeMap::<String, Vec<String>>::new();
    for line in exported.stdout.lines().skip(1) {
        let mut fields = line.split(',');
        let (id, name) = (fields.next().expect("an id"), fields.next().expect("a name"));
        kept.entry(name.to_owned()).or_default().push(id.to_owned());
    }
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_order_is_lost_or_doubled_when_the_server_is_killed() {
    let home = Home::with(&Ports::free());
    let (mut before, mut total) = (Vec::<Acknowledged>::new(), 0);
    for round in 0..rounds() {
        let server = Server::start(&home).await;
        let url = server.url(Service::McpWebsocket).to_owned();
        let mut client = McpClient::connect(&url).await;
        if let Some(last) = before.last() {
            let number = last.name.rsplit('n').next().and_then(|text| text.parse().ok()).expect("a number");
            let again = client.call("place_order", order(&last.name, number)).await.ok();
            assert_eq!(again["order_id"], last.id, "a name that was acknowledged places nothing anew, round {round}");
        }
        // Open orders of all rounds would come to the limit.
        client.call("cancel_all_orders", json!({})).await.ok();
        let mut traders = JoinSet::new();
        for client in 0..CLIENTS {
            traders.spawn(trade(url.clone(), round, client));
        }
        // Another moment of the load in every round.
        let moment = Duration::from_millis(150 + round * 37 % 400);
        let early = tokio::time::timeout(moment, traders.join_next()).await;
        assert!(early.is_err(), "the server serves until it is killed: {early:?}");
        drop(server.stop(Signal::KILL).await);
        let acknowledged: Vec<_> =
            within("the traders to end", traders.join_all()).await.into_iter().flatten().collect();
        assert!(!acknowledged.is_empty(), "round {round} has placed something within {moment:?}");
        let check = cli(&home, &["--json", "journal", "check"]).await;
        assert_eq!(check.status, Some(0), "round {round}: {}", check.stderr);
        let check: Value = serde_json::from_str(&check.stdout).expect("JSON");
        assert_eq!(check["state_hash"], check["replayed_hash"], "a replay from zero ends in the same state");
        let kept = kept(&home).await;
        for Acknowledged { name, id } in &acknowledged {
            assert_eq!(kept.get(name), Some(&vec![id.clone()]), "round {round}: {name} was acknowledged once");
        }
        let doubled = kept.iter().find(|(name, ids)| !name.is_empty() && ids.len() > 1);
        assert_eq!(doubled, None, "round {round}: one name, one order, acknowledged or not");
        total += acknowledged.len();
        before = acknowledged;
    }
    assert!(total as u64 > rounds() * 10, "{total} orders in {} rounds are a load", rounds());
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_positions_and_the_halt_survive_a_restart() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let mut client = McpClient::connect(server.url(Service::McpWebsocket)).await;
    let waiting = client.call("place_order", order("mine", 2)).await.ok();
    client.call("place_order", order("bought", 0)).await.ok();
    let account = client.call("get_account", json!({})).await.ok();
    client.call("halt_trading", json!({})).await.ok();
    drop(server.stop(Signal::TERM).await);

    let server = Server::start(&home).await;
    let mut client = McpClient::connect(server.url(Service::McpWebsocket)).await;
    let state = client.call("get_trading_state", json!({})).await.ok();
    assert_eq!(state["state"], "halted", "a halt must not end because somebody restarts: {state}");
    let refused = client.call("place_order", order("other", 2)).await.error();
    assert!(refused.contains("halted"), "and holds: {refused}");
    let open = client.call("list_orders", json!({ "status": "open" })).await.ok();
    assert_eq!(open["orders"][0]["order_id"], waiting["order_id"], "what was open is open: {open}");
    let now = client.call("get_account", json!({})).await.ok();
    assert_eq!(now["cash"], account["cash"], "the account goes on: {now}");
    let again = client.call("place_order", order("mine", 2)).await.ok();
    assert_eq!(again["order_id"], waiting["order_id"], "placing the same name again places nothing");

    let resumed = cli(&home, &["resume"]).await;
    assert_eq!(resumed.stdout.trim(), "Trading is active. 1 order is open.", "{}", resumed.stderr);
    client.call("place_order", order("other", 2)).await.ok();
    let halted = cli(&home, &["--json", "halt"]).await;
    let halted: Value = serde_json::from_str(&halted.stdout).expect("JSON");
    assert_eq!((&halted["state"], &halted["open_orders"]), (&json!("halted"), &json!(2)), "the command line halts");
    let cancelled = cli(&home, &["cancel-all"]).await;
    assert_eq!(cancelled.stdout.trim(), "Cancelled 2 orders. No order is open.", "{}", cancelled.stderr);
    drop(server.stop(Signal::TERM).await);
    let refused = cli(&home, &["halt"]).await;
    assert_eq!(refused.status, Some(1), "there is nothing to halt: {refused:?}");
    assert!(refused.stderr.contains("does not run"), "and the line says so: {}", refused.stderr);
    let fills = cli(&home, &["journal", "export", "fills"]).await;
    assert_eq!(fills.stdout.lines().count(), 2, "one trade below the head: {}", fills.stdout);
}
