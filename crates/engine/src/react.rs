//! What follows from an event: stop orders trigger, exits work, orders that belong together cancel each other.
//!
//! Every event of a command is looked at once, in sequence, by each of [`REACTIONS`] in turn; what a reaction adds is
//! applied before the next one looks, and is looked at in its turn. So a stop triggers in one place, whichever way the
//! trade came about, and first triggered is first executed. It ends: a stop triggers once, and a trade uses up quantity.

use cwts_domain::{CancelReason, Event, InstrumentId, Link, Lots, OrderId, OrderStatus, Print, Side, Ticks, Timestamp};

use crate::market::Market;
use crate::matching::{enter, is_adrift};
use crate::order::Order;
use crate::orders::Thread;
use crate::{Exchange, apply};

/// What reactions look at.
#[derive(Clone, Copy)]
enum Cue {
    Traded {
        orders: [OrderId; 2],
        instrument: InstrumentId,
        price: Ticks,
        quantity: Lots,
    },
    /// Others traded.
    Printed {
        instrument: InstrumentId,
        price: Ticks,
    },
    Triggered(OrderId),
    /// The order may have lost its place, or has become free to take one.
    Loose(OrderId),
    Cancelled(OrderId),
}

impl Cue {
    fn of(event: &Event) -> Option<Self> {
        match *event {
            Event::Traded { maker_order_id, taker_order_id, instrument, price, quantity, .. } => {
                Some(Self::Traded { orders: [maker_order_id, taker_order_id], instrument, price, quantity })
            }
            Event::Printed { print: Print { instrument, price, .. }, .. } => Some(Self::Printed { instrument, price }),
            Event::Triggered { order_id, .. } => Some(Self::Triggered(order_id)),
            Event::Modified { order_id, .. } | Event::Released { order_id, .. } => Some(Self::Loose(order_id)),
            Event::Cancelled { order_id, .. } => Some(Self::Cancelled(order_id)),
            _ => None,
        }
    }
}

impl Cue {
    /// A quick look that spares most trades and cancellations the reactions.
    fn matters(self, exchange: &Exchange) -> bool {
        let waits = |market: &Market| !market.stops.is_empty() || market.reduce_only > 0;
        match self {
            Self::Traded { instrument, .. } => exchange.linked > 0 || exchange.market(instrument).is_some_and(waits),
            Self::Printed { instrument, .. } => exchange.market(instrument).is_some_and(|it| !it.stops.is_empty()),
            Self::Cancelled(_) => exchange.linked > 0,
            Self::Triggered(_) | Self::Loose(_) => true,
        }
    }
}

type Reaction = fn(&Exchange, Cue, Timestamp, &mut Vec<Event>);

/// In the sequence in which they look. Orders that belong together are settled first, so that no order triggers that
/// another one has just cancelled.
const REACTIONS: [Reaction; 4] = [link, trigger, shed, go_in];

/// Adds to `events`, which have been applied, whatever follows from those from `next` on, applied too.
pub(crate) fn run(exchange: &mut Exchange, mut next: usize, events: &mut Vec<Event>, at: Timestamp) {
    while let Some(event) = events.get(next) {
        next += 1;
        let Some(cue) = Cue::of(event).filter(|cue| cue.matters(exchange)) else { continue };
        for reaction in REACTIONS {
            let from = events.len();
            reaction(exchange, cue, at, events);
            for event in &events[from..] {
                apply(exchange, event);
            }
        }
    }
}

/// Orders that came together follow each other.
fn link(exchange: &Exchange, cue: Cue, at: Timestamp, events: &mut Vec<Event>) {
    match cue {
        Cue::Traded { orders, quantity, .. } => {
            for order in orders.into_iter().filter_map(|id| exchange.order(id)) {
                if order.has_attached {
                    grow_exits(exchange, order, quantity, at, events);
                }
                shrink_siblings(exchange, order, quantity, at, events);
            }
        }
        Cue::Triggered(id) => {
            if let Some(order) = exchange.order(id) {
                let others = siblings(exchange, order).chain(entry(exchange, order));
                events.extend(others.filter(|other| other.status.is_open()).map(|other| unlinked(other, at)));
            }
        }
        Cue::Cancelled(id) => {
            if let Some(order) = exchange.order(id) {
                let held = exchange.attached(order).filter(|exit| exit.status == OrderStatus::Held);
                // An exit that found no position, or no counterparty, has done what it could.
                let over = matches!(order.cancel_reason, Some(CancelReason::ReduceOnly | CancelReason::Unfilled));
                let entry = entry(exchange, order).filter(|entry| over && entry.status.is_open());
                events.extend(held.chain(entry).map(|other| unlinked(other, at)));
            }
        }
        Cue::Printed { .. } | Cue::Loose(_) => {}
    }
}

/// The order whose exit this is.
fn entry<'a>(exchange: &'a Exchange, order: &Order) -> Option<&'a Order> {
    match order.link {
        Link::TakeProfitOf(entry) | Link::StopLossOf(entry) => exchange.order(entry),
        Link::None | Link::OcoOf(_) => None,
    }
}

/// Exits work for what their order has filled.
fn grow_exits(exchange: &Exchange, order: &Order, filled: Lots, at: Timestamp, events: &mut Vec<Event>) {
    let exits = exchange.attached(order).filter(|other| is_exit(other) && other.status.is_open());
    events.extend(exits.map(|exit| match exit.status {
        OrderStatus::Held => Event::Released { order_id: exit.id, quantity: filled, at },
        _ => resized(exit, exit.quantity + filled, at),
    }));
}

/// What one exit or one order of an OCO has traded, the other need not trade. An exit that has done its work also ends
/// what is left of its order.
fn shrink_siblings(exchange: &Exchange, order: &Order, traded: Lots, at: Timestamp, events: &mut Vec<Event>) {
    for other in siblings(exchange, order).filter(|other| other.status.is_open()) {
        let quantity = other.quantity - traded;
        let done = quantity <= other.filled_quantity;
        events.push(if done { unlinked(other, at) } else { resized(other, quantity, at) });
    }
    let entry = entry(exchange, order).filter(|entry| order.status == OrderStatus::Filled && entry.status.is_open());
    events.extend(entry.map(|entry| unlinked(entry, at)));
}

/// The orders of which at most one shall fill, without this one: the other exit, or the other order of an OCO.
fn siblings<'a>(exchange: &'a Exchange, order: &Order) -> impl Iterator<Item = &'a Order> {
    let (id, exits) = (order.id, is_exit(order));
    let (first, head) = match order.link {
        Link::OcoOf(first) => (exchange.order(first), None),
        Link::TakeProfitOf(entry) | Link::StopLossOf(entry) => (None, exchange.order(entry)),
        Link::None => (None, exchange.order(id)),
    };
    let attached = head.into_iter().flat_map(|head| exchange.attached(head));
    first.into_iter().chain(attached.filter(move |other| other.id != id && is_exit(other) == exits))
}

fn is_exit(order: &Order) -> bool {
    matches!(order.link, Link::TakeProfitOf(_) | Link::StopLossOf(_))
}

fn resized(order: &Order, quantity: Lots, at: Timestamp) -> Event {
    Event::Modified { order_id: order.id, quantity, limit: order.limit, stop: order.stop, at }
}

fn unlinked(order: &Order, at: Timestamp) -> Event {
    Event::Cancelled { order_id: order.id, account: order.account, reason: CancelReason::Linked, at }
}

/// A trade triggers the stop orders that its price has reached.
fn trigger(exchange: &Exchange, cue: Cue, at: Timestamp, events: &mut Vec<Event>) {
    let (Cue::Traded { instrument, price, .. } | Cue::Printed { instrument, price }) = cue else { return };
    let Some(market) = exchange.market(instrument).filter(|market| !market.stops.is_empty()) else { return };
    events.extend(market.triggered_by(price).map(|waiting| {
        let (order_id, account) = (waiting.order_id, exchange.accounts[waiting.owner as usize].id());
        match waiting.last_day {
            Some(last) if last < at.day() => Event::Cancelled { order_id, account, reason: CancelReason::Expired, at },
            _ => Event::Triggered { order_id, at },
        }
    }));
}

/// Reduce-only orders go when no position is left that they could reduce.
fn shed(exchange: &Exchange, cue: Cue, at: Timestamp, events: &mut Vec<Event>) {
    let Cue::Traded { orders, instrument, .. } = cue else { return };
    for account in orders.into_iter().filter_map(|id| exchange.orders.get(id)).map(|record| record.owner) {
        let account = &exchange.accounts[account as usize];
        let Some(position) = account.position(instrument) else { continue };
        let idle = |side: &Side| position.reduce_only[*side as usize] > 0 && position.reducible(*side) == Lots::ZERO;
        for side in [Side::Buy, Side::Sell].into_iter().filter(idle) {
            let waiting = account.open.iter(&exchange.orders, Thread::Open).map(|record| &record.order);
            let useless = waiting.filter(|order| {
                order.reduce_only
                    && (order.instrument, order.side) == (instrument, side)
                    && order.status != OrderStatus::Held
            });
            events.extend(useless.map(|order| Event::Cancelled {
                order_id: order.id,
                account: order.account,
                reason: CancelReason::ReduceOnly,
                at,
            }));
        }
    }
}

/// An order that has triggered, was released or modified goes into the book.
fn go_in(exchange: &Exchange, cue: Cue, at: Timestamp, events: &mut Vec<Event>) {
    if let Cue::Triggered(id) | Cue::Loose(id) = cue
        && is_adrift(exchange, id)
        && let Some(order) = exchange.order(id)
    {
        enter(exchange, order, at, events);
    }
}

#[cfg(test)]
mod tests;
