//! What an order meets in the book. Reads the state, changes nothing.

use cwts_domain::{
    AccountId, CancelReason, Event, Fees, InstrumentId, Lots, OrderId, OrderStatus, SelfTradePolicy, Side, Ticks,
    TimeInForce, Timestamp,
};

use crate::Exchange;
use crate::account::Account;
use crate::book::Resting;
use crate::decide::add;
use crate::market::Market;
use crate::order::Order;
use crate::position::{OpenTotal, reducible};

/// An order on its way into the book.
pub(crate) struct Incoming<'a> {
    pub(crate) order_id: OrderId,
    pub(crate) account: &'a Account,
    pub(crate) side: Side,
    /// `None` takes every price.
    pub(crate) limit: Option<Ticks>,
    pub(crate) quantity: Lots,
}

/// What became of it.
pub(crate) struct Outcome {
    pub(crate) remaining: Lots,
    /// Quantity and value of what it traded.
    pub(crate) trades: OpenTotal,
    /// An order of the same account stopped it.
    barred: bool,
}

/// Whether an order of `side` may trade at `price`.
pub(crate) fn reaches(side: Side, limit: Option<Ticks>, price: Ticks) -> bool {
    limit.is_none_or(|limit| match side {
        Side::Buy => price <= limit,
        Side::Sell => price >= limit,
    })
}

/// Walks the opposite side, best price and oldest order first, as far as the limit allows, and adds what happens to
/// `events`. In the way are, and are cancelled only where the order reaches them: orders whose day is over, reduce-only
/// orders without a position left to reduce, and orders of the same account as its policy says.
#[inline]
pub(crate) fn walk(
    exchange: &Exchange,
    market: &Market,
    incoming: &Incoming<'_>,
    at: Timestamp,
    events: &mut Vec<Event>,
) -> Outcome {
    let mut outcome = Outcome { remaining: incoming.quantity, trades: OpenTotal::default(), barred: false };
    let best = market.book.best(incoming.side.opposite());
    if best.is_some_and(|best| reaches(incoming.side, incoming.limit, best)) {
        meet(exchange, market, incoming, at, events, &mut outcome);
    }
    outcome
}

fn meet(
    exchange: &Exchange,
    market: &Market,
    incoming: &Incoming<'_>,
    at: Timestamp,
    events: &mut Vec<Event>,
    outcome: &mut Outcome,
) {
    let (from, day) = (events.len(), at.day());
    for resting in market.book.queue(incoming.side.opposite()) {
        if outcome.remaining == Lots::ZERO || !reaches(incoming.side, incoming.limit, resting.price) {
            break;
        }
        let owner = &exchange.accounts[resting.owner as usize];
        let cancelled = |reason| Event::Cancelled { order_id: resting.order_id, account: owner.id(), reason, at };
        if resting.last_day.is_some_and(|last| last < day) {
            add(events, || cancelled(CancelReason::Expired));
            continue;
        }
        if owner.id() == incoming.account.id() {
            let policy = incoming.account.self_trade();
            if policy != SelfTradePolicy::CancelIncoming {
                add(events, || cancelled(CancelReason::SelfTradePrevention));
            }
            if policy != SelfTradePolicy::CancelResting {
                outcome.barred = true;
                break;
            }
            continue;
        }
        let tradable = if resting.reduce_only {
            resting.remaining.min(reducible_now(owner, market.id, resting, &events[from..]))
        } else {
            resting.remaining
        };
        let quantity = outcome.remaining.min(tradable);
        if quantity > Lots::ZERO {
            outcome.remaining -= quantity;
            outcome.trades.add(resting.price, quantity);
            add(events, || traded(owner, market.id, incoming, resting, quantity, at));
        }
        if quantity == tradable && tradable < resting.remaining {
            add(events, || cancelled(CancelReason::ReduceOnly));
        }
    }
}

fn traded(
    maker: &Account,
    instrument: InstrumentId,
    incoming: &Incoming<'_>,
    resting: &Resting,
    quantity: Lots,
    at: Timestamp,
) -> Event {
    let value = resting.price.notional(quantity);
    Event::Traded {
        maker_order_id: resting.order_id,
        taker_order_id: incoming.order_id,
        maker: maker.id(),
        taker: incoming.account.id(),
        instrument,
        taker_side: incoming.side,
        price: resting.price,
        quantity,
        maker_fee: Fees::on(value, maker.fees().maker_ppm),
        taker_fee: Fees::on(value, incoming.account.fees().taker_ppm),
        at,
    }
}

/// What a resting order can still reduce after the trades of this walk.
fn reducible_now(owner: &Account, instrument: InstrumentId, resting: &Resting, walked: &[Event]) -> Lots {
    let before = owner.position(instrument).map_or(Lots::ZERO, |position| position.quantity);
    // All trades of a walk have their makers on one side.
    let traded: Lots = walked.iter().map(|event| made(event, owner.id())).sum();
    let now = match resting.side {
        Side::Buy => before + traded,
        Side::Sell => before - traded,
    };
    reducible(now, resting.side)
}

/// What an account traded as the maker in an event.
fn made(event: &Event, account: AccountId) -> Lots {
    match event {
        Event::Traded { maker, quantity, .. } if *maker == account => *quantity,
        _ => Lots::ZERO,
    }
}

/// Adds the event that ends an order's way into the book, if anything is left of it.
#[inline]
pub(crate) fn rest(
    outcome: &Outcome,
    order_id: OrderId,
    account: AccountId,
    waits: bool,
    at: Timestamp,
    events: &mut Vec<Event>,
) {
    let cancelled = |reason| Event::Cancelled { order_id, account, reason, at };
    match outcome.remaining {
        Lots::ZERO => {}
        _ if outcome.barred => add(events, || cancelled(CancelReason::SelfTradePrevention)),
        _ if waits => add(events, || Event::Rested { order_id }),
        _ => add(events, || cancelled(CancelReason::Unfilled)),
    }
}

impl Outcome {
    /// Whether what is left waits, for an order that may.
    pub(crate) fn waits(&self) -> bool {
        self.remaining > Lots::ZERO && !self.barred
    }
}

/// What an accepted order does that is nowhere: it triggers, waits for its trigger, or goes into the book, as far as its
/// terms allow now.
pub(crate) fn enter(exchange: &Exchange, order: &Order, at: Timestamp, events: &mut Vec<Event>) {
    let (Some(account), Some(market)) = (exchange.account(order.account), exchange.market(order.instrument)) else {
        return;
    };
    let (order_id, side) = (order.id, order.side);
    let cancelled = |reason| Event::Cancelled { order_id, account: order.account, reason, at };
    if let Some(stop) = order.stop.filter(|_| order.awaits_trigger()) {
        events.push(if market.triggers(side, stop) {
            Event::Triggered { order_id, at }
        } else {
            Event::Rested { order_id }
        });
        return;
    }
    let most = account.position(order.instrument).map_or(Lots::ZERO, |position| position.reducible(side));
    let quantity = if order.reduce_only { order.remaining().min(most) } else { order.remaining() };
    if quantity == Lots::ZERO {
        return events.push(cancelled(CancelReason::ReduceOnly));
    }
    let best = market.book.best(side.opposite());
    if order.post_only && best.is_some_and(|best| reaches(side, order.limit, best)) {
        return events.push(cancelled(CancelReason::PostOnly));
    }
    let from = events.len();
    let incoming = Incoming { order_id, account, side, limit: order.limit, quantity };
    let outcome = walk(exchange, market, &incoming, at, events);
    let whole = outcome.trades.quantity == order.remaining();
    if order.time_in_force == TimeInForce::Fok && !whole {
        events.truncate(from);
        events.push(cancelled(CancelReason::Unfilled));
    } else if outcome.remaining == Lots::ZERO && !whole {
        add(events, || cancelled(CancelReason::ReduceOnly));
    } else {
        let waits = order.limit.is_some() && order.time_in_force.waits();
        rest(&outcome, order_id, order.account, waits, at, events);
    }
}

/// Whether an order is open and waits nowhere, so that it has to [`enter`].
pub(crate) fn is_adrift(exchange: &Exchange, order_id: OrderId) -> bool {
    exchange.orders.get(order_id).is_some_and(|record| {
        let status = record.order.status;
        status.is_open() && status != OrderStatus::Held && record.place == crate::order::Place::Nowhere
    })
}
