//! What the exchange remembers of one order.

use cwts_domain::{
    AccountId, CancelReason, Cash, ClientOrderId, Lots, OrderId, OrderStatus, OrderType, Side, Ticks, TimeInForce,
    Timestamp,
};

use crate::book::Slot;

/// An order, open or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Assigned by the exchange.
    pub id: OrderId,
    /// Owner.
    pub account: AccountId,
    /// The client's own name of the order.
    pub client_order_id: Option<ClientOrderId>,
    /// Buy or sell.
    pub side: Side,
    /// Market or limit.
    pub order_type: OrderType,
    /// Limit price; `None` exactly for a market order.
    pub limit: Option<Ticks>,
    /// Ordered quantity.
    pub quantity: Lots,
    /// How long it may rest.
    pub time_in_force: TimeInForce,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// Traded so far; never above `quantity`.
    pub filled_quantity: Lots,
    /// Sum of price times quantity over its fills. The average fill price is this over `filled_quantity`
    /// ([`Instrument::average_price`](cwts_domain::Instrument::average_price)).
    pub filled_notional: Cash,
    /// Why it ended, if it was cancelled.
    pub cancel_reason: Option<CancelReason>,
    /// When the exchange took it.
    pub accepted_at: Timestamp,
    /// When it last traded or ended.
    pub updated_at: Timestamp,
}

impl Order {
    /// What has not traded. For an ended order this will never trade.
    pub fn remaining(&self) -> Lots {
        self.quantity - self.filled_quantity
    }

    pub(crate) fn fill(&mut self, price: Ticks, quantity: Lots, at: Timestamp) {
        self.filled_quantity += quantity;
        self.filled_notional += price.notional(quantity);
        self.updated_at = at;
        self.status = if self.remaining() > Lots::ZERO { OrderStatus::PartiallyFilled } else { OrderStatus::Filled };
    }

    pub(crate) fn cancel(&mut self, reason: CancelReason, at: Timestamp) {
        self.status = OrderStatus::Cancelled;
        self.cancel_reason = Some(reason);
        self.updated_at = at;
    }
}

/// An order with its place in the book; `None` while it is being matched and after it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) order: Order,
    pub(crate) slot: Option<Slot>,
}
