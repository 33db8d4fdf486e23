//! How much a bad period may cost: value at risk and expected shortfall, of the profits and losses of equal periods.
//!
//! Losses are positive in the results, in the unit of the samples. Value at risk at 95 % is the loss that 95 of 100 periods
//! do not exceed; expected shortfall (conditional value at risk, CVaR) is the mean of the worst 5 %, which takes the size of
//! those losses into account and is subadditive (Artzner et al. 1999, "Coherent measures of risk").

use crate::{SAMPLES, TooFew, enough, normal, volatility};

/// How many of 100 periods stay within a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(u32);

impl Confidence {
    /// The lowest and the highest level, in per cent.
    pub const RANGE: std::ops::RangeInclusive<u32> = 80..=99;
    /// 95 %, the level of RiskMetrics (1996).
    pub const USUAL: Self = Self(95);
    /// 99 %, the level of the Basel market risk amendment (1996).
    pub const HIGH: Self = Self(99);

    /// `None` outside [`Confidence::RANGE`].
    pub fn percent(percent: u32) -> Option<Self> {
        Self::RANGE.contains(&percent).then_some(Self(percent))
    }

    /// In per cent.
    pub fn as_percent(self) -> u32 {
        self.0
    }

    fn share(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// Samples that a historical figure takes: enough for the tail to hold at least one of them, and [`SAMPLES`].
    pub fn samples(self) -> usize {
        SAMPLES.max(100_usize.div_ceil(100 - self.0 as usize))
    }
}

/// The loss of a bad period, positive; below zero where even bad periods bring a profit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TailLoss {
    /// Exceeded in 1 - confidence of all periods.
    pub value_at_risk: f64,
    /// The mean loss of those; at least the value at risk.
    pub expected_shortfall: f64,
}

/// By the profits and losses that there were, without a distribution.
///
/// With n losses in ascending sequence and confidence c, value at risk is the loss number ceil(n c): the inverse of the
/// empirical distribution function (Hyndman and Fan 1996, "Sample quantiles in statistical packages", definition 1), so it is
/// a loss that there was. Expected shortfall is the mean of the largest n (1 - c) losses, of which the last one counts in part
/// (Acerbi and Tasche 2002, "On the coherence of expected shortfall", definition 2.6). That equals the minimum over v of
/// `v + mean(max(loss - v, 0)) / (1 - c)` (Rockafellar and Uryasev 2000, "Optimization of conditional value-at-risk").
///
/// # Errors
/// Fewer than [`Confidence::samples`] samples.
pub fn historical(profits: &[f64], confidence: Confidence) -> Result<TailLoss, TooFew> {
    let mut losses: Vec<f64> = enough(profits, confidence.samples())?.iter().map(|profit| -profit).collect();
    losses.sort_by(f64::total_cmp);
    // Hundredths of a sample, so that n c is exact.
    let (all, within) = (100 * losses.len(), losses.len() * confidence.0 as usize);
    let rank = within.div_ceil(100);
    let value_at_risk = losses[rank - 1];
    let beyond: f64 = losses[rank..].iter().sum();
    let part = (100 * rank - within) as f64 / 100.0;
    let tail = (all - within) as f64 / 100.0;
    // The mean of equal losses may be rounded below them.
    let expected_shortfall = ((beyond + part * value_at_risk) / tail).max(value_at_risk);
    Ok(TailLoss { value_at_risk, expected_shortfall })
}

/// By a normal distribution with mean zero and the standard deviation s of the samples: value at risk is `z s`, expected
/// shortfall `s density(z) / (1 - c)`, where z is the normal quantile of the confidence c (J.P. Morgan, RiskMetrics Technical
/// Document, 4th edition 1996, sections 5.3 and 6; Acerbi and Tasche 2002). Profits with fat tails lose more than this says.
///
/// # Errors
/// Fewer than [`SAMPLES`] samples.
pub fn parametric(profits: &[f64], confidence: Confidence) -> Result<TailLoss, TooFew> {
    let deviation = volatility(profits)?;
    let z = normal::quantile(confidence.share());
    Ok(TailLoss {
        value_at_risk: z * deviation,
        expected_shortfall: deviation * normal::density(z) / (1.0 - confidence.share()),
    })
}

#[cfg(test)]
mod tests;
