//! Value at risk, volatility and drawdown as clients get them, from a market whose minutes are known.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cwts_domain::{AccountId, Command, InstrumentId, Lots, PlaceOrder, Service, Side};
use cwts_runtime::{Actor, Instance, MarketState, ReplayRequest, Speed};
use cwts_tests::{Embedded, McpClient, send};
use serde_json::{Value, json};

const BTC: InstrumentId = InstrumentId(0);
/// 2021-01-08T00:00:00Z.
const MIDNIGHT: i64 = 1_610_064_000_000;

/// One trade a minute, in turn at 40,000 and 1 % above: 99 minutes up, 99 down.
fn swinging(folder: &Path) -> PathBuf {
    let line = |minute: i64| {
        let price = if minute % 2 == 0 { 40_000 } else { 40_400 };
        format!("{minute},{price},0.5,1,{},false,true\n", MIDNIGHT + minute * 60_000)
    };
    let path = folder.join("BTCUSDT-trades-2021-01-08.csv");
    std::fs::write(&path, (0..200).map(line).collect::<String>()).expect("room for the file");
    path
}

async fn play_whole(instance: &Instance, file: PathBuf) {
    let request = ReplayRequest { file, quotes: None, symbol: None, speed: Speed::Max, looping: false };
    instance.replay_market(request).await.expect("it can be played");
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while instance.market_status().state != MarketState::Ended {
        looks.tick().await;
    }
}

async fn buy(instance: &Instance) {
    let order = PlaceOrder::market(AccountId::PAPER, BTC, Side::Buy, Lots(1_000));
    instance.exchange().execute(Command::Place(order), |_, _| ()).await.expect("the market sells");
}

/// Holds 0.1 bitcoin while the market swings.
async fn swung(embedded: &Embedded) -> McpClient {
    let (instance, folder) = (embedded.instance(), tempfile::tempdir().expect("a folder"));
    let file = swinging(folder.path());
    play_whole(instance, file.clone()).await;
    buy(instance).await;
    play_whole(instance, file).await;
    McpClient::connect(&embedded.url(Service::McpWebsocket)).await
}

fn number(figures: &Value, path: &str) -> f64 {
    figures.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} must be a number: {figures}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_figures_are_those_of_the_minutes_that_were_played() {
    let embedded = Embedded::start().await;
    let mut client = swung(&embedded).await;
    let minute = client.call("analyze_risk", json!({ "horizon_minutes": 1 })).await.ok();
    // Held is 0.1 at the last price, 40,400. Each second minute loses 400 / 40,400 of that, which is 40 USD.
    let [usual, high] = ["/value_at_risk/0", "/value_at_risk/1"];
    for level in [usual, high] {
        for figure in ["historical_var", "historical_cvar"] {
            let loss = number(&minute, &format!("{level}/{figure}"));
            assert!((loss - 40.0).abs() < 1e-3, "half of all minutes lost as much: {figure} {minute}");
        }
    }
    // Moves of 1 % and -1/101, as often as each other: the deviation is half their distance, by n - 1.
    let returns = number(&minute, "/samples/returns");
    assert!(returns >= 396.0, "two times 198: {minute}");
    let deviation = (0.01 + 1.0 / 101.0) / 2.0 * (returns / (returns - 1.0)).sqrt() * 4_040.0;
    for (level, z, mean_beyond) in [(usual, 1.644_853_627, 2.062_712_808), (high, 2.326_347_874, 2.665_214_220)] {
        let found =
            [number(&minute, &format!("{level}/parametric_var")), number(&minute, &format!("{level}/parametric_cvar"))];
        for (found, times) in found.into_iter().zip([z, mean_beyond]) {
            assert!((found / (times * deviation) - 1.0).abs() < 0.01, "{found} is {times} times {deviation}: {minute}");
        }
    }
    let day = client.call("analyze_risk", json!({})).await.ok();
    let over_a_day = number(&minute, &format!("{usual}/historical_var")) * 1_440_f64.sqrt();
    assert!((number(&day, &format!("{usual}/historical_var")) - over_a_day).abs() < 1e-3, "the square root of time");
    assert_eq!(day["value_at_risk"][1]["confidence_percent"], 99, "both levels when none is asked: {day}");
    let fell = number(&day, "/drawdown/max_amount");
    assert!((fell - 42.02).abs() < 1e-6, "each second minute falls by 40 USD, after a fee of 2.02: {day}");
    assert!(
        day["drawdown"]["peak_at"].as_str().is_some_and(|at| at.starts_with("2021-01-08T0")),
        "in market time: {day}"
    );
    assert!(number(&day, "/volatility/ewma_annualized_percent") > 0.0, "{day}");
    assert_eq!(day["note"], Value::Null, "there is enough of everything: {day}");
    let ether = client.call("analyze_risk", json!({ "symbol": "ETHUSD", "confidence_percent": 90 })).await.ok();
    assert_eq!(ether["value_at_risk"][0]["historical_var"], 0.0, "none is held: {ether}");
    assert_eq!(
        (&ether["value_at_risk"][0]["confidence_percent"], &ether["value_at_risk"][1]),
        (&json!(90), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resource_and_rest_tell_the_same_and_a_reset_forgets() {
    let embedded = Embedded::start().await;
    let mut client = swung(&embedded).await;
    let tool = client.call("analyze_risk", json!({})).await.ok();
    let read = client.request("resources/read", json!({ "uri": "trading://risk/metrics" })).await;
    let text = read["result"]["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{read}"));
    let resource: Value = serde_json::from_str(text).expect("JSON");
    let ask = async |query: &str| {
        let (port, path) = (embedded.port(Service::McpHttp), format!("/api/v1/risk{query}"));
        send(port, "GET", &path, &[("Host", "localhost")], "").await
    };
    let rest = ask("").await.json();
    for part in ["value_at_risk", "volatility", "samples"] {
        assert_eq!((&resource[part], &rest[part]), (&tool[part], &tool[part]), "{part}");
    }
    assert!(number(&resource, "/gross_exposure") > 4_000.0 && number(&resource, "/leverage") == 1.0, "{resource}");
    let wrong = ask("?confidence_percent=100").await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
    assert!(wrong.body.contains("confidence_percent") && wrong.body.contains("80 to 99"), "{}", wrong.body);
    embedded.instance().reset_account(Actor::Panel).await.expect("a new account");
    let after = client.call("analyze_risk", json!({})).await.ok();
    assert_eq!((&after["samples"]["returns"], &after["drawdown"]["max_amount"]), (&json!(0), &json!(0.0)), "{after}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_samples_and_wrong_arguments_are_said() {
    let embedded = Embedded::start().await;
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let fresh = client.call("analyze_risk", json!({})).await.ok();
    assert_eq!(fresh["value_at_risk"][0]["historical_var"], Value::Null, "no number without samples: {fresh}");
    let note = fresh["note"].as_str().expect("why");
    for said in [
        "30 for historical figures at 95 %",
        "100 for historical figures at 99 %",
        "75 for EWMA volatility",
        "with time",
    ] {
        assert!(note.contains(said), "{said}: {note}");
    }
    for (arguments, said) in [
        (json!({ "confidence_percent": 100 }), "confidence_percent"),
        (json!({ "confidence_percent": "95" }), "confidence_percent"),
        (json!({ "horizon_minutes": 0 }), "horizon_minutes"),
        (json!({ "symbol": "DOGE" }), "BTCUSD, ETHUSD, TESTUSD"),
        (json!({ "horizon": 5 }), "horizon_minutes"),
    ] {
        let error = client.call("analyze_risk", arguments.clone()).await.error();
        assert!(error.contains(said), "{arguments}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_survive_a_restart_and_do_not_depend_on_speed() {
    let embedded = Embedded::start().await;
    let mut client = swung(&embedded).await;
    let before = client.call("analyze_risk", json!({})).await.ok();
    drop(client);
    embedded.instance().stop().await.expect("it stops");
    embedded.instance().start().await.expect("it starts");
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let after = client.call("analyze_risk", json!({})).await.ok();
    assert_eq!(after["samples"], before["samples"], "they are in the data folder");
    let folder = tempfile::tempdir().expect("a folder");
    let request = ReplayRequest {
        file: swinging(folder.path()),
        quotes: None,
        symbol: None,
        speed: Speed::Times(10_000.0),
        looping: false,
    };
    embedded.instance().reset_account(Actor::Panel).await.expect("a new account");
    embedded.instance().replay_market(request).await.expect("it can be played");
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while embedded.instance().market_status().state != MarketState::Ended {
        looks.tick().await;
    }
    let slower = client.call("analyze_risk", json!({})).await.ok();
    assert_eq!(slower["samples"]["returns"], 198, "198 whole minutes lie between 200 trades at any speed: {slower}");
}
