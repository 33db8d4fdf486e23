//! How far equity has fallen from its highest point before.

/// The deepest fall of a curve, and the one that it is in now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drawdown {
    /// Places of the highest point and of the lowest one after it; both 0 where the curve never falls.
    pub peak: usize,
    /// See `peak`.
    pub trough: usize,
    /// The deepest fall in the unit of the curve; never below zero.
    pub amount: f64,
    /// The same as a part of its peak: 0.1 is 10 %. Above 1 where equity fell below zero.
    pub share: f64,
    /// From the highest point of all to the last one, in the unit of the curve.
    pub current: f64,
    /// The same as a part of that point.
    pub current_share: f64,
}

/// The maximum drawdown: the largest of `(peak - value) / peak` over all values of the curve, where the peak is the highest
/// value up to then (Magdon-Ismail and Atiya 2004, "Maximum drawdown"). `None` for an empty curve. Peaks of zero or below,
/// of which there is no part, do not count.
pub fn drawdown(curve: &[f64]) -> Option<Drawdown> {
    let (first, last) = (*curve.first()?, *curve.last()?);
    let (mut deepest, mut peak, mut highest) = (Drawdown::default(), 0, first);
    for (at, value) in curve.iter().enumerate() {
        if *value > highest {
            (peak, highest) = (at, *value);
        }
        let share = part(highest - value, highest);
        if share > deepest.share {
            deepest = Drawdown { peak, trough: at, amount: highest - value, share, ..deepest };
        }
    }
    Some(Drawdown { current: highest - last, current_share: part(highest - last, highest), ..deepest })
}

fn part(fall: f64, of: f64) -> f64 {
    if of > 0.0 { fall / of } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_deepest_fall_is_from_the_peak_before_it() {
        let found = drawdown(&[100.0, 120.0, 90.0, 110.0, 150.0, 120.0]).unwrap();
        assert_eq!((found.peak, found.trough, found.amount, found.share), (1, 2, 30.0, 0.25), "from 120 to 90");
        assert_eq!((found.current, found.current_share), (30.0, 0.2), "as many dollars from 150 are a smaller part");
        assert_eq!(drawdown(&[1.0, 2.0, 3.0]), Some(Drawdown::default()), "nothing ever fell");
        assert_eq!(drawdown(&[]), None, "no curve");
        assert_eq!(drawdown(&[100.0, -50.0]).unwrap().share, 1.5, "short positions may lose more than all");
    }

    fn curve() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(1.0..1e6, 1..200)
    }

    proptest! {
        #[test]
        fn it_knows_no_currency(curve in curve(), times in 0.01..100.0_f64) {
            let scaled: Vec<f64> = curve.iter().map(|value| value * times).collect();
            let [one, many] = [&curve, &scaled].map(|them| drawdown(them).unwrap());
            prop_assert!((one.share - many.share).abs() < 1e-12 && (many.amount - one.amount * times).abs() < 1e-6);
        }

        #[test]
        fn standing_still_changes_nothing(curve in curve(), at in 0_usize..200) {
            let at = at % curve.len();
            let mut longer = curve.clone();
            longer.insert(at, curve[at]);
            let [one, other] = [&curve, &longer].map(|them| drawdown(them).unwrap());
            prop_assert_eq!((one.share, one.current), (other.share, other.current));
        }

        #[test]
        fn a_longer_curve_never_fell_less(curve in curve(), cut in 1_usize..200) {
            let shorter = &curve[..cut.min(curve.len())];
            prop_assert!(drawdown(shorter).unwrap().share <= drawdown(&curve).unwrap().share);
        }

        #[test]
        fn it_is_the_worst_of_all_pairs(curve in curve()) {
            let pairs = (0..curve.len()).flat_map(|from| (from..curve.len()).map(move |to| (from, to)));
            let worst = pairs.map(|(from, to)| 1.0 - curve[to] / curve[from]).fold(0.0, f64::max);
            prop_assert!((drawdown(&curve).unwrap().share - worst).abs() < 1e-12);
        }
    }
}
