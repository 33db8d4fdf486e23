//! A reference exchange that is slow and obvious: lists, searched from end to end at every step, and nothing cached.
//! And random commands for both. Shares no code with the exchange under test.

use std::collections::BTreeMap;

use cwts_domain::{
    AccountId, CancelReason, ClientOrderId, Command, Event, Lots, OrderId, PlaceOrder, Reject, Side, Ticks,
    TimeInForce, Timestamp,
};
use rand::{Rng, RngExt};

/// Clients, who meet the exposure limit now and then.
pub(crate) const CLIENTS: [AccountId; 2] = [AccountId(1), AccountId(2)];
/// Accounts without a limit.
pub(crate) const ROBOTS: [AccountId; 2] = [AccountId(3), AccountId(4)];
/// Opening cash of every account in units of one tick times one lot.
pub(crate) const OPENING_CASH: i128 = 20_000;

/// An order with everything that happened to it.
#[derive(Clone, Debug)]
pub(crate) struct NaiveOrder {
    /// As it was placed.
    pub(crate) placed: PlaceOrder,
    /// Its id.
    pub(crate) id: OrderId,
    /// Price and quantity of its fills.
    pub(crate) fills: Vec<(i64, i64)>,
    /// Whether it waits in the book.
    pub(crate) open: bool,
}

impl NaiveOrder {
    fn remaining(&self) -> i64 {
        self.placed.quantity.0 - self.fills.iter().map(|fill| fill.1).sum::<i64>()
    }
}

/// The reference: every order ever, in the sequence in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    /// Every accepted order.
    pub(crate) orders: Vec<NaiveOrder>,
    last_price: Option<i64>,
}

impl Naive {
    /// What the command does; the state is changed unless it is refused.
    pub(crate) fn execute(&mut self, command: &Command, at: Timestamp) -> Result<Vec<Event>, Reject> {
        match command {
            Command::Place(order) => {
                let mut after = self.clone();
                let events = after.place(order, at, self)?;
                *self = after;
                Ok(events)
            }
            Command::Cancel { account, order_id } => {
                let found = self.orders.iter().find(|order| order.id == *order_id && order.placed.account == *account);
                let order = found.ok_or(Reject::UnknownOrder { order_id: *order_id })?;
                if !order.open {
                    let status = if order.remaining() == 0 { "filled" } else { "cancelled" };
                    return Err(Reject::NotOpen { order_id: *order_id, status });
                }
                Ok(vec![self.cancel(*order_id, CancelReason::Requested, at)])
            }
            Command::CancelAll { account } => {
                let mine = |order: &&NaiveOrder| order.open && order.placed.account == *account;
                let ids: Vec<_> = self.orders.iter().filter(mine).map(|order| order.id).collect();
                Ok(ids.into_iter().map(|id| self.cancel(id, CancelReason::Requested, at)).collect())
            }
        }
    }

    fn place(&mut self, order: &PlaceOrder, at: Timestamp, before: &Self) -> Result<Vec<Event>, Reject> {
        let same_name = |other: &NaiveOrder| {
            order.client_order_id.is_some()
                && other.placed.account == order.account
                && other.placed.client_order_id == order.client_order_id
        };
        if let Some(first) = self.orders.iter().find(|other| same_name(other)) {
            let placed = PlaceOrder { symbol: order.symbol.clone(), ..first.placed.clone() };
            let client_order_id = order.client_order_id.clone().unwrap().0;
            let taken = Reject::ClientOrderIdTaken { client_order_id, order_id: first.id };
            return if placed == *order { Ok(vec![]) } else { Err(taken) };
        }
        if order.quantity.0 < 1 {
            return Err(Reject::QuantityOutOfRange { min: "0.0001".to_owned(), max: "1000".to_owned() });
        }
        let opposite = order.side.opposite();
        if order.limit.is_none() && self.waiting(opposite).is_empty() {
            return Err(Reject::NoLiquidity { side: opposite });
        }
        let id = OrderId(self.orders.len() as u64 + 1);
        let mut events = vec![accepted(order, id, at)];
        self.orders.push(NaiveOrder { placed: order.clone(), id, fills: vec![], open: false });
        self.trade(order, id, at, &mut events);
        let this = self.orders.last().unwrap().clone();
        let left = this.remaining();
        if order.time_in_force == TimeInForce::Fok && left > 0 {
            let available = (order.quantity.0 - left) as f64 / 10_000.0;
            return Err(Reject::FillOrKill { available: available.to_string() });
        }
        let rests = left > 0 && order.limit.is_some() && order.time_in_force == TimeInForce::Gtc;
        before.check_band(order)?;
        before.check_exposure(&this, if rests { left } else { 0 })?;
        if rests {
            self.orders.last_mut().unwrap().open = true;
            events.push(Event::Rested { order_id: id });
        } else if left > 0 {
            events.push(self.cancel(id, CancelReason::Unfilled, at));
        }
        Ok(events)
    }

    fn trade(&mut self, order: &PlaceOrder, id: OrderId, at: Timestamp, events: &mut Vec<Event>) {
        while self.orders.last().unwrap().remaining() > 0 {
            let Some((price, maker_id)) = self.waiting(order.side.opposite()).first().copied() else {
                return;
            };
            let sign = if order.side == Side::Buy { 1 } else { -1 };
            if order.limit.is_some_and(|limit| price * sign > limit.0 * sign) {
                return;
            }
            let maker = self.orders.iter().position(|other| other.id == maker_id).unwrap();
            if self.orders[maker].placed.account == order.account {
                events.push(self.cancel(maker_id, CancelReason::SelfTradePrevention, at));
                continue;
            }
            let quantity = self.orders[maker].remaining().min(self.orders.last().unwrap().remaining());
            self.orders[maker].fills.push((price, quantity));
            self.orders[maker].open = self.orders[maker].remaining() > 0;
            self.orders.last_mut().unwrap().fills.push((price, quantity));
            self.last_price = Some(price);
            events.push(Event::Traded {
                maker_order_id: maker_id,
                taker_order_id: id,
                maker: self.orders[maker].placed.account,
                taker: order.account,
                taker_side: order.side,
                price: Ticks(price),
                quantity: Lots(quantity),
                at,
            });
        }
    }

    /// Price and id of the orders on a side, in the sequence in which they trade.
    fn waiting(&self, side: Side) -> Vec<(i64, OrderId)> {
        let open = self.orders.iter().filter(|order| order.open && order.placed.side == side);
        let mut waiting: Vec<_> = open.map(|order| (order.placed.limit.unwrap().0, order.id)).collect();
        let sign = if side == Side::Buy { -1 } else { 1 };
        waiting.sort_by_key(|(price, id)| (price * sign, id.0));
        waiting
    }

    fn cancel(&mut self, order_id: OrderId, reason: CancelReason, at: Timestamp) -> Event {
        let order = self.orders.iter_mut().find(|order| order.id == order_id).unwrap();
        order.open = false;
        Event::Cancelled { order_id, account: order.placed.account, reason, at }
    }

    /// Levels of a side, best first.
    pub(crate) fn depth(&self, side: Side) -> Vec<(Ticks, Lots)> {
        let mut levels = BTreeMap::<i64, i64>::new();
        for order in self.orders.iter().filter(|order| order.open && order.placed.side == side) {
            *levels.entry(order.placed.limit.unwrap().0).or_default() += order.remaining();
        }
        let levels = levels.into_iter().map(|(price, quantity)| (Ticks(price), Lots(quantity)));
        if side == Side::Buy { levels.rev().collect() } else { levels.collect() }
    }

    /// Cash and position of an account.
    pub(crate) fn holdings(&self, account: AccountId) -> (i128, i64) {
        let mut holdings = (OPENING_CASH, 0);
        for order in self.orders.iter().filter(|order| order.placed.account == account) {
            let sign = if order.placed.side == Side::Buy { 1 } else { -1 };
            for (price, quantity) in &order.fills {
                holdings.0 -= i128::from(price * quantity * sign);
                holdings.1 += quantity * sign;
            }
        }
        holdings
    }

    fn check_band(&self, order: &PlaceOrder) -> Result<(), Reject> {
        let (Some(last), Some(limit)) = (self.last_price, order.limit) else { return Ok(()) };
        if ROBOTS.contains(&order.account) || (9 * last <= 10 * limit.0 && 10 * limit.0 <= 11 * last) {
            return Ok(());
        }
        let [min, max, last] =
            [(9 * last + 9) / 10, 11 * last / 10, last].map(|cents| (cents as f64 / 100.0).to_string());
        Err(Reject::PriceOutsideBand { percent: 10, min, max, last })
    }

    /// `self` is the state before the order; `order` has the fills that it would get, `resting` lots would wait.
    fn check_exposure(&self, order: &NaiveOrder, resting: i64) -> Result<(), Reject> {
        let (account, side) = (order.placed.account, order.placed.side);
        if ROBOTS.contains(&account) {
            return Ok(());
        }
        let mut lots: Vec<(i64, i64)> = order.fills.clone();
        lots.push((order.placed.limit.map_or(0, |limit| limit.0), resting));
        let mine = |other: &&NaiveOrder| other.open && other.placed.account == account && other.placed.side == side;
        for other in self.orders.iter().filter(mine) {
            lots.push((other.placed.limit.unwrap().0, other.remaining()));
        }
        let quantity: i64 = lots.iter().map(|lot| lot.1).sum();
        let value: i128 = lots.iter().map(|lot| i128::from(lot.0 * lot.1)).sum();
        let (cash, position) = self.holdings(account);
        let mark = self.mark();
        let equity = (cash + i128::from(mark * position)).max(0);
        let held = if side == Side::Buy { position } else { -position };
        let exposure = match held {
            _ if held + quantity <= 0 => 0,
            0.. => i128::from(held * mark) + value,
            _ => value * i128::from(held + quantity) / i128::from(quantity),
        };
        if exposure <= equity {
            return Ok(());
        }
        Err(Reject::InsufficientBalance { required: String::new(), available: String::new() })
    }

    fn mark(&self) -> i64 {
        let [bid, ask] = [Side::Buy, Side::Sell].map(|side| self.waiting(side).first().map(|best| best.0));
        // Without a trade there is no position, so nothing is valued.
        self.last_price.map_or(0, |last| last.max(bid.unwrap_or(last)).min(ask.unwrap_or(i64::MAX)))
    }
}

fn accepted(order: &PlaceOrder, order_id: OrderId, at: Timestamp) -> Event {
    let PlaceOrder { account, side, limit, quantity, time_in_force, client_order_id, .. } = order.clone();
    let order_type = order.order_type();
    Event::Accepted { order_id, account, client_order_id, side, order_type, limit, quantity, time_in_force, at }
}

/// A command in a narrow band of prices, so that orders often meet; some are nonsense. `orders` is the number so far.
pub(crate) fn random_command(rng: &mut impl Rng, orders: u64) -> Command {
    let account = AccountId(rng.random_range(1..=4));
    match rng.random_range(0..100) {
        0 => Command::CancelAll { account },
        1..20 => Command::Cancel { account, order_id: OrderId(rng.random_range(0..=orders + 1)) },
        _ => Command::Place(PlaceOrder {
            account,
            symbol: "BTCUSD".to_owned(),
            side: if rng.random_bool(0.5) { Side::Buy } else { Side::Sell },
            limit: rng.random_bool(0.85).then(|| Ticks(rng.random_range(90..=110))),
            quantity: Lots(rng.random_range(0..=40)),
            time_in_force: match rng.random_range(0..8) {
                0 => TimeInForce::Ioc,
                1 => TimeInForce::Fok,
                _ => TimeInForce::Gtc,
            },
            client_order_id: rng.random_bool(0.2).then(|| ClientOrderId(rng.random_range(0..100).to_string())),
        }),
    }
}
