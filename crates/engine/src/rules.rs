//! The checks before an order is taken, as a list: each rule sees what the order would do and may refuse it.
//!
//! A rule reads the state as it was before the order. The first refusal stands, so the sequence of the lists decides which
//! one a client is told. What an order is (symbol, steps, ranges, fitting terms) is settled before any rule is asked. A
//! modified order is asked about like a new one that takes the place of the old; one that only became smaller is not.

use cwts_domain::{Lots, PlaceOrder, Reject, RiskLimits, Ticks, TimeInForce, Timestamp, TradingState};

use crate::account::Account;
use crate::decide::MAX_OPEN_ORDERS;
use crate::market::Market;
use crate::matching::reaches;
use crate::position::{OpenTotal, Position};
use crate::price_band;
use crate::risk::{self, Rounding, dollars};
use crate::{Exchange, Order};

/// An order that is about to be taken, with what it would do.
pub(crate) struct Proposal<'a> {
    pub(crate) exchange: &'a Exchange,
    pub(crate) account: &'a Account,
    pub(crate) market: &'a Market,
    /// The account's position in the instrument.
    pub(crate) position: &'a Position,
    /// Its quantity is what has not filled yet.
    pub(crate) order: &'a PlaceOrder,
    /// The open order whose new terms these are.
    pub(crate) replaces: Option<&'a Order>,
    /// Quantity and value of what it would trade at once.
    pub(crate) trades: OpenTotal,
    /// Price and quantity of what would wait, in the book or for its trigger.
    pub(crate) waits: Option<(Ticks, Lots)>,
    pub(crate) at: Timestamp,
}

type Limit = fn(&Proposal<'_>, &RiskLimits) -> Result<(), Reject>;

/// Limits of an account of clients, after the rules of the market and in this sequence. Only the first two hold back an
/// order that can only make a position smaller.
const LIMITS: [Limit; 6] = [price_band, order_rate, order_notional, position_limit, daily_loss, exposure];

/// Asks the trading state, every rule and every limit.
#[inline]
pub(crate) fn check(proposal: &Proposal<'_>) -> Result<(), Reject> {
    let limits = proposal.account.limits();
    if limits.is_some() {
        trading_state(proposal)?;
    }
    terms(proposal)?;
    limits.map_or(Ok(()), |limits| LIMITS.iter().try_for_each(|limit| limit(proposal, limits)))
}

/// Rules of the market, for everyone, in the sequence in which they are asked; called by name, since the simulator's
/// orders, which are most of all, meet no others.
#[inline]
fn terms(proposal: &Proposal<'_>) -> Result<(), Reject> {
    reduce_only(proposal)?;
    post_only(proposal)?;
    liquidity(proposal)?;
    fill_or_kill(proposal)?;
    open_orders(proposal)
}

/// A halt refuses every order of a client; reducing those that could do anything but make a position smaller.
fn trading_state(proposal: &Proposal<'_>) -> Result<(), Reject> {
    match proposal.exchange.trading {
        TradingState::Active => Ok(()),
        TradingState::Reducing if proposal.only_reduces() => Ok(()),
        TradingState::Reducing => Err(Reject::OnlyReducing),
        TradingState::Halted => Err(Reject::Halted),
    }
}

fn reduce_only(proposal: &Proposal<'_>) -> Result<(), Reject> {
    let most = proposal.position.reducible(proposal.order.side);
    if !proposal.order.reduce_only || proposal.order.quantity <= most {
        return Ok(());
    }
    let most = proposal.market.instrument.quantity(most).to_string();
    Err(Reject::ReduceOnly { side: proposal.order.side, most })
}

/// Whatever it would meet counts, own orders too.
fn post_only(proposal: &Proposal<'_>) -> Result<(), Reject> {
    let Proposal { order, market, .. } = proposal;
    let side = order.side.opposite();
    let met = market.book.best(side).filter(|best| reaches(order.side, order.limit, *best));
    match met.filter(|_| order.post_only && order.stop.is_none()) {
        Some(best) => Err(Reject::PostOnly { side, best: market.instrument.price(best).to_string() }),
        None => Ok(()),
    }
}

fn liquidity(proposal: &Proposal<'_>) -> Result<(), Reject> {
    let Proposal { order, market, .. } = proposal;
    let opposite = order.side.opposite();
    if order.limit.is_none() && order.stop.is_none() && market.book.best(opposite).is_none() {
        return Err(Reject::NoLiquidity { side: opposite });
    }
    Ok(())
}

/// A stop order is asked when it triggers.
fn fill_or_kill(proposal: &Proposal<'_>) -> Result<(), Reject> {
    let Proposal { order, market, trades, .. } = proposal;
    if order.time_in_force == TimeInForce::Fok && order.stop.is_none() && trades.quantity < order.quantity {
        return Err(Reject::FillOrKill { available: market.instrument.quantity(trades.quantity).to_string() });
    }
    Ok(())
}

/// The memory that one account may fill is bounded. Holds for the simulator too.
fn open_orders(proposal: &Proposal<'_>) -> Result<(), Reject> {
    let attached = proposal.order.attached.as_deref().map_or(0, crate::place::count);
    let more = usize::from(proposal.waits.is_some() && proposal.replaces.is_none()) + attached;
    if more > 0 && proposal.account.open_order_count() + more > MAX_OPEN_ORDERS {
        return Err(Reject::TooManyOpenOrders { limit: MAX_OPEN_ORDERS });
    }
    Ok(())
}

/// See [`price_band`](mod@crate::price_band). Before the first trade there is no band.
fn price_band(proposal: &Proposal<'_>, limits: &RiskLimits) -> Result<(), Reject> {
    let Proposal { order, market, .. } = proposal;
    let last = || market.last_trade().map(|last| (last.price, "last price"));
    match (order.limit, order.stop.map(|stop| (stop, "stop price")).or_else(last)) {
        (Some(limit), Some((price, anchor))) => {
            price_band::check(limit, price, anchor, limits.price_band_percent, &market.instrument)
        }
        _ => Ok(()),
    }
}

fn order_rate(proposal: &Proposal<'_>, limits: &RiskLimits) -> Result<(), Reject> {
    let (second, orders) = proposal.account.rate;
    let full = second == proposal.at.second() && orders >= limits.max_orders_per_second;
    if full && proposal.replaces.is_none() {
        return Err(Reject::OrderRate { limit: limits.max_orders_per_second });
    }
    Ok(())
}

fn order_notional(proposal: &Proposal<'_>, limits: &RiskLimits) -> Result<(), Reject> {
    let (value, limit) = (proposal.own_total().notional, limits.max_order_notional);
    if value <= limit || proposal.only_reduces() {
        return Ok(());
    }
    Err(Reject::OrderNotional { value: dollars(value, Rounding::Up), limit: dollars(limit, Rounding::Down) })
}

fn position_limit(proposal: &Proposal<'_>, limits: &RiskLimits) -> Result<(), Reject> {
    let (value, limit) = (proposal.exposure_after(), limits.max_position_notional);
    if value <= limit || proposal.only_reduces() {
        return Ok(());
    }
    Err(Reject::PositionLimit { value: dollars(value, Rounding::Up), limit: dollars(limit, Rounding::Down) })
}

fn daily_loss(proposal: &Proposal<'_>, limits: &RiskLimits) -> Result<(), Reject> {
    let loss = proposal.account.day_equity - proposal.exchange.equity(proposal.account);
    if loss < limits.max_daily_loss || proposal.only_reduces() {
        return Ok(());
    }
    let limit = dollars(limits.max_daily_loss, Rounding::Down);
    Err(Reject::DailyLoss { loss: dollars(loss, Rounding::Down), limit })
}

/// What is held and ordered must be covered; see [`risk`].
fn exposure(proposal: &Proposal<'_>, limits: &RiskLimits) -> Result<(), Reject> {
    let Proposal { exchange, account, market, position, order, .. } = proposal;
    let others = risk::total_exposure(exchange, account, Some(market));
    let capacity = risk::capacity(exchange, account, limits);
    let after = proposal.exposure_after();
    if others + after <= capacity || proposal.only_reduces() {
        return Ok(());
    }
    let before = risk::exposure(position, order.side, proposal.open_total(), market.mark_price());
    Err(Reject::InsufficientBalance {
        required: dollars(after - before, Rounding::Up),
        available: dollars((capacity - others - before).max(cwts_domain::Cash::ZERO), Rounding::Down),
    })
}

impl Proposal<'_> {
    /// Waiting orders of the same side, without the one that is replaced.
    fn open_total(&self) -> OpenTotal {
        let mut total = self.position.open_total(self.order.side);
        let replaced = self.replaces.filter(|order| !order.reduce_only);
        if let Some((order, price)) = replaced.and_then(|order| Some((order, order.counted_price()?))) {
            total.add(price, -order.remaining());
        }
        total
    }

    /// What the order itself could trade.
    pub(crate) fn own_total(&self) -> OpenTotal {
        let mut total = self.trades;
        if let Some((price, quantity)) = self.waits {
            total.add(price, quantity);
        }
        total
    }

    fn with_order(&self) -> OpenTotal {
        let (open, own) = (self.open_total(), self.own_total());
        OpenTotal { quantity: open.quantity + own.quantity, notional: open.notional + own.notional }
    }

    fn exposure_after(&self) -> cwts_domain::Cash {
        risk::exposure(self.position, self.order.side, self.with_order(), self.market.mark_price())
    }

    /// Of both sides the larger, as [`risk::total_exposure`] counts it.
    pub(crate) fn instrument_exposure_after(&self) -> cwts_domain::Cash {
        let side = self.order.side.opposite();
        let other = risk::exposure(self.position, side, self.position.open_total(side), self.market.mark_price());
        // An order that only reduces does not count, and what waits on its side stays as it is.
        let own = if self.order.reduce_only && self.trades == OpenTotal::default() {
            risk::exposure(self.position, self.order.side, self.open_total(), self.market.mark_price())
        } else {
            self.exposure_after()
        };
        own.max(other)
    }

    /// Whether the order, with all others of its side, can do nothing but make the position smaller.
    fn only_reduces(&self) -> bool {
        let result = risk::held(self.position, self.order.side) + self.with_order().quantity;
        self.order.reduce_only || result <= Lots::ZERO
    }
}

#[cfg(test)]
mod tests;
