//! What a person may change of the simulated market.

/// How many times the usual something is, from 0.1 to 10; kept in thousandths, since the simulator computes in integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor(i64);

impl Factor {
    /// As usual.
    pub const ONE: Self = Self(1_000);

    /// `None` outside 0.1 to 10.
    pub fn new(times: f64) -> Option<Self> {
        (0.1..=10.0).contains(&times).then(|| Self((times * 1_000.0).round() as i64))
    }

    /// So many times the usual.
    pub fn times(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// So much of something.
    pub(crate) fn of(self, usual: i64) -> i64 {
        usual * self.0 / Self::ONE.0
    }
}

/// The simulated market: the same settings give the same flow of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatorSettings {
    /// Of the random numbers.
    pub seed: u64,
    /// Distance of the makers' quotes from what the instrument is worth.
    pub spread: Factor,
    /// Quantity of their quotes.
    pub depth: Factor,
    /// How far the price moves.
    pub volatility: Factor,
}

impl Default for SimulatorSettings {
    /// Every start gives the same flow.
    fn default() -> Self {
        Self { seed: 1, spread: Factor::ONE, depth: Factor::ONE, volatility: Factor::ONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_has_bounds() {
        assert_eq!(Factor::new(2.5).map(Factor::times), Some(2.5), "between them it is what was asked for");
        for times in [0.0, 0.099, 10.1, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Factor::new(times), None, "{times} is no market");
        }
    }
}
