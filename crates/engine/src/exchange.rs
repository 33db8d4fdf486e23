//! The state of the exchange and the questions that may be asked of it.
//!
//! Every answer is about the state after the last applied event. Changing the state is the business of
//! [`apply`](crate::apply()) alone.

use std::collections::{BTreeMap, HashMap, VecDeque};

use cwts_domain::{
    AccountId, Cash, ClientOrderId, Command, Event, Instrument, Lots, OrderId, Reject, Side, Ticks, Timestamp,
};

use crate::account::{Account, Fill, OpeningAccount};
use crate::book::Book;
use crate::order::{Order, Record};
use crate::{apply, decide, risk};

/// How many trades of the market the exchange keeps.
pub const KEPT_TRADES: usize = 1_000;

/// A trade as the whole market sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Totals since the opening of the exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// The exchange: one instrument, its book, its accounts. Equal exchanges answer every later command and question alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub(crate) instrument: Instrument,
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    pub(crate) book: Book,
    pub(crate) orders: HashMap<OrderId, Record>,
    pub(crate) last_order_id: u64,
    pub(crate) sequence: u64,
    pub(crate) trades: VecDeque<Trade>,
    pub(crate) session: Session,
}

impl Exchange {
    /// An exchange at its opening: an empty book. Of accounts with the same id the last one counts.
    pub fn new(instrument: Instrument, accounts: impl IntoIterator<Item = OpeningAccount>) -> Self {
        Self {
            instrument,
            accounts: accounts.into_iter().map(|opening| (opening.id, Account::new(opening))).collect(),
            book: Book::default(),
            orders: HashMap::new(),
            last_order_id: 0,
            sequence: 0,
            trades: VecDeque::new(),
            session: Session::default(),
        }
    }

    /// Decides a command and applies what was decided. No events are returned for an order whose client order id
    /// already names one; see [`decide`].
    ///
    /// # Errors
    /// The exchange refuses; nothing has changed.
    pub fn execute(&mut self, command: &Command, at: Timestamp) -> Result<Vec<Event>, Reject> {
        let events = decide(self, command, at)?;
        for event in &events {
            apply(self, event);
        }
        Ok(events)
    }

    /// What is traded.
    pub fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    /// Number of events applied since the opening.
    pub fn sequence(&self) -> u64 {
        self.sequence
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

    /// The last [`KEPT_TRADES`] trades of the market, oldest first.
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

    /// An order of any account, open or ended and still kept.
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(&id).map(|record| &record.order)
    }

    /// The order that an account gave this name, for as long as the order is kept.
    pub fn order_by_client_id(&self, account: AccountId, name: &ClientOrderId) -> Option<&Order> {
        self.account(account)?.by_client_id.get(name).and_then(|id| self.order(*id))
    }

    /// Orders of an account in the book, oldest first; none for an unknown account.
    pub fn open_orders(&self, account: AccountId) -> impl DoubleEndedIterator<Item = &Order> {
        self.account(account).into_iter().flat_map(|account| &account.open).filter_map(|id| self.order(*id))
    }

    /// Orders of an account, open and ended, as far as they are kept, oldest first; none for an unknown account.
    pub fn orders(&self, account: AccountId) -> impl DoubleEndedIterator<Item = &Order> {
        self.account(account).into_iter().flat_map(|account| &account.kept).filter_map(|id| self.order(*id))
    }

    /// Fills of an account as far as they are kept, oldest first; none for an unknown account.
    pub fn fills(&self, account: AccountId) -> impl DoubleEndedIterator<Item = &Fill> {
        self.account(account).into_iter().flat_map(|account| &account.fills)
    }

    /// An account.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// All accounts, by id.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// How much more exposure orders of a side may add; never below zero. `None` for an unknown account and for one
    /// without a limit.
    pub fn available(&self, account: AccountId, side: Side) -> Option<Cash> {
        let account = self.account(account).filter(|account| account.is_limited())?;
        Some(risk::available(account, side, self.mark_price()))
    }
}

#[cfg(test)]
mod tests;
