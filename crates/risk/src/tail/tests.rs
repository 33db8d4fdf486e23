use proptest::prelude::*;

use super::*;

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
}

/// Profits of 1 to n, all of them losses.
fn losses(count: i32) -> Vec<f64> {
    (1..=count).map(|loss| -f64::from(loss)).collect()
}

#[test]
fn historical_figures_are_those_counted_by_hand() {
    let found = historical(&losses(100), Confidence::USUAL).unwrap();
    assert_eq!(found.value_at_risk, 95.0, "95 of 100 losses are at most 95");
    assert_eq!(found.expected_shortfall, 98.0, "the mean of 96, 97, 98, 99, 100");
    let found = historical(&losses(30), Confidence::USUAL).unwrap();
    assert_eq!(found.value_at_risk, 29.0, "28.5 of 30 samples: the 29th");
    assert!(close(found.expected_shortfall, (30.0 + 0.5 * 29.0) / 1.5), "1.5 samples are the worst 5 %: {found:?}");
    let found = historical(&losses(100), Confidence::HIGH).unwrap();
    assert_eq!((found.value_at_risk, found.expected_shortfall), (99.0, 100.0), "one of a hundred is beyond");
}

#[test]
fn parametric_figures_are_those_of_the_normal_distribution() {
    // Half are +1, half -1: the sample standard deviation is sqrt(n / (n - 1)).
    let profits: Vec<f64> = (0..50).flat_map(|_| [1.0, -1.0]).collect();
    let deviation = (100.0_f64 / 99.0).sqrt();
    let usual = parametric(&profits, Confidence::USUAL).unwrap();
    assert!(close(usual.value_at_risk, 1.644_853_626_951_472_2 * deviation), "z of 95 %: {usual:?}");
    assert!(close(usual.expected_shortfall, 2.062_712_807_507_426 * deviation), "density(z) / 0.05: {usual:?}");
    let high = parametric(&profits, Confidence::HIGH).unwrap();
    assert!(close(high.expected_shortfall, 2.665_214_220_345_808 * deviation), "density(z) / 0.01: {high:?}");
}

#[test]
fn too_few_samples_are_said_and_no_number() {
    assert_eq!(historical(&losses(29), Confidence::USUAL), Err(TooFew { found: 29, needed: 30 }));
    assert_eq!(historical(&losses(99), Confidence::HIGH), Err(TooFew { found: 99, needed: 100 }), "none beyond 99 %");
    assert_eq!(parametric(&[], Confidence::HIGH), Err(TooFew { found: 0, needed: 30 }));
    assert!(historical(&losses(100), Confidence::HIGH).is_ok() && parametric(&losses(30), Confidence::HIGH).is_ok());
    assert_eq!((Confidence::percent(79), Confidence::percent(100)), (None, None), "nothing is certain");
    assert_eq!(
        historical(&[0.0; 30], Confidence::USUAL).unwrap().expected_shortfall,
        0.0,
        "nothing held, nothing lost"
    );
}

fn profits() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-1e6..1e6, 100..400)
}

proptest! {
    #[test]
    fn expected_shortfall_is_at_least_value_at_risk(profits in profits(), percent in Confidence::RANGE) {
        let confidence = Confidence::percent(percent).unwrap();
        for figure in [historical(&profits, confidence).unwrap(), parametric(&profits, confidence).unwrap()] {
            prop_assert!(figure.expected_shortfall >= figure.value_at_risk, "{:?}", figure);
        }
    }

    #[test]
    fn expected_shortfall_is_the_minimum_of_rockafellar_and_uryasev(profits in profits(), percent in Confidence::RANGE) {
        let confidence = Confidence::percent(percent).unwrap();
        let found = historical(&profits, confidence).unwrap();
        let tail = 1.0 - f64::from(percent) / 100.0;
        let objective = |level: f64| {
            let beyond = profits.iter().map(|profit| (-profit - level).max(0.0)).sum::<f64>();
            level + beyond / profits.len() as f64 / tail
        };
        // The objective is convex and has its corners at the losses, so one of them is a minimum.
        let least = profits.iter().map(|profit| objective(-profit)).fold(f64::INFINITY, f64::min);
        prop_assert!(close(found.expected_shortfall, least), "{} and {}", found.expected_shortfall, least);
        prop_assert!(close(objective(found.value_at_risk), least), "value at risk is where it is");
    }

    #[test]
    fn twice_the_position_is_twice_the_risk(profits in profits(), times in 0.01..100.0_f64) {
        let scaled: Vec<f64> = profits.iter().map(|profit| profit * times).collect();
        for figure in [historical, parametric] {
            let (one, many) = (figure(&profits, Confidence::USUAL).unwrap(), figure(&scaled, Confidence::USUAL).unwrap());
            prop_assert!(close(many.value_at_risk, one.value_at_risk * times));
            prop_assert!(close(many.expected_shortfall, one.expected_shortfall * times));
        }
    }

    #[test]
    fn a_sure_profit_lowers_the_historical_loss_by_as_much(profits in profits(), sure in -1e4..1e4) {
        let raised: Vec<f64> = profits.iter().map(|profit| profit + sure).collect();
        let [before, after] = [&profits, &raised].map(|them| historical(them, Confidence::HIGH).unwrap());
        prop_assert!(close(after.value_at_risk + sure, before.value_at_risk));
        prop_assert!(close(after.expected_shortfall + sure, before.expected_shortfall));
    }

    #[test]
    fn a_mix_is_never_worse_than_its_parts(one in profits(), seed in 1_usize..97) {
        let other: Vec<f64> = (0..one.len()).map(|at| one[(at * seed + 1) % one.len()] * 0.7).collect();
        let both: Vec<f64> = one.iter().zip(&other).map(|(one, other)| one + other).collect();
        for figure in [historical, parametric] {
            let loss = |profits: &[f64]| figure(profits, Confidence::USUAL).unwrap().expected_shortfall;
            let parts = loss(&one) + loss(&other);
            prop_assert!(loss(&both) <= parts + 1e-9 * parts.abs(), "subadditive (Acerbi and Tasche 2002)");
        }
    }

    #[test]
    fn the_sequence_of_samples_does_not_matter(profits in profits()) {
        let reversed: Vec<f64> = profits.iter().rev().copied().collect();
        prop_assert_eq!(
            historical(&profits, Confidence::HIGH).unwrap().value_at_risk,
            historical(&reversed, Confidence::HIGH).unwrap().value_at_risk
        );
    }
}
