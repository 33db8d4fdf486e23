//! One account: its cash and positions, what it may do, and its own lists of orders and fills.
//!
//! Always: `cash = opening cash + realised - cost basis` over all positions, so that equity (cash plus positions at their
//! marks) equals opening cash plus realised plus unrealised to the last unit. How a fill changes a position:
//! [`position`](crate::position).

use std::collections::{BTreeMap, VecDeque};

use cwts_domain::{
    AccountId, Cash, ClientOrderId, Fees, InstrumentId, Lots, OrderId, PlaceOrder, RiskLimits, SelfTradePolicy, Side,
    Ticks, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::orders::List;
use crate::position::Position;

/// How many ended orders, and how many fills, the exchange keeps for a client's account.
const CLIENT_HISTORY: usize = 10_000;
/// Opening cash of the paper account.
const PAPER_CASH: Cash = Cash::dollars(100_000);
/// Opening cash of each simulator account; beyond what any session moves.
const SIMULATOR_CASH: Cash = Cash::dollars(1_000_000_000_000);

/// An account at the exchange's opening, before any event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OpeningAccount {
    /// Unique within the exchange.
    pub id: AccountId,
    /// Cash at the opening.
    pub cash: Cash,
    /// `None` for the simulator, which has neither limits nor a trading state.
    pub limits: Option<RiskLimits>,
    /// What it pays for trading.
    pub fees: Fees,
    /// What happens where its orders meet each other.
    pub self_trade: SelfTradePolicy,
    /// How many ended orders and how many fills are kept; older ones are dropped.
    pub history: usize,
}

impl OpeningAccount {
    /// An account of clients: default limits and fees; 10,000 ended orders and 10,000 fills are kept.
    pub fn client(id: AccountId, cash: Cash) -> Self {
        Self {
            id,
            cash,
            limits: Some(RiskLimits::default()),
            fees: Fees::PAPER,
            self_trade: SelfTradePolicy::default(),
            history: CLIENT_HISTORY,
        }
    }

    /// An account of the simulator: no limits, no fees, nothing kept of what ended.
    pub fn simulator(id: AccountId, cash: Cash) -> Self {
        Self { id, cash, limits: None, fees: Fees::NONE, self_trade: SelfTradePolicy::default(), history: 0 }
    }

    /// The paper account with 100,000 USD, and the simulated makers and takers.
    pub fn defaults() -> [Self; 3] {
        [
            Self::client(AccountId::PAPER, PAPER_CASH),
            Self::simulator(AccountId::MAKER, SIMULATOR_CASH),
            Self::simulator(AccountId::TAKER, SIMULATOR_CASH),
        ]
    }
}

/// Which part an order took in a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Rested in the book.
    Maker,
    /// Came in.
    Taker,
}

/// One side of a trade, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fill {
    /// Sequence number of the trade's event.
    pub sequence: u64,
    /// The account's order.
    pub order_id: OrderId,
    /// What was traded.
    pub instrument: InstrumentId,
    /// Side of that order.
    pub side: Side,
    /// Price of the resting order.
    pub price: Ticks,
    /// Traded quantity.
    pub quantity: Lots,
    /// What the owner paid; below zero is a rebate.
    pub fee: Cash,
    /// Whether that order rested or came in.
    pub role: Role,
    /// When.
    pub at: Timestamp,
}

/// An order that a client named, as it was placed: a repetition must be told from another order, also after the order
/// was modified.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) order_id: OrderId,
    pub(crate) placed: PlaceOrder,
}

/// An account of the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account {
    pub(crate) opening: OpeningAccount,
    pub(crate) limits: Option<RiskLimits>,
    pub(crate) cash: Cash,
    /// By instrument.
    pub(crate) positions: Vec<Position>,
    /// Equity when the day began.
    pub(crate) day_equity: Cash,
    /// The second of the newest order, and how many came in it.
    pub(crate) rate: (i64, u32),
    /// Open orders.
    pub(crate) open: List,
    /// Open orders and those ended ones that are kept; empty without a history.
    pub(crate) kept: List,
    /// Ended and still kept, in the sequence in which they ended.
    pub(crate) ended: VecDeque<OrderId>,
    pub(crate) by_client_id: BTreeMap<ClientOrderId, Named>,
    pub(crate) fills: VecDeque<Fill>,
}

impl Account {
    pub(crate) fn new(opening: OpeningAccount, instruments: usize) -> Self {
        Self {
            limits: opening.limits.clone(),
            cash: opening.cash,
            positions: vec![Position::default(); instruments],
            day_equity: opening.cash,
            rate: (i64::MIN, 0),
            open: List::default(),
            kept: List::default(),
            ended: VecDeque::new(),
            by_client_id: BTreeMap::new(),
            fills: VecDeque::new(),
            opening,
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

    /// Its positions, flat ones too, by instrument.
    pub fn positions(&self) -> impl Iterator<Item = (InstrumentId, &Position)> {
        (0..).map(InstrumentId).zip(&self.positions)
    }

    /// Its position in an instrument of the exchange.
    pub fn position(&self, instrument: InstrumentId) -> Option<&Position> {
        self.positions.get(usize::from(instrument.0))
    }

    /// Profit of everything closed so far, less all fees.
    pub fn realised_pnl(&self) -> Cash {
        self.positions.iter().map(Position::realised_pnl).sum()
    }

    /// Fees paid so far, less rebates.
    pub fn fees_paid(&self) -> Cash {
        self.positions.iter().map(Position::fees).sum()
    }

    /// What its positions cost.
    pub fn cost_basis(&self) -> Cash {
        self.positions.iter().map(Position::cost_basis).sum()
    }

    /// What the account may do; `None` for the simulator.
    pub fn limits(&self) -> Option<&RiskLimits> {
        self.limits.as_ref()
    }

    /// Equity when the day of UTC began.
    pub fn day_equity(&self) -> Cash {
        self.day_equity
    }

    /// What it pays for trading.
    pub fn fees(&self) -> Fees {
        self.opening.fees
    }

    /// What happens where its orders meet each other.
    pub fn self_trade(&self) -> SelfTradePolicy {
        self.opening.self_trade
    }

    /// Number of its open orders, stop orders and held ones included.
    pub fn open_order_count(&self) -> usize {
        self.open.len()
    }

    /// Whether ended orders and fills are kept.
    pub(crate) fn keeps_history(&self) -> bool {
        self.opening.history > 0
    }

    /// Notes a fill, and drops the oldest beyond the limit.
    pub(crate) fn keep_fill(&mut self, fill: Fill) {
        if !self.keeps_history() {
            return;
        }
        if self.fills.len() == self.opening.history {
            self.fills.pop_front();
        }
        self.fills.push_back(fill);
    }

    /// Counts an order that was accepted.
    pub(crate) fn count_order(&mut self, at: Timestamp) {
        let second = at.second();
        let before = if self.rate.0 == second { self.rate.1 } else { 0 };
        self.rate = (second, before.saturating_add(1));
    }
}

#[cfg(test)]
mod tests;
