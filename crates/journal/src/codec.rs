//! Events as bytes: postcard, one after the other, about 20 bytes each.

use cwts_domain::Event;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::checksum::checksum;
use crate::error::Fault;

/// Adds an event to the bytes of its batch.
pub(crate) fn push(bytes: Vec<u8>, event: &Event) -> Result<Vec<u8>, Fault> {
    Ok(postcard::to_extend(event, bytes)?)
}

/// Every event of a batch, in sequence.
pub(crate) fn each(mut bytes: &[u8], mut told: impl FnMut(&Event)) -> Result<u64, Fault> {
    let mut count = 0;
    while !bytes.is_empty() {
        let (event, rest) = postcard::take_from_bytes(bytes)?;
        told(&event);
        bytes = rest;
        count += 1;
    }
    Ok(count)
}

pub(crate) fn state<S: Serialize>(state: &S) -> Result<Vec<u8>, Fault> {
    Ok(postcard::to_allocvec(state)?)
}

pub(crate) fn restored<S: DeserializeOwned>(bytes: &[u8]) -> Result<S, Fault> {
    Ok(postcard::from_bytes(bytes)?)
}

/// A checksum of how a state and some events are written: it changes with their layout, and then [`FORMAT`](crate::FORMAT)
/// has to grow. `None` for what cannot be written.
pub fn layout<S: Serialize>(state: &S, events: &[Event]) -> Option<u64> {
    let bytes = events.iter().try_fold(postcard::to_allocvec(state).ok()?, |bytes, event| push(bytes, event).ok())?;
    Some(checksum(0, &bytes))
}
