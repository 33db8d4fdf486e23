//! The trail of what touches the safety of an instance: credentials, exposure, firewall, settings, strangers. One file
//! for each instance, only ever appended to, that holds no secret.
//!
//! A program that is no instance appends with [`Trail`]; an instance hands its entries to a task of its own
//! ([`writer`]), so that nobody who trades or administers ever waits for the disk.

mod entry;
mod instance;
mod tally;
mod trail;
mod writer;

pub(crate) use entry::Reach;
pub use entry::{Action, Actor, AuditEntry, AuditRecord};
pub(crate) use tally::Tally;
pub use trail::{AuditPage, Trail};
pub(crate) use writer::Audit;
