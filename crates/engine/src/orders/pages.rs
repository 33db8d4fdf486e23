//! From an id to the slot of its record: tables of 256 ids each, of which only those that hold an order are kept.

use std::collections::VecDeque;

use cwts_domain::OrderId;
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Serialize, Serializer};

use super::Slot;

/// Ids per page.
const PAGE: u64 = 256;
/// In a page: no order of this id is kept.
const NONE: Slot = Slot::MAX;

/// The pages with kept orders and the newest one, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "Dense")]
pub(super) struct Pages(VecDeque<Page>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Page {
    /// Its first id, over [`PAGE`].
    number: u64,
    kept: u32,
    /// Empty while nothing of the page is kept.
    slots: Vec<Slot>,
}

/// As it is written: every page from the first on, with or without orders, and the number of the first.
type Dense = (VecDeque<(u32, Vec<Slot>)>, u64);

impl Pages {
    #[inline]
    pub(super) fn slot(&self, id: OrderId) -> Option<Slot> {
        let page = &self.0[self.find(id)?];
        page.slots.get(place(id)).copied().filter(|slot| *slot != NONE)
    }

    /// Notes the newest order.
    #[inline]
    pub(super) fn insert(&mut self, id: OrderId, slot: Slot) {
        let number = id.0 / PAGE;
        if self.0.back().is_none_or(|newest| newest.number != number || newest.slots.is_empty()) {
            self.open(number);
        }
        if let Some(newest) = self.0.back_mut() {
            newest.kept += 1;
            newest.slots[place(id)] = slot;
        }
    }

    /// Forgets an order that was noted.
    pub(super) fn remove(&mut self, id: OrderId) {
        let Some(index) = self.find(id) else { return };
        let page = &mut self.0[index];
        page.slots[place(id)] = NONE;
        page.kept -= 1;
        if page.kept == 0 {
            page.slots = Vec::new();
            // The newest stays: the next ids go there.
            if index + 1 < self.0.len() {
                self.0.remove(index);
            }
        }
    }

    /// Where the page of an id is.
    #[inline]
    fn find(&self, id: OrderId) -> Option<usize> {
        let number = id.0 / PAGE;
        let behind = self.0.back()?.number.checked_sub(number)?;
        // Most orders that are asked for are new, and no page is missing behind theirs.
        let guess = usize::try_from(behind).ok().and_then(|behind| (self.0.len() - 1).checked_sub(behind));
        match guess.filter(|guess| self.0[*guess].number == number) {
            Some(index) => Some(index),
            None => self.0.binary_search_by_key(&number, |page| page.number).ok(),
        }
    }

    #[cold]
    fn open(&mut self, number: u64) {
        self.0.pop_back_if(|newest| newest.kept == 0);
        self.0.push_back(Page { number, kept: 0, slots: vec![NONE; PAGE as usize] });
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

fn place(id: OrderId) -> usize {
    (id.0 % PAGE) as usize
}

impl From<Dense> for Pages {
    fn from((dense, first): Dense) -> Self {
        let newest = (first + dense.len() as u64).checked_sub(1);
        let pages = (first..).zip(dense).map(|(number, (kept, slots))| Page { number, kept, slots });
        Self(pages.filter(|page| page.kept > 0 || Some(page.number) == newest).collect())
    }
}

impl Serialize for Pages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Written(&self.0), self.0.front().map_or(0, |page| page.number)).serialize(serializer)
    }
}

/// Pages with the empty ones between them, which are never in memory.
struct Written<'a>(&'a VecDeque<Page>);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ends = self.0.front().zip(self.0.back()).map(|(first, last)| (first.number, last.number));
        let mut next = ends.map_or(0, |(first, _)| first);
        let length = ends.map_or(0, |(first, last)| last - first + 1);
        let mut pages = serializer.serialize_seq(usize::try_from(length).ok())?;
        for Page { number, kept, slots } in self.0 {
            while next < *number {
                pages.serialize_element(&(0_u32, [Slot::MAX; 0].as_slice()))?;
                next += 1;
            }
            pages.serialize_element(&(kept, slots))?;
            next += 1;
        }
        pages.end()
    }
}
