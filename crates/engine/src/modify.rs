//! What a change of an open order does.
//!
//! Only a smaller quantity keeps the place in the queue. Any other change takes the order out, and what it does with its
//! new terms is the business of [`react`](crate::react), as for an order that comes in.

use cwts_domain::{Event, Lots, ModifyOrder, PlaceOrder, Reject, Timestamp, TradingState};

use crate::decide::{open_order, owner};
use crate::matching::{self, Incoming};
use crate::place::{check_price, check_quantity, check_rules, market_of};
use crate::{Exchange, Order};

/// See [`decide`](crate::decide()).
pub(crate) fn modify(exchange: &Exchange, change: &ModifyOrder, at: Timestamp) -> Result<Option<Event>, Reject> {
    let account = owner(exchange, change.account)?;
    let order = open_order(exchange, change.account, change.order_id)?;
    let market = market_of(exchange, order.instrument)?;
    check_change(order, change)?;
    let (quantity, limit) = (change.quantity.unwrap_or(order.quantity), change.limit.or(order.limit));
    let stop = change.stop.or(order.stop);
    if (quantity, limit, stop) == (order.quantity, order.limit, order.stop) {
        return Ok(None);
    }
    check_quantity(&market.instrument, quantity)?;
    check_price(&market.instrument, "new_price", limit)?;
    check_price(&market.instrument, "new_stop_price", stop)?;
    if quantity <= order.filled_quantity {
        let filled = market.instrument.quantity(order.filled_quantity).to_string();
        return Err(Reject::NotAboveFilled { filled });
    }
    let only_smaller = quantity < order.quantity && (limit, stop) == (order.limit, order.stop);
    if only_smaller || order.status == cwts_domain::OrderStatus::Held {
        if account.limits().is_some() && exchange.trading == TradingState::Halted {
            return Err(Reject::Halted);
        }
    } else {
        let again = again(order, quantity - order.filled_quantity, limit, stop);
        let mut events = Vec::new();
        let outcome = again.stop.is_none().then(|| {
            let incoming = Incoming { order_id: order.id, account, side: order.side, limit, quantity: again.quantity };
            matching::walk(exchange, market, &incoming, at, &mut events)
        });
        check_rules(exchange, account, market, &again, Some(order), outcome.as_ref(), at)?;
    }
    Ok(Some(Event::Modified { order_id: order.id, quantity, limit, stop, at }))
}

/// What is left of the order with its new terms, as if it came in now.
fn again(order: &Order, left: Lots, limit: Option<cwts_domain::Ticks>, stop: Option<cwts_domain::Ticks>) -> PlaceOrder {
    PlaceOrder {
        limit,
        stop: stop.filter(|_| order.awaits_trigger()),
        time_in_force: order.time_in_force,
        post_only: order.post_only,
        reduce_only: order.reduce_only,
        ..PlaceOrder::market(order.account, order.instrument, order.side, left)
    }
}

fn check_change(order: &Order, change: &ModifyOrder) -> Result<(), Reject> {
    let invalid = |field, problem| Err(Reject::Invalid { field, problem });
    if (change.quantity, change.limit, change.stop) == (None, None, None) {
        return invalid("new_quantity", "new_price or new_stop_price is required");
    }
    if change.limit.is_some() && order.limit.is_none() {
        return invalid("new_price", "is only for orders with a limit price");
    }
    if change.stop.is_some() && !order.awaits_trigger() {
        return invalid("new_stop_price", "is only for stop orders that have not triggered");
    }
    if order.is_linked() && change.quantity.is_some_and(|quantity| quantity != order.quantity) {
        return invalid(
            "new_quantity",
            "is fixed for orders of a bracket or an OCO; cancel the order and place it again",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
