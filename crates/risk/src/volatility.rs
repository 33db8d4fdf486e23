//! How much returns, or profits and losses, vary from one period to the next, in their own unit.

use crate::{SAMPLES, TooFew, enough};

/// What each period keeps of the weight of those before it (J.P. Morgan, RiskMetrics Technical Document, 4th edition 1996,
/// section 5.3.2, for daily data).
pub const EWMA_DECAY: f64 = 0.94;
/// Samples that hold 99 % of all weight: ln(0.01) / ln(0.94), rounded up (table 5.7 there).
pub const EWMA_SAMPLES: usize = 75;

/// The sample standard deviation: the root of `sum((x - mean)^2) / (n - 1)`.
///
/// # Errors
/// Fewer than [`SAMPLES`] samples.
pub fn volatility(samples: &[f64]) -> Result<f64, TooFew> {
    let count = enough(samples, SAMPLES)?.len() as f64;
    let mean = samples.iter().sum::<f64>() / count;
    let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
    Ok((squares / (count - 1.0)).sqrt())
}

/// The exponentially weighted one, oldest sample first, about mean zero: the root of
/// `(1 - d) sum(d^i x_(n-i)^2) / (1 - d^n)` with i from 0 and d = [`EWMA_DECAY`]. It follows calm and storm within some
/// 17 samples, 1 / (1 - d).
///
/// # Errors
/// Fewer than [`EWMA_SAMPLES`] samples.
pub fn ewma_volatility(samples: &[f64]) -> Result<f64, TooFew> {
    let (mut variance, mut weight) = (0.0, 0.0);
    for sample in enough(samples, EWMA_SAMPLES)? {
        variance = EWMA_DECAY * variance + (1.0 - EWMA_DECAY) * sample * sample;
        weight = EWMA_DECAY * weight + (1.0 - EWMA_DECAY);
    }
    Ok((variance / weight).sqrt())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_standard_deviation_is_that_of_the_textbook() {
        let samples: Vec<f64> = (1..=30).map(f64::from).collect();
        // n (n + 1) / 12 for 1 to n.
        assert!((volatility(&samples).unwrap() - 77.5_f64.sqrt()).abs() < 1e-12, "30 * 31 / 12");
        assert_eq!(volatility(&samples[..29]), Err(TooFew { found: 29, needed: 30 }));
    }

    #[test]
    fn the_weighted_one_forgets() {
        let calm = [0.0; 500];
        assert_eq!(ewma_volatility(&calm).unwrap(), 0.0, "nothing moved");
        let constant = vec![-3.0; 75];
        assert!((ewma_volatility(&constant).unwrap() - 3.0).abs() < 1e-12, "weights add up to one");
        let mut storm = [0.0; 500];
        storm[499] = 1.0;
        let after = ewma_volatility(&storm).unwrap();
        assert!((after - 0.06_f64.sqrt()).abs() < 1e-9, "the newest sample has 6 % of the weight, {after}");
        storm.swap(498, 499);
        assert!((ewma_volatility(&storm).unwrap() - (0.06_f64 * 0.94).sqrt()).abs() < 1e-9, "and 94 % of that later");
        assert_eq!(ewma_volatility(&calm[..74]), Err(TooFew { found: 74, needed: 75 }));
    }

    proptest! {
        #[test]
        fn volatility_grows_with_the_moves_and_knows_no_sign(
            samples in prop::collection::vec(-1e3..1e3, 75..200), times in 0.01..100.0_f64
        ) {
            let scaled: Vec<f64> = samples.iter().map(|sample| sample * -times).collect();
            for figure in [volatility, ewma_volatility] {
                let (one, many) = (figure(&samples).unwrap(), figure(&scaled).unwrap());
                prop_assert!((many - one * times).abs() <= 1e-9 * many.max(1.0));
            }
        }

        #[test]
        fn a_constant_drift_is_no_volatility(samples in prop::collection::vec(-1e3..1e3, 30..200), drift in -1e3..1e3) {
            let drifting: Vec<f64> = samples.iter().map(|sample| sample + drift).collect();
            let [before, after] = [&samples, &drifting].map(|them| volatility(them).unwrap());
            prop_assert!((before - after).abs() <= 1e-8 * before.max(1.0));
        }
    }
}
