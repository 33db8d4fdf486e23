//! The words that every other crate shares: money in integers, orders, commands, events, services, error codes, time.
//!
//! No I/O, no clock of its own, no async runtime. Floating point exists only in the conversions at the wire.

mod address;
mod checkpoint;
mod command;
mod event;
mod instrument;
mod money;
mod order;
mod problem;
mod reject;
mod risk;
mod service;
mod source;
mod time;

pub use address::addresses_overlap;
pub use checkpoint::{Checkpoints, Step, Unhindered};
pub use command::{Attached, Command, ModifyOrder, PlaceOrder, Print};
pub use event::{Event, Link};
pub use instrument::{ConversionError, Instrument, InstrumentId, StandingQuote};
pub use money::{Cash, Lots, Ticks};
pub use order::{
    AccountId, CancelReason, ClientOrderId, OrderId, OrderStatus, OrderType, Side, StopPrice, TimeInForce,
};
pub use problem::{ErrorCode, Problem};
pub use reject::Reject;
pub use risk::{Actor, Fees, RiskLimits, SelfTradePolicy, TradingState};
pub use service::{Group, Service, UnknownService};
pub use source::Source;
pub use time::{Clock, SystemClock, Timestamp};
