//! Changes the state by one event. Decides nothing and refuses nothing: what an event says has happened.

use cwts_domain::{CancelReason, Cash, Event, Lots, OrderId, OrderStatus, Timestamp};

use crate::Exchange;
use crate::account::{Fill, Role};
use crate::book::Resting;
use crate::exchange::{KEPT_TRADES, Trade};
use crate::order::{Order, Record};

/// Changes the state by one event, which [`decide`](crate::decide()) gave for this very state. The sequence number grows
/// by one. An event about orders or accounts that this exchange does not know changes nothing else.
pub fn apply(exchange: &mut Exchange, event: &Event) {
    exchange.sequence += 1;
    match event {
        Event::Accepted {
            order_id,
            account,
            client_order_id,
            side,
            order_type,
            limit,
            quantity,
            time_in_force,
            at,
        } => {
            exchange.accept(Order {
                id: *order_id,
                account: *account,
                client_order_id: client_order_id.clone(),
                side: *side,
                order_type: *order_type,
                limit: *limit,
                quantity: *quantity,
                time_in_force: *time_in_force,
                status: OrderStatus::Open,
                filled_quantity: Lots::ZERO,
                filled_notional: Cash::ZERO,
                cancel_reason: None,
                accepted_at: *at,
                updated_at: *at,
            });
        }
        Event::Traded { maker_order_id, taker_order_id, taker_side, price, quantity, at, .. } => {
            let sequence = exchange.sequence;
            let trade = Trade { sequence, price: *price, quantity: *quantity, taker_side: *taker_side, at: *at };
            exchange.trade(*maker_order_id, *taker_order_id, trade);
        }
        Event::Rested { order_id } => exchange.rest(*order_id),
        Event::Cancelled { order_id, reason, at, .. } => exchange.cancel(*order_id, *reason, *at),
    }
}

impl Exchange {
    fn accept(&mut self, order: Order) {
        let Some(account) = self.accounts.get_mut(&order.account) else {
            return;
        };
        account.kept.insert(order.id);
        if let Some(name) = &order.client_order_id {
            account.by_client_id.insert(name.clone(), order.id);
        }
        self.last_order_id = order.id.0;
        self.session.orders += 1;
        self.orders.insert(order.id, Record { order, slot: None });
    }

    fn trade(&mut self, maker: OrderId, taker: OrderId, trade: Trade) {
        if !self.orders.contains_key(&maker) || !self.orders.contains_key(&taker) {
            return;
        }
        self.fill(maker, Role::Maker, &trade);
        self.fill(taker, Role::Taker, &trade);
        self.session.trades += 1;
        self.session.volume += trade.quantity;
        self.session.high = self.session.high.max(Some(trade.price));
        self.session.low = Some(self.session.low.map_or(trade.price, |low| low.min(trade.price)));
        if self.trades.len() == KEPT_TRADES {
            self.trades.pop_front();
        }
        self.trades.push_back(trade);
    }

    /// One side of a trade.
    fn fill(&mut self, order_id: OrderId, role: Role, trade: &Trade) {
        let Trade { sequence, price, quantity, at, .. } = *trade;
        let Some(Record { order, slot }) = self.orders.get_mut(&order_id) else {
            return;
        };
        let Some(account) = self.accounts.get_mut(&order.account) else {
            return;
        };
        order.fill(price, quantity, at);
        account.settle(order.side, price, quantity);
        account.keep_fill(Fill { sequence, order_id, side: order.side, price, quantity, role, at });
        if let Some(slot) = *slot {
            // A resting order trades at its own limit price, at which the total counts it.
            account.open_total_mut(order.side).add(price, -quantity);
            self.book.reduce(slot, quantity);
        }
        if order.status == OrderStatus::Filled {
            self.end(order_id);
        }
    }

    fn rest(&mut self, order_id: OrderId) {
        let Some(Record { order, slot }) = self.orders.get_mut(&order_id) else {
            return;
        };
        let (Some(account), Some(price)) = (self.accounts.get_mut(&order.account), order.limit) else {
            return;
        };
        account.open.insert(order_id);
        account.open_total_mut(order.side).add(price, order.remaining());
        *slot = Some(self.book.insert(Resting {
            order_id,
            account: order.account,
            side: order.side,
            price,
            remaining: order.remaining(),
        }));
    }

    fn cancel(&mut self, order_id: OrderId, reason: CancelReason, at: Timestamp) {
        let Some(Record { order, slot }) = self.orders.get_mut(&order_id) else {
            return;
        };
        order.cancel(reason, at);
        if let (Some(slot), Some(price)) = (*slot, order.limit) {
            self.book.remove(slot);
            if let Some(account) = self.accounts.get_mut(&order.account) {
                account.open_total_mut(order.side).add(price, -order.remaining());
            }
        }
        self.session.cancelled += 1;
        self.end(order_id);
    }

    /// Moves an order from the open ones to the history, and forgets the oldest one beyond the account's limit.
    fn end(&mut self, order_id: OrderId) {
        let Some(record) = self.orders.get_mut(&order_id) else {
            return;
        };
        record.slot = None;
        let Some(account) = self.accounts.get_mut(&record.order.account) else {
            return;
        };
        account.open.remove(&order_id);
        let Some(dropped) = account.keep_ended(order_id) else {
            return;
        };
        let name = self.orders.remove(&dropped).and_then(|record| record.order.client_order_id);
        if let Some(name) = name {
            account.by_client_id.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests;
