//! A minimal MCP client over Streamable HTTP, with the stream of server events.

use futures_util::{FutureExt as _, Stream, StreamExt as _};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::deadline::within;
use crate::http::Reply;
use crate::mcp::ToolResult;
use crate::token::{TRADE_TOKEN, bearer};
use crate::websocket::initialize_request;

const SESSION: &str = "mcp-session-id";

/// A session.
#[derive(Debug)]
pub struct HttpSession {
    client: Client,
    url: String,
    id: String,
}

impl HttpSession {
    /// Opens a session with the trade token.
    ///
    /// # Panics
    /// The server does not answer in time, or refuses.
    pub async fn connect(url: &str) -> Self {
        Self::connect_as(url, TRADE_TOKEN).await
    }

    /// Opens a session with another token than the one for trading.
    ///
    /// # Panics
    /// As for [`HttpSession::connect`].
    pub async fn connect_as(url: &str, token: &str) -> Self {
        let value = HeaderValue::from_str(&bearer(token)).expect("a header value");
        let client = Client::builder().default_headers([(AUTHORIZATION, value)].into_iter().collect()).build();
        let client = client.expect("a client");
        let answer = send(post(&client, url, &initialize_request(1))).await;
        let id = answer.headers().get(SESSION).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let session = Self { client, url: url.to_owned(), id: id.expect("a session id") };
        let server = message(answer).await;
        assert_eq!(server["result"]["serverInfo"]["name"], "cwts-ultra", "the server introduces itself: {server}");
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        send(session.post(&initialized)).await;
        session
    }

    /// Sends a request and returns the whole answer, with `result` or `error`.
    ///
    /// # Panics
    /// No answer comes in time.
    pub async fn request(&self, method: &str, params: Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 2, "method": method, "params": params });
        message(send(self.post(&request)).await).await
    }

    /// Calls a tool.
    ///
    /// # Panics
    /// The answer is an error of the protocol, or does not come in time.
    pub async fn call(&self, tool: &str, arguments: Value) -> ToolResult {
        let mut answer = self.request("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        assert!(answer["result"].is_object(), "{tool} must answer with a result: {answer}");
        ToolResult(answer["result"].take())
    }

    /// The status of the answer to a call in this session by somebody with another token.
    ///
    /// # Panics
    /// The server does not answer in time.
    pub async fn call_as(&self, token: &str, tool: &str) -> u16 {
        let params = json!({ "name": tool, "arguments": {} });
        let request = json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": params });
        let request = post(&Client::new(), &self.url, &request).header(SESSION, &self.id).bearer_auth(token);
        within("an answer over HTTP", request.send()).await.expect("the server answers").status().as_u16()
    }

    /// Opens the stream of server events.
    ///
    /// # Panics
    /// The server does not answer in time, or refuses.
    pub async fn listen(&self) -> EventStream {
        let request = self.client.get(&self.url).header(SESSION, &self.id).header("accept", "text/event-stream");
        let answer = send(request).await;
        EventStream(Box::pin(answer.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec()))))
    }

    /// Asks for a session and returns the answer, whatever it is.
    ///
    /// # Panics
    /// The server does not answer in time.
    pub async fn attempt(url: &str) -> Reply {
        let answer =
            within("an answer", post(&Client::new(), url, &initialize_request(1)).bearer_auth(TRADE_TOKEN).send())
                .await;
        let answer = answer.expect("the server answers");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = within("the body of an answer", answer.text()).await.expect("text");
        Reply { status, headers, body }
    }

    /// Ends the session.
    ///
    /// # Panics
    /// The server does not answer in time, or refuses.
    pub async fn end(self) {
        send(self.client.delete(&self.url).header(SESSION, &self.id)).await;
    }

    /// Whether the session is still there. Counts as use of it.
    ///
    /// # Panics
    /// The server does not answer in time.
    pub async fn exists(&self) -> bool {
        let request = self.post(&json!({ "jsonrpc": "2.0", "id": 3, "method": "ping" }));
        within("an answer", request.send()).await.expect("the server answers").status().is_success()
    }

    fn post(&self, body: &Value) -> RequestBuilder {
        post(&self.client, &self.url, body).header(SESSION, &self.id)
    }
}

/// The stream of server events of a session.
pub struct EventStream(std::pin::Pin<Box<dyn Stream<Item = Result<Vec<u8>, reqwest::Error>> + Send>>);

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventStream")
    }
}

impl EventStream {
    /// Whether it is open at this moment.
    pub fn is_open(&mut self) -> bool {
        loop {
            match self.0.next().now_or_never() {
                None => return true,
                Some(Some(Ok(_))) => {}
                Some(None | Some(Err(_))) => return false,
            }
        }
    }

    /// The next message on it.
    ///
    /// # Panics
    /// The stream ends before.
    pub async fn next_message(&mut self) -> Value {
        let mut text = String::new();
        loop {
            if let Some((event, rest)) = text.split_once("\n\n") {
                let data = event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
                let message = serde_json::from_str(&data.collect::<String>());
                text = rest.to_owned();
                if let Ok(message) = message {
                    return message;
                }
                continue;
            }
            let bytes = self.0.next().await.expect("the stream is open").expect("the connection is sound");
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Waits for its end; whether that was an orderly one.
    ///
    /// # Panics
    /// It does not end in time.
    pub async fn ended_in_order(&mut self) -> bool {
        let end = async {
            loop {
                match self.0.next().await {
                    None => return true,
                    Some(Ok(_)) => {}
                    Some(Err(_)) => return false,
                }
            }
        };
        within("the end of the event stream", end).await
    }
}

fn post(client: &Client, url: &str, body: &Value) -> RequestBuilder {
    client.post(url).header("accept", "application/json, text/event-stream").json(body)
}

async fn send(request: RequestBuilder) -> Response {
    let answer = within("an answer over HTTP", request.send()).await.expect("the server answers");
    assert!(answer.status().is_success(), "the server refuses: {answer:?}");
    answer
}

/// The JSON-RPC message in a body that is JSON or a stream of events.
async fn message(answer: Response) -> Value {
    let body = within("the body of an answer", answer.text()).await.expect("a whole body");
    let data = body.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).find(|data| !data.is_empty());
    let text = data.unwrap_or(&body);
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in an answer: {body}"))
}
