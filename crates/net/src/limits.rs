//! How many connections a listener lets in, and the count of those that are in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cwts_domain::Source;

/// What the clients of one listener may take. The defaults are far above what clients of a trading server need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Open connections of all clients together.
    pub total: usize,
    /// Open connections of one [`Source`].
    pub per_source: usize,
    /// The request head must have come within this time, also the next one of a connection that is kept open.
    pub head: Duration,
    /// Each part of a request's body must follow the one before it within this time.
    pub body: Duration,
    /// A client that takes nothing of what was sent to it for so long is cut off.
    pub stalled: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: 2048,
            per_source: 1536,
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            stalled: Duration::from_secs(60),
        }
    }
}

/// Which limit a connection met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Source,
    Listener,
}

/// Counts the open connections of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Admissions {
    limits: ConnectionLimits,
    open: Arc<Mutex<HashMap<Source, usize>>>,
}

/// A connection that is in. Counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Admission {
    source: Source,
    open: Arc<Mutex<HashMap<Source, usize>>>,
}

impl Admissions {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, open: Arc::default() }
    }

    pub(crate) fn admit(&self, source: Source) -> Result<Admission, Full> {
        let mut open = lock(&self.open);
        if open.get(&source).is_some_and(|count| *count >= self.limits.per_source) {
            return Err(Full::Source);
        }
        if open.values().sum::<usize>() >= self.limits.total {
            return Err(Full::Listener);
        }
        *open.entry(source).or_default() += 1;
        Ok(Admission { source, open: Arc::clone(&self.open) })
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.source);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of(text.parse().expect("an address"))
    }

    #[test]
    fn one_source_cannot_take_the_places_of_others() {
        let admissions = Admissions::new(ConnectionLimits { total: 3, per_source: 2, ..ConnectionLimits::default() });
        let (one, other) = (source("192.0.2.1"), source("192.0.2.2"));
        let first = admissions.admit(one).expect("the first");
        let _second = admissions.admit(one).expect("the second");
        assert_eq!(admissions.admit(one).err(), Some(Full::Source), "its share is taken");
        let _third = admissions.admit(other).expect("another source has its own share");
        assert_eq!(admissions.admit(other).err(), Some(Full::Listener), "together they have all");
        drop(first);
        admissions.admit(other).expect("whoever leaves makes room");
    }
}
