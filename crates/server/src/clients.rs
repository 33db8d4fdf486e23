//! Lists who asks: the clients that are neither a WebSocket nor an MCP session, which list themselves.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use cwts_domain::Service;
use cwts_runtime::{Caller, ConnectedClient, Connection, Instance, Link, NewClient, TEST_CLIENT, printable};
use rmcp::model::{ClientRequest, GetMeta as _, Implementation};
use tokio_util::sync::CancellationToken;

use crate::metered::Scope;

/// What is known of the client of a request, for the list.
pub(crate) fn new_client(
    instance: &Instance,
    (service, link): (Service, Link),
    connection: &Connection,
    caller: Option<&Caller>,
    user_agent: Option<String>,
) -> NewClient {
    NewClient {
        service,
        link,
        address: connection.peer().ip().to_canonical(),
        scope: caller.and_then(Caller::presented),
        user_agent,
        at: instance.clock().now(),
        end: CancellationToken::new(),
    }
}

/// The User-Agent of a request.
pub(crate) fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Who a request of MCP says that its client is: once, in `initialize`, or from 2026-07-28 on in `_meta` of each.
pub(crate) fn introduction(request: &ClientRequest) -> Option<Implementation> {
    match request {
        ClientRequest::InitializeRequest(hello) => Some(hello.params.client_info.clone()),
        request => request.get_meta().client_info(),
    }
}

/// Tells the person who has come.
pub(crate) fn welcome(instance: &Instance, service: Service, name: &str) {
    let port = instance.address(service).map_or(0, |address| address.port());
    let connected = format!("{} connected on {port}", shown(name));
    // A test every second would leave no room in the list for anything else.
    if name == TEST_CLIENT {
        tracing::debug!("{connected}");
    } else {
        instance.record(connected);
    }
}

/// Text of a client, fit for a log line.
pub(crate) fn shown(text: &str) -> String {
    let printable = printable(text, 60);
    if printable.is_empty() { "A client".to_owned() } else { printable }
}

/// The client of a connection: one row for as long as it lives.
pub(crate) fn of_connection(instance: &Instance, service: Service, request: &Request) -> Option<ConnectedClient> {
    let connection = request.extensions().get::<Connection>()?;
    let noted = connection.note(|| {
        let (caller, agent) = (request.extensions().get::<Caller>(), user_agent(request.headers()));
        let new = new_client(instance, (service, Link::Connection), connection, caller, agent);
        instance.connected().add(NewClient { end: connection.end(), ..new })
    });
    noted.cloned()
}

/// Counts the request, and remembers an answer that refuses it.
pub(crate) async fn note(State(scope): State<Scope>, request: Request, next: Next) -> Response {
    let Scope { service, instance, .. } = scope;
    let path = request.uri().path();
    let lists_itself = service == Service::McpWebsocket || service == Service::McpHttp && path.starts_with("/mcp");
    if lists_itself {
        return next.run(request).await;
    }
    let asked = format!("{} {path}", request.method());
    let client = of_connection(&instance, service, &request);
    let response = next.run(request).await;
    if let Some(client) = client {
        client.count();
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            client.refused(&format!("{status} for {asked}"), instance.clock().now());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_name_cannot_break_the_log() {
        assert_eq!(shown("Claude\nCode\u{1b}[31m"), "ClaudeCode[31m", "a name must stay on its line");
        assert_eq!(shown(&"x".repeat(500)).len(), 60, "a name must not fill the list");
        assert_eq!(shown(" \n"), "A client", "a nameless client is still somebody");
    }
}
