//! Proves that the state is consistent: money, positions, totals and links.
//!
//! For tests and for a look after a fault; walks everything, so not for the path of an order. Repairs nothing.

use cwts_domain::{AccountId, Cash, InstrumentId, Lots, OrderId, OrderStatus, Side, Ticks};

use crate::Exchange;
use crate::account::Account;
use crate::book::{Book, Level, Slot};
use crate::market::Market;
use crate::order::{Place, Record};
use crate::orders::Thread;
use crate::position::OpenTotal;

/// What is inconsistent. Any of these is a fault of the program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// Trading made or lost money.
    #[error("cash of all accounts is {found}, {opening} at the opening")]
    CashSum {
        /// Sum over all accounts at the opening.
        opening: Cash,
        /// Sum over all accounts now.
        found: Cash,
    },
    /// Trading made or lost quantity.
    #[error("positions of all accounts in instrument {} add up to {found} lots instead of 0", instrument.0)]
    PositionSum {
        /// In what.
        instrument: InstrumentId,
        /// Sum over all accounts.
        found: Lots,
    },
    /// Cash is not opening cash plus realised profit less cost basis.
    #[error("account {}: cash is {cash}, but opening cash, realised profit and cost basis make {expected}", account.0)]
    ProfitAndLoss {
        /// Whose.
        account: AccountId,
        /// Its cash.
        cash: Cash,
        /// What the others make.
        expected: Cash,
    },
    /// Orders that should have traded both rest.
    #[error("best bid {bid} is not below best ask {ask}")]
    CrossedBook {
        /// Highest bid.
        bid: Ticks,
        /// Lowest ask.
        ask: Ticks,
    },
    /// A stop order waits that the last price has reached.
    #[error("order {order_id} should have triggered")]
    MissedTrigger {
        /// The order.
        order_id: OrderId,
    },
    /// A level's total is not the sum of its orders.
    #[error("{side} level {price} says {total} lots, its orders add up to {sum}")]
    LevelTotal {
        /// Side of the level.
        side: Side,
        /// Its price.
        price: Ticks,
        /// What the level says.
        total: Lots,
        /// Sum of its orders.
        sum: Lots,
    },
    /// The list of a level does not hang together, or the order in it is of another level.
    #[error("{side} level {price}: the list is broken at order {order_id}")]
    BrokenLink {
        /// Side of the level.
        side: Side,
        /// Its price.
        price: Ticks,
        /// Where.
        order_id: OrderId,
    },
    /// An order and its place in the market disagree.
    #[error("order {order_id} and its place in the market disagree")]
    Mismatch {
        /// The order.
        order_id: OrderId,
    },
    /// The numbers of orders that wait, in the lists of all levels, in the order records and in the slabs, differ.
    #[error("{listed} orders wait in the markets, {waiting} order records say so, {in_slab} slots are used")]
    OrderCount {
        /// Orders in the lists of all levels.
        listed: usize,
        /// Open records that are not held.
        waiting: usize,
        /// Slots in use.
        in_slab: usize,
    },
    /// An account's totals or lists of open orders are not those of its orders.
    #[error("account {}: its open orders are not those of the markets", account.0)]
    OpenOrders {
        /// Whose.
        account: AccountId,
    },
}

impl Exchange {
    /// Checks every invariant of the state between two commands; between the events of one command some do not hold.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn audit(&self) -> Result<(), AuditError> {
        self.audit_money()?;
        let (mut listed, mut in_slab) = (0, 0);
        for market in &self.markets {
            listed += self.audit_market(market)?;
            in_slab += market.book.slots_in_use() + market.stops.slots_in_use();
        }
        let waits = |record: &&Record| record.order.status.is_open() && record.order.status != OrderStatus::Held;
        let waiting = self.orders.iter().filter(waits).count();
        if listed != waiting || listed != in_slab {
            return Err(AuditError::OrderCount { listed, waiting, in_slab });
        }
        self.accounts().try_for_each(|account| self.audit_open_orders(account))
    }

    fn audit_money(&self) -> Result<(), AuditError> {
        let opening = self.accounts().map(Account::opening_cash).sum();
        let found = self.accounts().map(Account::cash).sum();
        if found != opening {
            return Err(AuditError::CashSum { opening, found });
        }
        for instrument in self.markets.iter().map(Market::id) {
            let held = self.accounts().filter_map(|account| account.position(instrument));
            let found: Lots = held.map(|position| position.quantity).sum();
            if found != Lots::ZERO {
                return Err(AuditError::PositionSum { instrument, found });
            }
        }
        for account in self.accounts() {
            let expected = account.opening_cash() + account.realised_pnl() - account.cost_basis();
            let flat_with_cost =
                account.positions.iter().any(|position| position.quantity == Lots::ZERO && position.cost != Cash::ZERO);
            if account.cash() != expected || flat_with_cost {
                return Err(AuditError::ProfitAndLoss { account: account.id(), cash: account.cash(), expected });
            }
        }
        Ok(())
    }

    /// Returns the number of orders that wait in the market.
    fn audit_market(&self, market: &Market) -> Result<usize, AuditError> {
        if let (Some(bid), Some(ask)) = (market.best_bid(), market.best_ask())
            && bid >= ask
        {
            return Err(AuditError::CrossedBook { bid, ask });
        }
        if let Some(missed) = market.last_trade().and_then(|last| market.triggered_by(last.price).next()) {
            return Err(AuditError::MissedTrigger { order_id: missed.order_id });
        }
        let mut orders = 0;
        for (book, place) in [(&market.book, Place::Book as fn(Slot) -> Place), (&market.stops, Place::Stops)] {
            for side in [Side::Buy, Side::Sell] {
                for (price, level) in book.levels(side) {
                    orders += self.audit_level(market, book, place, side, price, level)?;
                }
            }
        }
        Ok(orders)
    }

    fn audit_level(
        &self,
        market: &Market,
        book: &Book,
        place: fn(Slot) -> Place,
        side: Side,
        price: Ticks,
        level: &Level,
    ) -> Result<usize, AuditError> {
        let (mut previous, mut sum, mut orders): (Option<Slot>, Lots, usize) = (None, Lots::ZERO, 0);
        for (slot, node) in book.chain(level) {
            let resting = node.resting;
            let order_id = resting.order_id;
            // A list that runs in a circle comes back to a node whose back link is another one.
            if node.previous != previous || resting.side != side || resting.price != price {
                return Err(AuditError::BrokenLink { side, price, order_id });
            }
            let matches = |record: &Record| {
                let order = &record.order;
                let waits_at = if order.awaits_trigger() { (side.opposite(), order.stop) } else { (side, order.limit) };
                record.place == place(slot)
                    && order.status.is_open()
                    && (record.owner, order.instrument) == (resting.owner, market.id)
                    && (order.side, Some(price)) == waits_at
                    && (order.reduce_only, order.last_day()) == (resting.reduce_only, resting.last_day)
                    && (order.remaining(), resting.remaining > Lots::ZERO) == (resting.remaining, true)
            };
            if !self.orders.get(order_id).is_some_and(matches) {
                return Err(AuditError::Mismatch { order_id });
            }
            (previous, sum, orders) = (Some(slot), sum + resting.remaining, orders + 1);
        }
        match previous {
            _ if sum != level.quantity => Err(AuditError::LevelTotal { side, price, total: level.quantity, sum }),
            Some(last) if last == level.last => Ok(orders),
            _ => Err(AuditError::BrokenLink { side, price, order_id: book.order_at(level.last) }),
        }
    }

    fn audit_open_orders(&self, account: &Account) -> Result<(), AuditError> {
        let wrong = AuditError::OpenOrders { account: account.id() };
        let of_account = |record: &&Record| record.order.account == account.id();
        let mine = || self.orders.iter().filter(of_account);
        let (open, kept) = (mine().filter(|record| record.order.status.is_open()).count(), mine().count());
        let listed = self.open_orders(account.id()).filter(|order| order.status.is_open()).count();
        if [open, listed] != [account.open.len(); 2]
            || kept != open + account.ended.len()
            || account.kept.len() != if account.keeps_history() { kept } else { 0 }
            || account.kept.len() != account.kept.iter(&self.orders, Thread::Kept).count()
        {
            return Err(wrong);
        }
        for market in &self.markets {
            for side in [Side::Buy, Side::Sell] {
                let (mut total, mut reduce_only) = (OpenTotal::default(), 0);
                for Record { order, .. } in mine().filter(|record| record.place != Place::Nowhere) {
                    if (order.instrument, order.side) != (market.id, side) {
                        continue;
                    }
                    match order.counted_price() {
                        Some(price) if !order.reduce_only => total.add(price, order.remaining()),
                        _ => reduce_only += 1,
                    }
                }
                let position = account.position(market.id);
                let counted = position.map(|position| (position.open_total(side), position.reduce_only[side as usize]));
                if counted != Some((total, reduce_only)) {
                    return Err(wrong);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
