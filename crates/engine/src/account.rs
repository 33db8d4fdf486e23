//! Money and position of one account, and its own lists of orders and fills.
//!
//! Profit and loss by average cost, in exact integers. With position `p` (above zero is long) and cost basis `C`:
//!
//! - a fill in the direction of the position, or from flat, adds price times signed quantity to `C`;
//! - a fill of `c` lots against it releases `C * c / |p|`, rounded toward zero with the rounding left in `C`, and
//!   realises the value of those lots less what was released; a fill beyond flat opens the rest anew at its price;
//! - average entry price is `C / p`; unrealised is `mark * p - C`;
//! - always: `cash = opening cash + realised - C`, so that equity `cash + mark * p` equals opening cash plus realised
//!   plus unrealised to the last unit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cwts_domain::{AccountId, Cash, ClientOrderId, Instrument, Lots, OrderId, Side, Ticks, Timestamp};

/// How many ended orders, and how many fills, the exchange keeps for a client's account.
const CLIENT_HISTORY: usize = 10_000;
/// Opening cash of the paper account in whole US dollars.
const PAPER_CASH: i64 = 100_000;
/// Opening cash of each simulator account in whole US dollars; beyond what any session moves.
const SIMULATOR_CASH: i64 = 1_000_000_000_000;

/// An account at the exchange's opening, before any event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningAccount {
    /// Unique within the exchange.
    pub id: AccountId,
    /// Cash at the opening.
    pub cash: Cash,
    /// Whether the exposure limit holds; the simulator is exempt.
    pub limited: bool,
    /// How many ended orders and how many fills are kept; older ones are dropped.
    pub history: usize,
}

impl OpeningAccount {
    /// An account of clients: the exposure limit holds, 10,000 ended orders and 10,000 fills are kept.
    pub fn client(id: AccountId, cash: Cash) -> Self {
        Self { id, cash, limited: true, history: CLIENT_HISTORY }
    }

    /// An account of the simulator: no exposure limit, nothing kept of what ended.
    pub fn simulator(id: AccountId, cash: Cash) -> Self {
        Self { id, cash, limited: false, history: 0 }
    }

    /// The paper account with 100,000 USD, and the simulated makers and takers.
    pub fn defaults(instrument: &Instrument) -> [Self; 3] {
        [
            Self::client(AccountId::PAPER, instrument.cash(PAPER_CASH)),
            Self::simulator(AccountId::MAKER, instrument.cash(SIMULATOR_CASH)),
            Self::simulator(AccountId::TAKER, instrument.cash(SIMULATOR_CASH)),
        ]
    }
}

/// Which part an order took in a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Rested in the book.
    Maker,
    /// Came in.
    Taker,
}

/// One side of a trade, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Sequence number of the trade's event.
    pub sequence: u64,
    /// The account's order.
    pub order_id: OrderId,
    /// Side of that order.
    pub side: Side,
    /// Price of the resting order.
    pub price: Ticks,
    /// Traded quantity.
    pub quantity: Lots,
    /// Whether that order rested or came in.
    pub role: Role,
    /// When.
    pub at: Timestamp,
}

/// Quantity and value, at their limit prices, of an account's orders in the book on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenTotal {
    pub(crate) quantity: Lots,
    pub(crate) notional: Cash,
}

impl OpenTotal {
    /// Counts `quantity` more at `price`; a negative quantity counts less.
    pub(crate) fn add(&mut self, price: Ticks, quantity: Lots) {
        self.quantity += quantity;
        self.notional += price.notional(quantity);
    }
}

/// An account of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    opening: OpeningAccount,
    cash: Cash,
    position: Lots,
    cost: Cash,
    realised: Cash,
    open_buys: OpenTotal,
    open_sells: OpenTotal,
    /// In the book.
    pub(crate) open: BTreeSet<OrderId>,
    /// In the book or ended and still kept.
    pub(crate) kept: BTreeSet<OrderId>,
    /// Ended and still kept, in the sequence in which they ended.
    ended: VecDeque<OrderId>,
    pub(crate) by_client_id: BTreeMap<ClientOrderId, OrderId>,
    pub(crate) fills: VecDeque<Fill>,
}

impl Account {
    pub(crate) fn new(opening: OpeningAccount) -> Self {
        Self {
            cash: opening.cash,
            opening,
            position: Lots::ZERO,
            cost: Cash::ZERO,
            realised: Cash::ZERO,
            open_buys: OpenTotal::default(),
            open_sells: OpenTotal::default(),
            open: BTreeSet::new(),
            kept: BTreeSet::new(),
            ended: VecDeque::new(),
            by_client_id: BTreeMap::new(),
            fills: VecDeque::new(),
        }
    }

    /// Its id.
    pub fn id(&self) -> AccountId {
        self.opening.id
    }

    /// Cash at the opening.
    pub fn opening_cash(&self) -> Cash {
        self.opening.cash
    }

    /// Cash now; the proceeds of a short sale are part of it.
    pub fn cash(&self) -> Cash {
        self.cash
    }

    /// Position; below zero is short.
    pub fn position(&self) -> Lots {
        self.position
    }

    /// What the position cost, with the position's sign. Over the position it is the average entry price
    /// ([`Instrument::average_price`]).
    pub fn cost_basis(&self) -> Cash {
        self.cost
    }

    /// Profit of everything closed so far.
    pub fn realised_pnl(&self) -> Cash {
        self.realised
    }

    /// Profit of the open position if it were closed at `mark`.
    pub fn unrealised_pnl(&self, mark: Ticks) -> Cash {
        mark.notional(self.position) - self.cost
    }

    /// Cash plus the position's value at `mark`.
    pub fn equity(&self, mark: Ticks) -> Cash {
        self.cash + mark.notional(self.position)
    }

    /// Whether the exposure limit holds for this account.
    pub fn is_limited(&self) -> bool {
        self.opening.limited
    }

    /// Number of its orders in the book.
    pub fn open_order_count(&self) -> usize {
        self.open.len()
    }

    /// Quantity of its orders in the book on one side.
    pub fn open_quantity(&self, side: Side) -> Lots {
        self.open_total(side).quantity
    }

    pub(crate) fn open_total(&self, side: Side) -> OpenTotal {
        match side {
            Side::Buy => self.open_buys,
            Side::Sell => self.open_sells,
        }
    }

    pub(crate) fn open_total_mut(&mut self, side: Side) -> &mut OpenTotal {
        match side {
            Side::Buy => &mut self.open_buys,
            Side::Sell => &mut self.open_sells,
        }
    }

    /// Exchanges cash for position.
    pub(crate) fn settle(&mut self, side: Side, price: Ticks, quantity: Lots) {
        let signed = match side {
            Side::Buy => quantity,
            Side::Sell => -quantity,
        };
        self.cash -= price.notional(signed);
        let against = self.position.0.signum() * signed.0.signum() < 0;
        let closing =
            if against { Lots(signed.0.abs().min(self.position.0.abs()) * signed.0.signum()) } else { Lots::ZERO };
        if closing != Lots::ZERO {
            // The position is on the other side, so `closing / position` is below zero and `released` has the
            // opposite sign of the cost.
            let released = Cash(self.cost.0 * i128::from(closing.0) / i128::from(self.position.0));
            self.realised += released - price.notional(closing);
            self.cost += released;
        }
        self.cost += price.notional(signed - closing);
        self.position += signed;
    }

    /// Notes a fill, and drops the oldest beyond the limit.
    pub(crate) fn keep_fill(&mut self, fill: Fill) {
        if self.opening.history == 0 {
            return;
        }
        if self.fills.len() == self.opening.history {
            self.fills.pop_front();
        }
        self.fills.push_back(fill);
    }

    /// Notes that an order ended; returns the order, if any, that is no longer kept.
    pub(crate) fn keep_ended(&mut self, order_id: OrderId) -> Option<OrderId> {
        self.ended.push_back(order_id);
        let dropped = if self.ended.len() > self.opening.history { self.ended.pop_front() } else { None };
        if let Some(dropped) = dropped {
            self.kept.remove(&dropped);
        }
        dropped
    }
}

#[cfg(test)]
mod tests;
