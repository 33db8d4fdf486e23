//! MCP over Streamable HTTP at `/mcp`.

use axum::Router;
use axum::middleware::from_fn_with_state;
use cwts_domain::Service;
use cwts_runtime::Instance;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::mcp::handler::TradingServer;
use crate::mcp::sessions::{self, Sessions};

/// Largest body of a request.
const MAX_BODY: usize = 1 << 20;

/// Answers `/mcp`. Sessions live as long as the router, so they survive a move of the port.
pub(crate) fn http_router(instance: &Instance) -> Router {
    let instance = instance.clone();
    let factory = move || Ok(TradingServer::new(instance.clone(), Service::McpHttp));
    // The guard of every port has already checked Host and Origin against the bound address.
    let config = StreamableHttpServerConfig::default().disable_allowed_hosts().with_max_request_body_bytes(MAX_BODY);
    let sessions = Sessions::default();
    let service = StreamableHttpService::new(factory, sessions.manager(), config);
    Router::new().nest_service("/mcp", service).layer(from_fn_with_state(sessions, sessions::guard))
}
