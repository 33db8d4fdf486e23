//! The checks before an order is taken, as a list: each rule sees what the order would do and may refuse it.
//!
//! A rule reads the state as it was before the order. The first refusal stands, so the order of [`RULES`] decides which
//! one a client is told. What an order is (symbol, steps, ranges) is settled before any rule is asked.

use cwts_domain::{Lots, PlaceOrder, Reject, Ticks};

use crate::account::{Account, OpenTotal};
use crate::decide::MAX_OPEN_ORDERS;
use crate::{Exchange, price_band, risk};

/// An order that is about to be taken, with what it would do.
pub(crate) struct Proposal<'a> {
    pub(crate) exchange: &'a Exchange,
    pub(crate) account: &'a Account,
    pub(crate) order: &'a PlaceOrder,
    /// Quantity and value of what it would trade at once.
    pub(crate) trades: OpenTotal,
    /// Price and quantity of what would wait in the book.
    pub(crate) rests: Option<(Ticks, Lots)>,
}

type Rule = fn(&Proposal<'_>) -> Result<(), Reject>;

/// In the sequence in which they are asked.
const RULES: [Rule; 3] = [price_band, open_orders, exposure];

/// Asks every rule.
pub(crate) fn check(proposal: &Proposal<'_>) -> Result<(), Reject> {
    RULES.iter().try_for_each(|rule| rule(proposal))
}

/// A client's limit price is near the last one, where there is one; see [`price_band`](mod@price_band).
fn price_band(proposal: &Proposal<'_>) -> Result<(), Reject> {
    let Proposal { exchange, account, order, .. } = proposal;
    match (order.limit, exchange.last_trade()) {
        (Some(limit), Some(last)) if account.is_limited() => {
            price_band::check(limit, last.price, exchange.instrument())
        }
        _ => Ok(()),
    }
}

/// The memory that one account may fill is bounded. Holds for the simulator too.
fn open_orders(proposal: &Proposal<'_>) -> Result<(), Reject> {
    if proposal.rests.is_some() && proposal.account.open_order_count() >= MAX_OPEN_ORDERS {
        return Err(Reject::TooManyOpenOrders { limit: MAX_OPEN_ORDERS });
    }
    Ok(())
}

/// What is held and ordered must be covered; see [`risk`].
fn exposure(proposal: &Proposal<'_>) -> Result<(), Reject> {
    let mut worst = proposal.trades;
    if let Some((price, quantity)) = proposal.rests {
        worst.add(price, quantity);
    }
    let Proposal { exchange, account, order, .. } = proposal;
    risk::check(account, order.side, worst, exchange.mark_price(), exchange.instrument())
}
