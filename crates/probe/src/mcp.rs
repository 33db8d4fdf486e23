//! A short MCP session: initialize, and one tool that only reads.

use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::answer::served;
use crate::http::{Answer, Link, request};
use crate::{Fault, Secret, Target};

const PATH: &str = "/mcp";
const SESSION: &str = "mcp-session-id";
const VERSION: &str = "2025-06-18";
/// Says which instance answers, and changes nothing.
const TOOL: &str = "server_info";

/// What the test calls itself.
pub const CLIENT_NAME: &str = "cwts-ultra test";

/// What the session showed.
pub(crate) struct Met {
    pub(crate) instance: Option<String>,
    pub(crate) detail: String,
}

type Failed = (Fault, String);

fn initialize() -> Value {
    let client = json!({ "name": CLIENT_NAME, "version": env!("CARGO_PKG_VERSION") });
    let params = json!({ "protocolVersion": VERSION, "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })
}

fn initialized() -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })
}

fn call() -> Value {
    json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": TOOL, "arguments": {} } })
}

/// Over a connection that has become a WebSocket.
pub(crate) async fn over_websocket(upgraded: Upgraded) -> Result<Met, Failed> {
    let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await;
    let server = ask(&mut socket, &initialize()).await?;
    send(&mut socket, &initialized()).await?;
    let answer = ask(&mut socket, &call()).await?;
    // Whoever has answered all questions may close as it likes.
    drop(socket.close(None).await);
    met(&server, &answer)
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

async fn send(socket: &mut Socket, message: &Value) -> Result<(), Failed> {
    let sent = socket.send(Message::text(message.to_string())).await;
    sent.map_err(|error| (Fault::Closed, format!("the WebSocket broke: {error}")))
}

async fn ask(socket: &mut Socket, question: &Value) -> Result<Value, Failed> {
    send(socket, question).await?;
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                let message: Value = serde_json::from_str(text.as_str())
                    .map_err(|error| (Fault::Misunderstood, format!("no JSON came: {error}")))?;
                if message["id"] == question["id"] {
                    return result(message);
                }
            }
            Some(Ok(Message::Close(frame))) => {
                let reason = frame.map(|frame| format!(" with {}", frame.code)).unwrap_or_default();
                return Err((Fault::Closed, format!("the WebSocket was closed{reason}")));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err((Fault::Closed, format!("the WebSocket broke: {error}"))),
            None => return Err((Fault::Closed, "the WebSocket ended".to_owned())),
        }
    }
}

/// Over Streamable HTTP.
pub(crate) async fn over_http(link: &mut Link, target: &Target, token: Option<&Secret>) -> Result<Met, Failed> {
    let (server, session) = post(link, target, token, None, &initialize()).await?;
    let session = session.as_deref();
    post(link, target, token, session, &initialized()).await?;
    let (answer, _) = post(link, target, token, session, &call()).await?;
    if let Some(session) = session {
        let end = request(target, Method::DELETE, PATH, token, &[(SESSION, session)], Vec::new())?;
        link.send(end).await?;
    }
    met(&result(server)?, &result(answer)?)
}

async fn post(
    link: &mut Link,
    target: &Target,
    token: Option<&Secret>,
    session: Option<&str>,
    message: &Value,
) -> Result<(Value, Option<String>), Failed> {
    let mut headers = vec![("accept", "application/json, text/event-stream"), ("content-type", "application/json")];
    headers.extend(session.map(|id| (SESSION, id)));
    let request = request(target, Method::POST, PATH, token, &headers, message.to_string().into_bytes())?;
    let answer = link.send(request).await?;
    served(target.service, &answer)?;
    let session = answer.header(SESSION).map(str::to_owned);
    Ok((if message["id"].is_null() { Value::Null } else { body(&answer)? }, session))
}

/// The message in a body that is JSON or a stream of events.
fn body(answer: &Answer) -> Result<Value, Failed> {
    let text = String::from_utf8_lossy(&answer.body);
    let is_stream = answer.header(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/event-stream"));
    let event = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).find(|it| !it.is_empty());
    let json = if is_stream { event.unwrap_or_default() } else { &text };
    serde_json::from_str(json).map_err(|error| (Fault::Misunderstood, format!("no JSON came: {error}")))
}

fn result(mut message: Value) -> Result<Value, Failed> {
    match message.get_mut("result") {
        Some(result) => Ok(result.take()),
        None => Err((Fault::Misunderstood, format!("an error came: {}", message["error"]["message"]))),
    }
}

fn met(server: &Value, answer: &Value) -> Result<Met, Failed> {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let (name, version) = (text(&server["serverInfo"]["name"]), text(&server["serverInfo"]["version"]));
    let detail = format!("MCP {}, {name} {version}; {TOOL} answered", text(&server["protocolVersion"]));
    if name != "cwts-ultra" {
        return Err((Fault::NotOurs, detail));
    }
    if answer["isError"] == true {
        return Err((Fault::Misunderstood, format!("{TOOL} failed: {}", answer["content"][0]["text"])));
    }
    Ok(Met { instance: answer["structuredContent"]["instance"].as_str().map(str::to_owned), detail })
}
