//! Is a port free on the address that will be bound, and who holds it.
//!
//! [`availability`] asks the kernel by binding, as a server would, and looks the holder up; [`occupant`] tells all that is
//! known of it. [`system_table`] lists every listening socket, and a [`Watcher`] keeps such a list up to date cheaply. All
//! of it blocks for milliseconds, with thousands of sockets for a tenth of a second; a caller on an async runtime uses a
//! blocking task.
//!
//! [`end_listener`] and [`stop_unit`] free a port, when a person asks for it.
//!
//! Keeps no socket open, ends nothing by itself, and knows no configuration.

mod availability;
mod end;
mod error;
#[cfg(test)]
mod fixture;
mod identity;
mod lookup;
pub mod loopback;
mod occupant;
mod owner;
mod sockets;
mod systemd;
mod table;
mod types;
mod unit;
mod watcher;
mod well_known;

pub use availability::{Availability, DenyReason, availability, enforcing, is_bindable};
pub use end::{EndError, Ended, Ending, end_listener, protected};
pub use error::PortsError;
pub use identity::CwtsInstance;
pub use lookup::{accept_queue, holder, is_listener_of, shadow_of};
pub use occupant::{Clients, Occupant, occupant};
pub use systemd::{StopError, resolve_unit, stop_unit};
pub use table::{changes, system_table};
pub use types::{Holder, ListenerRow, Protocol};
pub use unit::{Manager, Unit};
pub use watcher::Watcher;
