//! MCP over WebSocket at `/` and `/mcp`: one JSON-RPC message per text frame, subprotocol `mcp` when offered.

use axum::Router;
use axum::extract::ws::{WebSocketUpgrade, close_code};
use axum::extract::{Extension, State};
use axum::response::Response;
use axum::routing::any;
use cwts_domain::Service;
use cwts_runtime::{Connection, Instance};
use rmcp::ServiceExt as _;

use crate::mcp::handler::TradingServer;
use crate::mcp::transport::WebSocketTransport;

/// The subprotocol of the MCP SDKs.
pub const WEBSOCKET_SUBPROTOCOL: &str = "mcp";

/// Largest message of a client.
const MAX_MESSAGE: usize = 1 << 20;

pub(crate) fn websocket_router(instance: &Instance) -> Router {
    Router::new().route("/", any(upgrade)).route("/mcp", any(upgrade)).with_state(instance.clone())
}

async fn upgrade(
    State(instance): State<Instance>,
    Extension(connection): Extension<Connection>,
    request: WebSocketUpgrade,
) -> Response {
    let request = request.protocols([WEBSOCKET_SUBPROTOCOL]).max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    request.on_upgrade(async move |socket| {
        let transport = WebSocketTransport::new(socket, connection, instance.clone());
        let ending = transport.ending();
        let server = TradingServer::new(instance, Service::McpWebsocket);
        match server.serve(transport).await {
            Ok(running) => {
                if let Err(error) = running.waiting().await {
                    tracing::error!(%error, "an MCP session ended abnormally");
                }
                ending.close(close_code::NORMAL, "").await;
            }
            Err(error) => {
                tracing::debug!(%error, "no MCP session");
                ending.close(close_code::POLICY, "start with initialize").await;
            }
        }
    })
}
