//! Figures of risk from equally spaced samples: value at risk, expected shortfall, volatility, drawdown, exposure.
//!
//! Pure functions of finite numbers in floating point: they inform, and no decision of the exchange rests on them. A figure
//! that has too few samples is no number but [`TooFew`]. Does not know where samples come from, nor how far apart they are.

mod drawdown;
mod exposure;
mod normal;
mod tail;
mod volatility;

pub use drawdown::{Drawdown, drawdown};
pub use exposure::{Exposure, exposure};
pub use tail::{Confidence, TailLoss, historical, parametric};
pub use volatility::{EWMA_DECAY, EWMA_SAMPLES, ewma_volatility, volatility};

/// The least number of samples of every figure that rests on a standard deviation, and of every quantile. Below it the
/// error of a standard deviation is above 13 % of it (1 / sqrt(2 (n - 1)) for normal samples).
pub const SAMPLES: usize = 30;

/// There are not enough samples for a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not enough samples: {found} of {needed}")]
pub struct TooFew {
    /// How many there are.
    pub found: usize,
    /// How many the figure takes at least.
    pub needed: usize,
}

/// The samples, if there are as many as `needed`.
fn enough(samples: &[f64], needed: usize) -> Result<&[f64], TooFew> {
    if samples.len() < needed { Err(TooFew { found: samples.len(), needed }) } else { Ok(samples) }
}

/// From one period to `periods`, by the square root of time: exact for independent samples with mean zero (J.P. Morgan,
/// RiskMetrics Technical Document, 4th edition 1996, section 5.3).
pub fn over_periods(figure: f64, periods: f64) -> f64 {
    figure * periods.sqrt()
}
