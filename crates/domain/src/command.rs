//! What may be asked of the exchange, and how it says no.

use serde::{Deserialize, Serialize};

use crate::{AccountId, ClientOrderId, Lots, OrderId, OrderType, Side, Ticks, TimeInForce};

/// A request to the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Enters an order.
    Place(PlaceOrder),
    /// Takes an open order out of the book.
    Cancel {
        /// Only the owner may cancel.
        account: AccountId,
        /// The order.
        order_id: OrderId,
    },
    /// Takes every open order of the account out of the book.
    CancelAll {
        /// The owner.
        account: AccountId,
    },
}

/// A new order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceOrder {
    /// Who trades.
    pub account: AccountId,
    /// The instrument.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// Limit price; `None` exactly for a market order.
    pub limit: Option<Ticks>,
    /// Above zero.
    pub quantity: Lots,
    /// How long it may rest. A market order never rests.
    pub time_in_force: TimeInForce,
    /// Makes placing idempotent.
    pub client_order_id: Option<ClientOrderId>,
}

impl PlaceOrder {
    /// The order type that the presence of a limit price implies.
    pub fn order_type(&self) -> OrderType {
        match self.limit {
            Some(_) => OrderType::Limit,
            None => OrderType::Market,
        }
    }
}

/// The exchange's refusal. An answer to the client, not a fault of the program; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// The exchange has no such account.
    #[error("account {} does not exist", account.0)]
    UnknownAccount {
        /// What was asked for.
        account: AccountId,
    },
    /// The exchange does not trade this symbol.
    #[error("symbol {symbol} is not traded here; available: {available}")]
    UnknownSymbol {
        /// What was asked for.
        symbol: String,
        /// What there is.
        available: String,
    },
    /// No open or past order of the account has this id.
    #[error("order {order_id} does not exist in this account")]
    UnknownOrder {
        /// The id that was asked for.
        order_id: OrderId,
    },
    /// The client gave another order this name before.
    #[error("client_order_id {client_order_id:?} already names order {order_id}, which differs; choose another name")]
    ClientOrderIdTaken {
        /// The name.
        client_order_id: String,
        /// The order that has it.
        order_id: OrderId,
    },
    /// The order has ended and cannot be cancelled.
    #[error("order {order_id} is already {status}")]
    NotOpen {
        /// The order.
        order_id: OrderId,
        /// `filled` or `cancelled`.
        status: &'static str,
    },
    /// Quantity outside 1 lot to the instrument's largest.
    #[error("quantity must be from {min} to {max}")]
    QuantityOutOfRange {
        /// Smallest quantity in base currency.
        min: String,
        /// Largest quantity in base currency.
        max: String,
    },
    /// Price outside 1 tick to the instrument's largest.
    #[error("price must be from {min} to {max}")]
    PriceOutOfRange {
        /// Smallest price in quote currency.
        min: String,
        /// Largest price in quote currency.
        max: String,
    },
    /// Limit price too far from the last one.
    #[error("price must be from {min} to {max}, within {percent} % of the last price {last}")]
    PriceOutsideBand {
        /// Largest distance in percent of the last price.
        percent: i64,
        /// Smallest price in quote currency.
        min: String,
        /// Largest price in quote currency.
        max: String,
        /// The last price in quote currency.
        last: String,
    },
    /// A fill-or-kill order found too little at its price.
    #[error("fill or kill: only {available} available at this price")]
    FillOrKill {
        /// What could have been filled, in base currency.
        available: String,
    },
    /// A market order found an empty opposite side.
    #[error("no {side} orders in the book to trade against")]
    NoLiquidity {
        /// The side that is empty.
        side: Side,
    },
    /// The account has as many orders in the book as it may have.
    #[error("{limit} orders are open, the most of one account; cancel some first")]
    TooManyOpenOrders {
        /// Largest number of open orders.
        limit: usize,
    },
    /// The order could cost more than the account has.
    #[error("{required} USD needed, {available} USD available")]
    InsufficientBalance {
        /// What the order could cost.
        required: String,
        /// What the account can spend.
        available: String,
    },
}
