//! What a restart of the services leaves of the market: settings, the file with its moment, and the orders that wait in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cwts_domain::{AccountId, Command, InstrumentId, Lots, PlaceOrder, Side, Ticks, Timestamp};
use cwts_runtime::{Exchange, Instance, MarketState, MarketStatus, ReplayRequest, SimulatorView, Speed};
use cwts_tests::Embedded;

const BTC: InstrumentId = InstrumentId(0);
/// 2021-01-08T00:00:00Z.
const MIDNIGHT: i64 = 1_610_064_000_000;

/// A trade each second for an hour, each a cent above the one before.
fn rising(folder: &Path) -> PathBuf {
    let line = |second: i64| {
        let (dollars, cents) = (40_000 + second / 100, second % 100);
        format!("{second},{dollars}.{cents:02},0.5,1,{},false,true\n", MIDNIGHT + second * 1_000)
    };
    let path = folder.join("BTCUSDT-trades-2021-01-08.csv");
    std::fs::write(&path, (0..3_600).map(line).collect::<String>()).expect("room for the file");
    path
}

async fn becomes(instance: &Instance, wanted: impl Fn(&MarketStatus) -> bool, what: &str) -> MarketStatus {
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..6_000 {
        looks.tick().await;
        let status = instance.market_status();
        if wanted(&status) {
            return status;
        }
    }
    panic!("{what} within 30 s, not {:?}", instance.market_status());
}

async fn restart(instance: &Instance) {
    instance.stop().await.expect("it stops");
    instance.start().await.expect("it starts");
}

async fn last(instance: &Instance) -> Option<Ticks> {
    let last = |exchange: &Exchange| exchange.market(BTC)?.last_trade().map(|trade| trade.price);
    instance.exchange().read(last).await.expect("the exchange answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simulated_market_keeps_its_settings() {
    let embedded = Embedded::start().await;
    let instance = embedded.instance();
    let settings = SimulatorView { seed: 7, spread: 2.0, depth: 0.5, volatility: 3.0 };
    instance.simulate_market(settings).await.unwrap();
    instance.pause_market().await.unwrap();
    restart(instance).await;
    let status = becomes(instance, |it| it.state == MarketState::Paused, "it stands still as before").await;
    assert_eq!((status.simulator, status.replay), (settings, None), "nobody chose others");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_on_where_it_was_and_orders_wait_on() {
    let (embedded, folder) = (Embedded::start().await, tempfile::tempdir().unwrap());
    let instance = embedded.instance();
    let file = rising(folder.path());
    instance
        .replay_market(ReplayRequest { file, quotes: None, symbol: None, speed: Speed::Max, looping: false })
        .await
        .unwrap();
    becomes(instance, |it| it.state == MarketState::Ended, "the file ends").await;
    instance.set_market_speed(Speed::Times(0.1)).await.unwrap();
    instance.set_market_loop(true).await.unwrap();
    instance.seek_market(Timestamp((MIDNIGHT + 1_000_000) * 1_000_000)).await.unwrap();
    let stood = becomes(instance, |it| it.replay.as_ref().is_some_and(|it| it.played > 3_600), "it goes on").await;
    instance.pause_market().await.unwrap();
    let price = last(instance).await;
    let order = PlaceOrder::limit(AccountId::PAPER, BTC, Side::Buy, Lots(10), Ticks(3_990_000));
    let id = instance.exchange().execute(Command::Place(order), |exchange, _| exchange.last_order_id()).await.unwrap();
    restart(instance).await;
    let back = becomes(instance, |it| it.replay.is_some(), "the file is played again").await;
    let (before, after) = (stood.replay.unwrap(), back.replay.unwrap());
    assert_eq!(back.state, MarketState::Paused, "nobody has resumed it");
    assert_eq!((after.speed, after.looping, &after.file), (Speed::Times(0.1), true, &before.file), "as it was told");
    assert!(after.position >= before.position && after.progress < 0.5, "not from its beginning: {after:?}");
    assert_eq!((last(instance).await, after.cancelled_orders), (price, 0), "no price has jumped");
    let open = instance.exchange().read(move |exchange| exchange.order(id).unwrap().status.is_open()).await.unwrap();
    assert!(open, "what was acknowledged outlives a restart");
    instance.set_market_loop(false).await.unwrap();
    instance.set_market_speed(Speed::Max).await.unwrap();
    instance.resume_market().await.unwrap();
    let ended = becomes(instance, |it| it.state == MarketState::Ended, "it is played to its end").await.replay.unwrap();
    assert!(ended.played < 2_700, "only what was left: {ended:?}");
    restart(instance).await;
    becomes(instance, |it| it.state == MarketState::Ended, "and it is still at its end").await;
    assert_eq!(last(instance).await, Some(Ticks(4_003_599)), "at its last price");
    assert_eq!(instance.exchange().read(|exchange| exchange.audit()).await.unwrap(), Ok(()), "all is consistent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_gone_is_told_and_the_market_lives() {
    let (embedded, folder) = (Embedded::start().await, tempfile::tempdir().unwrap());
    let instance = embedded.instance();
    let file = rising(folder.path());
    let request =
        ReplayRequest { file: file.clone(), quotes: None, symbol: None, speed: Speed::default(), looping: false };
    instance.replay_market(request).await.unwrap();
    instance.stop().await.unwrap();
    std::fs::remove_file(&file).unwrap();
    instance.start().await.unwrap();
    // What is asked waits until the market has looked for its file.
    let status = instance.resume_market().await.unwrap();
    assert_eq!((status.state, status.replay), (MarketState::Running, None), "its prices are simulated");
    let told: Vec<_> = instance.activities().into_iter().map(|activity| activity.text).collect();
    let why = told.iter().find(|text| text.contains("is not played on")).expect("a person is told");
    assert!(why.contains("cannot be read: No such file") && why.ends_with("Its prices are simulated."), "{why}");
    instance.stop().await.unwrap();
    let memory = embedded.home().path().join("data/default/market.json");
    std::fs::write(&memory, "{ \"simulator\": ").unwrap();
    instance.start().await.unwrap();
    let status = instance.resume_market().await.unwrap();
    assert_eq!(status.simulator, SimulatorView::default(), "half a file says nothing");
    let told: Vec<_> = instance.activities().into_iter().map(|activity| activity.text).collect();
    assert!(told.iter().any(|text| text.contains("market.json cannot be used")), "{told:?}");
}
