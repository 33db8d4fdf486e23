//! MCP over Streamable HTTP at `/mcp`.
//!
//! What is wrong with a message is answered as JSON-RPC, what is wrong with the request around it as problem details.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use cwts_domain::Service;
use cwts_runtime::{Caller, ConnectedClient, Connection, Instance, Link};
use futures_util::StreamExt as _;
use rmcp::ServerHandler;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, Implementation, JsonRpcRequest};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::clients;
use crate::limits::{Limits, MAX_MESSAGE};
use crate::mcp::handler::TradingServer;
use crate::mcp::message::{self, Fault, INVALID_PARAMS};
use crate::mcp::sessions::{Full, InUse, OfAnother, Place, Sessions};
use crate::problem::{ProblemDetails, retry_after};

const SESSION: &str = "mcp-session-id";
const METHODS: &str = "GET, POST, DELETE";
/// When to try again where there is no place for a session.
const RETRY: Duration = Duration::from_secs(60);
/// An error text of rmcp is shorter.
const MAX_ERROR: usize = 4096;

#[derive(Clone)]
struct Endpoint {
    instance: Instance,
    sessions: Arc<Sessions>,
    /// A request's body must have come within this time.
    body: Duration,
}

/// Answers `/mcp` with what `handler` makes of the server. Sessions live as long as the router, so they survive a move of the port.
pub(crate) fn http_router<H: ServerHandler>(
    instance: &Instance,
    limits: &Limits,
    handler: impl Fn(TradingServer) -> H + Send + Sync + 'static,
) -> Router {
    let sessions = Sessions::start(limits.sessions);
    let serving = instance.clone();
    let factory = move || Ok(handler(TradingServer::new(serving.clone(), Service::McpHttp)));
    // The guard of every port has already checked Host and Origin against the bound address.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_max_request_body_bytes(MAX_MESSAGE)
        .with_cancellation_token(sessions.cancellation_token());
    let service = StreamableHttpService::new(factory, Arc::clone(&sessions.manager), config);
    let endpoint = Endpoint { instance: instance.clone(), sessions, body: limits.body };
    // Some clients end the path with a slash.
    let router = Router::new().route_service("/mcp", service.clone()).route_service("/mcp/", service);
    router.layer(from_fn_with_state(endpoint, answer))
}

async fn answer(State(endpoint): State<Endpoint>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let connection = request.extensions().get::<Connection>().cloned();
    let caller = request.extensions().get::<Caller>().cloned();
    // The guards before this one let nobody through without both.
    let Some((connection, caller)) = connection.zip(caller) else { return next.run(request).await };
    let session = header_text(request.headers(), SESSION).map(|id| endpoint.sessions.enter(id, &caller));
    let session = match session.transpose() {
        Ok(session) => session.flatten(),
        Err(OfAnother) => return of_another().into_response(),
    };
    let (mut request, info, opening) = if method == Method::POST {
        match endpoint.post(request, &connection, &caller).await {
            Ok(accepted) => accepted,
            Err(refusal) => return *refusal,
        }
    } else {
        (request, None, None)
    };
    let client = match (&session, &opening) {
        (Some(session), _) => Some(session.client.clone()),
        (None, Some((_, client))) => Some(client.clone()),
        (None, None) => clients::of_connection(&endpoint.instance, Service::McpHttp, &request),
    };
    if let Some(client) = &client {
        client.count();
        if let Some(info) = info {
            client.introduce(&info.name, &info.version);
        }
        request.extensions_mut().insert(client.clone());
    }
    let response = in_words(&method, next.run(request).await).await;
    if let Some(client) = client.filter(|_| !response.status().is_success()) {
        client.refused(&format!("{} for {method} /mcp", response.status()), endpoint.instance.clock().now());
    }
    if let (Some((place, client)), Some(id)) = (opening, header_text(response.headers(), SESSION)) {
        place.fill(id, client);
    }
    if method == Method::DELETE {
        endpoint.sessions.forget_ended().await;
    }
    while_in_use(response, session, (method == Method::GET).then_some((connection, caller)))
}

/// A request with a message in it, who it says that its client is, and the place of the session that it opens.
type Accepted = (Request, Option<Implementation>, Option<(Place, ConnectedClient)>);

impl Endpoint {
    /// Reads the body and the message in it, and takes a place for the session that it opens.
    async fn post(
        &self,
        request: Request,
        connection: &Connection,
        caller: &Caller,
    ) -> Result<Accepted, Box<Response>> {
        let (head, body) = request.into_parts();
        let body = read_body(body, &head.headers, self.body).await.map_err(refusal)?;
        let message = message::read(&body).map_err(|fault| Box::new(fault_response(&fault)))?;
        let info = match &message {
            ClientJsonRpcMessage::Request(JsonRpcRequest { request, .. }) => clients::introduction(request),
            _ => None,
        };
        let opening = match opens_session(&message) && !head.headers.contains_key(SESSION) {
            true => {
                let reserved = self.sessions.reserve(connection.source(), caller.clone()).await;
                let place = reserved.map_err(|full| Box::new(no_place(full)))?;
                let (link, agent) = ((Service::McpHttp, Link::Session), clients::user_agent(&head.headers));
                let client = clients::new_client(&self.instance, link, connection, Some(caller), agent);
                let client = self.instance.connected().add(client);
                Some((place, client))
            }
            false => None,
        };
        Ok((Request::from_parts(head, Body::from(body)), info, opening))
    }
}

/// Whether the message opens a session.
fn opens_session(message: &ClientJsonRpcMessage) -> bool {
    matches!(
        message,
        ClientJsonRpcMessage::Request(JsonRpcRequest { request: ClientRequest::InitializeRequest(_), .. })
    )
}

async fn read_body(body: Body, headers: &HeaderMap, deadline: Duration) -> Result<Vec<u8>, ProblemDetails> {
    let announced = header_text(headers, header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_MESSAGE as u64) {
        return Err(too_large());
    }
    tokio::time::timeout(deadline, read_parts(body)).await.unwrap_or_else(|_| {
        let detail = format!("The body of the request did not come within {} s.", deadline.as_secs());
        Err(ProblemDetails::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", detail))
    })
}

async fn read_parts(body: Body) -> Result<Vec<u8>, ProblemDetails> {
    let (mut parts, mut whole) = (body.into_data_stream(), Vec::new());
    while let Some(part) = parts.next().await {
        let part = part.map_err(|error| {
            let detail = format!("The body of the request did not come whole: {error}.");
            ProblemDetails::new(StatusCode::BAD_REQUEST, "body_incomplete", detail)
        })?;
        if whole.len() + part.len() > MAX_MESSAGE {
            return Err(too_large());
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole)
}

fn too_large() -> ProblemDetails {
    let detail = format!("A message may have {} KiB.", MAX_MESSAGE >> 10);
    ProblemDetails::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

/// What is wrong with the message itself. Wrong parameters are an answer like any other; what cannot be accepted at all has
/// an HTTP error status (MCP 2025-06-18, "Sending Messages to the Server").
fn fault_response(fault: &Fault) -> Response {
    let status = if fault.code == INVALID_PARAMS { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    (status, Json(fault.to_json())).into_response()
}

fn of_another() -> ProblemDetails {
    let detail = "The session was opened with another token, or before the token was replaced. Initialize anew.";
    ProblemDetails::new(StatusCode::NOT_FOUND, "session_unknown", detail)
}

fn no_place(full: Full) -> Response {
    let (status, detail) = match full {
        Full::Source => (
            StatusCode::TOO_MANY_REQUESTS,
            "This client has too many MCP sessions open. Use one for many requests, and end each with DELETE.",
        ),
        Full::Service => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many MCP sessions are open. Try again later, or use the WebSocket, which has none.",
        ),
    };
    retry_after(ProblemDetails::new(status, "too_many_sessions", detail), RETRY)
}

/// rmcp's errors around a message are plain text: tells the same, and what to do, as problem details.
async fn in_words(method: &Method, response: Response) -> Response {
    let kind = header_text(response.headers(), header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let status = response.status();
    if status.is_success() || kind.contains("json") {
        return response;
    }
    let text = to_bytes(response.into_body(), MAX_ERROR).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut told = explained(method, status, &text).into_response();
    if status == StatusCode::METHOD_NOT_ALLOWED {
        told.headers_mut().insert(header::ALLOW, HeaderValue::from_static(METHODS));
    }
    told
}

fn explained(method: &Method, status: StatusCode, text: &str) -> ProblemDetails {
    let (code, detail) = match status {
        StatusCode::BAD_REQUEST if text.contains("Session ID") => (
            "session_missing",
            "This request belongs to no session. Send initialize first, and then the Mcp-Session-Id of its answer as a \
             header of every request.",
        ),
        StatusCode::NOT_FOUND => (
            "session_unknown",
            "This session has ended, or never was: sessions end when they are not used for long and when the server \
             stops. Send initialize without Mcp-Session-Id to open a new one.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method_not_allowed", "MCP takes POST for messages, GET for server events and DELETE to end a session.")
        }
        StatusCode::NOT_ACCEPTABLE if method == Method::GET => (
            "not_acceptable",
            "GET opens the stream of server events of an MCP session: send Accept: text/event-stream and \
             Mcp-Session-Id. Messages come by POST, and a browser has nothing to see here.",
        ),
        StatusCode::NOT_ACCEPTABLE => ("not_acceptable", "Send Accept: application/json, text/event-stream."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported_media_type", "Send Content-Type: application/json."),
        status if status.is_server_error() => {
            tracing::warn!(%status, text, "an MCP request over HTTP failed");
            ("internal", "The request failed in the server, whose log says why. A new session may help.")
        }
        _ => return ProblemDetails::new(status, "bad_request", text),
    };
    ProblemDetails::new(status, code, detail)
}

/// Keeps the session in use until a stream of events has been read to its end. The stream of server events, which would
/// outlive every deadline, ends when the socket drains or the token is replaced; its client connects anew.
fn while_in_use(response: Response, session: Option<InUse>, listening: Option<(Connection, Caller)>) -> Response {
    let kind = header_text(response.headers(), header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if !kind.starts_with("text/event-stream") {
        return response;
    }
    response.map(|body| {
        let over = Box::pin(async move {
            match listening {
                Some((connection, caller)) => tokio::select! {
                    () = connection.draining() => {}
                    () = caller.replaced() => {}
                },
                None => std::future::pending().await,
            }
        });
        Body::from_stream(body.into_data_stream().take_until(over).map(move |part| {
            let _in_use = &session;
            part
        }))
    })
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn refusal(problem: ProblemDetails) -> Box<Response> {
    Box::new(problem.into_response())
}
