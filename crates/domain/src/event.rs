//! What happened on the exchange. Applying the events in order to the same state gives the same state.

use serde::{Deserialize, Serialize};

use crate::{
    AccountId, Actor, CancelReason, Cash, InstrumentId, Lots, OrderId, PlaceOrder, Print, RiskLimits, Side, Ticks,
    Timestamp, TradingState,
};

/// One change of the exchange's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event {
    /// The exchange accepted an order. Its fills and its rest follow as events of their own.
    Accepted {
        /// Assigned id.
        order_id: OrderId,
        /// As it was asked for.
        order: PlaceOrder,
        /// Whether it came with another order.
        link: Link,
        /// When.
        at: Timestamp,
    },
    /// Two orders traded. One event changes both sides, so that no state between exists.
    Traded {
        /// The order that rested in the book.
        maker_order_id: OrderId,
        /// The order that came in.
        taker_order_id: OrderId,
        /// Owner of the resting order.
        maker: AccountId,
        /// Owner of the incoming order.
        taker: AccountId,
        /// What was traded.
        instrument: InstrumentId,
        /// Side of the incoming order.
        taker_side: Side,
        /// Price of the resting order.
        price: Ticks,
        /// Traded quantity.
        quantity: Lots,
        /// What the owner of the resting order pays to the house; below zero is a rebate.
        maker_fee: Cash,
        /// What the owner of the incoming order pays to the house.
        taker_fee: Cash,
        /// When.
        at: Timestamp,
    },
    /// What remains of an order began to wait: in the book, or for its trigger.
    Rested {
        /// The order.
        order_id: OrderId,
    },
    /// An order has new terms. Unless only its quantity became smaller it leaves its place, and what it does with the new
    /// terms follows as events of their own.
    Modified {
        /// The order.
        order_id: OrderId,
        /// The whole quantity, with what has filled.
        quantity: Lots,
        /// Limit price.
        limit: Option<Ticks>,
        /// Stop price.
        stop: Option<Ticks>,
        /// When.
        at: Timestamp,
    },
    /// The last price reached a stop order, which now works as a market or limit order.
    Triggered {
        /// The order.
        order_id: OrderId,
        /// When.
        at: Timestamp,
    },
    /// An exit began to work, because the order that it came with has filled for the first time.
    Released {
        /// The exit.
        order_id: OrderId,
        /// What has filled.
        quantity: Lots,
        /// When.
        at: Timestamp,
    },
    /// An order ended before its whole quantity was filled.
    Cancelled {
        /// The order.
        order_id: OrderId,
        /// Owner.
        account: AccountId,
        /// Why.
        reason: CancelReason,
        /// When.
        at: Timestamp,
    },
    /// A day of UTC began: losses count from here.
    DayStarted {
        /// Days since 1970-01-01.
        day: i64,
    },
    /// Who may trade changed.
    TradingStateSet {
        /// The new state.
        state: TradingState,
        /// Who asked.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// An account has new limits.
    LimitsSet {
        /// Whose.
        account: AccountId,
        /// All of them.
        limits: RiskLimits,
    },
    /// An account has its opening cash again; the house took over its positions at what they had cost.
    Reset {
        /// Whose.
        account: AccountId,
        /// When.
        at: Timestamp,
    },
    /// Others traded: see [`Command::Print`](crate::Command::Print).
    Printed {
        /// What they traded.
        print: Print,
        /// When.
        at: Timestamp,
    },
}

/// How an order depends on another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Link {
    /// It came alone or brings the others.
    #[default]
    None,
    /// The profit-taking exit of this order.
    TakeProfitOf(OrderId),
    /// The loss-stopping exit of this order.
    StopLossOf(OrderId),
    /// The stop order next to this limit order.
    OcoOf(OrderId),
}
