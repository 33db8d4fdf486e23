//! Proves that the state is consistent: money, positions, totals and links.
//!
//! For tests and for a look after a fault; walks everything, so not for the path of an order. Repairs nothing.

use cwts_domain::{AccountId, Cash, Lots, OrderId, Side, Ticks};

use crate::Exchange;
use crate::account::{Account, OpenTotal};
use crate::book::{Level, Node, Slot};
use crate::order::Record;

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
    #[error("positions of all accounts add up to {found} lots instead of 0")]
    PositionSum {
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
    /// An order and its place in the book disagree.
    #[error("order {order_id} and its place in the book disagree")]
    Mismatch {
        /// The order.
        order_id: OrderId,
    },
    /// The numbers of open orders in the book, in the order records and in the slab differ.
    #[error("{in_book} orders in the book, {open} open order records, {in_slab} used slots")]
    OrderCount {
        /// Orders in the lists of all levels.
        in_book: usize,
        /// Records with an open status.
        open: usize,
        /// Slots in use.
        in_slab: usize,
    },
    /// An account's totals or lists of open orders are not those of its orders.
    #[error("account {}: its open orders are not those of the book", account.0)]
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
        if let (Some(bid), Some(ask)) = (self.best_bid(), self.best_ask())
            && bid >= ask
        {
            return Err(AuditError::CrossedBook { bid, ask });
        }
        let in_book = self.audit_side(Side::Buy)? + self.audit_side(Side::Sell)?;
        let open = self.orders.values().filter(|record| record.order.status.is_open()).count();
        let in_slab = self.book.slots_in_use();
        if in_book != open || in_book != in_slab {
            return Err(AuditError::OrderCount { in_book, open, in_slab });
        }
        self.accounts().try_for_each(|account| self.audit_open_orders(account))
    }

    fn audit_money(&self) -> Result<(), AuditError> {
        let opening = self.accounts().map(Account::opening_cash).sum();
        let found = self.accounts().map(Account::cash).sum();
        if found != opening {
            return Err(AuditError::CashSum { opening, found });
        }
        let found: Lots = self.accounts().map(Account::position).sum();
        if found != Lots::ZERO {
            return Err(AuditError::PositionSum { found });
        }
        for account in self.accounts() {
            let expected = account.opening_cash() + account.realised_pnl() - account.cost_basis();
            let flat_with_cost = account.position() == Lots::ZERO && account.cost_basis() != Cash::ZERO;
            if account.cash() != expected || flat_with_cost {
                return Err(AuditError::ProfitAndLoss { account: account.id(), cash: account.cash(), expected });
            }
        }
        Ok(())
    }

    /// Returns the number of orders on the side.
    fn audit_side(&self, side: Side) -> Result<usize, AuditError> {
        let mut orders = 0;
        for (price, level) in self.book.levels(side) {
            orders += self.audit_level(side, price, level)?;
        }
        Ok(orders)
    }

    fn audit_level(&self, side: Side, price: Ticks, level: &Level) -> Result<usize, AuditError> {
        let (mut previous, mut sum, mut orders): (Option<Slot>, Lots, usize) = (None, Lots::ZERO, 0);
        for (slot, node) in self.book.chain(level) {
            let Node { resting, previous: back, .. } = node;
            let order_id = resting.order_id;
            // A list that runs in a circle comes back to a node whose back link is another one.
            if *back != previous || resting.side != side || resting.price != price {
                return Err(AuditError::BrokenLink { side, price, order_id });
            }
            let matches = |Record { order, slot: place }: &Record| {
                *place == Some(slot)
                    && order.status.is_open()
                    && (order.account, order.side, order.limit) == (resting.account, side, Some(price))
                    && (order.remaining(), resting.remaining > Lots::ZERO) == (resting.remaining, true)
            };
            if !self.orders.get(&order_id).is_some_and(matches) {
                return Err(AuditError::Mismatch { order_id });
            }
            (previous, sum, orders) = (Some(slot), sum + resting.remaining, orders + 1);
        }
        match previous {
            _ if sum != level.quantity => Err(AuditError::LevelTotal { side, price, total: level.quantity, sum }),
            Some(last) if last == level.last => Ok(orders),
            _ => Err(AuditError::BrokenLink { side, price, order_id: self.book.order_at(level.last) }),
        }
    }

    fn audit_open_orders(&self, account: &Account) -> Result<(), AuditError> {
        if self.open_orders(account.id()).count() != account.open_order_count() {
            return Err(AuditError::OpenOrders { account: account.id() });
        }
        for side in [Side::Buy, Side::Sell] {
            let mut total = OpenTotal::default();
            let mut count = 0;
            for resting in self.book.queue(side).filter(|resting| resting.account == account.id()) {
                total.add(resting.price, resting.remaining);
                count += 1;
            }
            let listed = self.open_orders(account.id()).filter(|order| order.side == side && order.status.is_open());
            if total != account.open_total(side) || count != listed.count() {
                return Err(AuditError::OpenOrders { account: account.id() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
