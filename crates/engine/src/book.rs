//! The order book: which orders wait, at which price, in which order.
//!
//! Orders live in a slab and are linked first to last within their price level; levels live in a slab of their own, and
//! each order knows its level. So only the first order of a price and the last one to leave it change the sorted index of
//! a side, a `Vec` with the best price at its end, where books are busiest. Where else an order goes is first looked up in
//! [`Hints`], which may be wrong or empty and are part of no state.
//! Knows no money and no history, and never decides what trades. Serves for stop orders too: there the price is the one
//! that triggers, see [`Market`](crate::Market).

use std::hash::{Hash, Hasher};
use std::iter::successors;

use cwts_domain::{Lots, OrderId, Side, Ticks};
use serde::{Deserialize, Serialize};

/// Index into the slab. Valid from [`Book::insert`] until the order leaves; then it is used again.
pub(crate) type Slot = u32;
type LevelSlot = u32;

/// An order that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Resting {
    pub(crate) order_id: OrderId,
    /// Index of its account.
    pub(crate) owner: u32,
    pub(crate) side: Side,
    pub(crate) price: Ticks,
    pub(crate) remaining: Lots,
    pub(crate) reduce_only: bool,
    /// The last day on which it may trade; `None` without end.
    pub(crate) last_day: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) resting: Resting,
    pub(crate) previous: Option<Slot>,
    pub(crate) next: Option<Slot>,
    level: LevelSlot,
}

/// One price; there is no level without an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Level {
    pub(crate) first: Slot,
    pub(crate) last: Slot,
    pub(crate) quantity: Lots,
}

/// Levels by the last bits of their price: prices of a busy book lie close together, so one look finds nearly every level.
/// A level that leaves leaves the hints too; one that is not there is found without. All hints are alike, whatever they hold.
#[derive(Clone, Debug, Default)]
struct Hints([Box<[Hint]>; 2]);

/// The bits of a rank above those that lead to the hint, and its level.
type Hint = (i32, LevelSlot);

impl Hints {
    const BITS: u32 = 10;

    /// Where the hint of a rank is, and how it is told from others; `None` for a rank that has none.
    fn place(rank: Rank) -> Option<(usize, i32)> {
        let (place, rest) = (rank.0 & ((1 << Self::BITS) - 1), rank.0 >> Self::BITS);
        Some((place as usize, i32::try_from(rest).ok()?))
    }

    fn get(&self, side: Side, rank: Rank) -> Option<LevelSlot> {
        let (place, rest) = Self::place(rank)?;
        let (of, level) = *self.0[side as usize].get(place)?;
        (of == rest && level != LevelSlot::MAX).then_some(level)
    }

    fn set(&mut self, side: Side, rank: Rank, level: LevelSlot) {
        let hints = &mut self.0[side as usize];
        if hints.is_empty() {
            *hints = vec![(0, LevelSlot::MAX); 1 << Self::BITS].into();
        }
        if let Some((place, rest)) = Self::place(rank) {
            hints[place] = (rest, level);
        }
    }

    fn forget(&mut self, side: Side, rank: Rank) {
        if self.get(side, rank).is_some() {
            self.set(side, rank, LevelSlot::MAX);
        }
    }
}

impl PartialEq for Hints {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Hints {}

impl Hash for Hints {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Price so that the best of either side sorts last: the price itself for bids, its negative for asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Rank(i64);

impl Rank {
    fn of(side: Side, price: Ticks) -> Self {
        match side {
            Side::Buy => Self(price.0),
            Side::Sell => Self(-price.0),
        }
    }

    fn price(self, side: Side) -> Ticks {
        match side {
            Side::Buy => Ticks(self.0),
            Side::Sell => Ticks(-self.0),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Book {
    /// By side, the best price last.
    sides: [Vec<(Rank, LevelSlot)>; 2],
    levels: Vec<Level>,
    free_levels: Vec<LevelSlot>,
    nodes: Vec<Node>,
    free: Vec<Slot>,
    #[serde(skip)]
    hints: Hints,
}

impl Book {
    /// Price levels, best first.
    pub(crate) fn levels(&self, side: Side) -> impl Iterator<Item = (Ticks, &Level)> {
        self.sides[side as usize].iter().rev().map(move |(rank, slot)| (rank.price(side), self.level(*slot)))
    }

    /// Best price of a side.
    pub(crate) fn best(&self, side: Side) -> Option<Ticks> {
        self.sides[side as usize].last().map(|(rank, _)| rank.price(side))
    }

    /// Orders in the sequence in which they trade: best price first, then oldest first.
    pub(crate) fn queue(&self, side: Side) -> impl Iterator<Item = &Resting> {
        self.levels(side).flat_map(|(_, level)| self.chain(level)).map(|(_, node)| &node.resting)
    }

    /// Slots and nodes of one level, oldest first.
    pub(crate) fn chain(&self, level: &Level) -> impl Iterator<Item = (Slot, &Node)> {
        successors(Some(level.first), |slot| self.node(*slot).next).map(|slot| (slot, self.node(slot)))
    }

    /// Number of slots that hold an order.
    pub(crate) fn slots_in_use(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots_in_use() == 0
    }

    /// The order in a slot.
    pub(crate) fn order_at(&self, slot: Slot) -> OrderId {
        self.node(slot).resting.order_id
    }

    /// Adds an order behind all others of its price.
    pub(crate) fn insert(&mut self, resting: Resting) -> Slot {
        let rank = Rank::of(resting.side, resting.price);
        let free = self.free.pop();
        let slot = free.unwrap_or(self.nodes.len() as Slot);
        let level = self.level_of(resting.side, rank, slot);
        let Level { last, quantity, .. } = self.level_mut(level);
        *quantity += resting.remaining;
        let previous = Some(std::mem::replace(last, slot)).filter(|last| *last != slot);
        if let Some(previous) = previous {
            self.node_mut(previous).next = Some(slot);
        }
        let node = Node { resting, previous, next: None, level };
        match free {
            Some(slot) => *self.node_mut(slot) = node,
            None => self.nodes.push(node),
        }
        slot
    }

    /// The level of a price; a new one for the order in `slot` where there is none.
    fn level_of(&mut self, side: Side, rank: Rank, slot: Slot) -> LevelSlot {
        self.hints.get(side, rank).unwrap_or_else(|| self.look_up_level(side, rank, slot))
    }

    fn look_up_level(&mut self, side: Side, rank: Rank, slot: Slot) -> LevelSlot {
        let level = match self.find(side, rank) {
            Ok(index) => self.sides[side as usize][index].1,
            Err(index) => {
                let level = self.allocate_level(slot);
                self.sides[side as usize].insert(index, (rank, level));
                level
            }
        };
        self.hints.set(side, rank, level);
        level
    }

    /// Takes `quantity` off an order, and the order out of the book when nothing remains.
    pub(crate) fn reduce(&mut self, slot: Slot, quantity: Lots) {
        let node = self.node_mut(slot);
        if node.resting.remaining <= quantity {
            return self.remove(slot);
        }
        node.resting.remaining -= quantity;
        let level = node.level;
        self.level_mut(level).quantity -= quantity;
    }

    /// Takes an order out of the book. Its slot may be used again at once.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let Node { resting: Resting { side, price, remaining, .. }, previous, next, level } = *self.node(slot);
        if let Some(previous) = previous {
            self.node_mut(previous).next = next;
        }
        if let Some(next) = next {
            self.node_mut(next).previous = previous;
        }
        if previous.is_none() && next.is_none() {
            let rank = Rank::of(side, price);
            if let Ok(index) = self.find(side, rank) {
                self.sides[side as usize].remove(index);
            }
            self.hints.forget(side, rank);
            self.free_levels.push(level);
        } else {
            let level = self.level_mut(level);
            level.quantity -= remaining;
            level.first = if previous.is_none() { next.unwrap_or(level.first) } else { level.first };
            level.last = if next.is_none() { previous.unwrap_or(level.last) } else { level.last };
        }
        self.free.push(slot);
    }

    /// A level without quantity, whose only order is in `slot`.
    fn allocate_level(&mut self, slot: Slot) -> LevelSlot {
        let level = Level { first: slot, last: slot, quantity: Lots::ZERO };
        if let Some(free) = self.free_levels.pop() {
            *self.level_mut(free) = level;
            return free;
        }
        self.levels.push(level);
        (self.levels.len() - 1) as LevelSlot
    }

    fn node(&self, slot: Slot) -> &Node {
        &self.nodes[slot as usize]
    }

    fn node_mut(&mut self, slot: Slot) -> &mut Node {
        &mut self.nodes[slot as usize]
    }

    fn level(&self, slot: LevelSlot) -> &Level {
        &self.levels[slot as usize]
    }

    fn level_mut(&mut self, slot: LevelSlot) -> &mut Level {
        &mut self.levels[slot as usize]
    }

    /// Where a price is in the index of its side, or belongs.
    fn find(&self, side: Side, rank: Rank) -> Result<usize, usize> {
        let index = &self.sides[side as usize];
        match index.last() {
            // Where levels come and go most.
            Some((best, _)) if *best == rank => Ok(index.len() - 1),
            Some((best, _)) if *best < rank => Err(index.len()),
            _ => index.binary_search_by_key(&rank, |(rank, _)| *rank),
        }
    }
}

#[cfg(test)]
mod tests;
