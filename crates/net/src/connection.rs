//! What a handler knows of the connection that its request came in on.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use cwts_domain::Source;
use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::limits::Admission;

/// Ends of one connection and the signals to end it. In the extensions of every request.
///
/// The connection counts as open, and a drain waits for it, until the last clone is dropped: a handler that upgrades to
/// a WebSocket keeps a clone for as long as the WebSocket lives.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Inner>);

struct Inner {
    peer: SocketAddr,
    local: SocketAddr,
    encrypted: AtomicBool,
    signals: Signals,
    note: OnceLock<Box<dyn Any + Send + Sync>>,
    _open: OpenCount,
    _tracked: TaskTrackerToken,
    _admission: Admission,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("peer", &self.peer).field("local", &self.local).finish_non_exhaustive()
    }
}

/// The two steps of ending what a socket serves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    /// No new requests; what is under way may end.
    pub(crate) draining: CancellationToken,
    /// The deadline has passed.
    pub(crate) aborted: CancellationToken,
}

impl Signals {
    /// Of one connection: they come with those of its socket, or alone.
    pub(crate) fn of_one(&self) -> Self {
        Self { draining: self.draining.child_token(), aborted: self.aborted.clone() }
    }
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
            note: OnceLock::new(),
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

    /// Cancelled to let this connection alone drain.
    pub fn end(&self) -> CancellationToken {
        self.0.signals.draining.clone()
    }

    /// What a handler noted for as long as the connection lives; `make` is called at the first time. `None` where a
    /// handler has noted something of another type.
    pub fn note<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        self.0.note.get_or_init(|| Box::new(make())).downcast_ref()
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
