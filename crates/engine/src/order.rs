//! What the exchange remembers of one order.

use cwts_domain::{
    AccountId, CancelReason, Cash, ClientOrderId, InstrumentId, Link, Lots, OrderId, OrderStatus, OrderType,
    PlaceOrder, Side, Ticks, TimeInForce, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::book;
use crate::orders::Links;

/// An order, open or ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Order {
    /// Assigned by the exchange.
    pub id: OrderId,
    /// Owner.
    pub account: AccountId,
    /// What it trades.
    pub instrument: InstrumentId,
    /// The client's own name of the order.
    pub client_order_id: Option<ClientOrderId>,
    /// Buy or sell.
    pub side: Side,
    /// Whole quantity, with what has filled.
    pub quantity: Lots,
    /// Limit price; `None` for market and stop orders.
    pub limit: Option<Ticks>,
    /// Stop price; `None` for market and limit orders.
    pub stop: Option<Ticks>,
    /// How long it may wait.
    pub time_in_force: TimeInForce,
    /// Only trades as the maker.
    pub post_only: bool,
    /// Only makes the position smaller.
    pub reduce_only: bool,
    /// The order that it came with.
    pub link: Link,
    /// Whether other orders came with it.
    pub has_attached: bool,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// Traded so far; never above `quantity`.
    pub filled_quantity: Lots,
    /// Sum of price times quantity over its fills. The average fill price is this over `filled_quantity`
    /// ([`Instrument::average_price`](cwts_domain::Instrument::average_price)).
    pub filled_notional: Cash,
    /// Sum of the fees of its fills.
    pub fees: Cash,
    /// Why it ended, if it was cancelled.
    pub cancel_reason: Option<CancelReason>,
    /// When the last price reached its stop price.
    pub triggered_at: Option<Timestamp>,
    /// When the exchange took it.
    pub accepted_at: Timestamp,
    /// When it was last modified, triggered or filled, or ended.
    pub updated_at: Timestamp,
}

impl Order {
    #[inline]
    pub(crate) fn new(id: OrderId, placed: &PlaceOrder, link: Link, at: Timestamp) -> Self {
        let held = matches!(link, Link::TakeProfitOf(_) | Link::StopLossOf(_));
        Self {
            id,
            account: placed.account,
            instrument: placed.instrument,
            client_order_id: placed.client_order_id.clone(),
            side: placed.side,
            quantity: placed.quantity,
            limit: placed.limit,
            stop: placed.stop,
            time_in_force: placed.time_in_force,
            post_only: placed.post_only,
            reduce_only: placed.reduce_only,
            link,
            has_attached: placed.attached.is_some(),
            status: if held { OrderStatus::Held } else { OrderStatus::Open },
            filled_quantity: Lots::ZERO,
            filled_notional: Cash::ZERO,
            fees: Cash::ZERO,
            cancel_reason: None,
            triggered_at: None,
            accepted_at: at,
            updated_at: at,
        }
    }

    /// The type that its prices imply; a stop order keeps its type after its trigger.
    pub fn order_type(&self) -> OrderType {
        OrderType::of(self.limit, self.stop)
    }

    /// What has not traded. For an ended order this will never trade.
    pub fn remaining(&self) -> Lots {
        self.quantity - self.filled_quantity
    }

    /// Whether it waits, or would wait, for the last price to reach its stop price.
    pub fn awaits_trigger(&self) -> bool {
        self.stop.is_some() && self.triggered_at.is_none()
    }

    /// Whether it came with other orders or brought some.
    pub fn is_linked(&self) -> bool {
        self.has_attached || self.link != Link::None
    }

    /// The last day of UTC on which it may trade; `None` without end.
    pub fn last_day(&self) -> Option<i64> {
        (self.time_in_force == TimeInForce::Day).then(|| self.accepted_at.day())
    }

    /// The price at which it counts towards the exposure while it waits: its limit, or the price that triggers it.
    pub(crate) fn counted_price(&self) -> Option<Ticks> {
        self.limit.or(self.stop)
    }

    pub(crate) fn fill(&mut self, price: Ticks, quantity: Lots, fee: Cash, at: Timestamp) {
        self.filled_quantity += quantity;
        self.filled_notional += price.notional(quantity);
        self.fees += fee;
        self.updated_at = at;
        self.status = if self.remaining() > Lots::ZERO { OrderStatus::PartiallyFilled } else { OrderStatus::Filled };
    }

    pub(crate) fn cancel(&mut self, reason: CancelReason, at: Timestamp) {
        self.status = OrderStatus::Cancelled;
        self.cancel_reason = Some(reason);
        self.updated_at = at;
    }
}

/// Where an open order waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Place {
    /// Nowhere: it is held, about to be matched, or has ended.
    #[default]
    Nowhere,
    /// In the book.
    Book(book::Slot),
    /// Among the stop orders.
    Stops(book::Slot),
}

/// An order with its places in the market and in the lists of its account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) order: Order,
    /// Index of its account.
    pub(crate) owner: u32,
    /// A standing quote of the house: stays as large as it is, whatever trades.
    pub(crate) standing: bool,
    pub(crate) place: Place,
    /// By [`Thread`](crate::orders::Thread).
    pub(crate) links: [Links; 2],
}

impl Record {
    #[inline]
    pub(crate) fn new(order: Order, owner: u32) -> Self {
        Self { order, owner, standing: false, place: Place::Nowhere, links: Default::default() }
    }
}
