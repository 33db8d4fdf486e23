//! How much is ahead of the orders of clients at their prices.

use std::collections::BTreeMap;

use cwts_domain::{Lots, OrderId, Side, Ticks};

use super::{BookOrder, better};

/// What is ahead of an order at its price.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    side: Side,
    price: Ticks,
    remaining: Lots,
    /// `None` while the file has not shown its price.
    ahead: Option<Lots>,
}

/// The orders of clients in the queues of the file.
#[derive(Debug, Default)]
pub(super) struct Queue(BTreeMap<OrderId, Waiting>);

impl Queue {
    /// Looks at who waits before a step; `shown` is the best price of a side with its size, as the file has it.
    pub(super) fn look(&mut self, clients: &[BookOrder], shown: impl Fn(Side) -> Option<(Ticks, Lots)>) {
        if clients.is_empty() {
            return self.0.clear();
        }
        let before = std::mem::take(&mut self.0);
        for order in clients {
            let kept = before.get(&order.id).filter(|it| it.price == order.price && it.remaining >= order.remaining);
            let ahead = match kept {
                Some(kept) => kept.ahead,
                None => joins(order, shown(order.side)),
            };
            let waiting = Waiting { side: order.side, price: order.price, remaining: order.remaining, ahead };
            self.0.insert(order.id, waiting);
        }
    }

    /// The file shows other best prices. Whoever leaves is taken to have been behind.
    pub(super) fn shown_again(&mut self, shown: impl Fn(Side) -> Option<(Ticks, Lots)>) {
        for waiting in self.0.values_mut() {
            let Some((price, size)) = shown(waiting.side) else { continue };
            if price == waiting.price {
                waiting.ahead = Some(waiting.ahead.map_or(size, |ahead| ahead.min(size)));
            } else if better(waiting.side, waiting.price, price) {
                waiting.ahead = Some(Lots::ZERO);
            }
        }
    }

    /// So much was traded at `price` with those who waited on `side`; returns how much of it reaches these orders.
    pub(super) fn reached(&mut self, clients: &[BookOrder], side: Side, price: Ticks, traded: Lots) -> Lots {
        let (mut most, mut wanted) = (Lots::ZERO, Lots::ZERO);
        for order in clients.iter().filter(|order| order.side == side && order.price == price) {
            let Some(ahead) = self.0.get_mut(&order.id).and_then(|waiting| waiting.ahead.as_mut()) else { continue };
            if traded > *ahead {
                most = most.max(traded - *ahead);
                wanted += order.remaining;
            }
            *ahead = (*ahead - traded).max(Lots::ZERO);
        }
        most.min(wanted)
    }
}

/// What is ahead of an order that has just come.
fn joins(order: &BookOrder, shown: Option<(Ticks, Lots)>) -> Option<Lots> {
    let (price, size) = shown?;
    if price == order.price { Some(size) } else { better(order.side, order.price, price).then_some(Lots::ZERO) }
}
