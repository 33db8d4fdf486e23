//! One step of the simulated market, from what the host shows to what the traders send.

use std::time::Duration;

use cwts_domain::{Command, Instrument, InstrumentId, Lots, OrderId, Side, Ticks};

use crate::dice::Dice;
use crate::fair_value::FairValue;
use crate::settings::{Factor, SimulatorSettings};
use crate::{makers, takers};

/// What the simulated traders see before a step.
#[derive(Clone, Copy, Debug)]
pub struct MarketView<'a> {
    /// Price of the last trade, whoever traded; `None` before the first.
    pub last: Option<Ticks>,
    /// The orders of [`AccountId::MAKER`](cwts_domain::AccountId::MAKER) in the book of the instrument, in any stable
    /// sequence.
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
    traded: Traded,
    dice: Dice,
    fair: FairValue,
}

impl Simulator {
    /// Market time between two steps.
    pub const STEP: Duration = Duration::from_millis(100);
    /// Where the price of an instrument starts: 64,000.00 USD for BTCUSD, 3,400.00 USD for ETHUSD, 100.00 USD for others.
    pub fn start_price(instrument: &Instrument) -> Ticks {
        let dollars = match instrument.symbol.as_str() {
            "BTCUSD" => 64_000,
            "ETHUSD" => 3_400,
            _ => 100,
        };
        Ticks(dollars * 10_i64.pow(instrument.price_decimals))
    }

    /// A market that opens at `start_price` and stays within 1 % and 400 % of it.
    pub fn new(seed: u64, id: InstrumentId, instrument: Instrument, start_price: Ticks) -> Self {
        let fair = FairValue::new(&instrument, start_price);
        let opening = Self::start_price(&instrument);
        Self { traded: Traded::new(id, instrument, opening), dice: Dice::new(seed), fair }
    }

    /// With quotes and moves of these sizes; its seed is its own.
    pub fn with(mut self, settings: &SimulatorSettings) -> Self {
        (self.traded.spread, self.traded.depth) = (settings.spread, settings.depth);
        self.fair = self.fair.moving(settings.volatility);
        self
    }

    /// What the traders send in this step, to be executed in this sequence. Refused or lost commands do no harm: the next
    /// step sees what is really in the book. If all are executed, the makers have at most [`LEVELS`](crate::LEVELS)
    /// orders per side afterwards, and the takers none.
    pub fn step(&mut self, view: &MarketView<'_>) -> Vec<Command> {
        self.fair.step(&mut self.dice, view.last);
        let mut commands = makers::requote(&self.fair, &mut self.dice, &self.traded, view.maker_orders);
        commands.extend(takers::take(&self.fair, &mut self.dice, &self.traded));
        commands
    }

    /// What the traders believe the instrument is worth.
    pub fn fair_value(&self) -> Ticks {
        self.fair.ticks()
    }
}

/// What the simulated traders trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traded {
    pub(crate) id: InstrumentId,
    pub(crate) instrument: Instrument,
    /// By how much more of it is traded than of one that costs 64,000.00.
    scale: i64,
    /// How many times the usual the makers' distance is.
    pub(crate) spread: Factor,
    /// And their quantity.
    pub(crate) depth: Factor,
}

impl Traded {
    pub(crate) fn new(id: InstrumentId, instrument: Instrument, opening: Ticks) -> Self {
        const BTCUSD_START: i64 = 6_400_000;
        let scale = (BTCUSD_START / opening.0.max(1)).max(1);
        Self { id, instrument, scale, spread: Factor::ONE, depth: Factor::ONE }
    }

    /// A quantity that is worth as much as this number of lots of BTCUSD.
    pub(crate) fn sized(&self, lots: i64) -> Lots {
        Lots(lots * self.scale).min(self.instrument.max_quantity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seed: u64, steps: usize) -> (Simulator, Vec<Vec<Command>>) {
        let instrument = Instrument::btcusd();
        let start = Simulator::start_price(&instrument);
        let mut simulator = Simulator::new(seed, InstrumentId(0), instrument, start);
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

    #[test]
    fn settings_change_the_market_that_they_name() {
        let (instrument, start) = (Instrument::btcusd(), Ticks(6_400_000));
        let opening = |settings: SimulatorSettings| {
            let new = Simulator::new(5, InstrumentId(0), instrument.clone(), start);
            let view = MarketView { last: None, maker_orders: &[] };
            let placed = new.with(&settings).step(&view).into_iter().map(|command| match command {
                Command::Place(order) if order.time_in_force.waits() => (order.quantity.0, order.limit.unwrap().0),
                _ => (0, start.0),
            });
            placed.fold((0, 0), |(depth, reach), (lots, price)| (depth + lots, reach.max((price - start.0).abs())))
        };
        let usual = SimulatorSettings::default();
        let four = Factor::new(4.0).unwrap();
        let ((depth, reach), deep, wide) = (
            opening(usual),
            opening(SimulatorSettings { depth: four, ..usual }),
            opening(SimulatorSettings { spread: four, ..usual }),
        );
        assert!((3 * depth..5 * depth).contains(&deep.0) && deep.1 == reach, "deeper, and no wider: {deep:?}");
        assert!((3 * reach..5 * reach).contains(&wide.1) && wide.0 == depth, "wider, and no deeper: {wide:?}");
    }

    #[test]
    fn a_cheaper_instrument_is_traded_in_larger_quantities() {
        let eth = Traded::new(InstrumentId(1), Instrument::ethusd(), Ticks(340_000));
        assert_eq!(eth.sized(1_000), Lots(18_000), "as much as 0.1 BTC is worth");
        let cheap = Traded::new(InstrumentId(2), Instrument::ethusd(), Ticks(1));
        assert_eq!(cheap.sized(1_000), cheap.instrument.max_quantity, "but never more than one order may be");
    }
}
