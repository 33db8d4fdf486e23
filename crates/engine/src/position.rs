//! What an account holds of one instrument, and what its orders could add.
//!
//! Profit and loss by average cost, in exact integers. With position `p` (above zero is long) and cost basis `C`:
//!
//! - a fill in the direction of the position, or from flat, adds price times signed quantity to `C`;
//! - a fill of `c` lots against it releases `C * c / |p|`, rounded toward zero with the rounding left in `C`, and
//!   realises the value of those lots less what was released; a fill beyond flat opens the rest anew at its price;
//! - a fee is realised at once, as a loss; a rebate as a profit;
//! - average entry price is `C / p`; unrealised is `mark * p - C`.

use cwts_domain::{Cash, Lots, Side, Ticks};
use serde::{Deserialize, Serialize};

/// Quantity and value, at the prices at which they count, of orders of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct OpenTotal {
    pub(crate) quantity: Lots,
    pub(crate) notional: Cash,
}

impl OpenTotal {
    /// Counts `quantity` more at `price`; a negative quantity counts less.
    pub(crate) fn add(&mut self, price: Ticks, quantity: Lots) {
        self.quantity += quantity;
        self.notional += price.notional(quantity);
    }
}

/// An account's position in one instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    pub(crate) quantity: Lots,
    pub(crate) cost: Cash,
    pub(crate) realised: Cash,
    pub(crate) fees: Cash,
    /// Waiting orders that are not reduce-only, by side.
    open: [OpenTotal; 2],
    /// Number of waiting reduce-only orders, by side.
    pub(crate) reduce_only: [u32; 2],
}

impl Position {
    /// Quantity; below zero is short.
    pub fn quantity(&self) -> Lots {
        self.quantity
    }

    /// What the position cost, with its sign. Over the quantity it is the average entry price
    /// ([`Instrument::average_price`](cwts_domain::Instrument::average_price)).
    pub fn cost_basis(&self) -> Cash {
        self.cost
    }

    /// Profit of everything closed so far, less all fees.
    pub fn realised_pnl(&self) -> Cash {
        self.realised
    }

    /// Fees paid so far, less rebates.
    pub fn fees(&self) -> Cash {
        self.fees
    }

    /// Profit if it were closed at `mark`, before fees.
    pub fn unrealised_pnl(&self, mark: Ticks) -> Cash {
        mark.notional(self.quantity) - self.cost
    }

    /// What an order of `side` can take off it.
    pub fn reducible(&self, side: Side) -> Lots {
        reducible(self.quantity, side)
    }

    /// Quantity of the waiting orders of a side that may open or enlarge a position.
    pub fn open_quantity(&self, side: Side) -> Lots {
        self.open[side as usize].quantity
    }

    pub(crate) fn open_total(&self, side: Side) -> OpenTotal {
        self.open[side as usize]
    }

    pub(crate) fn open_total_mut(&mut self, side: Side) -> &mut OpenTotal {
        &mut self.open[side as usize]
    }

    /// Takes in a fill of `quantity` (above zero) at `price`; returns the cash that it brings, without fees.
    pub(crate) fn settle(&mut self, side: Side, price: Ticks, quantity: Lots) -> Cash {
        let signed = match side {
            Side::Buy => quantity,
            Side::Sell => -quantity,
        };
        self.exchange(signed, price.notional(signed))
    }

    /// Takes over a position at what it cost, with the profit that was made on it; returns the cash that it brings.
    pub(crate) fn take_over(&mut self, other: &Self) -> Cash {
        self.realised += other.realised;
        self.exchange(other.quantity, other.cost) + other.realised
    }

    /// Gives `value` for `signed` lots, both with the sign of the quantity; returns the cash that this brings.
    fn exchange(&mut self, signed: Lots, value: Cash) -> Cash {
        if self.quantity.0.signum() * signed.0.signum() >= 0 {
            self.cost += value;
        } else if signed.0.abs() >= self.quantity.0.abs() {
            let closing = match signed + self.quantity {
                Lots::ZERO => value,
                // Exact for a fill, whose value is a multiple of its lots.
                _ => share(value, -self.quantity, signed),
            };
            self.realised -= closing + self.cost;
            self.cost = value - closing;
        } else {
            // `signed / quantity` is below zero, so `released` has the opposite sign of the cost.
            let released = share(self.cost, signed, self.quantity);
            self.realised += released - value;
            self.cost += released;
        }
        self.quantity += signed;
        -value
    }
}

/// `value * part / whole`, rounded toward zero.
fn share(value: Cash, part: Lots, whole: Lots) -> Cash {
    // Both ways give the same; the narrow one is several times faster.
    match i64::try_from(value.0).ok().and_then(|value| value.checked_mul(part.0)) {
        Some(product) => Cash(i128::from(product / whole.0)),
        None => Cash(value.0 * i128::from(part.0) / i128::from(whole.0)),
    }
}

/// What an order of `side` can take off a position of `quantity`.
pub(crate) fn reducible(quantity: Lots, side: Side) -> Lots {
    match side {
        Side::Buy => (-quantity).max(Lots::ZERO),
        Side::Sell => quantity.max(Lots::ZERO),
    }
}

#[cfg(test)]
mod tests;
