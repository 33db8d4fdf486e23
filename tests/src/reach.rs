//! Which service answers on an address.

use std::net::SocketAddr;

use cwts_domain::Service;

use crate::http::get_at;
use crate::mcp::McpClient;

/// Whether that service, and no other, answers on the address.
///
/// # Panics
/// Somebody listens there and answers nothing.
pub async fn answers(service: Service, address: SocketAddr) -> bool {
    let path = match service {
        Service::McpWebsocket => {
            // Only health has its path without a token; the others ask for one, or know nothing there.
            let Ok(reply) = get_at(address, Service::Health.path()).await else { return false };
            if !matches!(reply.status, 401 | 404)
                || get_at(address, "/api/v1/status").await.is_ok_and(|reply| reply.status != 404)
            {
                return false;
            }
            McpClient::connect(&format!("ws://{address}/mcp")).await;
            return true;
        }
        Service::McpHttp => "/api/v1/status",
        Service::Prometheus | Service::Health => service.path(),
    };
    // One that asks too often or without a token is refused by the service that is there.
    get_at(address, path).await.is_ok_and(|reply| reply.status != 404)
}
