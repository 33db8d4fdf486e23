//! The state of the exchange and the questions that may be asked of it.
//!
//! Every answer is about the state after the last applied event. Changing the state is the business of
//! [`apply`](crate::apply()) alone.

use std::hash::{Hash, Hasher};

use cwts_domain::{
    AccountId, Cash, ClientOrderId, Command, Event, Fees, Instrument, InstrumentId, Link, OrderId, PlaceOrder, Reject,
    RiskLimits, SelfTradePolicy, Side, StandingQuote, Timestamp, TradingState,
};
use serde::{Deserialize, Serialize};

use crate::account::{Account, Fill, OpeningAccount};
use crate::decide::decide_into;
use crate::fnv::Fnv;
use crate::market::Market;
use crate::order::{Order, Record};
use crate::orders::{Orders, Thread};
use crate::{apply, react, risk};

/// The exchange: its instruments, their books, its accounts. Equal exchanges answer every later command and question
/// alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Exchange {
    /// By instrument.
    pub(crate) markets: Vec<Market>,
    /// By id; the house comes first.
    pub(crate) accounts: Vec<Account>,
    pub(crate) orders: Orders,
    /// Number of open orders that came with others or brought some.
    pub(crate) linked: usize,
    pub(crate) sequence: u64,
    /// The day of UTC that has begun, see [`Command::EndDay`].
    pub(crate) day: i64,
    pub(crate) trading: TradingState,
}

impl Exchange {
    /// An exchange at its opening: the books hold the standing quotes only, trading is active. The house is always there.
    /// Of accounts with the same id the last one counts.
    pub fn new(
        instruments: impl IntoIterator<Item = Instrument>,
        accounts: impl IntoIterator<Item = OpeningAccount>,
    ) -> Self {
        let markets: Vec<_> =
            (0..).map(InstrumentId).zip(instruments).map(|(id, instrument)| Market::new(id, instrument)).collect();
        let house = OpeningAccount {
            id: AccountId::HOUSE,
            cash: Cash::ZERO,
            limits: None::<RiskLimits>,
            fees: Fees::NONE,
            self_trade: SelfTradePolicy::default(),
            history: 0,
        };
        let mut opening: Vec<_> = std::iter::once(house).chain(accounts).collect();
        opening.reverse();
        opening.sort_by_key(|account| account.id);
        opening.dedup_by_key(|account| account.id);
        let mut exchange = Self {
            accounts: opening.into_iter().map(|opening| Account::new(opening, markets.len())).collect(),
            markets,
            orders: Orders::default(),
            linked: 0,
            sequence: 0,
            day: 0,
            trading: TradingState::Active,
        };
        exchange.quote();
        exchange
    }

    /// Puts the standing quotes into the books.
    fn quote(&mut self) {
        let standing: Vec<_> =
            self.markets.iter().filter_map(|market| Some((market.id, market.instrument.standing?))).collect();
        for (instrument, StandingQuote { bid, ask, quantity }) in standing {
            for (side, price) in [(Side::Buy, bid), (Side::Sell, ask)] {
                let placed = PlaceOrder::limit(AccountId::HOUSE, instrument, side, quantity, price);
                let id = self.orders.next_id();
                let order = Order::new(id, &placed, Link::None, Timestamp(0));
                self.enlist(&placed, id, 0, || Record { standing: true, ..Record::new(order, 0) });
                self.rest(id);
            }
        }
    }

    /// Decides a command, applies what was decided, and then whatever follows from it: stop orders that a trade
    /// triggered, exits, orders that cancel each other. Returns the events in the sequence in which they were applied;
    /// none for an order whose client order id already names one, see [`decide`](crate::decide()).
    ///
    /// # Errors
    /// The exchange refuses; nothing has changed.
    pub fn execute(&mut self, command: &Command, at: Timestamp) -> Result<Vec<Event>, Reject> {
        let mut events = Vec::new();
        self.execute_into(command, at, &mut events).map(|()| events)
    }

    /// Like [`Exchange::execute`], adding the events to a list that can be used again.
    ///
    /// # Errors
    /// The exchange refuses; nothing has changed, and nothing was added.
    pub fn execute_into(&mut self, command: &Command, at: Timestamp, events: &mut Vec<Event>) -> Result<(), Reject> {
        let from = events.len();
        if let Err(reject) = decide_into(self, command, at, events) {
            events.truncate(from);
            return Err(reject);
        }
        for event in &events[from..] {
            apply(self, event);
        }
        react::run(self, from, events, at);
        Ok(())
    }

    /// The instruments with what happens in them, by id.
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// One instrument.
    pub fn market(&self, id: InstrumentId) -> Option<&Market> {
        self.markets.get(usize::from(id.0))
    }

    /// Number of events applied since the opening.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The id of the newest order; 0 before the first.
    pub fn last_order_id(&self) -> OrderId {
        self.orders.last_id()
    }

    /// Equal states have equal hashes, in every process and on every machine with the same byte order.
    pub fn state_hash(&self) -> u64 {
        let mut hasher = Fnv::default();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// Who may trade.
    pub fn trading_state(&self) -> TradingState {
        self.trading
    }

    /// The day of UTC, counted from 1970-01-01, since whose beginning losses count; 0 before the first
    /// [`Command::EndDay`].
    pub fn day(&self) -> i64 {
        self.day
    }

    /// An order of any account, open or ended and still kept.
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(id).map(|record| &record.order)
    }

    /// The order that an account gave this name, for as long as the order is kept.
    pub fn order_by_client_id(&self, account: AccountId, name: &ClientOrderId) -> Option<&Order> {
        self.account(account)?.by_client_id.get(name).and_then(|named| self.order(named.order_id))
    }

    /// The orders that came with an order, as far as they are kept.
    pub fn attached(&self, order: &Order) -> impl Iterator<Item = &Order> {
        let parent = order.id;
        let most = if order.has_attached { 2 } else { 0 };
        (1..=most).filter_map(move |offset| self.order(OrderId(parent.0 + offset))).filter(move |other| {
            match other.link {
                Link::None => false,
                Link::TakeProfitOf(id) | Link::StopLossOf(id) | Link::OcoOf(id) => id == parent,
            }
        })
    }

    /// Open orders of an account, oldest first; none for an unknown account.
    pub fn open_orders(&self, account: AccountId) -> impl DoubleEndedIterator<Item = &Order> {
        self.account(account)
            .into_iter()
            .flat_map(|account| account.open.iter(&self.orders, Thread::Open))
            .map(order_of)
    }

    /// Orders of an account with a history, open and ended, as far as they are kept, oldest first; none for another one.
    pub fn orders(&self, account: AccountId) -> impl DoubleEndedIterator<Item = &Order> {
        self.account(account)
            .into_iter()
            .flat_map(|account| account.kept.iter(&self.orders, Thread::Kept))
            .map(order_of)
    }

    /// Fills of an account as far as they are kept, oldest first; none for an unknown account.
    pub fn fills(&self, account: AccountId) -> impl DoubleEndedIterator<Item = &Fill> {
        self.account(account).into_iter().flat_map(|account| &account.fills)
    }

    /// An account.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.account_index(id).map(|index| &self.accounts[index])
    }

    pub(crate) fn account_index(&self, id: AccountId) -> Option<usize> {
        // They are few: the processor guesses the way of a walk, and would wait for each step of a search.
        self.accounts.iter().position(|account| account.id() == id)
    }

    /// All accounts, by id.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter()
    }

    /// Cash plus all positions at their marks.
    pub fn equity(&self, account: &Account) -> Cash {
        account.cash + self.positions_at_marks(account)
    }

    /// Profit of all open positions if they were closed at their marks, before fees.
    pub fn unrealised_pnl(&self, account: &Account) -> Cash {
        self.positions_at_marks(account) - account.cost_basis()
    }

    fn positions_at_marks(&self, account: &Account) -> Cash {
        let positions = account.positions.iter().zip(&self.markets).filter(|(position, _)| position.quantity.0 != 0);
        // What is held was traded, so there is a mark.
        positions.map(|(position, market)| market.mark_price().unwrap_or_default().notional(position.quantity)).sum()
    }

    /// Value of what the account holds and has ordered, as the exposure limit counts it (`docs/trading.md`).
    pub fn exposure(&self, account: &Account) -> Cash {
        risk::total_exposure(self, account, None)
    }

    /// How much more exposure orders of a side may add; never below zero. `None` for an unknown account or instrument
    /// and for an account without limits.
    pub fn available(&self, account: AccountId, instrument: InstrumentId, side: Side) -> Option<Cash> {
        risk::available(self, self.account(account)?, self.market(instrument)?, side)
    }
}

fn order_of(record: &Record) -> &Order {
    &record.order
}

#[cfg(test)]
mod tests;
