//! Clients that mean harm, or are merely broken: the server stays small and serves the others.

use std::time::Duration;

use cwts_domain::Service;
use cwts_server::{Limits, RequestLimits};
use cwts_tests::{Embedded, McpClient, authorized, get, within};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpSocket;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

const REQUESTS: u64 = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_slowed_down_instead_of_filling_the_memory() {
    let embedded = Embedded::start().await;
    let url = embedded.url(Service::McpWebsocket);
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let address = ([127, 0, 0, 1], embedded.port(Service::McpWebsocket)).into();
    let stream = within("a connection", socket.connect(address)).await.expect("the server accepts");
    let (mut client, _) =
        within("a WebSocket", client_async(authorized(&url), stream)).await.expect("the server upgrades");
    let info =
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } });
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": info }).to_string();
    client.send(Message::text(initialize)).await.expect("an open socket");
    within("the answer", client.next()).await.expect("an open socket").expect("a message");
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
    client.send(Message::text(initialized)).await.expect("an open socket");

    let arguments = json!({ "symbol": "BTCUSD", "depth": 100, "include_trades": true });
    let flood = async {
        for id in 1..=REQUESTS {
            let params = json!({ "name": "get_market_data", "arguments": arguments });
            let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string();
            if client.send(Message::text(call)).await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    // A server without bounds reads all of it in this time, and answers into its memory.
    let ended = tokio::time::timeout(Duration::from_secs(6), flood).await;
    assert!(ended.is_err(), "the client is slowed down, not thrown out");
    let read = embedded.instance().metrics().websocket_messages.with_label_values(&["in"]).get();
    assert!(read < REQUESTS / 2, "what one client does not take must not be answered: {read} requests were read");

    let mut other = McpClient::connect(&url).await;
    let account = other.call("get_account", json!({})).await.ok();
    assert_eq!(account["cash"], 100_000.0, "the others are served");
}

#[tokio::test]
async fn plain_http_on_the_websocket_port_is_told_where_to_go() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpWebsocket);
    let reply = get(port, "/").await;
    assert_eq!(reply.status, 426, "a browser is not a broken client: {}", reply.body);
    for part in [embedded.url(Service::McpWebsocket), embedded.url(Service::McpHttp)] {
        assert!(reply.body.contains(&part), "the answer must name {part}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_flood_of_requests_is_answered_with_429_on_every_port() {
    let requests = RequestLimits { per_second: 1, burst: 5 };
    let embedded = Embedded::start_with(Limits { requests, ..Limits::default() }).await;
    for service in Service::ALL {
        let port = embedded.port(service);
        for number in 1..=5 {
            let reply = get(port, service.path()).await;
            assert_ne!(reply.status, 429, "request {number} on {service} is within the burst: {reply:?}");
        }
        let reply = get(port, service.path()).await;
        assert_eq!(reply.problem(429), "too_many_requests", "the sixth on {service} is not: {reply:?}");
        let wait: u64 = reply.header("retry-after").and_then(|text| text.parse().ok()).expect("RFC 6585, section 4");
        assert_eq!(wait, 1, "the client learns when there is a token: {reply:?}");
        let refused = embedded.instance().metrics().refused.with_label_values(&[service.id(), "rate"]).get();
        assert_eq!(refused, 1, "a person sees that somebody floods {service}");
    }
}
