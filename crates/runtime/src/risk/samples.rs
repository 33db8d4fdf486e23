//! Equity and mark prices at the end of each minute of the market.
//!
//! The market's time counts, not the computer's: a file that is played ten times as fast gives ten samples a minute, and the
//! same file and orders give the same samples at any speed. A quiet minute is a sample too. Where prices or the time jump (a
//! file is loaded, begins again or is moved in, a pause of the simulated market), the next sample has no return from the one
//! before. Kept in memory and, while the services do not run, in a file.

use std::collections::VecDeque;
use std::path::Path;
use std::{fs, io};

use cwts_domain::{AccountId, Cash, Ticks, Timestamp};
use cwts_engine::Exchange;
use serde::{Deserialize, Serialize};

use crate::json_file;

/// In the data folder of the instance.
const FILE: &str = "risk.json";
const MINUTE_NANOS: i64 = 60_000_000_000;
/// A day.
pub(crate) const KEPT: usize = 1_440;
/// So many minutes without a step are a quiet market; more are a hole in it.
const LONGEST_QUIET: i64 = 60;

/// The end of a minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    /// The minute of the market that began with it, counted from 1970.
    minute: i64,
    /// Of the paper account.
    equity: Cash,
    /// By instrument; `None` where there was no price.
    marks: Vec<Option<Ticks>>,
    /// Whether the minute before it is the sample before it.
    continues: bool,
}

/// The latest samples, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Samples {
    kept: VecDeque<Sample>,
    /// The minute of the market that runs; `None` after a jump.
    minute: Option<i64>,
    continues: bool,
    /// Sequence number of the exchange at the last look.
    sequence: u64,
}

impl Samples {
    /// Those of the last run; none where there is no file of them. Blocks.
    ///
    /// # Errors
    /// The file is none of samples.
    pub(crate) fn load(data: &Path) -> io::Result<Self> {
        let samples: Self = serde_json::from_slice(&fs::read(data.join(FILE))?)?;
        // Nobody knows what happened in between.
        Ok(Self { minute: None, continues: false, ..samples })
    }

    /// Blocks.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn save(&self, data: &Path) -> io::Result<()> {
        json_file::replace(&data.join(FILE), self)
    }

    /// Whether a minute has ended at this moment of the market.
    pub(crate) fn is_due(&self, at: Timestamp) -> bool {
        self.minute.is_none_or(|minute| minute_of(at) > minute)
    }

    /// Looks at the exchange before whatever happens at this moment of the market does.
    pub(crate) fn look(&mut self, exchange: &Exchange, at: Timestamp) {
        if exchange.sequence() < self.sequence {
            // Another journal, or what was not acknowledged is taken back.
            *self = Self::default();
        }
        self.sequence = exchange.sequence();
        let minute = minute_of(at);
        match self.minute {
            // A clock that goes back is waited for.
            Some(before) if minute <= before => return,
            Some(before) if minute - before > LONGEST_QUIET => self.continues = false,
            Some(before) => (before + 1..=minute).for_each(|ended| self.take(exchange, ended)),
            None => {}
        }
        self.minute = Some(minute);
    }

    /// Prices or the time of the market jump.
    pub(crate) fn jump(&mut self) {
        (self.minute, self.continues) = (None, false);
    }

    /// The account begins anew.
    pub(crate) fn forget(&mut self) {
        *self = Self { sequence: self.sequence, ..Self::default() };
    }

    fn take(&mut self, exchange: &Exchange, minute: i64) {
        let Some(account) = exchange.account(AccountId::PAPER) else { return };
        let marks = exchange.markets().iter().map(cwts_engine::Market::mark_price).collect();
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        let continues = std::mem::replace(&mut self.continues, true);
        self.kept.push_back(Sample { minute, equity: exchange.equity(account), marks, continues });
    }

    /// When the first and the last sample were.
    pub(super) fn span(&self) -> Option<[Timestamp; 2]> {
        Some([self.at(0)?, self.at(self.kept.len().checked_sub(1)?)?])
    }

    /// When a sample was.
    pub(super) fn at(&self, place: usize) -> Option<Timestamp> {
        self.kept.get(place).map(|sample| Timestamp(sample.minute * MINUTE_NANOS))
    }

    /// Equity in US dollars, oldest first.
    pub(super) fn equity(&self) -> Vec<f64> {
        self.kept.iter().map(|sample| sample.equity.amount()).collect()
    }

    /// By how much equity changed in each minute, as a part of what it was.
    pub(super) fn equity_returns(&self) -> Vec<f64> {
        self.minutes().map(|[from, to]| change(from.equity.amount(), to.equity.amount())).collect()
    }

    /// What positions of these values, by instrument, would have gained in each minute.
    pub(super) fn profits(&self, values: &[f64]) -> Vec<f64> {
        let moved = |from: Option<Ticks>, to: Option<Ticks>| {
            from.zip(to).map_or(0.0, |(from, to)| change(from.0 as f64, to.0 as f64))
        };
        let profit = |[from, to]: [&Sample; 2]| {
            let moves = from.marks.iter().zip(&to.marks).map(|(from, to)| moved(*from, *to));
            moves.zip(values).map(|(moved, value)| moved * value).sum()
        };
        self.minutes().map(profit).collect()
    }

    /// Each minute by its two ends.
    fn minutes(&self) -> impl Iterator<Item = [&Sample; 2]> {
        self.kept.iter().zip(self.kept.iter().skip(1)).filter(|(_, to)| to.continues).map(|(from, to)| [from, to])
    }
}

fn minute_of(at: Timestamp) -> i64 {
    at.0.div_euclid(MINUTE_NANOS)
}

/// As a part of what it was; none where that was nothing.
fn change(from: f64, to: f64) -> f64 {
    if from > 0.0 { to / from - 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use cwts_domain::{Command, InstrumentId, Lots, PlaceOrder, Print, Side};

    use super::*;
    use crate::keeper::new_exchange;

    const BTC: InstrumentId = InstrumentId(0);

    fn minute(count: i64) -> Timestamp {
        Timestamp(count * MINUTE_NANOS)
    }

    /// An exchange with a price of BTCUSD.
    fn priced(exchange: &mut Exchange, price: i64) {
        let print = Print { instrument: BTC, price: Ticks(price), quantity: Lots(1), taker_side: Side::Buy };
        exchange.execute(&Command::Print(print), Timestamp(1)).expect("a price");
    }

    /// A market that stands at these prices at the ends of the minutes.
    fn sampled(prices: &[i64]) -> Samples {
        let (mut exchange, mut samples) = (new_exchange(), Samples::default());
        for (at, price) in (0..).zip(prices) {
            samples.look(&exchange, minute(at));
            priced(&mut exchange, *price);
        }
        samples.look(&exchange, minute(prices.len() as i64));
        samples
    }

    #[test]
    fn each_minute_is_a_sample_of_how_it_ended() {
        let samples = sampled(&[100, 110, 99]);
        let profits = samples.profits(&[1_000.0, 0.0, 0.0]);
        assert_eq!(profits.len(), 2, "three ends are two minutes");
        assert!(
            (profits[0] - 100.0).abs() < 1e-9 && (profits[1] + 100.0).abs() < 1e-9,
            "10 % up and down: {profits:?}"
        );
        assert_eq!(samples.equity_returns(), [0.0, 0.0], "nothing is held");
        assert_eq!(samples.span(), Some([minute(1), minute(3)]));
    }

    #[test]
    fn quiet_minutes_count_and_holes_do_not() {
        let (mut exchange, mut samples) = (new_exchange(), Samples::default());
        priced(&mut exchange, 100);
        samples.look(&exchange, minute(0));
        samples.look(&exchange, minute(5));
        assert_eq!(samples.profits(&[1.0]), [0.0; 4], "five ends of minutes in which nothing happened");
        assert!(!samples.is_due(minute(5)) && samples.is_due(minute(6)), "once a minute");
        priced(&mut exchange, 200);
        samples.look(&exchange, minute(5 + LONGEST_QUIET + 1));
        samples.look(&exchange, minute(5 + LONGEST_QUIET + 2));
        assert_eq!(samples.profits(&[1.0]), [0.0; 4], "what happened in a hole is no move of a minute");
        samples.look(&exchange, minute(3));
        samples.look(&exchange, minute(5 + LONGEST_QUIET + 3));
        assert_eq!(samples.profits(&[1.0]), [0.0; 5], "and it goes on behind it, whatever the clock does");
    }

    #[test]
    fn a_jump_is_no_return() {
        let (mut exchange, mut samples) = (new_exchange(), Samples::default());
        for (at, price) in [(0, 100), (1, 100), (2, 100)] {
            priced(&mut exchange, price);
            samples.look(&exchange, minute(at));
        }
        samples.jump();
        for (at, price) in [(7_000, 900), (7_001, 900), (7_002, 900)] {
            samples.look(&exchange, minute(at));
            priced(&mut exchange, price);
        }
        assert_eq!(samples.profits(&[1.0]), [0.0, 0.0], "from 100 to 900 nobody moved");
        samples.forget();
        assert_eq!((samples.span(), samples.equity()), (None, Vec::new()), "a new account has no past");
    }

    #[test]
    fn only_a_day_is_kept_and_a_file_keeps_it_whole() {
        let samples = sampled(&vec![100; KEPT + 10]);
        assert_eq!((samples.equity().len(), samples.at(0)), (KEPT, Some(minute(11))), "the oldest go");
        let text = serde_json::to_string(&samples).expect("text");
        assert!(serde_json::from_str::<Samples>(&text).expect("samples") == samples, "as they were");
        assert!(text.len() < 200_000, "{} bytes are written at a stop", text.len());
    }

    #[test]
    fn another_journal_begins_anew() {
        let mut samples = sampled(&[100, 110, 120]);
        let empty = new_exchange();
        samples.look(&empty, minute(4));
        samples.look(&empty, minute(5));
        assert_eq!(samples.equity().len(), 1, "its past is another one");
    }

    #[test]
    fn equity_moves_with_what_is_held() {
        let (mut exchange, mut samples) = (new_exchange(), Samples::default());
        priced(&mut exchange, 10_000);
        let buy = PlaceOrder::market(AccountId::PAPER, InstrumentId(2), Side::Buy, Lots(10_000));
        exchange.execute(&Command::Place(buy), Timestamp(1)).expect("TESTUSD always trades");
        for at in 0..3 {
            samples.look(&exchange, minute(at));
        }
        let paid = samples.equity()[0];
        assert!(paid < 100_000.0 && paid > 99_990.0, "spread and fee: {paid}");
    }
}
