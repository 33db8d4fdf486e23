//! The exchange: order book, matching, accounts. Pure, single-threaded, deterministic.
//!
//! [`decide`] reads the state and says what a command does to it, as events; [`apply`] changes the state and cannot
//! fail. Time is an input, the sequence number counts the events: the same events on the same opening state give an
//! equal [`Exchange`] on every machine. Absent by design: I/O, a clock, threads, floating point in any decision.

mod account;
mod apply;
mod audit;
mod book;
mod decide;
mod exchange;
#[cfg(test)]
mod fixture;
mod order;
mod price_band;
mod risk;
mod rules;

pub use account::{Account, Fill, OpeningAccount, Role};
pub use apply::apply;
pub use audit::AuditError;
pub use decide::{MAX_OPEN_ORDERS, decide};
pub use exchange::{Exchange, KEPT_TRADES, Session, Trade};
pub use order::Order;
pub use price_band::PRICE_BAND_PERCENT;
pub use risk::LEVERAGE;
