//! MCP over Streamable HTTP at `/mcp`.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use cwts_domain::Service;
use cwts_runtime::{Connection, Instance};
use futures_util::StreamExt as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::mcp::handler::TradingServer;

/// Largest body of a request.
const MAX_BODY: usize = 1 << 20;

/// Answers `/mcp`. Sessions live as long as the router, so they survive a move of the port.
pub(crate) fn http_router(instance: &Instance) -> Router {
    let instance = instance.clone();
    let factory = move || Ok(TradingServer::new(instance.clone(), Service::McpHttp));
    // The guard of every port has already checked Host and Origin against the bound address.
    let config = StreamableHttpServerConfig::default().disable_allowed_hosts().with_max_request_body_bytes(MAX_BODY);
    let service = StreamableHttpService::new(factory, LocalSessionManager::default().into(), config);
    Router::new().nest_service("/mcp", service).layer(from_fn(end_event_stream_on_drain))
}

/// Ends the stream of server events, which would outlive every deadline, when the socket drains. The client reconnects.
async fn end_event_stream_on_drain(request: Request, next: Next) -> Response {
    let listening = request.method() == Method::GET;
    let connection = request.extensions().get::<Connection>().cloned();
    let response = next.run(request).await;
    let Some(connection) = connection.filter(|_| listening) else { return response };
    response.map(|body| {
        let draining = Box::pin(async move { connection.draining().await });
        Body::from_stream(body.into_data_stream().take_until(draining))
    })
}
