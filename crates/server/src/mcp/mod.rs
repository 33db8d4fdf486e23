//! The Model Context Protocol: one handler for both transports.

mod arguments;
mod handler;
mod http;
mod permission;
mod sessions;
mod tools;
mod trading;
mod transport;
mod turn;
mod websocket;
mod wire;

pub(crate) use http::http_router;
pub(crate) use websocket::websocket_router;
