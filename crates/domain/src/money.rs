//! Fixed-point numbers. One tick and one lot are defined by the [`Instrument`](crate::Instrument).

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Serialize};

macro_rules! integer_amount {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl $name {
            /// No amount.
            pub const ZERO: Self = Self(0);
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                Self(items.map(|item| item.0).sum())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

integer_amount! {
    /// A price as a count of the instrument's tick size.
    Ticks(i64)
}

integer_amount! {
    /// A quantity as a count of the instrument's lot size. Signed where it is a position: above zero is long.
    Lots(i64)
}

integer_amount! {
    /// Money in units of 10^-6 USD. Tick size times lot size is one unit for every instrument, so that price times
    /// quantity is exact. 128 bits hold the turnover of every account for longer than any journal lasts.
    Cash(i128)
}

impl Ticks {
    /// The exact value of `quantity` at this price.
    pub fn notional(self, quantity: Lots) -> Cash {
        Cash(i128::from(self.0) * i128::from(quantity.0))
    }
}

impl Cash {
    /// Decimal places of a dollar that one unit resolves.
    pub const DECIMALS: u32 = 6;

    /// Whole US dollars.
    pub const fn dollars(whole: i64) -> Self {
        Self(whole as i128 * 10_i128.pow(Self::DECIMALS))
    }

    /// As US dollars on the wire.
    pub fn amount(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notional_of_extreme_values_does_not_overflow() {
        let notional = Ticks(i64::MAX).notional(Lots(i64::MAX));
        assert_eq!(notional, Cash(i128::from(i64::MAX) * i128::from(i64::MAX)), "money must be exact at any size");
    }
}
