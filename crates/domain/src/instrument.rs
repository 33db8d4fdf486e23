//! What can be traded, and the exact conversion between the wire's JSON numbers and the exchange's integers.

use serde::{Deserialize, Serialize};

use crate::{Cash, Lots, Ticks};

/// Identifies an instrument within one exchange: its place in the list, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstrumentId(pub u16);

/// A tradable symbol with its smallest steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Instrument {
    /// Name on the wire, for example `BTCUSD`.
    pub symbol: String,
    /// What it is, for people.
    pub description: String,
    /// Decimal places of the price; one tick is `10^-price_decimals` of the quote currency.
    pub price_decimals: u32,
    /// Decimal places of the quantity; one lot is `10^-quantity_decimals` of the base currency.
    pub quantity_decimals: u32,
    /// Largest quantity of one order.
    pub max_quantity: Lots,
    /// Largest price of one order.
    pub max_price: Ticks,
    /// Quotes of the house that never move and never run out.
    pub standing: Option<StandingQuote>,
}

/// What the house always offers: the whole `quantity` at both prices, also right after a trade. So every market order
/// of at most that quantity fills whole and at once, at a price that is known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StandingQuote {
    /// The house buys here.
    pub bid: Ticks,
    /// The house sells here; above the bid.
    pub ask: Ticks,
    /// On each side.
    pub quantity: Lots,
}

/// Why a number from the wire is not a price or a quantity of an instrument.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConversionError {
    /// Not finite, zero or negative.
    #[error("{field} is {value}; it must be above 0")]
    NotPositive {
        /// The argument.
        field: &'static str,
        /// What was given.
        value: f64,
    },
    /// Finer than one step of the instrument.
    #[error("{field} {value} is finer than {step}, the step of {symbol}")]
    OffStep {
        /// The argument.
        field: &'static str,
        /// What was given.
        value: f64,
        /// The smallest step.
        step: f64,
        /// The instrument.
        symbol: String,
    },
    /// Above the largest value of an order.
    #[error("{field} {value} is above {limit}, the largest of one order of {symbol}")]
    TooLarge {
        /// The argument.
        field: &'static str,
        /// What was given.
        value: f64,
        /// The largest value.
        limit: f64,
        /// The instrument.
        symbol: String,
    },
}

impl Instrument {
    /// BTCUSD, ETHUSD and TESTUSD, in this sequence: tick 0.01 USD, lot 0.0001.
    pub fn defaults() -> Vec<Self> {
        vec![Self::btcusd(), Self::ethusd(), Self::testusd()]
    }

    /// Bitcoin against US dollars: tick 0.01 USD, lot 0.0001 BTC.
    pub fn btcusd() -> Self {
        Self::cents("BTCUSD", "Bitcoin against US dollars, simulated")
    }

    /// Ether against US dollars: tick 0.01 USD, lot 0.0001 ETH.
    pub fn ethusd() -> Self {
        Self::cents("ETHUSD", "Ether against US dollars, simulated")
    }

    /// The test symbol: the house always buys 1,000 at 99.99 USD and sells 1,000 at 100.01 USD.
    pub fn testusd() -> Self {
        let standing = StandingQuote { bid: Ticks(9_999), ask: Ticks(10_001), quantity: Lots(10_000_000) };
        let instrument = Self::cents("TESTUSD", "Test symbol: always 1,000 bid at 99.99 and 1,000 offered at 100.01");
        Self { standing: Some(standing), ..instrument }
    }

    /// Ticks of 0.01 USD and lots of 0.0001: one tick times one lot is one unit of [`Cash`].
    fn cents(symbol: &str, description: &str) -> Self {
        Self {
            symbol: symbol.to_owned(),
            description: description.to_owned(),
            price_decimals: 2,
            quantity_decimals: Cash::DECIMALS - 2,
            max_quantity: Lots(10_000_000),
            max_price: Ticks(1_000_000_000),
            standing: None,
        }
    }

    /// The price step in quote currency.
    pub fn tick_size(&self) -> f64 {
        1.0 / pow10(self.price_decimals)
    }

    /// The quantity step in base currency.
    pub fn lot_size(&self) -> f64 {
        1.0 / pow10(self.quantity_decimals)
    }

    /// A price of the wire as ticks.
    ///
    /// # Errors
    /// The number is not above 0, finer than one tick, or above the largest price.
    pub fn ticks(&self, field: &'static str, price: f64) -> Result<Ticks, ConversionError> {
        self.steps(field, price, self.price_decimals, self.max_price.0).map(Ticks)
    }

    /// A quantity of the wire as lots.
    ///
    /// # Errors
    /// The number is not above 0, finer than one lot, or above the largest quantity.
    pub fn lots(&self, field: &'static str, quantity: f64) -> Result<Lots, ConversionError> {
        self.steps(field, quantity, self.quantity_decimals, self.max_quantity.0).map(Lots)
    }

    /// Ticks as a price of the wire.
    pub fn price(&self, ticks: Ticks) -> f64 {
        ticks.0 as f64 / pow10(self.price_decimals)
    }

    /// Lots as a quantity of the wire.
    pub fn quantity(&self, lots: Lots) -> f64 {
        lots.0 as f64 / pow10(self.quantity_decimals)
    }

    /// The average price of `notional` over `quantity`; `None` without a quantity.
    pub fn average_price(&self, notional: Cash, quantity: Lots) -> Option<f64> {
        let lots = i128::from(quantity.0);
        // Whole ticks as an integer: a quotient of two rounded amounts would show 9244114.829999998 for a single fill.
        let whole = notional.0.checked_div(lots)?;
        let rest = (notional.0 - whole * lots) as f64 / lots as f64;
        Some((whole as f64 + rest) / pow10(self.price_decimals))
    }

    fn steps(&self, field: &'static str, value: f64, decimals: u32, max: i64) -> Result<i64, ConversionError> {
        if !value.is_finite() || value <= 0.0 {
            return Err(ConversionError::NotPositive { field, value });
        }
        let scale = pow10(decimals);
        let scaled = value * scale;
        if scaled > max as f64 {
            let (limit, symbol) = (max as f64 / scale, self.symbol.clone());
            return Err(ConversionError::TooLarge { field, value, limit, symbol });
        }
        let steps = scaled.round();
        // A decimal such as 64182.51 has no exact double: accept what is nearer than a millionth of a step.
        if steps < 1.0 || (scaled - steps).abs() > 1e-6_f64.max(scaled * f64::EPSILON * 2.0) {
            return Err(ConversionError::OffStep { field, value, step: 1.0 / scale, symbol: self.symbol.clone() });
        }
        Ok(steps as i64)
    }
}

fn pow10(decimals: u32) -> f64 {
    10_f64.powi(decimals as i32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_price_finer_than_a_tick_is_refused_with_the_step() {
        let error = Instrument::btcusd().ticks("price", 64_182.505).unwrap_err();
        assert_eq!(
            error.to_string(),
            "price 64182.505 is finer than 0.01, the step of BTCUSD",
            "a person must learn what is allowed"
        );
    }

    #[test]
    fn numbers_that_are_no_amount_are_refused() {
        for value in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-9] {
            assert!(Instrument::btcusd().lots("quantity", value).is_err(), "{value} must not become an order");
        }
        assert!(Instrument::btcusd().lots("quantity", 1e300).is_err(), "an absurd size must not wrap around");
    }

    #[test]
    fn an_average_between_two_ticks_keeps_its_fraction() {
        let instrument = Instrument::btcusd();
        let notional = Ticks(100).notional(Lots(1)) + Ticks(101).notional(Lots(1));
        assert_eq!(instrument.average_price(notional, Lots(2)), Some(1.005), "an average is finer than a tick");
        assert_eq!(instrument.average_price(Cash::ZERO, Lots::ZERO), None, "nothing filled has no average");
    }

    #[test]
    fn the_average_of_a_large_fill_has_no_noise() {
        let instrument = Instrument::btcusd();
        let (price, quantity) = (Ticks(924_411_483), Lots(9_745_683));
        let average = instrument.average_price(price.notional(quantity), quantity);
        assert_eq!(average, Some(9_244_114.83), "its notional does not fit into the 53 bits of a double");
    }

    proptest! {
        #[test]
        fn the_average_of_one_fill_is_its_price(ticks in 1_i64..=1_000_000_000, lots in 1_i64..=10_000_000) {
            let instrument = Instrument::btcusd();
            let average = instrument.average_price(Ticks(ticks).notional(Lots(lots)), Lots(lots));
            prop_assert_eq!(average, Some(instrument.price(Ticks(ticks))), "no noise in the last digits");
        }

        #[test]
        fn every_tick_survives_the_wire(ticks in 1_i64..=1_000_000_000) {
            let instrument = Instrument::btcusd();
            let back = instrument.ticks("price", instrument.price(Ticks(ticks)));
            prop_assert_eq!(back, Ok(Ticks(ticks)), "a price read back must be the price that was sent");
        }

        #[test]
        fn every_lot_survives_the_wire(lots in 1_i64..=10_000_000) {
            let instrument = Instrument::btcusd();
            prop_assert_eq!(instrument.lots("quantity", instrument.quantity(Lots(lots))), Ok(Lots(lots)));
        }
    }
}
