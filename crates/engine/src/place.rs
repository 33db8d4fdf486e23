//! What a new order does: are its terms sound, what would it trade, do the rules allow it.

use cwts_domain::{
    Attached, Event, Instrument, InstrumentId, Link, Lots, OrderId, OrderType, PlaceOrder, Reject, Side, StopPrice,
    Ticks, Timestamp,
};

use crate::account::Account;
use crate::decide::{add, owner};
use crate::market::Market;
use crate::matching::{self, Incoming, Outcome};
use crate::position::OpenTotal;
use crate::rules::{self, Proposal};
use crate::{Exchange, Order};

/// See [`decide`](crate::decide()). Adds to `events`.
pub(crate) fn place(
    exchange: &Exchange,
    order: &PlaceOrder,
    at: Timestamp,
    events: &mut Vec<Event>,
) -> Result<(), Reject> {
    let account = owner(exchange, order.account)?;
    if let Some(name) = &order.client_order_id
        && let Some(named) = account.by_client_id.get(name)
    {
        return if named.placed == *order {
            Ok(())
        } else {
            Err(Reject::ClientOrderIdTaken { client_order_id: name.0.clone(), order_id: named.order_id })
        };
    }
    let market = market_of(exchange, order.instrument)?;
    check_terms(market, order)?;
    let order_id = exchange.orders.next_id();
    accept(order, order_id, at, events);
    let outcome = (order.stop.is_none()).then(|| {
        let incoming = Incoming { order_id, account, side: order.side, limit: order.limit, quantity: order.quantity };
        matching::walk(exchange, market, &incoming, at, events)
    });
    check_rules(exchange, account, market, order, None, outcome.as_ref(), at)?;
    match (order.stop, &outcome) {
        (Some(stop), _) if market.triggers(order.side, stop) => add(events, || Event::Triggered { order_id, at }),
        (Some(_), _) => add(events, || Event::Rested { order_id }),
        (None, Some(outcome)) => matching::rest(outcome, order_id, order.account, may_wait(order), at, events),
        (None, None) => {}
    }
    Ok(())
}

/// Asks the rules about an order of which `outcome` is what it would trade at once; a stop order would trade nothing.
#[inline]
pub(crate) fn check_rules(
    exchange: &Exchange,
    account: &Account,
    market: &Market,
    order: &PlaceOrder,
    replaces: Option<&Order>,
    outcome: Option<&Outcome>,
    at: Timestamp,
) -> Result<(), Reject> {
    rules::check(&proposal(exchange, account, market, order, replaces, outcome, at))
}

/// What the rules are asked about.
#[inline]
pub(crate) fn proposal<'a>(
    exchange: &'a Exchange,
    account: &'a Account,
    market: &'a Market,
    order: &'a PlaceOrder,
    replaces: Option<&'a Order>,
    outcome: Option<&Outcome>,
    at: Timestamp,
) -> Proposal<'a> {
    // An account has a position in every market, flat ones too.
    let position = &account.positions[usize::from(market.id.0)];
    let waits = match outcome {
        None => order.limit.or(order.stop).map(|price| (price, order.quantity)),
        Some(outcome) if may_wait(order) && outcome.waits() => order.limit.map(|limit| (limit, outcome.remaining)),
        Some(_) => None,
    };
    let trades = outcome.map_or_else(OpenTotal::default, |outcome| outcome.trades);
    Proposal { exchange, account, market, position, order, replaces, trades, waits, at }
}

fn may_wait(order: &PlaceOrder) -> bool {
    order.limit.is_some() && order.time_in_force.waits()
}

pub(crate) fn market_of(exchange: &Exchange, id: InstrumentId) -> Result<&Market, Reject> {
    exchange.market(id).ok_or_else(|| unknown(exchange, id))
}

#[cold]
fn unknown(exchange: &Exchange, id: InstrumentId) -> Reject {
    let symbols: Vec<_> = exchange.markets.iter().map(|market| market.instrument.symbol.as_str()).collect();
    Reject::UnknownSymbol { symbol: format!("#{}", id.0), available: symbols.join(", ") }
}

/// The order and those that come with it. A stop next to a limit order waits from the start, exits are held.
fn accept(order: &PlaceOrder, order_id: OrderId, at: Timestamp, events: &mut Vec<Event>) {
    if order.attached.is_none() && order.client_order_id.is_none() {
        return add(events, || Event::Accepted { order_id, order: order.bare(), link: Link::None, at });
    }
    events.push(Event::Accepted { order_id, order: order.clone(), link: Link::None, at });
    if let Some(attached) = order.attached.as_deref() {
        accept_attached(order, attached, order_id, at, events);
    }
}

#[cold]
fn accept_attached(order: &PlaceOrder, attached: &Attached, order_id: OrderId, at: Timestamp, events: &mut Vec<Event>) {
    let mut next = order_id;
    let mut come = |order: PlaceOrder, link: Link| {
        next = OrderId(next.0 + 1);
        events.push(Event::Accepted { order_id: next, order, link, at });
        next
    };
    match *attached {
        Attached::Exits { take_profit, stop_loss } => {
            let exit = || PlaceOrder {
                side: order.side.opposite(),
                reduce_only: true,
                ..PlaceOrder::market(order.account, order.instrument, order.side, order.quantity)
            };
            if take_profit.is_some() {
                come(PlaceOrder { limit: take_profit, ..exit() }, Link::TakeProfitOf(order_id));
            }
            if let Some(StopPrice { stop, limit }) = stop_loss {
                come(PlaceOrder { stop: Some(stop), limit, ..exit() }, Link::StopLossOf(order_id));
            }
        }
        Attached::Oco(StopPrice { stop, limit }) => {
            let other = PlaceOrder { stop: Some(stop), limit, attached: None, client_order_id: None, ..order.clone() };
            let order_id = come(PlaceOrder { post_only: false, ..other }, Link::OcoOf(order_id));
            events.push(Event::Rested { order_id });
        }
    }
}

/// Number of orders that come with the order.
pub(crate) fn count(attached: &Attached) -> usize {
    match attached {
        Attached::Exits { take_profit, stop_loss } => {
            usize::from(take_profit.is_some()) + usize::from(stop_loss.is_some())
        }
        Attached::Oco(_) => 1,
    }
}

pub(crate) fn check_terms(market: &Market, order: &PlaceOrder) -> Result<(), Reject> {
    let instrument = &market.instrument;
    check_quantity(instrument, order.quantity)?;
    check_price(instrument, "price", order.limit)?;
    check_price(instrument, "stop_price", order.stop)?;
    let invalid = |field, problem| Err(Reject::Invalid { field, problem });
    if order.post_only && (order.limit.is_none() || !order.time_in_force.waits()) {
        return invalid("post_only", "needs a limit price and time_in_force GTC or DAY");
    }
    match order.attached.as_deref() {
        None => Ok(()),
        Some(Attached::Exits { take_profit, stop_loss }) => check_exits(instrument, order, *take_profit, *stop_loss),
        Some(Attached::Oco(other)) => check_oco(market, order, *other),
    }
}

pub(crate) fn check_quantity(instrument: &Instrument, quantity: Lots) -> Result<(), Reject> {
    if quantity > Lots::ZERO && quantity <= instrument.max_quantity {
        return Ok(());
    }
    Err(quantity_out_of_range(instrument))
}

#[cold]
fn quantity_out_of_range(instrument: &Instrument) -> Reject {
    let [min, max] = [Lots(1), instrument.max_quantity].map(|lots| instrument.quantity(lots).to_string());
    Reject::QuantityOutOfRange { min, max }
}

pub(crate) fn check_price(instrument: &Instrument, field: &'static str, price: Option<Ticks>) -> Result<(), Reject> {
    if price.is_none_or(|price| price > Ticks::ZERO && price <= instrument.max_price) {
        return Ok(());
    }
    Err(price_out_of_range(instrument, field))
}

#[cold]
fn price_out_of_range(instrument: &Instrument, field: &'static str) -> Reject {
    let [min, max] = [Ticks(1), instrument.max_price].map(|ticks| instrument.price(ticks).to_string());
    Reject::PriceOutOfRange { field, min, max }
}

fn check_exits(
    instrument: &Instrument,
    order: &PlaceOrder,
    take_profit: Option<Ticks>,
    stop_loss: Option<StopPrice>,
) -> Result<(), Reject> {
    let invalid = |field, problem| Err(Reject::Invalid { field, problem });
    check_price(instrument, "take_profit_price", take_profit)?;
    check_price(instrument, "stop_loss_price", stop_loss.map(|stop_loss| stop_loss.stop))?;
    check_price(instrument, "stop_loss_limit_price", stop_loss.and_then(|stop_loss| stop_loss.limit))?;
    if order.reduce_only {
        return invalid(
            "reduce_only",
            "is not allowed with take_profit_price or stop_loss_price: exits need a position",
        );
    }
    // The price at which the order is expected to fill; a market order has none.
    let entry = order.limit.or(order.stop);
    let stop = stop_loss.map(|stop_loss| stop_loss.stop);
    if !ascends(order.side, [stop, entry]) {
        return invalid("stop_loss_price", "must be below the price of a buy order and above that of a sell order");
    }
    if !ascends(order.side, [entry, take_profit]) {
        return invalid("take_profit_price", "must be above the price of a buy order and below that of a sell order");
    }
    if !ascends(order.side, [stop, take_profit]) {
        return invalid(
            "stop_loss_price",
            "must be below take_profit_price for a buy order and above it for a sell order",
        );
    }
    Ok(())
}

fn check_oco(market: &Market, order: &PlaceOrder, other: StopPrice) -> Result<(), Reject> {
    let invalid = |problem| Err(Reject::Invalid { field: "oco_stop_price", problem });
    check_price(&market.instrument, "oco_stop_price", Some(other.stop))?;
    check_price(&market.instrument, "oco_stop_limit_price", other.limit)?;
    if order.order_type() != OrderType::Limit || !order.time_in_force.waits() {
        return invalid("needs order_type limit and time_in_force GTC or DAY");
    }
    if !ascends(order.side, [order.limit, Some(other.stop)]) {
        return invalid("must be above the limit price of a buy order and below that of a sell order");
    }
    if market.triggers(order.side, other.stop) {
        return invalid("has been reached by the last price already");
    }
    Ok(())
}

/// Whether the prices that there are go up for a buy, down for a sell.
fn ascends(side: Side, prices: [Option<Ticks>; 2]) -> bool {
    match (side, prices) {
        (Side::Buy, [Some(low), Some(high)]) | (Side::Sell, [Some(high), Some(low)]) => low < high,
        _ => true,
    }
}

#[cfg(test)]
mod tests;
