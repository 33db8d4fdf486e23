//! What may be asked of the exchange.

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Actor, ClientOrderId, InstrumentId, Lots, OrderId, OrderType, RiskLimits, Side, StopPrice, Ticks,
    TimeInForce, TradingState,
};

/// A request to the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Enters an order.
    Place(PlaceOrder),
    /// Changes an open order.
    Modify(ModifyOrder),
    /// Takes an open order out of the market.
    Cancel {
        /// Only the owner may cancel.
        account: AccountId,
        /// The order.
        order_id: OrderId,
    },
    /// Takes every open order of the account out of the market.
    CancelAll {
        /// The owner.
        account: AccountId,
        /// Only of this instrument; of all when `None`.
        instrument: Option<InstrumentId>,
    },
    /// Ends the DAY orders whose day is over and begins the count of a new day's loss. The host sends it after 00:00 UTC;
    /// an order whose day is over never trades, also where the command comes late.
    EndDay,
    /// Sets who may still trade. An agent may only tighten.
    SetTradingState {
        /// The new state.
        state: TradingState,
        /// Who asks.
        by: Actor,
    },
    /// Sets the limits of an account that has limits.
    SetLimits {
        /// Whose.
        account: AccountId,
        /// All of them.
        limits: RiskLimits,
    },
    /// Gives an account its opening cash back and forgets its positions, orders and fills.
    Reset {
        /// Whose.
        account: AccountId,
    },
    /// Reports a trade of a replayed market in which no order of this exchange took part: it moves the last price and the
    /// volume, and triggers stop orders. For the host; no client can ask for it.
    Print(Print),
}

/// A trade between others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Print {
    /// What was traded.
    pub instrument: InstrumentId,
    /// At which price.
    pub price: Ticks,
    /// Above zero.
    pub quantity: Lots,
    /// Who came in.
    pub taker_side: Side,
}

/// A new order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlaceOrder {
    /// Who trades.
    pub account: AccountId,
    /// What.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Above zero.
    pub quantity: Lots,
    /// Limit price; `None` for market and stop orders.
    pub limit: Option<Ticks>,
    /// The last price from which on the order works: at or above it for a buy, at or below it for a sell. `None` for
    /// market and limit orders.
    pub stop: Option<Ticks>,
    /// How long it may wait. A market order never waits.
    pub time_in_force: TimeInForce,
    /// Only ever trade as the maker; needs a limit price.
    pub post_only: bool,
    /// Only ever make the position smaller.
    pub reduce_only: bool,
    /// Orders that come with it.
    pub attached: Option<Box<Attached>>,
    /// Makes placing idempotent.
    pub client_order_id: Option<ClientOrderId>,
}

/// Orders that an order brings with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Attached {
    /// Exits, which work for as much as the order has filled and are reduce-only: a bracket when both are given. Once
    /// one of them trades, the other shrinks by as much.
    Exits {
        /// A limit order of the other side.
        take_profit: Option<Ticks>,
        /// A stop order of the other side.
        stop_loss: Option<StopPrice>,
    },
    /// A stop order of the same side and quantity next to a limit order: one cancels the other (OCO). Once one trades,
    /// the other shrinks by as much; once the stop triggers, the limit order is cancelled.
    Oco(StopPrice),
}

impl PlaceOrder {
    /// A limit order that rests until cancelled.
    pub fn limit(account: AccountId, instrument: InstrumentId, side: Side, quantity: Lots, price: Ticks) -> Self {
        Self { limit: Some(price), ..Self::market(account, instrument, side, quantity) }
    }

    /// A market order.
    pub fn market(account: AccountId, instrument: InstrumentId, side: Side, quantity: Lots) -> Self {
        Self {
            account,
            instrument,
            side,
            quantity,
            limit: None,
            stop: None,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            reduce_only: false,
            attached: None,
            client_order_id: None,
        }
    }

    /// The order without its name and without those that come with it: only what is copied without an allocation.
    #[inline]
    pub fn bare(&self) -> Self {
        let Self { account, instrument, side, quantity, limit, stop, time_in_force, post_only, reduce_only, .. } =
            *self;
        Self {
            account,
            instrument,
            side,
            quantity,
            limit,
            stop,
            time_in_force,
            post_only,
            reduce_only,
            attached: None,
            client_order_id: None,
        }
    }

    /// The order type that its prices imply.
    pub fn order_type(&self) -> OrderType {
        OrderType::of(self.limit, self.stop)
    }
}

/// A change of an open order. What is `None` stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModifyOrder {
    /// Only the owner may modify.
    pub account: AccountId,
    /// The order.
    pub order_id: OrderId,
    /// The whole quantity, with what has filled. A smaller one alone keeps the place in the queue.
    pub quantity: Option<Lots>,
    /// For an order with a limit price.
    pub limit: Option<Ticks>,
    /// For a stop order that has not triggered.
    pub stop: Option<Ticks>,
}
