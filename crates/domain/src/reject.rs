//! How the exchange says no.

use crate::{AccountId, OrderId, Side};

/// The exchange's refusal. An answer to the client, not a fault of the program; nothing has changed. Amounts are decimal
/// numbers in the currency that the text names.
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
    /// The order has ended and can be neither cancelled nor modified.
    #[error("order {order_id} is already {status}")]
    NotOpen {
        /// The order.
        order_id: OrderId,
        /// `filled` or `cancelled`.
        status: &'static str,
    },
    /// Parts of the request contradict each other.
    #[error("{field} {problem}")]
    Invalid {
        /// The argument, as it is named on the wire.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: &'static str,
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
    #[error("{field} must be from {min} to {max}")]
    PriceOutOfRange {
        /// Which price.
        field: &'static str,
        /// Smallest price in quote currency.
        min: String,
        /// Largest price in quote currency.
        max: String,
    },
    /// The new quantity is not above what has filled.
    #[error("new_quantity must be above {filled}, which has filled; cancel the order instead")]
    NotAboveFilled {
        /// Filled so far in base currency.
        filled: String,
    },
    /// Limit price too far from where the market is.
    #[error("price must be from {min} to {max}, within {percent} % of the {anchor} {at}")]
    PriceOutsideBand {
        /// Largest distance in percent.
        percent: u32,
        /// Smallest price in quote currency.
        min: String,
        /// Largest price in quote currency.
        max: String,
        /// `last price`, or `stop price` for a stop-limit order.
        anchor: &'static str,
        /// Its value in quote currency.
        at: String,
    },
    /// A fill-or-kill order found too little at its price.
    #[error("fill or kill: only {available} available at this price")]
    FillOrKill {
        /// What could have been filled, in base currency.
        available: String,
    },
    /// A post-only order would have traded at once.
    #[error("post only: it would trade at once with a {side} order at {best}")]
    PostOnly {
        /// Side of the orders that it would meet.
        side: Side,
        /// Their best price.
        best: String,
    },
    /// A reduce-only order is larger than the position that it could reduce.
    #[error("reduce only: the position lets a {side} order reduce by at most {most}")]
    ReduceOnly {
        /// Side of the order.
        side: Side,
        /// Largest quantity in base currency.
        most: String,
    },
    /// A market order found an empty opposite side.
    #[error("no {side} orders in the book to trade against")]
    NoLiquidity {
        /// The side that is empty.
        side: Side,
    },
    /// The account has as many orders open as it may have.
    #[error("{limit} orders are open, the most of one account; cancel some first")]
    TooManyOpenOrders {
        /// Largest number of open orders.
        limit: usize,
    },
    /// Trading is halted.
    #[error("trading is halted: orders can only be cancelled; a person can resume trading")]
    Halted,
    /// Only orders that make a position smaller are taken.
    #[error("trading is set to reducing: only orders that make a position smaller are taken")]
    OnlyReducing,
    /// An agent asked for more trading than there is.
    #[error("only a person can resume trading")]
    NeedsPerson,
    /// Too many orders within one second.
    #[error("{limit} orders in one second, the most of this account; wait a second")]
    OrderRate {
        /// Largest number of orders in one second.
        limit: u32,
    },
    /// The order is worth too much.
    #[error("the order is worth {value} USD, more than {limit} USD, the most of one order")]
    OrderNotional {
        /// What the order is worth.
        value: String,
        /// Largest value of one order.
        limit: String,
    },
    /// The position that could result is worth too much.
    #[error("the position could be worth {value} USD, more than {limit} USD, the most in one instrument")]
    PositionLimit {
        /// What the position would be worth.
        value: String,
        /// Largest value of a position.
        limit: String,
    },
    /// The account has lost too much today.
    #[error(
        "{loss} USD lost since 00:00 UTC, the limit is {limit} USD; only orders that make a position smaller are taken"
    )]
    DailyLoss {
        /// Lost since the day began.
        loss: String,
        /// Largest loss of a day.
        limit: String,
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

impl Reject {
    /// The word for the reason: the code of REST and the label of the metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownAccount { .. } => "unknown_account",
            Self::UnknownSymbol { .. } => "unknown_symbol",
            Self::UnknownOrder { .. } => "unknown_order",
            Self::ClientOrderIdTaken { .. } => "client_order_id_taken",
            Self::NotOpen { .. } => "not_open",
            Self::Invalid { .. } => "invalid",
            Self::QuantityOutOfRange { .. } => "quantity_out_of_range",
            Self::PriceOutOfRange { .. } => "price_out_of_range",
            Self::NotAboveFilled { .. } => "not_above_filled",
            Self::PriceOutsideBand { .. } => "price_outside_band",
            Self::FillOrKill { .. } => "fill_or_kill",
            Self::PostOnly { .. } => "post_only",
            Self::ReduceOnly { .. } => "reduce_only",
            Self::NoLiquidity { .. } => "no_liquidity",
            Self::TooManyOpenOrders { .. } => "too_many_open_orders",
            Self::Halted => "halted",
            Self::OnlyReducing => "only_reducing",
            Self::NeedsPerson => "needs_person",
            Self::OrderRate { .. } => "order_rate",
            Self::OrderNotional { .. } => "order_notional",
            Self::PositionLimit { .. } => "position_limit",
            Self::DailyLoss { .. } => "daily_loss",
            Self::InsufficientBalance { .. } => "insufficient_balance",
        }
    }
}
