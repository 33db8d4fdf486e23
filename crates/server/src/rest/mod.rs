//! The REST control plane below `/api/v1`, with its OpenAPI document and the page that shows it.
//!
//! A room adds its routes to [`Api`], each with the words that describe it; what a route takes and answers is read off its
//! handler. Orders and market data are answered by the functions of the MCP tools: the same question has the same answer.

mod account;
mod answer;
mod api;
mod clients;
mod document;
mod events;
mod input;
mod market;
mod once;
mod orders;
mod page;
mod refusal;
mod server;
mod source;
mod trading;

use axum::Router;
use cwts_domain::Service;
use cwts_runtime::Instance;

use crate::mcp::TradingServer;
use api::Api;
pub(crate) use page::is_open;

pub(crate) fn router(instance: &Instance) -> Router {
    let (routes, document) = api().finish();
    routes.with_state(instance.clone()).merge(page::router(document))
}

fn api() -> Api {
    Api::new(once::Once::default())
        .with(orders::routes)
        .with(account::routes)
        .with(market::routes)
        .with(source::routes)
        .with(trading::routes)
        .with(events::routes)
        .with(server::routes)
        .with(clients::routes)
}

/// The functions of the tools.
fn tools(instance: Instance) -> TradingServer {
    TradingServer::new(instance, Service::McpHttp)
}

#[cfg(test)]
mod tests;
