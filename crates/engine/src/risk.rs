//! The exposure limit: what an account holds and has ordered may not be worth more than it owns times its leverage.
//!
//! For each side of an instrument: if every order of that side filled, the position that results, valued, is the exposure
//! of that side. What is held counts at the mark price, what waits at its limit price (a stop order without one at the
//! price that triggers it), what a new order trades at once at the prices it gets. Where the orders first reduce an
//! opposite position, only the part beyond it counts, at the average price of the orders; so an order that only reduces
//! is always allowed. The exposure of an instrument is that of its larger side, the exposure of an account the sum over
//! its instruments: nothing is netted between instruments. Orders that can only reduce (reduce-only) do not count.
//!
//! Holds when an order comes in: a price that moves later cancels and closes nothing.

use cwts_domain::{Cash, Lots, RiskLimits, Side, Ticks};

use crate::Exchange;
use crate::account::Account;
use crate::market::Market;
use crate::position::{OpenTotal, Position};

/// What orders of a side may still add to the exposure; `None` for an account without limits.
pub(crate) fn available(exchange: &Exchange, account: &Account, market: &Market, side: Side) -> Option<Cash> {
    let (limits, position) = (account.limits()?, account.position(market.id)?);
    let used = exposure(position, side, position.open_total(side), market.mark_price());
    let others = total_exposure(exchange, account, Some(market));
    Some((capacity(exchange, account, limits) - others - used).max(Cash::ZERO))
}

/// Largest exposure that the account may have.
pub(crate) fn capacity(exchange: &Exchange, account: &Account, limits: &RiskLimits) -> Cash {
    Cash(exchange.equity(account).0 * i128::from(limits.leverage)).max(Cash::ZERO)
}

/// Exposure of all instruments but one.
pub(crate) fn total_exposure(exchange: &Exchange, account: &Account, without: Option<&Market>) -> Cash {
    let counted = exchange.markets.iter().zip(&account.positions);
    let counted = counted.filter(|(market, _)| without.is_none_or(|without| without.id != market.id));
    let larger_side = |(market, position): (&Market, &Position)| {
        let mark = market.mark_price();
        [Side::Buy, Side::Sell]
            .map(|side| exposure(position, side, position.open_total(side), mark))
            .into_iter()
            .fold(Cash::ZERO, Cash::max)
    };
    counted.map(larger_side).sum()
}

/// Value of the position that results if all of `orders`, on `side`, fill; zero if they only reduce.
pub(crate) fn exposure(position: &Position, side: Side, orders: OpenTotal, mark: Option<Ticks>) -> Cash {
    let held = held(position, side);
    let result = held + orders.quantity;
    if result <= Lots::ZERO {
        Cash::ZERO
    } else if held >= Lots::ZERO {
        // Without a mark nothing has traded, so there is nothing held to value.
        mark.unwrap_or_default().notional(held) + orders.notional
    } else {
        Cash(orders.notional.0 * i128::from(result.0) / i128::from(orders.quantity.0))
    }
}

/// The position as orders of a side see it: below zero is what they reduce.
pub(crate) fn held(position: &Position, side: Side) -> Lots {
    match side {
        Side::Buy => position.quantity,
        Side::Sell => -position.quantity,
    }
}

pub(crate) enum Rounding {
    Up,
    Down,
}

/// An amount of at least zero with two decimals; rounded apart, "needed" never reads the same as "available".
pub(crate) fn dollars(cash: Cash, rounding: Rounding) -> String {
    let whole = Cash::dollars(1).0;
    let cents = match rounding {
        Rounding::Up => (cash.0 * 100 + whole - 1) / whole,
        Rounding::Down => cash.0 * 100 / whole,
    };
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests;
