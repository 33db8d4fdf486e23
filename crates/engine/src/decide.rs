//! What a command does to the exchange. Reads the state, changes nothing.

use cwts_domain::{
    AccountId, Actor, CancelReason, Command, Event, Instrument, InstrumentId, Lots, OrderId, OrderStatus, Print,
    Reject, RiskLimits, Timestamp, TradingState,
};

use crate::account::Account;
use crate::modify::modify;
use crate::orders::Thread;
use crate::place::{check_price, check_quantity, market_of, place};
use crate::{Exchange, Order};

/// How many orders of one account may be open at a time.
pub const MAX_OPEN_ORDERS: usize = 10_000;

/// What a command itself does to the exchange, in order. What follows from it (stop orders that a trade triggers, exits,
/// orders that cancel each other) is decided when these events have been applied: [`Exchange::execute`] does both.
///
/// A new order gives `Accepted`, the same for the orders that come with it, then the trades and the cancellations of
/// orders in the way, then `Rested` or `Cancelled` if something remains. A stop order gives `Accepted` and `Rested`, or
/// `Triggered` where the last price has reached it.
///
/// Placing is idempotent: if the account already gave this client order id to an order that is still kept (open, or among
/// its last 10,000 ended ones), there is nothing to do and the events are empty;
/// [`Exchange::order_by_client_id`] gives that order. A refused order leaves its client order id unused.
///
/// # Errors
/// The exchange refuses; nothing has changed.
pub fn decide(exchange: &Exchange, command: &Command, at: Timestamp) -> Result<Vec<Event>, Reject> {
    let mut events = Vec::new();
    decide_into(exchange, command, at, &mut events).map(|()| events)
}

/// Adds to `events`. What a refused command has added means nothing.
pub(crate) fn decide_into(
    exchange: &Exchange,
    command: &Command,
    at: Timestamp,
    events: &mut Vec<Event>,
) -> Result<(), Reject> {
    match command {
        Command::Place(order) => place(exchange, order, at, events)?,
        Command::Modify(change) => events.extend(modify(exchange, change, at)?),
        Command::Cancel { account, order_id } => {
            let order = open_order(exchange, *account, *order_id)?;
            add(events, || cancelled(order, CancelReason::Requested, at));
        }
        Command::CancelAll { account, instrument } => cancel_all(exchange, *account, *instrument, at, events)?,
        Command::EndDay => end_day(exchange, at, events),
        Command::SetTradingState { state, by } => events.extend(set_trading_state(exchange, *state, *by, at)?),
        Command::SetLimits { account, limits } => events.push(set_limits(exchange, *account, limits)?),
        Command::Reset { account } => reset(exchange, *account, at, events)?,
        Command::Print(print) => {
            check_terms(market_of(exchange, print.instrument)?.instrument(), print)?;
            events.push(Event::Printed { print: *print, at });
        }
    }
    Ok(())
}

/// Adds an event that is written where it stays. `push` would build it elsewhere and copy all bytes of the largest event.
#[inline(always)]
pub(crate) fn add(events: &mut Vec<Event>, event: impl FnOnce() -> Event) {
    events.extend(std::iter::once_with(event));
}

fn cancel_all(
    exchange: &Exchange,
    account: AccountId,
    instrument: Option<InstrumentId>,
    at: Timestamp,
    events: &mut Vec<Event>,
) -> Result<(), Reject> {
    let account = owner(exchange, account)?;
    if let Some(id) = instrument {
        market_of(exchange, id)?;
    }
    let wanted = |order: &&Order| instrument.is_none_or(|instrument| order.instrument == instrument);
    events.extend(open(exchange, account).filter(wanted).map(|order| cancelled(order, CancelReason::Requested, at)));
    Ok(())
}

fn end_day(exchange: &Exchange, at: Timestamp, events: &mut Vec<Event>) {
    let day = at.day();
    if day <= exchange.day {
        return;
    }
    let open = exchange.accounts().flat_map(|account| open(exchange, account));
    let over = open.filter(|order| order.last_day().is_some_and(|last| last < day));
    events.extend(over.map(|order| cancelled(order, CancelReason::Expired, at)));
    events.push(Event::DayStarted { day });
}

fn set_trading_state(
    exchange: &Exchange,
    state: TradingState,
    by: Actor,
    at: Timestamp,
) -> Result<Option<Event>, Reject> {
    if state < exchange.trading && by != Actor::Person {
        return Err(Reject::NeedsPerson);
    }
    Ok((state != exchange.trading).then_some(Event::TradingStateSet { state, by, at }))
}

fn set_limits(exchange: &Exchange, account: AccountId, limits: &RiskLimits) -> Result<Event, Reject> {
    client(exchange, account)?;
    if !(1..=100).contains(&limits.leverage) {
        return Err(Reject::Invalid { field: "leverage", problem: "must be from 1 to 100" });
    }
    Ok(Event::LimitsSet { account, limits: limits.clone() })
}

fn reset(exchange: &Exchange, account: AccountId, at: Timestamp, events: &mut Vec<Event>) -> Result<(), Reject> {
    let open = open(exchange, client(exchange, account)?);
    events.extend(open.map(|order| cancelled(order, CancelReason::Reset, at)));
    events.push(Event::Reset { account, at });
    Ok(())
}

/// Others may trade more at once than one order of this exchange may be.
fn check_terms(instrument: &Instrument, print: &Print) -> Result<(), Reject> {
    check_quantity(instrument, print.quantity.min(Lots(1)))?;
    check_price(instrument, "price", Some(print.price))
}

fn cancelled(order: &Order, reason: CancelReason, at: Timestamp) -> Event {
    Event::Cancelled { order_id: order.id, account: order.account, reason, at }
}

fn open<'a>(exchange: &'a Exchange, account: &Account) -> impl Iterator<Item = &'a Order> {
    account.open.iter(&exchange.orders, Thread::Open).map(|record| &record.order)
}

pub(crate) fn owner(exchange: &Exchange, account: AccountId) -> Result<&Account, Reject> {
    exchange.account(account).ok_or(Reject::UnknownAccount { account })
}

/// An account of clients; the simulator's have neither limits nor a reset.
fn client(exchange: &Exchange, account: AccountId) -> Result<&Account, Reject> {
    let found = exchange.account(account).filter(|account| account.limits().is_some());
    found.ok_or(Reject::UnknownAccount { account })
}

/// An order of the account that can still trade.
pub(crate) fn open_order(exchange: &Exchange, account: AccountId, order_id: OrderId) -> Result<&Order, Reject> {
    let order = exchange.order(order_id).filter(|order| order.account == account);
    let order = order.ok_or(Reject::UnknownOrder { order_id })?;
    match order.status {
        OrderStatus::Held | OrderStatus::Open | OrderStatus::PartiallyFilled => Ok(order),
        OrderStatus::Filled => Err(Reject::NotOpen { order_id, status: "filled" }),
        OrderStatus::Cancelled => Err(Reject::NotOpen { order_id, status: "cancelled" }),
    }
}

#[cfg(test)]
mod tests;
