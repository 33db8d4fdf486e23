//! Is a port free on the address that will be bound, and who holds it.
//!
//! [`availability`] asks the kernel by binding, as a server would, and looks the holder up. [`system_table`] lists every
//! listening socket, and a [`Watcher`] keeps such a list up to date cheaply. All of it blocks for milliseconds, with
//! thousands of sockets for a tenth of a second; a caller on an async runtime uses a blocking task.
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
mod unit;
mod watcher;
mod well_known;

pub use alternative::next_free;
pub use availability::{Availability, DenyReason, availability};
pub use error::PortsError;
pub use lookup::{holder, stoppable_unit};
pub use table::system_table;
pub use types::{Holder, ListenerRow, Protocol};
pub use unit::{Manager, Unit};
pub use watcher::Watcher;
