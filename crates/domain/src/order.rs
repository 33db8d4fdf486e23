//! The vocabulary of an order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Ticks;

/// Identifies an order within one exchange. Assigned by the exchange, dense and ascending from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderId(pub u64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Identifies an account within one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub u32);

impl AccountId {
    /// The exchange itself: collects fees, quotes the test symbol, takes over what a reset leaves.
    pub const HOUSE: Self = Self(0);
    /// The paper account that clients and the person trade on.
    pub const PAPER: Self = Self(1);
    /// The simulated market makers, who quote both sides.
    pub const MAKER: Self = Self(1001);
    /// The simulated takers, who cross the spread.
    pub const TAKER: Self = Self(1002);
}

/// A name that the client gives an order, unique within its account; placing the same name twice places one order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientOrderId(pub String);

/// Which side of the book an order is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Bids.
    Buy,
    /// Asks.
    Sell,
}

impl Side {
    /// The side that this one trades against.
    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}

/// How an order finds its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderType {
    /// Trades at once against the best prices; what finds no counterparty is cancelled.
    Market,
    /// Trades at its price or better; the rest stays in the book.
    Limit,
    /// A market order from the moment in which the last price reaches its stop price.
    Stop,
    /// A limit order from that moment on.
    StopLimit,
}

impl OrderType {
    /// The type that the prices of an order imply.
    pub fn of(limit: Option<Ticks>, stop: Option<Ticks>) -> Self {
        match (limit, stop) {
            (None, None) => Self::Market,
            (Some(_), None) => Self::Limit,
            (None, Some(_)) => Self::Stop,
            (Some(_), Some(_)) => Self::StopLimit,
        }
    }
}

impl fmt::Display for OrderType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Market => "market",
            Self::Limit => "limit",
            Self::Stop => "stop",
            Self::StopLimit => "stop_limit",
        })
    }
}

/// The prices of a stop order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StopPrice {
    /// The last price from which on the order works.
    pub stop: Ticks,
    /// Its limit price from then on; `None` for a market order.
    pub limit: Option<Ticks>,
}

/// How long an order may rest in the book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "UPPERCASE")]
pub enum TimeInForce {
    /// Good till cancelled.
    #[default]
    Gtc,
    /// Immediate or cancel: what does not trade at once is cancelled.
    Ioc,
    /// Fill or kill: trades whole at once, or not at all.
    Fok,
    /// Good till the end of its day, 00:00 UTC.
    Day,
}

impl TimeInForce {
    /// Whether what does not trade at once may wait.
    pub fn waits(self) -> bool {
        matches!(self, Self::Gtc | Self::Day)
    }
}

/// Where an order is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// An exit whose order has not filled yet.
    Held,
    /// Rests in the book, or waits for its trigger, without a fill.
    Open,
    /// Part of it filled, the rest in the book.
    PartiallyFilled,
    /// Whole quantity filled.
    Filled,
    /// Ended before its whole quantity was filled; `filled_quantity` says how much was.
    Cancelled,
}

impl OrderStatus {
    /// Whether the order can still trade.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Held | Self::Open | Self::PartiallyFilled)
    }

    /// The word of the wire.
    pub fn id(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Open => "open",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why an order ended unfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The owner asked for it.
    Requested,
    /// The rest of a market, IOC or FOK order that found no counterparty.
    Unfilled,
    /// It would have traded with another order of the same account.
    SelfTradePrevention,
    /// The day of a DAY order is over.
    Expired,
    /// An order that it came with traded, triggered or ended.
    Linked,
    /// There is no position left that a reduce-only order could reduce.
    ReduceOnly,
    /// A post-only order would have traded when its stop triggered.
    PostOnly,
    /// The account was reset.
    Reset,
}

impl CancelReason {
    /// The word of the wire.
    pub fn id(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Unfilled => "unfilled",
            Self::SelfTradePrevention => "self_trade_prevention",
            Self::Expired => "expired",
            Self::Linked => "linked",
            Self::ReduceOnly => "reduce_only",
            Self::PostOnly => "post_only",
            Self::Reset => "reset",
        }
    }
}
