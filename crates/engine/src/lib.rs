//! The exchange: order books, matching, stop orders, limits, accounts. Pure, single-threaded, deterministic.
//!
//! [`decide`] reads the state and says what a command does to it, as events; [`apply`] changes the state and cannot
//! fail; [`Exchange::execute`] does both and whatever follows from it. Time is an input, the sequence number counts the
//! events: the same events on the same opening state give an equal [`Exchange`] on every machine. Absent by design: I/O,
//! a clock, threads, floating point in any decision.

mod account;
mod apply;
mod audit;
mod book;
mod decide;
mod exchange;
#[cfg(test)]
mod fixture;
mod fnv;
mod market;
mod matching;
mod modify;
mod order;
mod orders;
mod place;
mod position;
mod preview;
mod price_band;
mod react;
mod risk;
mod rules;

pub use account::{Account, Fill, OpeningAccount, Role};
pub use apply::apply;
pub use audit::AuditError;
pub use decide::{MAX_OPEN_ORDERS, decide};
pub use exchange::Exchange;
pub use market::{KEPT_TRADES, Market, Session, Trade};
pub use order::Order;
pub use position::Position;
pub use preview::{Preview, preview};
