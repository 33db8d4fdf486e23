//! What the reference does after an event.

use cwts_domain::{CancelReason, Event, InstrumentId, Link, Lots, OrderId, Side, TimeInForce, Timestamp};

use super::INSTRUMENTS;
use super::naive::meets;
use super::orders::{Live, NaiveOrder, State};

impl Live {
    pub(crate) fn follow(&mut self, event: &Event, at: Timestamp, events: &mut Vec<Event>) {
        match *event {
            Event::Traded { maker_order_id, taker_order_id, instrument, price, quantity, .. } => {
                for id in [maker_order_id, taker_order_id] {
                    self.settle_family(id, quantity.0, at, events);
                }
                self.trigger(instrument, price.0, at, events);
                self.shed([maker_order_id, taker_order_id], instrument, at, events);
            }
            Event::Printed { print, .. } => self.trigger(print.instrument, print.price.0, at, events),
            Event::Triggered { order_id, .. } => {
                for other in self.siblings(order_id).into_iter().chain(self.entry(order_id)) {
                    self.drop_linked(other, at, events);
                }
                self.enter(order_id, at, events);
            }
            Event::Cancelled { order_id, reason, .. } => {
                for held in self.family_of(order_id, |order| order.state == State::Held) {
                    self.drop_linked(held, at, events);
                }
                if matches!(reason, CancelReason::ReduceOnly | CancelReason::Unfilled)
                    && let Some(entry) = self.entry(order_id)
                {
                    self.drop_linked(entry, at, events);
                }
            }
            Event::Modified { order_id, .. } | Event::Released { order_id, .. } => self.enter(order_id, at, events),
            _ => {}
        }
    }

    /// After an order traded: its exits grow, its sibling shrinks, an exit that is done ends its entry.
    fn settle_family(&mut self, id: OrderId, traded: i64, at: Timestamp, events: &mut Vec<Event>) {
        for exit in self.family_of(id, |order| order.is_exit() && order.is_open()) {
            if self.find(exit).unwrap().state == State::Held {
                let order = self.edit(exit);
                (order.state, order.terms.quantity) = (State::Adrift, Lots(traded));
                events.push(Event::Released { order_id: exit, quantity: Lots(traded), at });
            } else {
                self.resize_by(exit, traded, at, events);
            }
        }
        for sibling in self.siblings(id) {
            let order = self.find(sibling).unwrap();
            if !order.is_open() {
                continue;
            }
            if order.remaining() <= traded {
                self.drop_linked(sibling, at, events);
            } else {
                self.resize_by(sibling, -traded, at, events);
            }
        }
        if self.find(id).is_some_and(|order| order.state == State::Filled)
            && let Some(entry) = self.entry(id)
        {
            self.drop_linked(entry, at, events);
        }
    }

    fn resize_by(&mut self, id: OrderId, more: i64, at: Timestamp, events: &mut Vec<Event>) {
        let terms = self.find(id).unwrap().terms.clone();
        self.resize(id, Lots(terms.quantity.0 + more), terms.limit, terms.stop, at, events);
    }

    fn drop_linked(&mut self, id: OrderId, at: Timestamp, events: &mut Vec<Event>) {
        if self.open.iter().any(|order| order.id == id) {
            self.cancel(id, CancelReason::Linked, at, events);
        }
    }

    /// The orders that came with this one, in the sequence of their ids.
    fn family_of(&self, id: OrderId, wanted: impl Fn(&NaiveOrder) -> bool) -> Vec<OrderId> {
        let mut ids: Vec<_> = self
            .open
            .iter()
            .chain(&self.gone)
            .filter(|order| order.head() == Some(id) && wanted(order))
            .map(|order| order.id)
            .collect();
        ids.sort();
        ids
    }

    /// The orders of which at most one shall fill, without this one.
    fn siblings(&self, id: OrderId) -> Vec<OrderId> {
        let Some(order) = self.find(id) else { return vec![] };
        match order.link {
            Link::None => self.family_of(id, |other| !other.is_exit()),
            Link::OcoOf(head) => self.find(head).map(|head| head.id).into_iter().collect(),
            Link::TakeProfitOf(head) | Link::StopLossOf(head) => {
                self.family_of(head, |other| other.is_exit() && other.id != id)
            }
        }
    }

    fn entry(&self, id: OrderId) -> Option<OrderId> {
        let order = self.find(id).filter(|order| order.is_exit())?;
        order.head()
    }

    fn trigger(&mut self, instrument: InstrumentId, price: i64, at: Timestamp, events: &mut Vec<Event>) {
        for side in [Side::Buy, Side::Sell] {
            let hit = |order: &&NaiveOrder| reached(side, order.terms.stop.unwrap().0, price);
            let hit: Vec<_> = self.stops(instrument, side).into_iter().filter(hit).map(|order| order.id).collect();
            for order_id in hit {
                if self.find(order_id).unwrap().is_over(at) {
                    self.cancel(order_id, CancelReason::Expired, at, events);
                } else {
                    self.set_off(order_id, at, events);
                }
            }
        }
    }

    fn set_off(&mut self, order_id: OrderId, at: Timestamp, events: &mut Vec<Event>) {
        let order = self.edit(order_id);
        (order.triggered, order.state) = (true, State::Adrift);
        events.push(Event::Triggered { order_id, at });
    }

    /// Reduce-only orders of those who traded go when there is nothing left to reduce.
    fn shed(&mut self, traders: [OrderId; 2], instrument: InstrumentId, at: Timestamp, events: &mut Vec<Event>) {
        for account in traders.map(|id| self.owner_of(id, events)) {
            for side in [Side::Buy, Side::Sell] {
                if self.reducible(account, instrument, side) > 0 {
                    continue;
                }
                let mine = |order: &&NaiveOrder| {
                    (order.terms.account, order.terms.instrument, order.terms.side) == (account, instrument, side)
                        && order.terms.reduce_only
                        && order.state != State::Held
                };
                let waits = |order: &NaiveOrder| matches!(order.state, State::Waits(_));
                let idle: Vec<_> = self.open.iter().filter(mine).cloned().collect();
                if !idle.iter().any(waits) {
                    continue;
                }
                let mut ids: Vec<_> = idle.iter().map(|order| order.id).collect();
                ids.sort();
                for id in ids {
                    self.cancel(id, CancelReason::ReduceOnly, at, events);
                }
            }
        }
    }

    fn owner_of(&self, id: OrderId, events: &[Event]) -> cwts_domain::AccountId {
        let traded = events.iter().find_map(|event| match event {
            Event::Traded { maker_order_id, maker, .. } if *maker_order_id == id => Some(*maker),
            Event::Traded { taker_order_id, taker, .. } if *taker_order_id == id => Some(*taker),
            _ => None,
        });
        traded.expect("it traded")
    }

    /// An order that is nowhere triggers, waits, trades or ends.
    pub(crate) fn enter(&mut self, id: OrderId, at: Timestamp, events: &mut Vec<Event>) {
        let Some(order) = self.open.iter().find(|order| order.id == id && order.state == State::Adrift).cloned() else {
            return;
        };
        let terms = &order.terms;
        assert!(INSTRUMENTS.contains(&terms.instrument), "a known instrument");
        if order.awaits_trigger() {
            let last = self.last.get(&terms.instrument);
            if last.is_some_and(|last| reached(terms.side, terms.stop.unwrap().0, *last)) {
                return self.set_off(id, at, events);
            }
            return self.wait(id, events);
        }
        let reducible = self.reducible(terms.account, terms.instrument, terms.side);
        let most = if terms.reduce_only { reducible.min(order.remaining()) } else { order.remaining() };
        if most == 0 {
            return self.cancel(id, CancelReason::ReduceOnly, at, events);
        }
        if terms.post_only && meets(self, terms).is_some() {
            return self.cancel(id, CancelReason::PostOnly, at, events);
        }
        let (before, count) = (self.clone(), events.len());
        self.trade(id, most, at, events);
        let filled = self.find(id).unwrap().filled() - order.filled();
        if terms.time_in_force == TimeInForce::Fok && filled < order.remaining() {
            *self = before;
            events.truncate(count);
            self.cancel(id, CancelReason::Unfilled, at, events);
        } else if filled == most && most < order.remaining() {
            self.cancel(id, CancelReason::ReduceOnly, at, events);
        } else {
            self.rest(id, at, events);
        }
    }
}

fn reached(side: Side, stop: i64, price: i64) -> bool {
    if side == Side::Buy { price >= stop } else { price <= stop }
}
