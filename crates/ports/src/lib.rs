//! Is a port free on the address that will be bound, and who holds it.
//!
//! [`availability`] asks the kernel by binding, as a server would, and looks the holder up. [`system_table`] lists every
//! listening socket. Everything blocks for a few milliseconds at most; a caller on an async runtime uses a blocking task.
//!
//! Keeps no socket open, ends no process, and knows no configuration.

mod alternative;
mod availability;
mod error;
#[cfg(test)]
mod fixture;
mod lookup;
mod owner;
mod sockets;
mod table;
mod types;
mod well_known;

pub use alternative::next_free;
pub use availability::{Availability, DenyReason, availability};
pub use error::PortsError;
pub use lookup::holder;
pub use table::system_table;
pub use types::{Holder, ListenerRow, Protocol};
