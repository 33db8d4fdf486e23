//! What one client may take of the server, in one place.

use std::time::Duration;

use cwts_runtime::ConnectionLimits;

/// Limits of the four services. The defaults keep a runaway or hostile client from starving the others, and are far above
/// what trading clients need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Connections, and how slow they may be.
    pub connections: ConnectionLimits,
    /// HTTP requests, those that open a WebSocket included.
    pub requests: RequestLimits,
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
