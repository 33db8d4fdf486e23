//! Every order that is kept: found by its id in constant time, and linked into the lists of its account.
//!
//! Ids are dense, so a page of a table leads from an id to the slot of its record. A page lives as long as one of its
//! orders is kept: memory grows with the orders that are kept, not with all orders ever.

mod pages;

use cwts_domain::{ClientOrderId, OrderId};
use serde::{Deserialize, Serialize};

use self::pages::Pages;
use crate::order::Record;

/// Index into the slab. Valid until the order is forgotten; then it is used again.
pub(crate) type Slot = u32;

/// All orders that are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Orders {
    records: Vec<Option<Record>>,
    free: Vec<Slot>,
    pages: Pages,
    last_id: u64,
}

impl Orders {
    pub(crate) fn last_id(&self) -> OrderId {
        OrderId(self.last_id)
    }

    /// The id of the next order.
    pub(crate) fn next_id(&self) -> OrderId {
        OrderId(self.last_id + 1)
    }

    #[inline]
    pub(crate) fn slot(&self, id: OrderId) -> Option<Slot> {
        self.pages.slot(id)
    }

    pub(crate) fn get(&self, id: OrderId) -> Option<&Record> {
        self.at(self.slot(id)?)
    }

    pub(crate) fn at(&self, slot: Slot) -> Option<&Record> {
        self.records[slot as usize].as_ref()
    }

    pub(crate) fn at_mut(&mut self, slot: Slot) -> Option<&mut Record> {
        self.records[slot as usize].as_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().flatten()
    }

    /// Adds the order with the next id.
    #[inline]
    pub(crate) fn insert(&mut self, id: OrderId, record: impl FnOnce() -> Record) -> Slot {
        self.last_id = id.0;
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.records.push(None);
                (self.records.len() - 1) as Slot
            }
        };
        // Written where it stays, since nothing is there.
        self.records[slot as usize].get_or_insert_with(record);
        self.pages.insert(id, slot);
        slot
    }

    /// Forgets an order. It must have left the lists of its account. Returns its name.
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<ClientOrderId> {
        let record = self.records[slot as usize].as_mut()?;
        let (id, name) = (record.order.id, record.order.client_order_id.take());
        self.records[slot as usize] = None;
        self.free.push(slot);
        self.pages.remove(id);
        name
    }
}

/// A list of orders, oldest first, threaded through their records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct List {
    ends: Option<(Slot, Slot)>,
    len: u32,
}

/// An order's neighbours in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Links {
    previous: Option<Slot>,
    next: Option<Slot>,
}

/// The lists of an account that an order may be in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Thread {
    /// Open orders.
    Open,
    /// Open orders and those ended ones that are kept.
    Kept,
}

impl List {
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// Adds an order that is not in the list, at the end.
    pub(crate) fn push(&mut self, orders: &mut Orders, thread: Thread, slot: Slot) {
        let previous = self.ends.map(|(_, last)| last);
        orders.link(Some(slot), thread, |links| *links = Links { previous, next: None });
        orders.link(previous, thread, |links| links.next = Some(slot));
        self.ends = Some((self.ends.map_or(slot, |(first, _)| first), slot));
        self.len += 1;
    }

    /// Takes an order out that is in the list.
    pub(crate) fn remove(&mut self, orders: &mut Orders, thread: Thread, slot: Slot) {
        let Links { previous, next } = orders.links(slot, thread);
        orders.link(previous, thread, |links| links.next = next);
        orders.link(next, thread, |links| links.previous = previous);
        self.ends = self.ends.and_then(|(first, last)| {
            let first = if first == slot { next } else { Some(first) };
            first.zip(if last == slot { previous } else { Some(last) })
        });
        self.len -= 1;
    }

    /// The records, oldest first.
    pub(crate) fn iter<'a>(&self, orders: &'a Orders, thread: Thread) -> ListIter<'a> {
        ListIter { orders, thread, ends: self.ends, left: self.len }
    }
}

impl Orders {
    fn links(&self, slot: Slot, thread: Thread) -> Links {
        let record = self.at(slot);
        record.map(|record| record.links[thread as usize]).unwrap_or_default()
    }

    fn link(&mut self, slot: Option<Slot>, thread: Thread, change: impl FnOnce(&mut Links)) {
        if let Some(record) = slot.and_then(|slot| self.at_mut(slot)) {
            change(&mut record.links[thread as usize]);
        }
    }
}

pub(crate) struct ListIter<'a> {
    orders: &'a Orders,
    thread: Thread,
    ends: Option<(Slot, Slot)>,
    /// Bounds the walk, whatever the links say.
    left: u32,
}

impl<'a> Iterator for ListIter<'a> {
    type Item = &'a Record;

    fn next(&mut self) -> Option<&'a Record> {
        self.left = self.left.checked_sub(1)?;
        let (first, last) = self.ends?;
        let next = self.orders.links(first, self.thread).next;
        self.ends = next.map(|next| (next, last));
        self.orders.at(first)
    }
}

impl DoubleEndedIterator for ListIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (first, last) = self.ends?;
        let previous = self.orders.links(last, self.thread).previous;
        self.ends = previous.map(|previous| (first, previous));
        self.orders.at(last)
    }
}

#[cfg(test)]
mod tests;
