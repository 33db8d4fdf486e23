//! The exposure limit: what an account holds and has ordered may not be worth more than it owns.
//!
//! For each side: if every order of that side filled, the position that results, valued, must not exceed equity times
//! [`LEVERAGE`]. What is held counts at the mark price, what waits at its limit price, what the new order trades at once
//! at the prices it gets. Where the orders first reduce an opposite position, only the part beyond it counts, at the
//! average price of the orders; so an order that only reduces is always allowed. Holds when an order comes in: a price
//! that moves later cancels and closes nothing.

use cwts_domain::{Cash, Instrument, Lots, Reject, Side, Ticks};

use crate::account::{Account, OpenTotal};

/// Largest exposure as a multiple of equity.
pub const LEVERAGE: i128 = 1;

/// Refuses an order that would lift the exposure above the limit. `order` is what it could trade and for how much.
pub(crate) fn check(
    account: &Account,
    side: Side,
    order: OpenTotal,
    mark: Option<Ticks>,
    instrument: &Instrument,
) -> Result<(), Reject> {
    if !account.is_limited() {
        return Ok(());
    }
    let open = account.open_total(side);
    let with_order = OpenTotal { quantity: open.quantity + order.quantity, notional: open.notional + order.notional };
    let after = exposure(account, side, with_order, mark);
    if after <= capacity(account, mark) {
        return Ok(());
    }
    Err(Reject::InsufficientBalance {
        required: dollars(after - exposure(account, side, open, mark), instrument, Rounding::Up),
        available: dollars(available(account, side, mark), instrument, Rounding::Down),
    })
}

/// What orders of a side may still add to the exposure.
pub(crate) fn available(account: &Account, side: Side, mark: Option<Ticks>) -> Cash {
    let used = exposure(account, side, account.open_total(side), mark);
    (capacity(account, mark) - used).max(Cash::ZERO)
}

fn capacity(account: &Account, mark: Option<Ticks>) -> Cash {
    // Without a mark nothing has traded, so there is no position to value.
    Cash(account.equity(mark.unwrap_or_default()).0 * LEVERAGE).max(Cash::ZERO)
}

/// Value of the position that results if all of `orders`, on `side`, fill; zero if they only reduce.
fn exposure(account: &Account, side: Side, orders: OpenTotal, mark: Option<Ticks>) -> Cash {
    let held = match side {
        Side::Buy => account.position(),
        Side::Sell => -account.position(),
    };
    let result = held + orders.quantity;
    if result <= Lots::ZERO {
        Cash::ZERO
    } else if held >= Lots::ZERO {
        mark.unwrap_or_default().notional(held) + orders.notional
    } else {
        Cash(orders.notional.0 * i128::from(result.0) / i128::from(orders.quantity.0))
    }
}

enum Rounding {
    Up,
    Down,
}

/// An amount of at least zero with two decimals; rounded apart, "needed" never reads the same as "available".
fn dollars(cash: Cash, instrument: &Instrument, rounding: Rounding) -> String {
    let whole = instrument.cash(1).0;
    let cents = match rounding {
        Rounding::Up => (cash.0 * 100 + whole - 1) / whole,
        Rounding::Down => cash.0 * 100 / whole,
    };
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests;
