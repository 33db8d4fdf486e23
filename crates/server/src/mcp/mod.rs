//! The Model Context Protocol: one handler for both transports.

mod analysis;
mod completion;
mod confirmation;
mod direct;
mod error;
#[cfg(feature = "fixtures")]
pub(crate) mod fixtures;
mod handler;
mod http;
mod keepalive;
pub(crate) mod message;
mod outside;
mod page;
mod permission;
mod prompts;
mod resources;
pub(crate) mod schema;
mod sessions;
mod subscriptions;
mod tools;
mod trading;
mod transport;
mod turn;
mod websocket;
pub(crate) mod wire;

pub(crate) use handler::TradingServer;
pub(crate) use http::http_router;
pub(crate) use tools::ToolError;
pub use transport::{REPLACED, SERVICE_RESTART};
pub(crate) use websocket::websocket_router;
