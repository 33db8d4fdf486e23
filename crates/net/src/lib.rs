//! Binds the sockets of a plan, hands them over in one step, serves HTTP on them and drains them.
//!
//! A plan is all or nothing: [`Listeners::prepare`] binds every new socket or none and touches nothing that runs,
//! [`Listeners::commit`] switches over or goes back, [`Drain::within`] ends the old connections. Sockets that the plan
//! keeps are not touched, two keys that swap addresses swap their sockets, and one that overlaps an old one, as 0.0.0.0
//! does 127.0.0.1, is bound beside it before anything stops. Does not know what a service is and reads no
//! configuration.

mod bind;
mod connection;
mod interfaces;
mod limits;
mod listeners;
mod refuse;
mod serve;
mod switch;
mod tls;

pub use bind::BindError;
pub use connection::Connection;
pub use interfaces::{InterfaceAddress, InterfaceKind, everywhere, interface_addresses};
pub use limits::ConnectionLimits;
pub use listeners::{Drain, Drained, Endpoint, Listeners, PrepareError, Prepared};
pub use switch::SwitchError;
pub use tls::TlsSwitch;
pub use tokio_rustls::rustls::ServerConfig;
