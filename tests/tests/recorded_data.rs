//! What exchanges have really recorded: files named by `CWTS_DATA`, which are not part of this repository.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cwts_domain::{Instrument, InstrumentId, Ticks};
use cwts_market::{Format, Happening, Tape};
use cwts_risk::{Confidence, EWMA_DECAY, ewma_volatility, historical, over_periods, parametric, volatility};
use cwts_runtime::{Exchange, MarketState, ReplayRequest, Speed};
use cwts_tests::{Embedded, skip_also_in_ci};

const BARS: &str = "BTCPERP-1m-2022-01.csv";
const TRADES: &str = "BTCUSDT-trades-2021-01-08.csv";
const TICKER: &str = "BTCUSDT-bookTicker-2021-01-08.csv";

/// A recorded file; without it the test is noted as skipped.
fn recorded(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("CWTS_DATA").map(|folder| PathBuf::from(folder).join(name));
    let found = path.filter(|path| path.is_file());
    if found.is_none() {
        skip_also_in_ci(&format!("{name} is not in the folder that CWTS_DATA names"));
    }
    found
}

/// The price at the end of each bar.
fn closes(path: &Path) -> Vec<f64> {
    let mut tape = Tape::open(path, Instrument::btcusd()).expect("it can be played");
    assert_eq!(tape.format(), Format::Klines);
    let (mut closes, mut minute) = (Vec::new(), i64::MIN);
    while let Some(step) = tape.next_step().expect("every line is sound") {
        let Happening::Trade { price: Ticks(price), .. } = step.what else { panic!("bars are trades") };
        let of = step.at.millis().div_euclid(60_000);
        if std::mem::replace(&mut minute, of) == of {
            closes.pop();
        }
        closes.push(price as f64 / 100.0);
    }
    closes
}

#[test]
fn risk_figures_of_a_recorded_month_agree_with_counting() {
    let Some(path) = recorded(BARS) else { return };
    let closes = closes(&path);
    let returns: Vec<f64> = closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    assert!(returns.len() > 40_000, "a month has 44,640 minutes, not {}", returns.len());
    for confidence in [Confidence::USUAL, Confidence::HIGH] {
        let found = historical(&returns, confidence).expect("enough");
        let worse = returns.iter().filter(|change| -**change > found.value_at_risk).count();
        let at_least = returns.iter().filter(|change| -**change >= found.value_at_risk).count();
        let tail = returns.len() as f64 * f64::from(100 - confidence.as_percent()) / 100.0;
        assert!((worse as f64) <= tail && (at_least as f64) >= tail, "{worse} and {at_least} around {tail}");
        assert!(found.expected_shortfall > found.value_at_risk, "the tail of a real market is no point: {found:?}");
        let normal = parametric(&returns, confidence).expect("enough");
        let fatness = found.expected_shortfall / found.value_at_risk;
        assert!(fatness > normal.expected_shortfall / normal.value_at_risk, "and it is fatter than a normal one");
    }
    let year = 100.0 * over_periods(volatility(&returns).expect("enough"), 525_600.0);
    assert!((40.0..120.0).contains(&year), "bitcoin moved by some 60 to 80 % a year then, not {year}");
    // The definition as a sum, which counts back from the newest.
    let weights = (0..2_000).map(|age| EWMA_DECAY.powi(age));
    let (sum, all) = weights
        .zip(returns.iter().rev())
        .fold((0.0, 0.0), |(sum, all), (weight, change)| (sum + weight * change * change, all + weight));
    let found = ewma_volatility(&returns).expect("enough");
    assert!((found / (sum / all).sqrt() - 1.0).abs() < 1e-9, "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_trades_and_quotes_are_one_market() {
    let (Some(file), Some(quotes)) = (recorded(TRADES), recorded(TICKER)) else { return };
    let embedded = Embedded::start().await;
    let instance = embedded.instance();
    let request = ReplayRequest { file, quotes: Some(quotes), symbol: None, speed: Speed::Max, looping: false };
    let swapped =
        ReplayRequest { file: request.quotes.clone().unwrap(), quotes: Some(request.file.clone()), ..request.clone() };
    let refused = instance.replay_market(swapped).await.unwrap_err().to_string();
    assert!(refused.contains("holds book ticker; here it must be trades"), "{refused}");
    let begun = instance.replay_market(request).await.unwrap().replay.unwrap();
    assert_eq!(begun.steps, Some(2_452), "2,001 trades and 451 quotes: {begun:?}");
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while instance.market_status().state != MarketState::Ended {
        looks.tick().await;
    }
    let ended = instance.market_status().replay.unwrap();
    assert_eq!((ended.played, ended.position.as_str()), (2_452, "2021-01-08T00:00:46.674Z"), "all of both: {ended:?}");
    let market = |exchange: &Exchange| {
        let market = exchange.market(InstrumentId(0)).expect("it is traded");
        (market.best_bid(), market.best_ask(), market.last_trade().map(|trade| trade.price))
    };
    let found = instance.exchange().read(market).await.unwrap();
    let expected = (Some(Ticks(3_949_097)), Some(Ticks(3_949_098)), Some(Ticks(3_949_176)));
    assert_eq!(found, expected, "the last line of each file");
    assert_eq!(instance.exchange().read(|exchange| exchange.audit()).await.unwrap(), Ok(()), "all is consistent");
}
