//! The Model Context Protocol: one handler for both transports.

mod completion;
mod direct;
mod handler;
mod http;
mod keepalive;
pub(crate) mod message;
mod page;
mod permission;
mod resources;
mod schema;
mod sessions;
mod subscriptions;
mod tools;
mod trading;
mod transport;
mod turn;
mod websocket;
mod wire;

pub(crate) use http::http_router;
pub use transport::{REPLACED, SERVICE_RESTART};
pub(crate) use websocket::websocket_router;
