//! The durable log of an exchange: every event in its sequence, and snapshots to start from.
//!
//! What [`Journal::append`] has returned for is on the disk, whatever ends the process or the computer. [`recover`] reads
//! the newest snapshot and applies the events after it; it proves by checksums, by the sequence and by a mark beside the
//! file that nothing which was acknowledged is missing, and gives no journal to write to where something is.
//! Knows no rules of trading, no clock and no threads. Exactly one process may write to a journal; that is the business of
//! its caller.

mod checksum;
mod codec;
mod error;
mod mark;
mod recover;
mod store;

pub use codec::layout;
pub use error::JournalError;
pub use recover::{Recovered, Replay, inspect, recover};
pub use store::{FORMAT, Journal};
