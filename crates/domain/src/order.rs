//! The vocabulary of an order.

use std::fmt;

use serde::{Deserialize, Serialize};

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
}

/// How long an order may rest in the book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TimeInForce {
    /// Good till cancelled.
    #[default]
    Gtc,
    /// Immediate or cancel: what does not trade at once is cancelled.
    Ioc,
    /// Fill or kill: trades whole at once, or not at all.
    Fok,
}

/// Where an order is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Rests in the book without a fill.
    Open,
    /// Rests in the book with part of it filled.
    PartiallyFilled,
    /// Whole quantity filled.
    Filled,
    /// Ended before its whole quantity was filled; `filled_quantity` says how much was.
    Cancelled,
}

impl OrderStatus {
    /// Whether the order can still trade.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::PartiallyFilled)
    }
}

/// Why an order ended unfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The owner asked for it.
    Requested,
    /// The rest of a market, IOC or FOK order that found no counterparty.
    Unfilled,
    /// A newer order of the same account would have traded against it.
    SelfTradePrevention,
}
