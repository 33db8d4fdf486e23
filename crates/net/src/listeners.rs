//! The set of running sockets and the change from one plan to the next.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::bind::{BindError, bind};
use crate::limits::ConnectionLimits;
use crate::serve::{Closed, Served};

/// What answers on a socket.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Answers the requests. Each carries a [`Connection`](crate::Connection) in its extensions.
    pub router: Router,
    /// Counts the open connections.
    pub connections: Arc<AtomicUsize>,
    /// Counts the connections for which there was no room.
    pub refused: Arc<AtomicU64>,
    /// What the clients may take.
    pub limits: ConnectionLimits,
}

/// The first socket of a plan that could not be bound. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct PrepareError<K: std::fmt::Debug> {
    /// Whose socket.
    pub key: K,
    /// Why.
    pub error: BindError,
}

/// The running sockets, by key.
#[derive(Debug)]
pub struct Listeners<K> {
    endpoints: BTreeMap<K, Endpoint>,
    running: BTreeMap<K, Served>,
}

/// Sockets that are bound but serve nobody yet. Dropping it closes them.
#[derive(Debug)]
#[must_use = "dropping the prepared sockets undoes the binds"]
pub struct Prepared<K> {
    /// Keys that change, with the socket they get.
    changed: BTreeMap<K, (SocketAddr, Arc<TcpListener>)>,
    /// Keys that the plan no longer has.
    removed: Vec<K>,
}

impl<K: Copy + Ord + std::fmt::Debug> Listeners<K> {
    /// No sockets yet. A plan may use the keys of `endpoints`.
    pub fn new(endpoints: BTreeMap<K, Endpoint>) -> Self {
        Self { endpoints, running: BTreeMap::new() }
    }

    /// The address that the key is served on.
    pub fn address(&self, key: K) -> Option<SocketAddr> {
        self.running.get(&key).map(|served| served.address)
    }

    /// Binds what `plan` needs and does not have. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The first socket that cannot be bound; those bound before it are closed again, and nothing that runs was touched.
    pub fn prepare(&self, plan: &BTreeMap<K, SocketAddr>) -> Result<Prepared<K>, PrepareError<K>> {
        let mut changed = BTreeMap::new();
        for (&key, &address) in plan {
            if self.address(key) == Some(address) {
                continue;
            }
            let socket = match self.handed_over(plan, address) {
                Some(socket) => socket,
                None => bind(address).map_err(|error| PrepareError { key, error })?,
            };
            let bound = socket.local_addr().unwrap_or(address);
            changed.insert(key, (bound, socket));
        }
        let removed = self.running.keys().filter(|key| !plan.contains_key(key)).copied().collect();
        Ok(Prepared { changed, removed })
    }

    /// The socket of another key that the plan moves away from `address`.
    fn handed_over(&self, plan: &BTreeMap<K, SocketAddr>, address: SocketAddr) -> Option<Arc<TcpListener>> {
        let (key, served) = self.running.iter().find(|(_, served)| served.address == address)?;
        let leaves = plan.get(key) != Some(&address);
        leaves.then(|| Arc::clone(&served.socket))
    }

    /// Switches over: when it returns, the new sockets are served and the old ones refuse. Cannot fail. Not cancel safe:
    /// run it to its end.
    pub async fn commit(&mut self, prepared: Prepared<K>) -> Drain {
        let Prepared { changed, removed } = prepared;
        let mut closed = Vec::new();
        for key in changed.keys().chain(&removed) {
            if let Some(served) = self.running.remove(key) {
                closed.push(served.close().await);
            }
        }
        for (key, (address, socket)) in changed {
            if let Some(endpoint) = self.endpoints.get(&key) {
                self.running.insert(key, Served::start(address, socket, endpoint.clone()));
            }
        }
        Drain { closed }
    }
}

/// Sockets that accept nobody any more and whose connections are to end.
#[derive(Debug)]
#[must_use = "without a drain the old connections live on"]
pub struct Drain {
    closed: Vec<Closed>,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Connections that the deadline cut.
    pub cut: usize,
}

impl Drain {
    /// Asks every connection to end, waits for `deadline`, and cuts what is left.
    pub async fn within(self, deadline: Duration) -> Drained {
        for socket in &self.closed {
            socket.signals.draining.cancel();
        }
        let all_ended = async {
            for socket in &self.closed {
                socket.connections.wait().await;
            }
        };
        if tokio::time::timeout(deadline, all_ended).await.is_ok() {
            return Drained::default();
        }
        let cut = self.closed.iter().map(|socket| socket.connections.len()).sum();
        for socket in &self.closed {
            let left = socket.connections.len();
            if left > 0 {
                tracing::info!(address = %socket.address, left, "Connections that did not end in time are cut");
            }
            socket.signals.aborted.cancel();
        }
        Drained { cut }
    }
}
