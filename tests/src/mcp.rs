//! A minimal MCP client over WebSocket: initialize, list and call tools. Notifications of the server are passed over.

use serde_json::{Value, json};

use crate::websocket::{Socket, initialize_request};

/// What a tool answered.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult(pub Value);

impl ToolResult {
    /// The structured content of a success.
    ///
    /// # Panics
    /// The tool failed, or answered without structured content.
    pub fn ok(self) -> Value {
        let failed = self.0["isError"] == true;
        assert!(!failed && self.0["structuredContent"].is_object(), "a success was expected: {}", self.0);
        self.0["structuredContent"].clone()
    }

    /// The text of a failure.
    ///
    /// # Panics
    /// The tool did not fail.
    pub fn error(self) -> String {
        assert_eq!(self.0["isError"], true, "a tool error was expected: {}", self.0);
        self.0["content"][0]["text"].as_str().unwrap_or_else(|| panic!("the model reads a text: {}", self.0)).to_owned()
    }
}

/// A session.
#[derive(Debug)]
pub struct McpClient {
    socket: Socket,
    last_id: u64,
    server: Value,
}

impl McpClient {
    /// Opens a WebSocket and a session on it.
    ///
    /// # Panics
    /// The server does not answer in time, or refuses.
    pub async fn connect(url: &str) -> Self {
        Self::initialize(Socket::open(url).await).await
    }

    /// Opens a session on an open WebSocket.
    ///
    /// # Panics
    /// As for [`McpClient::connect`].
    pub async fn initialize(mut socket: Socket) -> Self {
        socket.send_text(initialize_request(1).to_string()).await;
        let server = socket.next().await["result"].take();
        assert_eq!(server["serverInfo"]["name"], "cwts-ultra", "the server introduces itself: {server}");
        socket.send_text(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()).await;
        Self { socket, last_id: 1, server }
    }

    /// The result of `initialize`.
    pub fn server(&self) -> &Value {
        &self.server
    }

    /// The WebSocket below.
    pub fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// The WebSocket, for whoever only listens from now on.
    pub fn into_socket(self) -> Socket {
        self.socket
    }

    /// Sends a request and returns the whole answer, with `result` or `error`.
    ///
    /// # Panics
    /// No answer comes in time.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let request = json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params });
        self.socket.send_text(request.to_string()).await;
        loop {
            let message = self.socket.next().await;
            if message["id"] == self.last_id {
                return message;
            }
            assert!(message.get("id").is_none(), "only notifications come in between, not {message}");
        }
    }

    /// Calls a tool.
    ///
    /// # Panics
    /// The answer is an error of the protocol, or does not come in time.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> ToolResult {
        let mut answer = self.request("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        assert!(answer["result"].is_object(), "{tool} must answer with a result: {answer}");
        ToolResult(answer["result"].take())
    }
}
