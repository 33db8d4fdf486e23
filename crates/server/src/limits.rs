//! What one client may take of the server, in one place.

use std::time::Duration;

use cwts_runtime::ConnectionLimits;

/// Largest message of an MCP client in bytes, over both transports.
pub(crate) const MAX_MESSAGE: usize = 1 << 20;

/// Limits of the four services. The defaults keep a runaway or hostile client from starving the others, and are far above
/// what trading clients need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections, and how slow they may be.
    pub connections: ConnectionLimits,
    /// HTTP requests, those that open a WebSocket included.
    pub requests: RequestLimits,
    /// The whole body of a request must have come within this time.
    pub body: Duration,
    /// Sessions of MCP over HTTP.
    pub sessions: SessionLimits,
    /// WebSockets.
    pub websocket: WebSocketLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: ConnectionLimits::default(),
            requests: RequestLimits::default(),
            body: Duration::from_secs(30),
            sessions: SessionLimits::default(),
            websocket: WebSocketLimits::default(),
        }
    }
}

/// How many MCP sessions over HTTP there may be. Each takes about 60 KB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Of all clients together.
    pub total: usize,
    /// Of one source.
    pub per_source: usize,
    /// A session that has no request and no stream of server events open ends after this time.
    pub idle: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { total: 512, per_source: 384, idle: Duration::from_secs(30 * 60) }
    }
}

/// How long a WebSocket may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocketLimits {
    /// The MCP session must be initialized within this time.
    pub handshake: Duration,
    /// A client from which nothing came for so long is sent a ping.
    pub ping: Duration,
    /// A client from which nothing came for so long, not even a pong, is gone.
    pub silence: Duration,
}

impl Default for WebSocketLimits {
    fn default() -> Self {
        Self { handshake: Duration::from_secs(30), ping: Duration::from_secs(20), silence: Duration::from_secs(60) }
    }
}

/// How many HTTP requests a source may send to one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// In the long run.
    pub per_second: u32,
    /// At once, after a pause.
    pub burst: u32,
}

impl Default for RequestLimits {
    /// More than one client reaches that waits for its answers.
    fn default() -> Self {
        Self { per_second: 10_000, burst: 20_000 }
    }
}

impl RequestLimits {
    /// The time that one request costs.
    pub(crate) fn interval(self) -> Duration {
        Duration::from_secs(1) / self.per_second.max(1)
    }
}
