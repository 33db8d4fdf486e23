//! Who may trade, and how much.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Cash;

/// Who may trade. Holds for the accounts of clients; the simulated market goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TradingState {
    /// Every order within the limits.
    #[default]
    Active,
    /// Only orders that make a position smaller.
    Reducing,
    /// None: open orders can be cancelled and nothing else. What is open stays open and may fill.
    Halted,
}

impl TradingState {
    /// The word of the wire.
    pub fn id(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Reducing => "reducing",
            Self::Halted => "halted",
        }
    }
}

impl fmt::Display for TradingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Who asks for a change of the trading state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A program with the scope to trade. May tighten.
    Agent,
    /// The owner, at the panel or the command line. May tighten and resume.
    Person,
    /// This program itself, for example after a fault of its journal. May tighten.
    System,
}

/// What one account may do, asked before each order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RiskLimits {
    /// Largest exposure as a multiple of equity.
    pub leverage: u32,
    /// Largest value of one order.
    pub max_order_notional: Cash,
    /// Largest value of the position in one instrument that could result from an order and those that wait.
    pub max_position_notional: Cash,
    /// Largest distance of a limit price from the last price, or from the stop price of the order, in percent.
    pub price_band_percent: u32,
    /// Largest number of orders in one second of UTC.
    pub max_orders_per_second: u32,
    /// From this loss since 00:00 UTC on, only orders that make a position smaller are taken.
    pub max_daily_loss: Cash,
}

impl Default for RiskLimits {
    /// Wide enough for every example: exposure up to the equity, 1,000,000 USD per order and per position, prices within
    /// 10 %, 100,000 orders a second, 20,000 USD of loss a day.
    fn default() -> Self {
        Self {
            leverage: 1,
            max_order_notional: Cash::dollars(1_000_000),
            max_position_notional: Cash::dollars(1_000_000),
            price_band_percent: 10,
            max_orders_per_second: 100_000,
            max_daily_loss: Cash::dollars(20_000),
        }
    }
}

/// What trading costs, in millionths of the traded value. Below zero is a rebate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fees {
    /// For the order that rested.
    pub maker_ppm: i64,
    /// For the order that came in.
    pub taker_ppm: i64,
}

impl Fees {
    /// Nothing.
    pub const NONE: Self = Self { maker_ppm: 0, taker_ppm: 0 };
    /// 0.02 % for the maker, 0.05 % for the taker.
    pub const PAPER: Self = Self { maker_ppm: 200, taker_ppm: 500 };

    /// `ppm` millionths of a traded value, rounded up to the next 10^-6 USD: a fee is never below its rate, a rebate never
    /// above.
    pub fn on(notional: Cash, ppm: i64) -> Cash {
        const MILLION: i64 = 1_000_000;
        // Both ways give the same; the narrow one is several times faster.
        match i64::try_from(notional.0).ok().and_then(|notional| notional.checked_mul(ppm)) {
            Some(product) => {
                Cash(i128::from(product.div_euclid(MILLION) + i64::from(product.rem_euclid(MILLION) != 0)))
            }
            None => {
                let (product, million) = (notional.0 * i128::from(ppm), i128::from(MILLION));
                Cash(product.div_euclid(million) + i128::from(product.rem_euclid(million) != 0))
            }
        }
    }
}

/// What happens where an incoming order meets a resting one of the same account. Nobody ever trades with themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfTradePolicy {
    /// The resting order is cancelled, the incoming one goes on.
    #[default]
    CancelResting,
    /// What is left of the incoming order is cancelled, the resting one stays.
    CancelIncoming,
    /// Both are cancelled.
    CancelBoth,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fee_is_rounded_up_and_a_rebate_is_not() {
        assert_eq!(Fees::on(Cash(1_000_000), 500), Cash(500), "an exact fee stays exact");
        assert_eq!(Fees::on(Cash(1), 500), Cash(1), "nobody trades for less than the rate");
        assert_eq!(Fees::on(Cash(3_999), -500), Cash(-1), "1.9995 units of rebate are paid out as 1");
        assert_eq!(Fees::on(Cash(i128::from(i64::MAX) * 4), 250_000), Cash(i128::from(i64::MAX)), "beyond 64 bits");
    }

    #[test]
    fn states_are_ordered_from_open_to_closed() {
        assert!(TradingState::Active < TradingState::Reducing, "tightening goes up");
        assert!(TradingState::Reducing < TradingState::Halted, "and ends at the halt");
    }

    proptest! {
        #[test]
        fn a_fee_is_the_smallest_amount_that_is_not_below_its_rate(notional in 0_i128..1 << 90, ppm in -1_000_i64..=10_000) {
            let exact = notional * i128::from(ppm);
            let fee = Fees::on(Cash(notional), ppm).0 * 1_000_000;
            prop_assert!(fee >= exact && fee - exact < 1_000_000, "{} for {}", fee, exact);
        }
    }
}
