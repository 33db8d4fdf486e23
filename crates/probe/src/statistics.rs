//! What repetitions show: the spread of the times, and the loss.

use serde::Serialize;

/// Several climbs of one service. Times are those of climbs that held, from the first rung to the last.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct Repetitions {
    /// How many.
    pub count: u32,
    /// How many of them did not hold.
    pub lost: u32,
    /// The shortest, in milliseconds; `None` where none held.
    pub min: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// The 99th percentile.
    pub p99: Option<f64>,
}

impl Repetitions {
    /// `times` are those of the climbs that held.
    pub fn of(count: u32, mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let held = u32::try_from(times.len()).unwrap_or(u32::MAX);
        // Nearest rank: the least time that so many percent do not exceed.
        let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Self { count, lost: count.saturating_sub(held), min: times.first().copied(), p50: rank(50), p99: rank(99) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_times_that_were_measured() {
        let times = (1..=200).rev().map(f64::from).collect();
        let found = Repetitions::of(202, times);
        assert_eq!((found.min, found.p50, found.p99), (Some(1.0), Some(100.0), Some(198.0)), "nearest ranks");
        assert_eq!(found.lost, 2, "what did not hold is lost");
        let none = Repetitions::of(3, Vec::new());
        assert_eq!((none.lost, none.min, none.p99), (3, None, None), "a time of nothing is none");
        assert_eq!(Repetitions::of(1, vec![5.0]).p99, Some(5.0), "one is all there is");
    }
}
