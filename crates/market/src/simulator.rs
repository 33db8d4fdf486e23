//! One step of the simulated market, from what the host shows to what the traders send.

use std::time::Duration;

use cwts_domain::{Command, Instrument, OrderId, Side, Ticks};

use crate::dice::Dice;
use crate::fair_value::FairValue;
use crate::{makers, takers};

/// What the simulated traders see before a step.
#[derive(Clone, Copy, Debug)]
pub struct MarketView<'a> {
    /// Price of the last trade, whoever traded; `None` before the first.
    pub last: Option<Ticks>,
    /// The orders of [`AccountId::MAKER`](cwts_domain::AccountId::MAKER) in the book, in any stable sequence.
    pub maker_orders: &'a [MakerOrder],
}

/// An order of the makers that waits in the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MakerOrder {
    /// For its cancellation.
    pub id: OrderId,
    /// Bid or ask.
    pub side: Side,
    /// Its limit price.
    pub price: Ticks,
}

/// Market makers and takers around a fair value that wanders. Trades as the accounts
/// [`MAKER`](cwts_domain::AccountId::MAKER) and [`TAKER`](cwts_domain::AccountId::TAKER), which must be exempt from
/// limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulator {
    instrument: Instrument,
    dice: Dice,
    fair: FairValue,
}

impl Simulator {
    /// Market time between two steps.
    pub const STEP: Duration = Duration::from_millis(100);
    /// Where the price of BTCUSD starts: 64,000.00 USD.
    pub const BTCUSD_START: Ticks = Ticks(6_400_000);

    /// A market that opens at `start_price` and stays within 1 % and 400 % of it.
    pub fn new(seed: u64, instrument: Instrument, start_price: Ticks) -> Self {
        let fair = FairValue::new(&instrument, start_price);
        Self { instrument, dice: Dice::new(seed), fair }
    }

    /// What the traders send in this step, to be executed in this sequence. Refused or lost commands do no harm: the next
    /// step sees what is really in the book. If all are executed, the makers have at most [`LEVELS`](crate::LEVELS)
    /// orders per side afterwards, and the takers none.
    pub fn step(&mut self, view: &MarketView<'_>) -> Vec<Command> {
        self.fair.step(&mut self.dice, view.last);
        let mut commands = makers::requote(&self.fair, &mut self.dice, &self.instrument, view.maker_orders);
        commands.extend(takers::take(&self.fair, &mut self.dice, &self.instrument));
        commands
    }

    /// What the traders believe the instrument is worth.
    pub fn fair_value(&self) -> Ticks {
        self.fair.ticks()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seed: u64, steps: usize) -> (Simulator, Vec<Vec<Command>>) {
        let mut simulator = Simulator::new(seed, Instrument::btcusd(), Simulator::BTCUSD_START);
        let view = MarketView { last: None, maker_orders: &[] };
        let commands = (0..steps).map(|_| simulator.step(&view)).collect();
        (simulator, commands)
    }

    #[test]
    fn the_same_seed_gives_the_same_market() {
        assert_eq!(run(42, 1_000), run(42, 1_000), "a session must be reproducible");
        assert_ne!(run(42, 10).1, run(43, 10).1, "another seed must give another market");
    }

    #[test]
    fn a_seed_gives_the_same_market_on_every_machine() {
        assert_eq!(run(42, 10_000).0.fair_value(), Ticks(6_410_037), "integers only: no machine may round differently");
    }
}
