//! The order book: which orders wait, at which price, in which order.
//!
//! Orders live in a slab and are linked first to last within their price level; a level holds the ends of its list and
//! its total. Adding and removing an order touches its neighbours and one level only. Knows no money and no history,
//! and never decides what trades.

use std::collections::BTreeMap;
use std::iter::successors;

use cwts_domain::{AccountId, Lots, OrderId, Side, Ticks};

/// Index into the slab. Valid from [`Book::insert`] until the order leaves; then it is used again.
pub(crate) type Slot = u32;

/// An order that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resting {
    pub(crate) order_id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) side: Side,
    pub(crate) price: Ticks,
    pub(crate) remaining: Lots,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) resting: Resting,
    pub(crate) previous: Option<Slot>,
    pub(crate) next: Option<Slot>,
}

/// One price; there is no level without an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) first: Slot,
    pub(crate) last: Slot,
    pub(crate) quantity: Lots,
}

/// Price so that the best of either side sorts first: the price itself for asks, its negative for bids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(i64);

impl Rank {
    fn of(side: Side, price: Ticks) -> Self {
        match side {
            Side::Buy => Self(-price.0),
            Side::Sell => Self(price.0),
        }
    }

    fn price(self, side: Side) -> Ticks {
        match side {
            Side::Buy => Ticks(-self.0),
            Side::Sell => Ticks(self.0),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Book {
    bids: BTreeMap<Rank, Level>,
    asks: BTreeMap<Rank, Level>,
    nodes: Vec<Node>,
    free: Vec<Slot>,
}

impl Book {
    /// Price levels, best first.
    pub(crate) fn levels(&self, side: Side) -> impl Iterator<Item = (Ticks, &Level)> {
        self.side(side).iter().map(move |(rank, level)| (rank.price(side), level))
    }

    /// Best price of a side.
    pub(crate) fn best(&self, side: Side) -> Option<Ticks> {
        self.side(side).first_key_value().map(|(rank, _)| rank.price(side))
    }

    /// Orders in the sequence in which they trade: best price first, then oldest first.
    pub(crate) fn queue(&self, side: Side) -> impl Iterator<Item = &Resting> {
        self.side(side).values().flat_map(|level| self.chain(level)).map(|(_, node)| &node.resting)
    }

    /// Slots and nodes of one level, oldest first.
    pub(crate) fn chain(&self, level: &Level) -> impl Iterator<Item = (Slot, &Node)> {
        successors(Some(level.first), |slot| self.node(*slot).next).map(|slot| (slot, self.node(slot)))
    }

    /// Number of slots that hold an order.
    pub(crate) fn slots_in_use(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// The order in a slot.
    pub(crate) fn order_at(&self, slot: Slot) -> OrderId {
        self.node(slot).resting.order_id
    }

    /// Adds an order behind all others of its price.
    pub(crate) fn insert(&mut self, resting: Resting) -> Slot {
        let (side, rank, quantity) = (resting.side, Rank::of(resting.side, resting.price), resting.remaining);
        let slot = self.allocate(Node { resting, previous: None, next: None });
        let level = self.side_mut(side).entry(rank).or_insert(Level { first: slot, last: slot, quantity: Lots::ZERO });
        level.quantity += quantity;
        let last = std::mem::replace(&mut level.last, slot);
        if last != slot {
            self.node_mut(last).next = Some(slot);
            self.node_mut(slot).previous = Some(last);
        }
        slot
    }

    /// Takes `quantity` off an order, and the order out of the book when nothing remains.
    pub(crate) fn reduce(&mut self, slot: Slot, quantity: Lots) {
        let resting = &mut self.node_mut(slot).resting;
        if resting.remaining <= quantity {
            return self.remove(slot);
        }
        resting.remaining -= quantity;
        let (side, rank) = (resting.side, Rank::of(resting.side, resting.price));
        if let Some(level) = self.side_mut(side).get_mut(&rank) {
            level.quantity -= quantity;
        }
    }

    /// Takes an order out of the book. Its slot may be used again at once.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let Node { resting, previous, next } = self.node(slot).clone();
        if let Some(previous) = previous {
            self.node_mut(previous).next = next;
        }
        if let Some(next) = next {
            self.node_mut(next).previous = previous;
        }
        let rank = Rank::of(resting.side, resting.price);
        match (previous, next) {
            (None, None) => {
                self.side_mut(resting.side).remove(&rank);
            }
            (previous, next) => {
                if let Some(level) = self.side_mut(resting.side).get_mut(&rank) {
                    level.quantity -= resting.remaining;
                    level.first = if previous.is_none() { next.unwrap_or(level.first) } else { level.first };
                    level.last = if next.is_none() { previous.unwrap_or(level.last) } else { level.last };
                }
            }
        }
        self.free.push(slot);
    }

    fn allocate(&mut self, node: Node) -> Slot {
        if let Some(slot) = self.free.pop() {
            *self.node_mut(slot) = node;
            return slot;
        }
        self.nodes.push(node);
        (self.nodes.len() - 1) as Slot
    }

    fn node(&self, slot: Slot) -> &Node {
        &self.nodes[slot as usize]
    }

    fn node_mut(&mut self, slot: Slot) -> &mut Node {
        &mut self.nodes[slot as usize]
    }

    fn side(&self, side: Side) -> &BTreeMap<Rank, Level> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeMap<Rank, Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

#[cfg(test)]
mod tests;
