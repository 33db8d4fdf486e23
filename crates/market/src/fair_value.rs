//! What the traders believe the instrument is worth: a random walk whose volatility wanders around its mean.

use cwts_domain::{Instrument, Ticks};

use crate::dice::{Dice, SIGMA};
use crate::settings::Factor;

/// Mean standard deviation of one step in parts per billion: 40 ppm per 100 ms, about 70 % a year.
const MEAN_VOLATILITY: i64 = 40_000;
const LEAST_VOLATILITY: i64 = 10_000;
const MOST_VOLATILITY: i64 = 160_000;
/// A deviation of the volatility from its mean halves in about 90 steps.
const REVERSION: i64 = 128;
/// Relative standard deviation of one step of the volatility is one over this.
const VOLATILITY_NOISE: i64 = 16;
/// A step moves the value by one over this of its distance to the last trade: trading moves the market.
const IMPACT: i64 = 128;
/// Distances to the last trade beyond one over this of the value count no further, however odd that trade was.
const IMPACT_REACH: i64 = 100;
/// The value is kept in thousandths of a tick, so that small steps are not lost.
const FINE: i64 = 1000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FairValue {
    /// In thousandths of a tick.
    value: i64,
    lowest: i64,
    highest: i64,
    /// In parts per billion per step.
    volatility: i64,
    /// How many times as far as that a step goes.
    swing: Factor,
}

impl FairValue {
    /// Stays within 1 % and 400 % of `start`, and below the largest price with room for the quotes around it.
    pub(crate) fn new(instrument: &Instrument, start: Ticks) -> Self {
        let ceiling = instrument.max_price.0 / 100 * 99;
        let start = start.0.clamp(1, ceiling);
        Self {
            value: start * FINE,
            lowest: (start * FINE / 100).max(FINE),
            highest: (start * 4).min(ceiling) * FINE,
            volatility: MEAN_VOLATILITY,
            swing: Factor::ONE,
        }
    }

    /// Moves so many times as far.
    pub(crate) fn moving(self, swing: Factor) -> Self {
        Self { swing, ..self }
    }

    /// One step of the walk.
    pub(crate) fn step(&mut self, dice: &mut Dice, last: Option<Ticks>) {
        let wander = self.volatility * dice.bell() / (SIGMA * VOLATILITY_NOISE);
        let back = (MEAN_VOLATILITY - self.volatility) / REVERSION;
        self.volatility = (self.volatility + back + wander).clamp(LEAST_VOLATILITY, MOST_VOLATILITY);

        let swing = i128::from(self.value) * i128::from(self.swing.of(self.volatility)) * i128::from(dice.bell())
            / (1_000_000_000 * i128::from(SIGMA));
        let reach = self.value / IMPACT_REACH;
        let pull = last.map_or(0, |last| (last.0 * FINE - self.value).clamp(-reach, reach) / IMPACT);
        self.value = (self.value + swing as i64 + pull).clamp(self.lowest, self.highest);
    }

    /// The value, rounded down to a tick.
    pub(crate) fn ticks(&self) -> Ticks {
        Ticks(self.value / FINE)
    }

    /// `millionths` of the value in ticks, more when the market is restless and less when it is calm.
    pub(crate) fn part(&self, millionths: i64) -> i64 {
        let part = i128::from(self.value) * i128::from(millionths) * i128::from(self.volatility);
        (part / (1_000_000 * i128::from(FINE) * i128::from(MEAN_VOLATILITY))) as i64
    }

    /// Volatility per mille of its mean: 250 to 4000.
    pub(crate) fn restlessness(&self) -> i64 {
        self.volatility * 1000 / MEAN_VOLATILITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Ticks = Ticks(6_400_000);

    fn walk(seed: u64, steps: usize) -> Vec<FairValue> {
        let (mut dice, mut fair) = (Dice::new(seed), FairValue::new(&Instrument::btcusd(), START));
        let step = || {
            fair.step(&mut dice, None);
            fair.clone()
        };
        std::iter::repeat_with(step).take(steps).collect()
    }

    #[test]
    fn the_price_moves_like_a_market() {
        for seed in 0..10 {
            let hour = walk(seed, 36_000);
            let prices: Vec<_> = hour.iter().map(|fair| fair.ticks().0).collect();
            let (low, high) = (prices.iter().min().unwrap(), prices.iter().max().unwrap());
            let range = (high - low) * 10_000 / START.0;
            assert!((20..1_000).contains(&range), "an hour spans 0.2 % to 10 %, not {range} basis points; seed {seed}");
        }
    }

    #[test]
    fn volatility_wanders_and_returns() {
        let path: Vec<_> = walk(1, 100_000).iter().map(FairValue::restlessness).collect();
        let mean = path.iter().sum::<i64>() / path.len() as i64;
        assert!((700..1_400).contains(&mean), "it must return to its mean: {mean} per mille");
        let calm = path.iter().filter(|value| **value < 700).count();
        let restless = path.iter().filter(|value| **value > 1_500).count();
        assert!(calm > 1_000 && restless > 1_000, "a market has calm and restless times: {calm}, {restless}");
    }

    #[test]
    fn the_value_never_leaves_its_bounds() {
        let (mut dice, instrument) = (Dice::new(1), Instrument::btcusd());
        for start in [1, 100, 6_400_000, 1_000_000_000, i64::MAX] {
            for last in [1, 1_000_000_000] {
                let mut fair = FairValue::new(&instrument, Ticks(start));
                let start = start.min(990_000_000);
                for _ in 0..100_000 {
                    fair.step(&mut dice, Some(Ticks(last)));
                    let bounds = (start / 100).max(1)..=start.saturating_mul(4).min(990_000_000);
                    assert!(bounds.contains(&fair.ticks().0), "{} from {start}: no price may run away", fair.ticks());
                }
            }
        }
    }

    #[test]
    fn an_odd_trade_moves_the_value_only_a_little() {
        let (mut dice, mut fair) = (Dice::new(1), FairValue::new(&Instrument::btcusd(), START));
        fair.step(&mut dice, Some(Ticks(1_000_000_000)));
        let moved = (fair.ticks().0 - START.0) * 1_000_000 / START.0;
        assert!(moved < 500, "one trade at a silly price must not set the market: {moved} ppm");
    }
}
