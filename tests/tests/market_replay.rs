//! Files of an exchange as the market of a running instance: how a person loads and moves them, and what clients meet.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cwts_domain::{AccountId, Command, InstrumentId, Lots, PlaceOrder, Side, Ticks, Timestamp};
use cwts_runtime::{
    Actor, ExchangeError, Instance, LimitsChange, MarketState, MarketStatus, ReplayRequest, SimulatorView, Speed,
};
use cwts_tests::Embedded;

const BTC: InstrumentId = InstrumentId(0);
const HEAD: &str = "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match\n";
/// 2021-01-08T00:00:00Z.
const MIDNIGHT: i64 = 1_610_064_000_000;

/// A trade each 100 ms, each one dollar above the one before.
fn rising(folder: &Path, trades: i64) -> PathBuf {
    let line = |index: i64| format!("{index},{}.50,0.5,1,{},false,true\n", 40_000 + index, MIDNIGHT + index * 100);
    let path = folder.join("BTCUSDT-trades-2021-01-08.csv");
    std::fs::write(&path, HEAD.to_owned() + &(0..trades).map(line).collect::<String>()).expect("room for the file");
    path
}

fn request(file: PathBuf, speed: Speed) -> ReplayRequest {
    ReplayRequest { file, quotes: None, symbol: None, speed, looping: false }
}

/// Waits until the market is as wanted.
async fn becomes(instance: &Instance, wanted: impl Fn(&MarketStatus) -> bool, what: &str) -> MarketStatus {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..4_000 {
        looks.tick().await;
        let status = instance.market_status();
        if wanted(&status) {
            return status;
        }
    }
    panic!("{what} within 20 s, not {:?}", instance.market_status());
}

async fn last(instance: &Instance) -> Option<Ticks> {
    let last = |exchange: &cwts_runtime::Exchange| exchange.market(BTC)?.last_trade().map(|trade| trade.price);
    instance.exchange().read(last).await.expect("the exchange answers")
}

async fn place(instance: &Instance, order: PlaceOrder) -> cwts_domain::OrderId {
    let newest = |exchange: &cwts_runtime::Exchange, _: &[cwts_domain::Event]| exchange.last_order_id();
    instance.exchange().execute(Command::Place(order), newest).await.expect("the order is taken")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_played_to_its_end_and_can_be_moved_in() {
    let (embedded, folder) = (Embedded::start().await, tempfile::tempdir().unwrap());
    let instance = embedded.instance();
    let path = rising(folder.path(), 3_000);
    let begun = instance.replay_market(request(path, Speed::Max)).await.unwrap();
    let replay = begun.replay.unwrap();
    assert_eq!((replay.symbol.as_str(), replay.format.as_str(), replay.steps), ("BTCUSD", "trades", Some(3_000)));
    let ended = becomes(instance, |it| it.state == MarketState::Ended, "the file ends").await.replay.unwrap();
    assert_eq!((ended.played, ended.progress), (3_000, 1.0), "every step of it was played: {ended:?}");
    assert_eq!(ended.position, "2021-01-08T00:04:59.900Z", "and it says where it is");
    assert_eq!(last(instance).await, Some(Ticks(4_299_950)), "the last price is that of the file");
    let refused = instance.resume_market().await.unwrap_err();
    assert!(
        refused.to_string().contains("at its end. Go to another moment"),
        "there is nothing to go on with: {refused}"
    );

    instance.pause_market().await.unwrap_err();
    instance.set_market_speed(Speed::Times(0.1)).await.unwrap();
    instance.seek_market(Timestamp((MIDNIGHT + 200_000) * 1_000_000)).await.unwrap();
    becomes(instance, |it| it.replay.as_ref().is_some_and(|it| it.played > 3_000), "it goes on from there").await;
    assert_eq!(last(instance).await, Some(Ticks(4_200_050)), "at that moment");
    let paused = instance.pause_market().await.unwrap();
    assert_eq!(paused.state, MarketState::Paused, "and waits");
    let outside = instance.seek_market(Timestamp(0)).await.unwrap_err();
    assert_eq!(outside.field.as_deref(), Some("to"), "a moment that is not in it is refused: {outside}");
    instance.set_market_loop(true).await.unwrap();
    instance.set_market_speed(Speed::Max).await.unwrap();
    instance.resume_market().await.unwrap();
    becomes(instance, |it| it.replay.as_ref().is_some_and(|it| it.rounds > 2), "it begins again").await;

    let simulated = instance.simulate_market(SimulatorView { seed: 7, ..SimulatorView::default() }).await.unwrap();
    assert_eq!((simulated.replay, simulated.simulator.seed), (None, 7), "and back");
    let wrong = SimulatorView { depth: 11.0, ..SimulatorView::default() };
    assert_eq!(instance.simulate_market(wrong).await.unwrap_err().field.as_deref(), Some("depth"), "with bounds");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_trade_with_the_file_and_no_order_outlives_a_jump() {
    let (embedded, folder) = (Embedded::start().await, tempfile::tempdir().unwrap());
    let instance = embedded.instance();
    let path = rising(folder.path(), 3_000);
    let simulated = |exchange: &cwts_runtime::Exchange| exchange.market(BTC).is_some_and(|it| it.best_bid().is_some());
    while !instance.exchange().read(simulated).await.unwrap() {
        tokio::task::yield_now().await;
    }
    let far = place(instance, PlaceOrder::limit(AccountId::PAPER, BTC, Side::Buy, Lots(10), Ticks(6_300_000))).await;
    let begun = instance.replay_market(request(path, Speed::Times(0.1))).await.unwrap();
    assert_eq!(begun.replay.unwrap().cancelled_orders, 1, "63,000 belongs to other prices");
    let is_open = |id| move |exchange: &cwts_runtime::Exchange| exchange.order(id).unwrap().status.is_open();
    assert!(!instance.exchange().read(is_open(far)).await.unwrap(), "it must not meet offers of 40,000");
    becomes(instance, |it| it.replay.as_ref().is_some_and(|it| it.played > 0), "the first trade is played").await;
    let market = place(instance, PlaceOrder::market(AccountId::PAPER, BTC, Side::Buy, Lots(100))).await;
    let price = move |exchange: &cwts_runtime::Exchange| exchange.order(market).map(|it| it.filled_notional.0 / 100);
    let paid = instance.exchange().read(price).await.unwrap().unwrap();
    assert!((4_000_050..4_000_500).contains(&paid), "what is offered in the file, not {paid}");
    let offer =
        place(instance, PlaceOrder::limit(AccountId::PAPER, BTC, Side::Sell, Lots(100), Ticks(4_100_000))).await;
    instance.set_market_speed(Speed::Max).await.unwrap();
    becomes(instance, |it| it.state == MarketState::Ended, "the file ends").await;
    assert!(!instance.exchange().read(is_open(offer)).await.unwrap(), "the file went through its price");
    assert_eq!(instance.exchange().read(|exchange| exchange.audit()).await.unwrap(), Ok(()), "all is consistent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_played_changes_nothing() {
    let (embedded, folder) = (Embedded::start().await, tempfile::tempdir().unwrap());
    let instance = embedded.instance();
    let path = rising(folder.path(), 50);
    let damaged = folder.path().join("BTCUSDT-damaged.csv");
    std::fs::write(&damaged, std::fs::read_to_string(&path).unwrap().replace("40041.50", "4oo41.50")).unwrap();
    let other = folder.path().join("DOGEUSDT-trades.csv");
    std::fs::copy(&path, &other).unwrap();
    let named = |symbol: &str| ReplayRequest {
        quotes: None,
        symbol: Some(symbol.to_owned()),
        ..request(path.clone(), Speed::Max)
    };
    for (request, expected) in [
        (request(damaged, Speed::Max), "line 43: price is \"4oo41.50\"; it must be a number from 0 on"),
        (request(folder.path().join("BTCUSDT-none.csv"), Speed::Max), "cannot be read: No such file"),
        (request(PathBuf::from("BTCUSDT.csv"), Speed::Max), "is no absolute path"),
        (request(other, Speed::Max), "says the symbol DOGEUSD, which has no market here. Name one of BTCUSD, ETHUSD."),
        (named("TESTUSD"), "TESTUSD has no prices that a file could make. Name one of BTCUSD, ETHUSD."),
    ] {
        let error = instance.replay_market(request).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} must say {expected:?}");
        assert!(instance.market_status().replay.is_none(), "the simulated market goes on");
    }
    let as_ether = instance.replay_market(named("ethusdt")).await.unwrap();
    assert_eq!(as_ether.replay.unwrap().symbol, "ETHUSD", "a person may say otherwise");
    instance.stop().await.unwrap();
    assert_eq!(instance.market_status().state, MarketState::Stopped, "no market without services");
    let stopped = instance.pause_market().await.unwrap_err().to_string();
    assert!(stopped.contains("the instance is stopped"), "{stopped}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_a_reset_hold_after_a_restart_and_stand_in_the_trail() {
    let embedded = Embedded::start().await;
    let instance = embedded.instance();
    let change = LimitsChange { leverage: Some(3), max_order_value: Some(250.5), ..LimitsChange::default() };
    let after = instance.set_limits(change, Actor::Panel).await.unwrap();
    assert_eq!((after.leverage, after.max_order_value, after.max_daily_loss), (3, 250.5, 20_000.0), "others stay");
    for wrong in [
        LimitsChange { leverage: Some(0), ..LimitsChange::default() },
        LimitsChange { leverage: Some(2), max_daily_loss: Some(-1.0), ..LimitsChange::default() },
        LimitsChange { max_orders_per_second: Some(0), ..LimitsChange::default() },
        LimitsChange { max_position_value: Some(f64::NAN), ..LimitsChange::default() },
    ] {
        assert!(instance.set_limits(wrong.clone(), Actor::Panel).await.unwrap_err().field.is_some(), "{wrong:?}");
    }
    let test = |side| PlaceOrder::market(AccountId::PAPER, InstrumentId(2), side, Lots(20_000));
    place(instance, test(Side::Buy)).await;
    let large = PlaceOrder { quantity: Lots(30_000), ..test(Side::Buy) };
    let refused = instance.exchange().execute(Command::Place(large), |_, _| ()).await;
    assert!(matches!(refused, Err(ExchangeError::Rejected(_))), "300 USD are above the limit: {refused:?}");
    instance.reset_account(Actor::Panel).await.unwrap();
    instance.stop().await.unwrap();
    instance.start().await.unwrap();
    assert_eq!(instance.account_limits().await.unwrap(), after, "limits are on the disk, and a reset keeps them");
    let cash = |exchange: &cwts_runtime::Exchange| exchange.account(AccountId::PAPER).unwrap().cash().amount();
    assert_eq!(instance.exchange().read(cash).await.unwrap(), 100_000.0, "and so is the reset");
    let trail = instance.audit_page(None, 50).await.unwrap();
    let told: Vec<_> = trail.records.iter().map(|record| record.entry.text.as_str()).collect();
    for expected in
        ["The limit leverage was changed from 1 to 3.", "The paper account was reset: it has 100000.00 USD again"]
    {
        assert!(told.iter().any(|text| text.contains(expected)), "{expected} stands in {told:?}");
    }
}
