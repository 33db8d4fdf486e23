//! Random numbers that stay the same for a seed, whatever the version of a library that distributes them.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// The standard deviation of [`Dice::bell`]: that of the sum of four uniform numbers from -1000 to 1000.
pub(crate) const SIGMA: i64 = 1155;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dice(Pcg64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Pcg64::seed_from_u64(seed))
    }

    /// Uniform from `low` to `high`, both included; `low` if the range is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low).saturating_add(1);
        // The high half of the product; its bias of span / 2^64 is far below what anyone could observe.
        let offset = (u128::from(self.0.next_u64()) * u128::from(span)) >> 64;
        if high < low { low } else { low + offset as i64 }
    }

    /// Like [`Dice::between`], small numbers more often than large ones.
    pub(crate) fn mostly_small(&mut self, low: i64, high: i64) -> i64 {
        self.between(low, high).min(self.between(low, high))
    }

    /// True in `parts` of 1000 cases.
    pub(crate) fn per_mille(&mut self, parts: i64) -> bool {
        self.between(0, 999) < parts
    }

    /// Close to normally distributed around 0, with standard deviation [`SIGMA`], never beyond ±4000.
    pub(crate) fn bell(&mut self) -> i64 {
        (0..4).map(|_| self.between(-1000, 1000)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut dice = Dice::new(1);
        let numbers: Vec<_> = (0..6).map(|_| dice.between(-100, 100)).collect();
        assert_eq!(numbers, [68, -97, -78, 97, 78, -5], "a recorded session must replay after an update");
    }

    #[test]
    fn numbers_cover_their_range_and_stay_in_it() {
        let mut dice = Dice::new(7);
        let mut seen = [false; 5];
        for _ in 0..1_000 {
            seen[(dice.between(-2, 2) + 2) as usize] = true;
        }
        assert_eq!(seen, [true; 5], "both ends belong to the range");
        assert_eq!(dice.between(3, 2), 3, "an empty range must not wrap around");
    }

    #[test]
    fn the_bell_has_the_stated_deviation() {
        let mut dice = Dice::new(3);
        let count = 100_000;
        let (mut sum, mut squares) = (0, 0);
        for _ in 0..count {
            let value = dice.bell();
            sum += value;
            squares += value * value;
        }
        assert!((sum / count).abs() < 15, "no drift may enter the price: mean {}", sum / count);
        let variance = squares / count;
        assert!((variance - SIGMA * SIGMA).abs() < SIGMA * SIGMA / 50, "volatility rests on it: variance {variance}");
    }
}
