//! Is a port free on the address that will be bound, and who holds it.
//!
//! [`availability`] asks the kernel by binding, as a server would, and looks the holder up; [`occupant`] tells all that is
//! known of it. [`system_table`] lists every listening socket, and a [`Watcher`] keeps such a list up to date cheaply. All
//! of it blocks for milliseconds, with thousands of sockets for a tenth of a second; a caller on an async runtime uses a
//! blocking task.
//!
//! Keeps no socket open, ends no process, and knows no configuration.

mod availability;
mod error;
#[cfg(test)]
mod fixture;
mod identity;
mod lookup;
mod occupant;
mod owner;
mod sockets;
mod table;
mod types;
mod unit;
mod watcher;
mod well_known;

pub use availability::{Availability, DenyReason, availability, is_bindable};
pub use error::PortsError;
pub use identity::CwtsInstance;
pub use lookup::holder;
pub use occupant::{Clients, Occupant, occupant};
pub use table::system_table;
pub use types::{Holder, ListenerRow, Protocol};
pub use unit::{Manager, Unit};
pub use watcher::Watcher;
