//! What a client of `mcp-stdio` has said that must hold on the next connection too: how it opened its session, what it has
//! subscribed to, and what it still waits for. Knows no connection.

use serde_json::{Value, json};

const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

/// One client's session.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// `initialize`, and `notifications/initialized` once it was sent.
    hello: Vec<Line>,
    /// Subscriptions up to 2025-11-25, one for each resource.
    subscriptions: Vec<Line>,
    /// Streams of `subscriptions/listen`, from 2026-07-28 on. Each is a request without an answer for as long as it is open.
    streams: Vec<Line>,
    /// Other requests without an answer yet.
    pending: Vec<Value>,
    /// Streams that were opened again; the client was told once that they are open.
    reopened: Vec<Value>,
}

/// A message of the client.
#[derive(Debug)]
struct Line {
    text: String,
    message: Value,
}

impl Line {
    fn id(&self) -> Option<&Value> {
        self.message.get("id")
    }

    fn uri(&self) -> &Value {
        &self.message["params"]["uri"]
    }
}

impl Session {
    /// Remembers what a line of the client opens, asks or ends.
    pub(super) fn note(&mut self, line: &str) {
        let Ok(message) = serde_json::from_str::<Value>(line) else { return };
        let id = message.get("id").cloned();
        let line = Line { text: line.to_owned(), message };
        match line.message["method"].as_str() {
            Some("subscriptions/listen") if id.is_some() => return self.streams.push(line),
            Some("notifications/cancelled") => {
                let ended = &line.message["params"]["requestId"];
                self.streams.retain(|stream| stream.id() != Some(ended));
                return;
            }
            Some("initialize") => {
                self.hello = vec![line];
                self.subscriptions.clear();
            }
            Some("notifications/initialized") => self.hello.push(line),
            Some(method @ ("resources/subscribe" | "resources/unsubscribe")) => {
                self.subscriptions.retain(|other| other.uri() != line.uri());
                if method == "resources/subscribe" {
                    self.subscriptions.push(line);
                }
            }
            Some(_) => {}
            None => return,
        }
        self.pending.extend(id);
    }

    /// Notes what the server says. Whether the client is to hear it.
    pub(super) fn hears(&mut self, text: &str) -> bool {
        if let Some(id) = answer_id(text) {
            self.pending.retain(|pending| *pending != id);
            self.streams.retain(|stream| stream.id() != Some(&id));
            if is_error(text) {
                self.subscriptions.retain(|refused| refused.id() != Some(&id));
            }
            return true;
        }
        if self.reopened.is_empty() || !text.contains("notifications/subscriptions/acknowledged") {
            return true;
        }
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        let of = &message["params"]["_meta"][SUBSCRIPTION_ID];
        let repeated = self.reopened.iter().position(|id| id == of);
        repeated.map(|at| self.reopened.swap_remove(at)).is_none()
    }

    /// The requests whose answers will not come any more.
    pub(super) fn give_up(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.pending)
    }

    /// What opens the session again, each with the id of the answer to wait for.
    pub(super) fn opening(&self) -> impl Iterator<Item = (&str, Option<&Value>)> {
        self.hello.iter().chain(&self.subscriptions).map(|line| (line.text.as_str(), line.id()))
    }

    /// What opens the streams again.
    pub(super) fn streams(&self) -> impl Iterator<Item = &str> {
        self.streams.iter().map(|line| line.text.as_str())
    }

    /// Tells of each resource that it may have changed while nobody told.
    pub(super) fn restored(&mut self) -> Vec<Value> {
        self.reopened = self.streams.iter().filter_map(|stream| stream.id().cloned()).collect();
        let updated = |uri: &Value, meta: Value| {
            let mut params = json!({ "uri": uri });
            if !meta.is_null() {
                params["_meta"] = meta;
            }
            json!({ "jsonrpc": "2.0", "method": "notifications/resources/updated", "params": params })
        };
        let streamed = self.streams.iter().flat_map(|stream| {
            let uris = stream.message["params"]["notifications"]["resourceSubscriptions"].as_array();
            uris.into_iter().flatten().map(move |uri| updated(uri, json!({ SUBSCRIPTION_ID: stream.id() })))
        });
        self.subscriptions.iter().map(|line| updated(line.uri(), Value::Null)).chain(streamed).collect()
    }
}

fn is_error(answer: &str) -> bool {
    serde_json::from_str::<Value>(answer).is_ok_and(|message| message.get("error").is_some())
}

/// The id that an answer is for; `None` for a request or a notification of the server.
pub(super) fn answer_id(text: &str) -> Option<Value> {
    let message: Value = serde_json::from_str(text).ok()?;
    let is_answer = message.get("result").is_some() || message.get("error").is_some();
    message.get("id").filter(|_| is_answer).cloned()
}
