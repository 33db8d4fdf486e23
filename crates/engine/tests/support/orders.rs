//! The reference's orders and what it knows of the market.

use std::collections::BTreeMap;

use cwts_domain::{
    AccountId, Attached, Cash, ClientOrderId, InstrumentId, Link, Lots, OrderId, PlaceOrder, RiskLimits, Side, Ticks,
    TimeInForce, Timestamp, TradingState,
};

use super::{ASK, BID, CLIENTS, INSTRUMENTS, OPENING_CASH, ROBOT, STANDING};

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Held,
    /// On its way, nowhere yet.
    Adrift,
    /// Waits, in the book or for its trigger, since this moment.
    Waits(u64),
    Filled,
    Cancelled,
}

/// An order with everything that happened to it.
#[derive(Clone, Debug)]
pub(crate) struct NaiveOrder {
    pub(crate) id: OrderId,
    /// With the terms of now.
    pub(crate) terms: PlaceOrder,
    pub(crate) link: Link,
    pub(crate) has_attached: bool,
    pub(crate) state: State,
    pub(crate) triggered: bool,
    /// An order of the same account stopped it on its way.
    pub(crate) barred: bool,
    /// Price, quantity and fee of its fills.
    pub(crate) fills: Vec<(i64, i64, i128)>,
    pub(crate) accepted_at: Timestamp,
    pub(crate) standing: bool,
}

impl NaiveOrder {
    pub(crate) fn new(id: OrderId, order: &PlaceOrder, link: Link, at: Timestamp) -> Self {
        let held = matches!(link, Link::TakeProfitOf(_) | Link::StopLossOf(_));
        Self {
            id,
            terms: PlaceOrder { attached: None, ..order.clone() },
            link,
            has_attached: order.attached.is_some(),
            state: if held { State::Held } else { State::Adrift },
            triggered: false,
            barred: false,
            fills: vec![],
            accepted_at: at,
            standing: false,
        }
    }

    pub(crate) fn filled(&self) -> i64 {
        self.fills.iter().map(|fill| fill.1).sum()
    }

    pub(crate) fn remaining(&self) -> i64 {
        if self.standing { STANDING } else { self.terms.quantity.0 - self.filled() }
    }

    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, State::Filled | State::Cancelled)
    }

    pub(crate) fn is_exit(&self) -> bool {
        matches!(self.link, Link::TakeProfitOf(_) | Link::StopLossOf(_))
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.link != Link::None || self.has_attached
    }

    /// The order that brought this one.
    pub(crate) fn head(&self) -> Option<OrderId> {
        match self.link {
            Link::None => None,
            Link::TakeProfitOf(id) | Link::StopLossOf(id) | Link::OcoOf(id) => Some(id),
        }
    }

    pub(crate) fn awaits_trigger(&self) -> bool {
        self.terms.stop.is_some() && !self.triggered
    }

    pub(crate) fn is_over(&self, at: Timestamp) -> bool {
        self.terms.time_in_force == TimeInForce::Day && self.accepted_at.day() < at.day()
    }
}

pub(crate) fn sign(side: Side) -> i64 {
    if side == Side::Buy { 1 } else { -1 }
}

/// Everything that may change, small enough to be copied before every command.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) open: Vec<NaiveOrder>,
    /// Ended in this command.
    pub(crate) gone: Vec<NaiveOrder>,
    pub(crate) orders: u64,
    pub(crate) moment: u64,
    pub(crate) cash: BTreeMap<AccountId, i128>,
    pub(crate) positions: BTreeMap<(AccountId, InstrumentId), i64>,
    pub(crate) last: BTreeMap<InstrumentId, i64>,
    pub(crate) names: BTreeMap<(AccountId, ClientOrderId), (PlaceOrder, OrderId)>,
    pub(crate) limits: BTreeMap<AccountId, RiskLimits>,
    /// Account, second and number of the orders in it.
    pub(crate) rate: BTreeMap<AccountId, (i64, u32)>,
    pub(crate) trading: TradingState,
    pub(crate) day: i64,
    pub(crate) day_equity: BTreeMap<AccountId, i128>,
}

impl Live {
    pub(crate) fn opening() -> Self {
        let everyone = || CLIENTS.into_iter().chain([ROBOT]).map(|id| (id, OPENING_CASH));
        let mut live = Self {
            open: vec![],
            gone: vec![],
            orders: 0,
            moment: 0,
            cash: everyone().chain([(AccountId::HOUSE, 0)]).collect(),
            positions: BTreeMap::new(),
            last: BTreeMap::new(),
            names: BTreeMap::new(),
            limits: CLIENTS.into_iter().filter_map(|id| Some((id, super::account(id).limits?))).collect(),
            rate: BTreeMap::new(),
            trading: TradingState::Active,
            day: 0,
            day_equity: everyone().collect(),
        };
        for (side, price) in [(Side::Buy, BID), (Side::Sell, ASK)] {
            let order = PlaceOrder::limit(AccountId::HOUSE, INSTRUMENTS[2], side, Lots(STANDING), Ticks(price));
            live.orders += 1;
            live.moment += 1;
            let order = NaiveOrder::new(OrderId(live.orders), &order, Link::None, Timestamp(0));
            live.open.push(NaiveOrder { state: State::Waits(live.moment), standing: true, ..order });
        }
        live
    }

    pub(crate) fn find(&self, id: OrderId) -> Option<&NaiveOrder> {
        self.open.iter().chain(&self.gone).find(|order| order.id == id)
    }

    pub(crate) fn edit(&mut self, id: OrderId) -> &mut NaiveOrder {
        self.open.iter_mut().find(|order| order.id == id).expect("an open order")
    }

    pub(crate) fn position(&self, account: AccountId, instrument: InstrumentId) -> i64 {
        self.positions.get(&(account, instrument)).copied().unwrap_or_default()
    }

    /// What an order of this side could take off the position.
    pub(crate) fn reducible(&self, account: AccountId, instrument: InstrumentId, side: Side) -> i64 {
        (-self.position(account, instrument) * sign(side)).max(0)
    }

    /// The orders in a book on a side, in the sequence in which they trade.
    pub(crate) fn waiting(&self, instrument: InstrumentId, side: Side) -> Vec<&NaiveOrder> {
        let mut waiting = self.queue(instrument, side, false);
        let rank = |order: &&NaiveOrder| order.terms.limit.map_or(0, |limit| -limit.0 * sign(side));
        waiting.sort_by_key(|order| (rank(order), order.state_moment()));
        waiting
    }

    /// The stop orders of a side, in the sequence in which they trigger.
    pub(crate) fn stops(&self, instrument: InstrumentId, side: Side) -> Vec<&NaiveOrder> {
        let mut waiting = self.queue(instrument, side, true);
        let rank = |order: &&NaiveOrder| order.terms.stop.map_or(0, |stop| stop.0 * sign(side));
        waiting.sort_by_key(|order| (rank(order), order.state_moment()));
        waiting
    }

    fn queue(&self, instrument: InstrumentId, side: Side, stops: bool) -> Vec<&NaiveOrder> {
        let here = |order: &&NaiveOrder| {
            (order.terms.instrument, order.terms.side) == (instrument, side)
                && matches!(order.state, State::Waits(_))
                && order.awaits_trigger() == stops
        };
        self.open.iter().filter(here).collect()
    }

    pub(crate) fn best(&self, instrument: InstrumentId, side: Side) -> Option<i64> {
        self.waiting(instrument, side).first().and_then(|order| order.terms.limit).map(|limit| limit.0)
    }

    pub(crate) fn mark(&self, instrument: InstrumentId) -> Option<i64> {
        let (bid, ask) = (self.best(instrument, Side::Buy), self.best(instrument, Side::Sell));
        match (self.last.get(&instrument), bid, ask) {
            (Some(last), _, _) => Some(*last.max(&bid.unwrap_or(*last)).min(&ask.unwrap_or(i64::MAX))),
            (None, Some(bid), Some(ask)) => Some(bid + (ask - bid) / 2),
            (None, side, None) | (None, None, side) => side,
        }
    }

    pub(crate) fn equity(&self, account: AccountId) -> i128 {
        let held = INSTRUMENTS.iter().map(|instrument| (self.position(account, *instrument), *instrument));
        let value = |(quantity, instrument)| i128::from(quantity * self.mark(instrument).unwrap_or_default());
        self.cash[&account] + held.map(value).sum::<i128>()
    }

    /// The order and those that come with it.
    pub(crate) fn family(order: &PlaceOrder, id: OrderId) -> Vec<(PlaceOrder, Link)> {
        let alone = PlaceOrder { attached: None, client_order_id: None, ..order.clone() };
        let exit = PlaceOrder {
            side: order.side.opposite(),
            limit: None,
            stop: None,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            reduce_only: true,
            ..alone.clone()
        };
        let mut family = vec![(order.clone(), Link::None)];
        match order.attached.as_deref() {
            Some(Attached::Exits { take_profit, stop_loss }) => {
                family.extend(
                    take_profit.map(|_| (PlaceOrder { limit: *take_profit, ..exit.clone() }, Link::TakeProfitOf(id))),
                );
                family.extend(stop_loss.map(|loss| {
                    let order = PlaceOrder { stop: Some(loss.stop), limit: loss.limit, ..exit.clone() };
                    (order, Link::StopLossOf(id))
                }));
            }
            Some(Attached::Oco(other)) => {
                let order = PlaceOrder { stop: Some(other.stop), limit: other.limit, post_only: false, ..alone };
                family.push((order, Link::OcoOf(id)));
            }
            None => {}
        }
        family
    }

    /// Levels of a side, best first.
    pub(crate) fn depth(&self, instrument: InstrumentId, side: Side) -> Vec<(Ticks, Lots)> {
        let mut levels: Vec<(Ticks, Lots)> = vec![];
        for order in self.waiting(instrument, side) {
            let price = order.terms.limit.expect("a price");
            match levels.last_mut().filter(|level| level.0 == price) {
                Some(level) => level.1 += Lots(order.remaining()),
                None => levels.push((price, Lots(order.remaining()))),
            }
        }
        levels
    }

    pub(crate) fn holdings(&self, account: AccountId) -> (Cash, Vec<Lots>) {
        let held = INSTRUMENTS.map(|instrument| Lots(self.position(account, instrument)));
        (Cash(self.cash[&account]), held.to_vec())
    }
}

impl NaiveOrder {
    fn state_moment(&self) -> u64 {
        match self.state {
            State::Waits(moment) => moment,
            _ => u64::MAX,
        }
    }
}
