//! What a handler knows of the connection that its request came in on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::limits::{Admission, Source};

/// Ends of one connection and the signals to end it. In the extensions of every request.
///
/// The connection counts as open, and a drain waits for it, until the last clone is dropped: a handler that upgrades to
/// a WebSocket keeps a clone for as long as the WebSocket lives.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    peer: SocketAddr,
    local: SocketAddr,
    encrypted: AtomicBool,
    signals: Signals,
    _open: OpenCount,
    _tracked: TaskTrackerToken,
    _admission: Admission,
}

/// The two steps of ending what a socket serves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    /// No new requests; what is under way may end.
    pub(crate) draining: CancellationToken,
    /// The deadline has passed.
    pub(crate) aborted: CancellationToken,
}

#[derive(Debug)]
struct OpenCount(Arc<AtomicUsize>);

impl Drop for OpenCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Connection {
    pub(crate) fn new(
        peer: SocketAddr,
        local: SocketAddr,
        signals: Signals,
        open: Arc<AtomicUsize>,
        tracked: TaskTrackerToken,
        admission: Admission,
    ) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        let encrypted = AtomicBool::new(false);
        Self(Arc::new(Inner {
            peer,
            local,
            encrypted,
            signals,
            _open: OpenCount(open),
            _tracked: tracked,
            _admission: admission,
        }))
    }

    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.0.peer
    }

    /// Whom limits hold to account for the connection.
    pub fn source(&self) -> Source {
        Source::of(self.0.peer.ip())
    }

    /// The address that the client connected to.
    pub fn local(&self) -> SocketAddr {
        self.0.local
    }

    /// Whether the client speaks TLS.
    pub fn is_encrypted(&self) -> bool {
        self.0.encrypted.load(Ordering::Relaxed)
    }

    pub(crate) fn set_encrypted(&self) {
        self.0.encrypted.store(true, Ordering::Relaxed);
    }

    /// Resolves when the socket drains: finish what is under way and close (a WebSocket with code 1012).
    pub async fn draining(&self) {
        self.0.signals.draining.cancelled().await;
    }

    /// Resolves when the drain's deadline has passed: end at once.
    pub async fn aborted(&self) {
        self.0.signals.aborted.cancelled().await;
    }
}
