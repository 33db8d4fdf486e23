//! Candles of one minute for each market, from the trades that the exchange keeps for a while.
//!
//! In memory: a restart begins with the trades that came back with the journal. Trades that are dropped between two looks
//! (more than [`KEPT_TRADES`](cwts_engine::KEPT_TRADES) in a moment) leave their candle without them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use cwts_domain::InstrumentId;
use cwts_engine::{Exchange, Trade};
use serde::Serialize;
use tokio::time::MissedTickBehavior;

use crate::instance::Shared;

const MINUTE_MILLIS: i64 = 60_000;
/// A day and a half.
const KEPT: usize = 2_160;
/// How often the exchange is looked at.
const PERIOD: Duration = Duration::from_millis(100);

/// What was traded in one minute, in ticks and lots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct Candle {
    /// Its beginning, in milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub at: i64,
    /// First price.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub open: i64,
    /// Highest price.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub high: i64,
    /// Lowest price.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub low: i64,
    /// Last price.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub close: i64,
    /// Traded quantity.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub volume: i64,
}

/// The candles of one market, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    candles: VecDeque<Candle>,
    /// Sequence number of the newest trade that is in.
    newest: u64,
    /// Grows whenever the candles begin anew.
    era: u64,
}

impl Series {
    /// Takes in the trades that are newer than what is in, given newest first.
    fn take<'a>(&mut self, newest_first: impl Iterator<Item = &'a Trade>, sequence: u64) {
        if sequence < self.newest {
            // Another journal, or what was not acknowledged is taken back.
            *self = Self { era: self.era + 1, ..Self::default() };
        }
        let newest = self.newest;
        let fresh: Vec<&Trade> = newest_first.take_while(|trade| trade.sequence > newest).collect();
        for trade in fresh.into_iter().rev() {
            self.add(trade);
        }
    }

    fn add(&mut self, trade: &Trade) {
        let (price, lots) = (trade.price.0, trade.quantity.0);
        let at = trade.at.millis().div_euclid(MINUTE_MILLIS) * MINUTE_MILLIS;
        self.newest = trade.sequence;
        match self.candles.back_mut() {
            // A clock that goes back adds to the candle that there is.
            Some(last) if last.at >= at => {
                (last.high, last.low, last.close) = (last.high.max(price), last.low.min(price), price);
                last.volume += lots;
            }
            _ => {
                if self.candles.len() == KEPT {
                    self.candles.pop_front();
                }
                self.candles.push_back(Candle { at, open: price, high: price, low: price, close: price, volume: lots });
            }
        }
    }

    /// Candles that begin at `at` or later.
    pub(crate) fn since(&self, at: i64) -> impl Iterator<Item = Candle> {
        let from = self.candles.partition_point(|candle| candle.at < at);
        self.candles.range(from..).copied()
    }

    pub(crate) fn era(&self) -> u64 {
        self.era
    }

    /// Changes with every trade.
    pub(crate) fn traded(&self) -> u64 {
        self.newest
    }
}

/// The candles of all markets, by instrument.
#[derive(Debug, Default)]
pub(crate) struct Candles(Mutex<Vec<Series>>);

impl Candles {
    /// Those of one market.
    pub(crate) fn of(&self, id: InstrumentId) -> Series {
        self.series().get(usize::from(id.0)).cloned().unwrap_or_default()
    }

    fn series(&self) -> MutexGuard<'_, Vec<Series>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, exchange: &Exchange) {
        let mut all = self.series();
        all.resize_with(exchange.markets().len(), Series::default);
        for (series, market) in all.iter_mut().zip(exchange.markets()) {
            series.take(market.trades().rev(), exchange.sequence());
        }
    }
}

/// Follows the trades until the instance is dropped.
pub(crate) async fn run(shared: Weak<Shared>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        if shared.is_running() {
            let candles = Arc::clone(&shared.candles);
            // An exchange that has too much to do is looked at again in a moment.
            drop(shared.exchange.read(move |exchange| candles.take(exchange)).await);
        }
    }
}

#[cfg(test)]
mod tests {
    use cwts_domain::{Lots, Side, Ticks, Timestamp};

    use super::*;

    fn trade(sequence: u64, second: i64, price: i64, quantity: i64) -> Trade {
        let at = Timestamp(second * 1_000_000_000);
        Trade { sequence, price: Ticks(price), quantity: Lots(quantity), taker_side: Side::Buy, at }
    }

    fn take(series: &mut Series, trades: &[Trade]) {
        let sequence = trades.last().map_or(0, |trade| trade.sequence);
        series.take(trades.iter().rev(), sequence);
    }

    #[test]
    fn a_minute_of_trades_is_one_candle() {
        let mut series = Series::default();
        take(&mut series, &[trade(3, 60, 100, 1), trade(5, 70, 140, 2), trade(6, 119, 90, 3), trade(9, 120, 95, 4)]);
        let found: Vec<_> = series.since(i64::MIN).collect();
        let first = Candle { at: 60_000, open: 100, high: 140, low: 90, close: 90, volume: 6 };
        let second = Candle { at: 120_000, open: 95, high: 95, low: 95, close: 95, volume: 4 };
        assert_eq!(found, [first, second], "the minute ends at its last second");
    }

    #[test]
    fn a_trade_counts_once_however_often_it_is_seen() {
        let mut series = Series::default();
        let trades = [trade(3, 60, 100, 1), trade(5, 70, 140, 2)];
        take(&mut series, &trades[..1]);
        take(&mut series, &trades);
        take(&mut series, &trades);
        assert_eq!(series.since(0).next().map(|candle| candle.volume), Some(3), "looks overlap");
    }

    #[test]
    fn another_journal_begins_anew() {
        let mut series = Series::default();
        take(&mut series, &[trade(9, 60, 100, 1)]);
        take(&mut series, &[trade(2, 60, 50, 1)]);
        assert_eq!(
            series.since(0).map(|candle| candle.close).collect::<Vec<_>>(),
            [50],
            "old prices are another market's"
        );
        assert_eq!(series.era(), 1, "so that a chart forgets them too");
    }
}
