//! Changes the state by one event. Decides nothing and refuses nothing: what an event says has happened.

use cwts_domain::{
    AccountId, CancelReason, Cash, Event, InstrumentId, Link, Lots, OrderId, OrderStatus, PlaceOrder, Print, Ticks,
    Timestamp,
};

use crate::Exchange;
use crate::account::{Fill, Named, Role};
use crate::book::Resting;
use crate::market::{Market, Trade};
use crate::order::{Order, Place, Record};
use crate::orders::{List, Slot, Thread};
use crate::position::Position;

/// Changes the state by one event, which this very state gave. The sequence number grows by one. An event about orders,
/// instruments or accounts that this exchange does not know changes nothing else.
pub fn apply(exchange: &mut Exchange, event: &Event) {
    exchange.sequence += 1;
    match event {
        Event::Accepted { order_id, order: placed, link, at } => {
            let Some(owner) = exchange.account_index(placed.account) else { return };
            let account = &mut exchange.accounts[owner];
            if let Some(name) = &placed.client_order_id {
                account.by_client_id.insert(name.clone(), Named { order_id: *order_id, placed: placed.clone() });
            }
            if *link == Link::None {
                account.count_order(*at);
            }
            let (id, link, at, index) = (*order_id, *link, *at, owner as u32);
            exchange.enlist(placed, id, owner, || Record::new(Order::new(id, placed, link, at), index));
            exchange.linked += usize::from(link != Link::None || placed.attached.is_some());
        }
        Event::Traded { maker_order_id, taker_order_id, instrument, taker_side, price, quantity, at, .. } => {
            let sequence = exchange.sequence;
            let trade = Trade { sequence, price: *price, quantity: *quantity, taker_side: *taker_side, at: *at };
            exchange.trade([*maker_order_id, *taker_order_id], *instrument, trade, fees(event));
        }
        Event::Rested { order_id } => exchange.rest(*order_id),
        Event::Modified { order_id, quantity, limit, stop, at } => {
            exchange.modify(*order_id, *quantity, [*limit, *stop], *at);
        }
        Event::Triggered { order_id, at } => {
            if let Some((_, order)) = exchange.displaced(*order_id) {
                (order.triggered_at, order.updated_at) = (Some(*at), *at);
            }
        }
        Event::Released { order_id, quantity, at } => {
            if let Some((_, order)) = exchange.displaced(*order_id) {
                (order.status, order.quantity, order.updated_at) = (OrderStatus::Open, *quantity, *at);
            }
        }
        Event::Cancelled { order_id, reason, at, .. } => exchange.cancel(*order_id, *reason, *at),
        Event::DayStarted { day } => exchange.start_day(*day),
        Event::TradingStateSet { state, .. } => exchange.trading = *state,
        Event::LimitsSet { account, limits } => {
            if let Some(index) = exchange.account_index(*account) {
                exchange.accounts[index].limits = Some(limits.clone());
            }
        }
        Event::Reset { account, .. } => exchange.reset(*account),
        Event::Printed { print: Print { instrument, price, quantity, taker_side }, at } => {
            let (sequence, taker_side) = (exchange.sequence, *taker_side);
            if let Some(market) = exchange.markets.get_mut(usize::from(instrument.0)) {
                market.keep_trade(Trade { sequence, price: *price, quantity: *quantity, taker_side, at: *at });
            }
        }
    }
}

/// Of the resting and the incoming order.
fn fees(event: &Event) -> [Cash; 2] {
    match event {
        Event::Traded { maker_fee, taker_fee, .. } => [*maker_fee, *taker_fee],
        _ => [Cash::ZERO; 2],
    }
}

impl Exchange {
    /// Adds an order to the open ones of its account.
    #[inline]
    pub(crate) fn enlist(&mut self, placed: &PlaceOrder, id: OrderId, owner: usize, record: impl FnOnce() -> Record) {
        while self.accounts[owner].ended.len() > self.accounts[owner].opening.history {
            self.forget_oldest(owner);
        }
        let slot = self.orders.insert(id, record);
        let account = &mut self.accounts[owner];
        account.open.push(&mut self.orders, Thread::Open, slot);
        if account.keeps_history() {
            account.kept.push(&mut self.orders, Thread::Kept, slot);
        }
        if let Some(market) = self.markets.get_mut(usize::from(placed.instrument.0)) {
            market.session.orders += 1;
        }
    }

    fn forget_oldest(&mut self, owner: usize) {
        if let Some(slot) = self.accounts[owner].ended.pop_front().and_then(|id| self.orders.slot(id)) {
            self.forget(owner, slot);
        }
    }

    /// Forgets an order that has ended.
    fn forget(&mut self, owner: usize, slot: Slot) {
        let account = &mut self.accounts[owner];
        if account.keeps_history() {
            account.kept.remove(&mut self.orders, Thread::Kept, slot);
        }
        if let Some(name) = self.orders.remove(slot) {
            account.by_client_id.remove(&name);
        }
    }

    fn trade(&mut self, orders: [OrderId; 2], instrument: InstrumentId, trade: Trade, fees: [Cash; 2]) {
        let (Some(maker), Some(taker)) = (self.orders.slot(orders[0]), self.orders.slot(orders[1])) else { return };
        self.fill(maker, Role::Maker, &trade, fees[0]);
        self.fill(taker, Role::Taker, &trade, fees[1]);
        let earned = fees[0] + fees[1];
        if earned != Cash::ZERO {
            let house = &mut self.accounts[0];
            house.cash += earned;
            if let Some(position) = house.positions.get_mut(usize::from(instrument.0)) {
                position.realised += earned;
            }
        }
        if let Some(market) = self.markets.get_mut(usize::from(instrument.0)) {
            market.keep_trade(trade);
        }
    }

    /// One side of a trade.
    fn fill(&mut self, slot: Slot, role: Role, trade: &Trade, fee: Cash) {
        let Trade { sequence, price, quantity, at, .. } = *trade;
        let Some(record) = self.orders.at_mut(slot) else { return };
        let order = &mut record.order;
        let (order_id, instrument, side) = (order.id, order.instrument, order.side);
        let account = &mut self.accounts[record.owner as usize];
        let Some(position) = account.positions.get_mut(usize::from(instrument.0)) else { return };
        account.cash += position.settle(side, price, quantity) - fee;
        position.realised -= fee;
        position.fees += fee;
        order.fill(price, quantity, fee, at);
        if record.standing {
            order.quantity += quantity;
            order.status = OrderStatus::PartiallyFilled;
        } else if let Place::Book(place) = record.place {
            // A resting order trades at its own limit price, at which the total counts it.
            if !order.reduce_only {
                position.open_total_mut(side).add(price, -quantity);
            }
            if let Some(market) = self.markets.get_mut(usize::from(instrument.0)) {
                market.book.reduce(place, quantity);
                if order.reduce_only && order.status == OrderStatus::Filled {
                    position.reduce_only[side as usize] -= 1;
                    market.reduce_only -= 1;
                }
            }
        }
        let filled = order.status == OrderStatus::Filled;
        account.keep_fill(Fill { sequence, order_id, instrument, side, price, quantity, fee, role, at });
        if filled {
            record.place = Place::Nowhere;
            self.end(slot);
        }
    }

    /// Gives an order that waits nowhere its place.
    pub(crate) fn rest(&mut self, order_id: OrderId) {
        let Some(record) = self.orders.slot(order_id).and_then(|slot| self.orders.at_mut(slot)) else { return };
        let order = &record.order;
        let index = usize::from(order.instrument.0);
        let Some(market) = self.markets.get_mut(index) else { return };
        let resting = |side, price| Resting {
            order_id,
            owner: record.owner,
            side,
            price,
            remaining: order.remaining(),
            reduce_only: order.reduce_only,
            last_day: order.last_day(),
        };
        record.place = match (order.stop.filter(|_| order.awaits_trigger()), order.limit) {
            (Some(stop), _) => Place::Stops(market.stops.insert(resting(order.side.opposite(), stop))),
            (None, Some(limit)) => Place::Book(market.book.insert(resting(order.side, limit))),
            (None, None) => return,
        };
        count(market, &mut self.accounts[record.owner as usize].positions[index], &record.order, 1);
    }

    /// Takes an order out of its place, if it has one; the order is counted no more.
    fn unrest(&mut self, slot: Slot) {
        let Some(record) = self.orders.at_mut(slot) else { return };
        let index = usize::from(record.order.instrument.0);
        let Some(market) = self.markets.get_mut(index) else { return };
        match std::mem::take(&mut record.place) {
            Place::Nowhere => return,
            Place::Book(place) => market.book.remove(place),
            Place::Stops(place) => market.stops.remove(place),
        }
        count(market, &mut self.accounts[record.owner as usize].positions[index], &record.order, -1);
    }

    /// An open order, out of its place.
    fn displaced(&mut self, order_id: OrderId) -> Option<(Slot, &mut Order)> {
        let slot = self.orders.slot(order_id)?;
        self.unrest(slot);
        let order = self.orders.at_mut(slot).map(|record| &mut record.order).filter(|order| order.status.is_open())?;
        Some((slot, order))
    }

    fn modify(&mut self, order_id: OrderId, quantity: Lots, [limit, stop]: [Option<Ticks>; 2], at: Timestamp) {
        let Some(slot) = self.orders.slot(order_id) else { return };
        let Some(Record { order, place, owner, .. }) = self.orders.at_mut(slot) else { return };
        let less = order.quantity - quantity;
        if less < Lots::ZERO || (limit, stop) != (order.limit, order.stop) {
            self.unrest(slot);
        } else {
            let index = usize::from(order.instrument.0);
            let Some(market) = self.markets.get_mut(index) else { return };
            match *place {
                Place::Nowhere => {}
                Place::Book(place) => market.book.reduce(place, less),
                Place::Stops(place) => market.stops.reduce(place, less),
            }
            if let Some(price) = order.counted_price().filter(|_| *place != Place::Nowhere && !order.reduce_only) {
                let position = &mut self.accounts[*owner as usize].positions[index];
                position.open_total_mut(order.side).add(price, -less);
            }
        }
        if let Some(Record { order, .. }) = self.orders.at_mut(slot) {
            (order.quantity, order.limit, order.stop, order.updated_at) = (quantity, limit, stop, at);
        }
    }

    fn cancel(&mut self, order_id: OrderId, reason: CancelReason, at: Timestamp) {
        let Some((slot, order)) = self.displaced(order_id) else { return };
        order.cancel(reason, at);
        let index = usize::from(order.instrument.0);
        if let Some(market) = self.markets.get_mut(index) {
            market.session.cancelled += 1;
        }
        self.end(slot);
    }

    /// Moves an order from the open ones to the history, and forgets the oldest one beyond the account's limit. One that
    /// belongs together with others stays until the account's next order, so that all that follows from a command finds it.
    fn end(&mut self, slot: Slot) {
        let Some(Record { order, owner, .. }) = self.orders.at(slot) else { return };
        let (id, linked, owner) = (order.id, order.is_linked(), *owner as usize);
        let account = &mut self.accounts[owner];
        account.open.remove(&mut self.orders, Thread::Open, slot);
        self.linked -= usize::from(linked);
        if !linked && !account.keeps_history() {
            self.forget(owner, slot);
            return;
        }
        account.ended.push_back(id);
        let oldest = account.ended.front().filter(|_| account.ended.len() > account.opening.history);
        if oldest.and_then(|id| self.orders.get(*id)).is_some_and(|record| !record.order.is_linked()) {
            self.forget_oldest(owner);
        }
    }

    fn start_day(&mut self, day: i64) {
        self.day = day;
        for index in 0..self.accounts.len() {
            self.accounts[index].day_equity = self.equity(&self.accounts[index]);
        }
    }

    /// Its orders have ended.
    fn reset(&mut self, account: AccountId) {
        let Some(index) = self.account_index(account) else { return };
        while !self.accounts[index].ended.is_empty() {
            self.forget_oldest(index);
        }
        let account = &mut self.accounts[index];
        let flat = vec![Position::default(); account.positions.len()];
        let positions = std::mem::replace(&mut account.positions, flat);
        account.cash = account.opening.cash;
        account.day_equity = account.opening.cash;
        account.fills.clear();
        (account.open, account.kept) = (List::default(), List::default());
        let house = &mut self.accounts[0];
        for (ours, theirs) in house.positions.iter_mut().zip(&positions) {
            house.cash += ours.take_over(theirs);
        }
    }
}

/// Counts what waits of an order: `1` more, `-1` less.
fn count(market: &mut Market, position: &mut Position, order: &Order, sign: i64) {
    let side = order.side as usize;
    if order.reduce_only {
        position.reduce_only[side] = position.reduce_only[side].wrapping_add_signed(sign as i32);
        market.reduce_only = market.reduce_only.wrapping_add_signed(sign as isize);
    } else if let Some(price) = order.counted_price() {
        position.open_total_mut(order.side).add(price, Lots(order.remaining().0 * sign));
    }
}

#[cfg(test)]
mod tests;
