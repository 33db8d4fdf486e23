//! What a command does to the exchange: validation, limits, matching. Reads the state, changes nothing.

use cwts_domain::{
    AccountId, CancelReason, Cash, Command, Event, Instrument, Lots, OrderId, OrderStatus, PlaceOrder, Reject, Side,
    Ticks, TimeInForce, Timestamp,
};

use crate::account::{Account, OpenTotal};
use crate::rules::{self, Proposal};
use crate::{Exchange, Order};

/// How many orders of one account may be in the book at a time.
pub const MAX_OPEN_ORDERS: usize = 10_000;

/// What a command does to the exchange, in order: `Accepted`, then the trades and the cancellations of own orders in the
/// way, then `Rested` or `Cancelled` if something remains.
///
/// Placing is idempotent: if the account already gave this client order id to an order that is still kept (open, or among
/// its last 10,000 ended ones), there is nothing to do and the events are empty;
/// [`Exchange::order_by_client_id`] gives that order. A refused order leaves its client order id unused.
///
/// # Errors
/// The exchange refuses; nothing has changed.
pub fn decide(exchange: &Exchange, command: &Command, at: Timestamp) -> Result<Vec<Event>, Reject> {
    match command {
        Command::Place(order) => place(exchange, order, at),
        Command::Cancel { account, order_id } => cancel(exchange, *account, *order_id, at),
        Command::CancelAll { account } => cancel_all(exchange, *account, at),
    }
}

fn place(exchange: &Exchange, order: &PlaceOrder, at: Timestamp) -> Result<Vec<Event>, Reject> {
    let account = owner(exchange, order.account)?;
    if let Some(name) = &order.client_order_id
        && let Some(first) = exchange.order_by_client_id(order.account, name)
    {
        return if is_repeated(order, first) {
            Ok(Vec::new())
        } else {
            Err(Reject::ClientOrderIdTaken { client_order_id: name.0.clone(), order_id: first.id })
        };
    }
    validate(exchange.instrument(), order)?;
    let matching = Matching::of(exchange, order, at);
    check_liquidity(exchange, order, &matching)?;
    let rests = order.limit.filter(|_| order.time_in_force == TimeInForce::Gtc && matching.remaining > Lots::ZERO);
    rules::check(&Proposal {
        exchange,
        account,
        order,
        trades: OpenTotal { quantity: order.quantity - matching.remaining, notional: matching.notional },
        rests: rests.map(|limit| (limit, matching.remaining)),
    })?;
    Ok(matching.into_events(order, rests.is_some(), at))
}

/// Whether the request is the one that placed the order, sent again.
fn is_repeated(again: &PlaceOrder, first: &Order) -> bool {
    (again.side, again.limit, again.quantity, again.time_in_force)
        == (first.side, first.limit, first.quantity, first.time_in_force)
}

fn cancel(exchange: &Exchange, account: AccountId, order_id: OrderId, at: Timestamp) -> Result<Vec<Event>, Reject> {
    let order = exchange.order(order_id).filter(|order| order.account == account);
    match order.ok_or(Reject::UnknownOrder { order_id })?.status {
        OrderStatus::Open | OrderStatus::PartiallyFilled => {
            Ok(vec![Event::Cancelled { order_id, account, reason: CancelReason::Requested, at }])
        }
        OrderStatus::Filled => Err(Reject::NotOpen { order_id, status: "filled" }),
        OrderStatus::Cancelled => Err(Reject::NotOpen { order_id, status: "cancelled" }),
    }
}

fn cancel_all(exchange: &Exchange, account: AccountId, at: Timestamp) -> Result<Vec<Event>, Reject> {
    let open = &owner(exchange, account)?.open;
    let cancelled =
        |order_id: &OrderId| Event::Cancelled { order_id: *order_id, account, reason: CancelReason::Requested, at };
    Ok(open.iter().map(cancelled).collect())
}

fn owner(exchange: &Exchange, account: AccountId) -> Result<&Account, Reject> {
    exchange.account(account).ok_or(Reject::UnknownAccount { account })
}

fn validate(instrument: &Instrument, order: &PlaceOrder) -> Result<(), Reject> {
    if order.symbol != instrument.symbol {
        return Err(Reject::UnknownSymbol { symbol: order.symbol.clone(), available: instrument.symbol.clone() });
    }
    if order.quantity <= Lots::ZERO || order.quantity > instrument.max_quantity {
        let [min, max] = [Lots(1), instrument.max_quantity].map(|lots| instrument.quantity(lots).to_string());
        return Err(Reject::QuantityOutOfRange { min, max });
    }
    if order.limit.is_some_and(|limit| limit <= Ticks::ZERO || limit > instrument.max_price) {
        let [min, max] = [Ticks(1), instrument.max_price].map(|ticks| instrument.price(ticks).to_string());
        return Err(Reject::PriceOutOfRange { min, max });
    }
    Ok(())
}

fn check_liquidity(exchange: &Exchange, order: &PlaceOrder, matching: &Matching) -> Result<(), Reject> {
    let opposite = order.side.opposite();
    if order.limit.is_none() && exchange.book.best(opposite).is_none() {
        return Err(Reject::NoLiquidity { side: opposite });
    }
    if order.time_in_force == TimeInForce::Fok && matching.remaining > Lots::ZERO {
        let available = order.quantity - matching.remaining;
        return Err(Reject::FillOrKill { available: exchange.instrument().quantity(available).to_string() });
    }
    Ok(())
}

/// What an incoming order meets in the book.
struct Matching {
    order_id: OrderId,
    events: Vec<Event>,
    remaining: Lots,
    notional: Cash,
}

impl Matching {
    /// Walks the opposite side, best price and oldest order first, as far as the limit allows. Resting orders of the
    /// same account are cancelled instead of traded with, and only where the incoming order reaches them.
    fn of(exchange: &Exchange, order: &PlaceOrder, at: Timestamp) -> Self {
        let order_id = OrderId(exchange.last_order_id + 1);
        let accepted = accepted(order, order_id, at);
        let mut matching = Self { order_id, events: vec![accepted], remaining: order.quantity, notional: Cash::ZERO };
        for resting in exchange.book.queue(order.side.opposite()) {
            if matching.remaining == Lots::ZERO || !reaches(order, resting.price) {
                break;
            }
            let maker_order_id = resting.order_id;
            if resting.account == order.account {
                let (account, reason) = (order.account, CancelReason::SelfTradePrevention);
                matching.events.push(Event::Cancelled { order_id: maker_order_id, account, reason, at });
                continue;
            }
            let quantity = matching.remaining.min(resting.remaining);
            matching.remaining -= quantity;
            matching.notional += resting.price.notional(quantity);
            matching.events.push(Event::Traded {
                maker_order_id,
                taker_order_id: order_id,
                maker: resting.account,
                taker: order.account,
                taker_side: order.side,
                price: resting.price,
                quantity,
                at,
            });
        }
        matching
    }

    fn into_events(mut self, order: &PlaceOrder, rests: bool, at: Timestamp) -> Vec<Event> {
        let (order_id, account) = (self.order_id, order.account);
        if rests {
            self.events.push(Event::Rested { order_id });
        } else if self.remaining > Lots::ZERO {
            self.events.push(Event::Cancelled { order_id, account, reason: CancelReason::Unfilled, at });
        }
        self.events
    }
}

fn accepted(order: &PlaceOrder, order_id: OrderId, at: Timestamp) -> Event {
    Event::Accepted {
        order_id,
        account: order.account,
        client_order_id: order.client_order_id.clone(),
        side: order.side,
        order_type: order.order_type(),
        limit: order.limit,
        quantity: order.quantity,
        time_in_force: order.time_in_force,
        at,
    }
}

/// Whether the order may trade at `price`.
fn reaches(order: &PlaceOrder, price: Ticks) -> bool {
    order.limit.is_none_or(|limit| match order.side {
        Side::Buy => price <= limit,
        Side::Sell => price >= limit,
    })
}

#[cfg(test)]
mod tests;
