//! The paper account in one line.

use cwts_runtime::TradingSummary;

/// `Trading active, equity 100,412.88 USD, today +374.48`.
pub(super) fn line(trading: &TradingSummary) -> String {
    format!(
        "Trading {}, equity {} USD, today {}{}",
        trading.state,
        amount(trading.equity),
        if trading.today >= 0.005 { "+" } else { "" },
        amount(trading.today)
    )
}

/// Two decimals, and a comma between thousands.
fn amount(dollars: f64) -> String {
    let cents = (dollars * 100.0).round() as i64;
    let mut whole = (cents.abs() / 100).to_string();
    for place in (1..whole.len()).rev().filter(|place| (whole.len() - place).is_multiple_of(3)).collect::<Vec<_>>() {
        whole.insert(place, ',');
    }
    format!("{}{whole}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (dollars, text) in
            [(0.0, "0.00"), (-0.001, "0.00"), (999.996, "1,000.00"), (-1_234_567.8, "-1,234,567.80"), (12.3, "12.30")]
        {
            assert_eq!(amount(dollars), text, "{dollars}");
        }
    }
}
