//! MCP over WebSocket at `/` and `/mcp`: one JSON-RPC message per text frame, subprotocol `mcp` when offered.

use axum::Router;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocketUpgrade, close_code};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use cwts_domain::Service;
use cwts_runtime::{Caller, Connection, Instance, Link};
use rmcp::ServiceExt as _;

use crate::clients;
use crate::limits::{MAX_MESSAGE, WebSocketLimits};
use crate::mcp::handler::TradingServer;
use crate::mcp::transport::WebSocketTransport;
use crate::problem::ProblemDetails;

/// The subprotocol of the MCP SDKs.
const WEBSOCKET_SUBPROTOCOL: &str = "mcp";

/// A somewhat larger message is still read to its end, so that its sender gets the close code instead of a reset.
const MAX_FRAME: usize = 4 << 20;

/// What is read in one go. Each connection keeps it for as long as it lives; tungstenite's 128 KiB would be most of what an
/// idle client costs.
const READ_BUFFER: usize = 8 << 10;

pub(crate) fn websocket_router(instance: &Instance, limits: WebSocketLimits) -> Router {
    Router::new().route("/", any(upgrade)).route("/mcp", any(upgrade)).with_state((instance.clone(), limits))
}

async fn upgrade(
    State((instance, limits)): State<(Instance, WebSocketLimits)>,
    Extension(connection): Extension<Connection>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    request: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(request) = request else { return not_a_websocket(&instance).into_response() };
    let request = request.protocols([WEBSOCKET_SUBPROTOCOL]).read_buffer_size(READ_BUFFER);
    let request = request.max_message_size(MAX_MESSAGE).max_frame_size(MAX_FRAME);
    request.on_upgrade(async move |socket| {
        let (link, agent) = ((Service::McpWebsocket, Link::Websocket), clients::user_agent(&headers));
        let client = clients::new_client(&instance, link, &connection, Some(&caller), agent);
        let client = instance.connected().add(client);
        let server = TradingServer::new(instance, Service::McpWebsocket);
        let transport = WebSocketTransport::new(socket, connection, caller, client, server.clone(), limits);
        let ending = transport.ending();
        let Ok(served) = tokio::time::timeout(limits.handshake, server.serve(transport)).await else {
            return ending.close(close_code::POLICY, "initialize came too late").await;
        };
        match served {
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

/// Tells whoever came with plain HTTP, a browser for example, what speaks here and what speaks HTTP.
fn not_a_websocket(instance: &Instance) -> ProblemDetails {
    let url = |service| {
        let services = instance.snapshot().services;
        services.into_iter().find(|entry| entry.service == service).map(|entry| entry.url).unwrap_or_default()
    };
    let (websocket, http) = (url(Service::McpWebsocket), url(Service::McpHttp));
    let detail = format!("This port speaks MCP over WebSocket: {websocket}. MCP over HTTP is at {http}.");
    ProblemDetails::new(StatusCode::UPGRADE_REQUIRED, "websocket_only", detail)
}
