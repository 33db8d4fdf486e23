//! What happened on the exchange. Applying the events in order to the same state gives the same state.

use serde::{Deserialize, Serialize};

use crate::{AccountId, CancelReason, ClientOrderId, Lots, OrderId, OrderType, Side, Ticks, TimeInForce, Timestamp};

/// One change of the exchange's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The exchange accepted an order. Its fills and its rest follow as events of their own.
    Accepted {
        /// Assigned id.
        order_id: OrderId,
        /// Owner.
        account: AccountId,
        /// The client's own name of the order.
        client_order_id: Option<ClientOrderId>,
        /// Buy or sell.
        side: Side,
        /// Market or limit.
        order_type: OrderType,
        /// Limit price; `None` for a market order.
        limit: Option<Ticks>,
        /// Ordered quantity.
        quantity: Lots,
        /// How long it may rest.
        time_in_force: TimeInForce,
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
        /// Side of the incoming order.
        taker_side: Side,
        /// Price of the resting order.
        price: Ticks,
        /// Traded quantity.
        quantity: Lots,
        /// When.
        at: Timestamp,
    },
    /// The rest of an accepted order entered the book.
    Rested {
        /// The order.
        order_id: OrderId,
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
}
