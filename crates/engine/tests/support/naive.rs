//! The reference's answer to a command.

use cwts_domain::{
    AccountId, Actor, CancelReason, Command, Event, Link, Lots, ModifyOrder, OrderId, PlaceOrder, Reject,
    SelfTradePolicy, Side, Ticks, TimeInForce, Timestamp,
};

use super::orders::{Live, NaiveOrder, State, sign};
use super::{INSTRUMENTS, OPENING_CASH, account};

/// The reference: every order ever, in the sequence in which they ended.
#[derive(Clone, Debug)]
pub(crate) struct Naive {
    pub(crate) live: Live,
    pub(crate) ended: Vec<NaiveOrder>,
}

impl Naive {
    pub(crate) fn new() -> Self {
        Self { live: Live::opening(), ended: vec![] }
    }

    /// What the command does; the state is changed unless it is refused.
    pub(crate) fn execute(&mut self, command: &Command, at: Timestamp) -> Result<Vec<Event>, Reject> {
        let mut after = self.live.clone();
        let mut events = vec![];
        self.command(&mut after, command, at, &mut events)?;
        let mut looked = 0;
        while let Some(event) = events.get(looked).cloned() {
            looked += 1;
            after.follow(&event, at, &mut events);
        }
        self.ended.append(&mut after.gone);
        self.live = after;
        if let Command::Reset { account } = command {
            self.ended.retain(|order| order.terms.account != *account);
        }
        Ok(events)
    }

    fn command(
        &self,
        after: &mut Live,
        command: &Command,
        at: Timestamp,
        events: &mut Vec<Event>,
    ) -> Result<(), Reject> {
        match command {
            Command::Place(order) => after.place(order, at, &self.live, events),
            Command::Modify(change) => {
                self.check_open(change.account, change.order_id)?;
                after.modify(change, at, &self.live, events)
            }
            Command::Cancel { account, order_id } => {
                self.check_open(*account, *order_id)?;
                after.cancel(*order_id, CancelReason::Requested, at, events);
                Ok(())
            }
            Command::CancelAll { account, instrument } => {
                let wanted = |order: &NaiveOrder| {
                    order.terms.account == *account && instrument.is_none_or(|only| only == order.terms.instrument)
                };
                after.cancel_where(wanted, CancelReason::Requested, at, events);
                Ok(())
            }
            Command::EndDay => {
                after.end_day(at, events);
                Ok(())
            }
            Command::SetTradingState { state, by } => {
                if *state < after.trading && *by != Actor::Person {
                    return Err(Reject::NeedsPerson);
                }
                if *state != after.trading {
                    events.push(Event::TradingStateSet { state: *state, by: *by, at });
                }
                after.trading = *state;
                Ok(())
            }
            Command::SetLimits { account, limits } => {
                after.limits.insert(*account, limits.clone());
                events.push(Event::LimitsSet { account: *account, limits: limits.clone() });
                Ok(())
            }
            Command::Reset { account } => {
                after.reset(*account, at, events);
                Ok(())
            }
            Command::Print(print) => {
                if print.quantity.0 < 1 {
                    return Err(Reject::QuantityOutOfRange { min: "0.0001".to_owned(), max: "1000".to_owned() });
                }
                after.last.insert(print.instrument, print.price.0);
                events.push(Event::Printed { print: *print, at });
                Ok(())
            }
        }
    }

    fn check_open(&self, account: AccountId, order_id: OrderId) -> Result<(), Reject> {
        let all = self.live.open.iter().chain(&self.ended);
        let found = all.into_iter().find(|order| order.id == order_id && order.terms.account == account);
        match found.ok_or(Reject::UnknownOrder { order_id })?.state {
            State::Filled => Err(Reject::NotOpen { order_id, status: "filled" }),
            State::Cancelled => Err(Reject::NotOpen { order_id, status: "cancelled" }),
            _ => Ok(()),
        }
    }
}

impl Live {
    fn place(
        &mut self,
        order: &PlaceOrder,
        at: Timestamp,
        before: &Self,
        events: &mut Vec<Event>,
    ) -> Result<(), Reject> {
        let name = order.client_order_id.clone().map(|name| (order.account, name));
        if let Some((first, id)) = name.as_ref().and_then(|name| self.names.get(name)) {
            let client_order_id = order.client_order_id.clone().unwrap().0;
            let taken = Reject::ClientOrderIdTaken { client_order_id, order_id: *id };
            return if first == order { Ok(()) } else { Err(taken) };
        }
        before.check_terms(order)?;
        let id = OrderId(self.orders + 1);
        for (order, link) in Self::family(order, id) {
            self.orders += 1;
            let order_id = OrderId(self.orders);
            self.open.push(NaiveOrder::new(order_id, &order, link, at));
            events.push(Event::Accepted { order_id, order, link, at });
            if matches!(link, Link::OcoOf(_)) {
                self.wait(order_id, events);
            }
        }
        if order.stop.is_none() {
            self.trade(id, order.quantity.0, at, events);
        }
        let traded = self.find(id).unwrap().fills.clone();
        before.check_limits(order, None, &traded, at)?;
        if order.stop.is_some() {
            self.enter(id, at, events);
        } else {
            self.rest(id, at, events);
        }
        if let Some(name) = name {
            self.names.insert(name, (order.clone(), id));
        }
        let (second, count) = self.rate.get(&order.account).copied().unwrap_or_default();
        let count = if second == at.second() { count + 1 } else { 1 };
        self.rate.insert(order.account, (at.second(), count));
        Ok(())
    }

    fn modify(
        &mut self,
        change: &ModifyOrder,
        at: Timestamp,
        before: &Self,
        events: &mut Vec<Event>,
    ) -> Result<(), Reject> {
        let order = before.find(change.order_id).unwrap();
        let now = &order.terms;
        before.check_change(order, change)?;
        let (quantity, limit) = (change.quantity.unwrap_or(now.quantity), change.limit.or(now.limit));
        let stop = change.stop.or(now.stop);
        if (quantity, limit, stop) == (now.quantity, now.limit, now.stop) {
            return Ok(());
        }
        if quantity.0 < 1 {
            return Err(Reject::QuantityOutOfRange { min: "0.0001".to_owned(), max: "1000".to_owned() });
        }
        if quantity.0 <= order.filled() {
            return Err(Reject::NotAboveFilled { filled: (order.filled() as f64 / 1e4).to_string() });
        }
        let smaller = quantity < now.quantity && (limit, stop) == (now.limit, now.stop);
        if smaller || order.state == State::Held {
            before.check_halt(now.account)?;
        } else {
            let left = Lots(quantity.0 - order.filled());
            let stop = stop.filter(|_| order.awaits_trigger());
            let again = PlaceOrder { quantity: left, limit, stop, client_order_id: None, ..now.clone() };
            let mut trial = self.clone();
            let trying = trial.edit(order.id);
            (trying.state, trying.terms.limit, trying.terms.quantity) = (State::Adrift, limit, quantity);
            let fills = trying.fills.len();
            if stop.is_none() {
                trial.trade(order.id, left.0, at, &mut vec![]);
            }
            let traded = trial.find(order.id).unwrap().fills[fills..].to_vec();
            before.check_limits(&again, Some(order), &traded, at)?;
        }
        self.resize(change.order_id, quantity, limit, stop, at, events);
        Ok(())
    }

    /// New terms; unless only the quantity became smaller the order loses its place.
    pub(crate) fn resize(
        &mut self,
        order_id: OrderId,
        quantity: Lots,
        limit: Option<Ticks>,
        stop: Option<Ticks>,
        at: Timestamp,
        events: &mut Vec<Event>,
    ) {
        let order = self.edit(order_id);
        let terms = &mut order.terms;
        let smaller = quantity <= terms.quantity && (limit, stop) == (terms.limit, terms.stop);
        (terms.quantity, terms.limit, terms.stop) = (quantity, limit, stop);
        if !smaller && order.state != State::Held {
            order.state = State::Adrift;
        }
        events.push(Event::Modified { order_id, quantity, limit, stop, at });
    }

    fn end_day(&mut self, at: Timestamp, events: &mut Vec<Event>) {
        if at.day() <= self.day {
            return;
        }
        self.cancel_where(|order| order.is_over(at), CancelReason::Expired, at, events);
        self.day = at.day();
        let accounts: Vec<_> = self.day_equity.keys().copied().collect();
        for account in accounts {
            self.day_equity.insert(account, self.equity(account));
        }
        events.push(Event::DayStarted { day: self.day });
    }

    fn reset(&mut self, account: AccountId, at: Timestamp, events: &mut Vec<Event>) {
        self.cancel_where(|order| order.terms.account == account, CancelReason::Reset, at, events);
        self.names.retain(|name, _| name.0 != account);
        let surplus = self.cash[&account] - OPENING_CASH;
        self.cash.insert(account, OPENING_CASH);
        *self.cash.get_mut(&AccountId::HOUSE).unwrap() += surplus;
        self.day_equity.insert(account, OPENING_CASH);
        for instrument in INSTRUMENTS {
            let held = self.positions.remove(&(account, instrument)).unwrap_or_default();
            *self.positions.entry((AccountId::HOUSE, instrument)).or_default() += held;
        }
        events.push(Event::Reset { account, at });
    }

    /// By account, and then by age.
    fn cancel_where(
        &mut self,
        wanted: impl Fn(&NaiveOrder) -> bool,
        reason: CancelReason,
        at: Timestamp,
        events: &mut Vec<Event>,
    ) {
        let mut ids: Vec<_> =
            self.open.iter().filter(|order| wanted(order)).map(|order| (order.terms.account, order.id)).collect();
        ids.sort();
        for (_, id) in ids {
            self.cancel(id, reason, at, events);
        }
    }

    pub(crate) fn cancel(&mut self, order_id: OrderId, reason: CancelReason, at: Timestamp, events: &mut Vec<Event>) {
        let account = self.edit(order_id).terms.account;
        self.end(order_id, State::Cancelled);
        events.push(Event::Cancelled { order_id, account, reason, at });
    }

    fn end(&mut self, order_id: OrderId, state: State) {
        let place = self.open.iter().position(|order| order.id == order_id).unwrap();
        let order = self.open.remove(place);
        self.gone.push(NaiveOrder { state, ..order });
    }

    pub(crate) fn wait(&mut self, order_id: OrderId, events: &mut Vec<Event>) {
        self.moment += 1;
        let moment = self.moment;
        self.edit(order_id).state = State::Waits(moment);
        events.push(Event::Rested { order_id });
    }

    /// Trades up to `most` of an order with what waits on the other side.
    pub(crate) fn trade(&mut self, id: OrderId, most: i64, at: Timestamp, events: &mut Vec<Event>) {
        let taker = self.find(id).unwrap().terms.clone();
        let mut left = most;
        while left > 0 {
            let makers = self.waiting(taker.instrument, taker.side.opposite());
            let Some(maker) = makers.first().map(|maker| (*maker).clone()) else { return };
            let price = maker.terms.limit.unwrap().0;
            if taker.limit.is_some_and(|limit| price * sign(taker.side) > limit.0 * sign(taker.side)) {
                return;
            }
            if maker.is_over(at) {
                self.cancel(maker.id, CancelReason::Expired, at, events);
                continue;
            }
            if maker.terms.account == taker.account {
                let policy = account(taker.account).self_trade;
                if policy != SelfTradePolicy::CancelIncoming {
                    self.cancel(maker.id, CancelReason::SelfTradePrevention, at, events);
                }
                if policy != SelfTradePolicy::CancelResting {
                    self.edit(id).barred = true;
                    return;
                }
                continue;
            }
            let reducible = self.reducible(maker.terms.account, taker.instrument, maker.terms.side);
            let offered = if maker.terms.reduce_only { reducible.min(maker.remaining()) } else { maker.remaining() };
            if offered > 0 {
                let quantity = offered.min(left);
                left -= quantity;
                self.exchange(&maker, id, &taker, price, quantity, at, events);
            }
            let now = self.open.iter().find(|order| order.id == maker.id);
            let idle = |maker: &NaiveOrder| {
                maker.terms.reduce_only && self.reducible(maker.terms.account, taker.instrument, maker.terms.side) == 0
            };
            if now.is_some_and(idle) {
                self.cancel(maker.id, CancelReason::ReduceOnly, at, events);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn exchange(
        &mut self,
        maker: &NaiveOrder,
        taker_id: OrderId,
        taker: &PlaceOrder,
        price: i64,
        quantity: i64,
        at: Timestamp,
        events: &mut Vec<Event>,
    ) {
        let value = price * quantity;
        let fee =
            |ppm: i64| i128::from((value * ppm).div_euclid(1_000_000) + i64::from((value * ppm) % 1_000_000 != 0));
        let fees = [fee(account(maker.terms.account).fees.maker_ppm), fee(account(taker.account).fees.taker_ppm)];
        for (id, owner, side, fee) in
            [(maker.id, maker.terms.account, maker.terms.side, fees[0]), (taker_id, taker.account, taker.side, fees[1])]
        {
            self.edit(id).fills.push((price, quantity, fee));
            *self.positions.entry((owner, taker.instrument)).or_default() += quantity * sign(side);
            *self.cash.get_mut(&owner).unwrap() -= i128::from(value * sign(side)) + fee;
            *self.cash.get_mut(&AccountId::HOUSE).unwrap() += fee;
            if self.find(id).unwrap().remaining() == 0 {
                self.end(id, State::Filled);
            }
        }
        self.last.insert(taker.instrument, price);
        let [maker_fee, taker_fee] = fees.map(cwts_domain::Cash);
        events.push(Event::Traded {
            maker_order_id: maker.id,
            taker_order_id: taker_id,
            maker: maker.terms.account,
            taker: taker.account,
            instrument: taker.instrument,
            taker_side: taker.side,
            price: Ticks(price),
            quantity: Lots(quantity),
            maker_fee,
            taker_fee,
            at,
        });
    }

    /// What is left of an order after it traded waits or ends.
    pub(crate) fn rest(&mut self, id: OrderId, at: Timestamp, events: &mut Vec<Event>) {
        let Some(order) = self.open.iter().find(|order| order.id == id) else { return };
        match order.terms.time_in_force {
            _ if order.barred => self.cancel(id, CancelReason::SelfTradePrevention, at, events),
            TimeInForce::Gtc | TimeInForce::Day if order.terms.limit.is_some() => self.wait(id, events),
            _ => self.cancel(id, CancelReason::Unfilled, at, events),
        }
    }
}

/// The best price of the side that an order would meet is within its limit.
pub(crate) fn meets(live: &Live, order: &PlaceOrder) -> Option<i64> {
    let best = live.best(order.instrument, order.side.opposite())?;
    let within = |limit: Ticks| if order.side == Side::Buy { best <= limit.0 } else { best >= limit.0 };
    order.limit.is_none_or(within).then_some(best)
}
