//! What happens in one instrument: its book, its waiting stop orders, its latest trades.

use std::collections::VecDeque;

use cwts_domain::{Instrument, InstrumentId, Lots, Side, Ticks, Timestamp};
use serde::{Deserialize, Serialize};

use crate::book::{Book, Resting};

/// How many trades of an instrument the exchange keeps.
pub const KEPT_TRADES: usize = 1_000;

/// A trade as the whole market sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Trade {
    /// Sequence number of its event.
    pub sequence: u64,
    /// Price of the resting order.
    pub price: Ticks,
    /// Traded quantity.
    pub quantity: Lots,
    /// Side of the incoming order.
    pub taker_side: Side,
    /// When.
    pub at: Timestamp,
}

/// Totals of an instrument since the opening of the exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Session {
    /// Orders accepted.
    pub orders: u64,
    /// Orders cancelled, for whatever reason.
    pub cancelled: u64,
    /// Trades.
    pub trades: u64,
    /// Quantity traded, counted once per trade.
    pub volume: Lots,
    /// Highest traded price; `None` before the first trade.
    pub high: Option<Ticks>,
    /// Lowest traded price; `None` before the first trade.
    pub low: Option<Ticks>,
}

/// One instrument with everything that waits and happened in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Market {
    pub(crate) id: InstrumentId,
    pub(crate) instrument: Instrument,
    pub(crate) book: Book,
    /// Stop orders by the price that triggers them, on the side from which the price comes: a stop to buy waits above
    /// the market like an ask, so the best of a side is the next to trigger.
    pub(crate) stops: Book,
    /// Number of waiting reduce-only orders.
    pub(crate) reduce_only: usize,
    pub(crate) trades: VecDeque<Trade>,
    pub(crate) session: Session,
}

impl Market {
    pub(crate) fn new(id: InstrumentId, instrument: Instrument) -> Self {
        Self {
            id,
            instrument,
            book: Book::default(),
            stops: Book::default(),
            reduce_only: 0,
            trades: VecDeque::new(),
            session: Session::default(),
        }
    }

    /// Its id within the exchange.
    pub fn id(&self) -> InstrumentId {
        self.id
    }

    /// What is traded.
    pub fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    /// Highest bid.
    pub fn best_bid(&self) -> Option<Ticks> {
        self.book.best(Side::Buy)
    }

    /// Lowest ask.
    pub fn best_ask(&self) -> Option<Ticks> {
        self.book.best(Side::Sell)
    }

    /// Price and total quantity of at most `levels` price levels, best first.
    pub fn depth(&self, side: Side, levels: usize) -> Vec<(Ticks, Lots)> {
        self.book.levels(side).take(levels).map(|(price, level)| (price, level.quantity)).collect()
    }

    /// The latest trade.
    pub fn last_trade(&self) -> Option<&Trade> {
        self.trades.back()
    }

    /// The last [`KEPT_TRADES`] trades, oldest first.
    pub fn trades(&self) -> impl DoubleEndedIterator<Item = &Trade> + ExactSizeIterator {
        self.trades.iter()
    }

    /// Totals since the opening.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The price at which positions are valued: the last trade's, moved into the spread where the book has left it
    /// behind. Before the first trade the middle of the spread, rounded down, or the only side there is.
    pub fn mark_price(&self) -> Option<Ticks> {
        let (bid, ask) = (self.best_bid(), self.best_ask());
        let Some(last) = self.last_trade().map(|trade| trade.price) else {
            return match (bid, ask) {
                (Some(bid), Some(ask)) => Some(Ticks(bid.0 + (ask.0 - bid.0) / 2)),
                (side, None) | (None, side) => side,
            };
        };
        let raised = bid.map_or(last, |bid| last.max(bid));
        Some(ask.map_or(raised, |ask| raised.min(ask)))
    }

    /// Whether a stop order of `side` at `stop` works at the last price. Before the first trade none does.
    pub(crate) fn triggers(&self, side: Side, stop: Ticks) -> bool {
        self.last_trade().is_some_and(|last| reached(side, stop, last.price))
    }

    /// Stop orders that a trade at `price` triggers, in the sequence in which the price reaches them: those to buy, then
    /// those to sell.
    pub(crate) fn triggered_by(&self, price: Ticks) -> impl Iterator<Item = &Resting> {
        [Side::Buy, Side::Sell].into_iter().flat_map(move |side| {
            self.stops.queue(side.opposite()).take_while(move |waiting| reached(side, waiting.price, price))
        })
    }

    pub(crate) fn keep_trade(&mut self, trade: Trade) {
        self.session.trades += 1;
        self.session.volume += trade.quantity;
        self.session.high = self.session.high.max(Some(trade.price));
        self.session.low = Some(self.session.low.map_or(trade.price, |low| low.min(trade.price)));
        if self.trades.len() == KEPT_TRADES {
            self.trades.pop_front();
        }
        self.trades.push_back(trade);
    }
}

/// Whether the price has come to the stop of an order of `side`.
fn reached(side: Side, stop: Ticks, price: Ticks) -> bool {
    match side {
        Side::Buy => price >= stop,
        Side::Sell => price <= stop,
    }
}
