//! Live figures per service for the panel: open connections, requests, the time of the last one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use cwts_domain::{Service, Timestamp};

/// The live figures of one service. Counting is lock-free and never blocks a request.
#[derive(Debug, Default)]
pub struct Meter {
    connections: Arc<AtomicUsize>,
    refused: Arc<AtomicU64>,
    requests: AtomicU64,
    last_nanos: AtomicI64,
}

impl Meter {
    /// Counts one request or message.
    pub fn count(&self, at: Timestamp) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.last_nanos.store(at.0, Ordering::Relaxed);
    }

    /// Requests or messages so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Open connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// The counter that the listener keeps.
    pub(crate) fn connection_counter(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.connections)
    }

    /// The counter of connections for which there was no room.
    pub(crate) fn refused_counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.refused)
    }

    /// Connections for which there was no room since this was last asked.
    pub(crate) fn take_refused(&self) -> u64 {
        self.refused.swap(0, Ordering::Relaxed)
    }

    /// Seconds since the last request; `None` before the first.
    pub(crate) fn idle_seconds(&self, now: Timestamp) -> Option<f64> {
        match self.last_nanos.load(Ordering::Relaxed) {
            0 => None,
            last => Some(now.seconds_since(Timestamp(last)).max(0.0)),
        }
    }
}

/// One [`Meter`] for each service.
#[derive(Debug, Default)]
pub(crate) struct Meters([Meter; 4]);

impl Meters {
    pub(crate) fn of(&self, service: Service) -> &Meter {
        let [websocket, http, prometheus, health] = &self.0;
        match service {
            Service::McpWebsocket => websocket,
            Service::McpHttp => http,
            Service::Prometheus => prometheus,
            Service::Health => health,
        }
    }
}
