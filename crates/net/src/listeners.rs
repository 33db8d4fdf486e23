//! The set of running sockets and the change from one plan to the next.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

use axum::Router;
use cwts_domain::{Checkpoints, Step, Unhindered, addresses_overlap};
use socket2::Socket;
use tokio::net::TcpListener;

use crate::bind::{BindError, bind, reserve};
use crate::limits::ConnectionLimits;
use crate::serve::{Closed, Served};
use crate::tls::TlsSwitch;

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
    /// What clients that speak TLS are offered.
    pub tls: TlsSwitch,
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
    pub(crate) endpoints: BTreeMap<K, Endpoint>,
    pub(crate) running: BTreeMap<K, Served>,
    pub(crate) checkpoints: Arc<dyn Checkpoints>,
}

/// Sockets that are bound but serve nobody yet. Dropping it closes them.
#[derive(Debug)]
#[must_use = "dropping the prepared sockets undoes the binds"]
pub struct Prepared<K> {
    /// Keys that change, with the socket they get.
    pub(crate) changed: BTreeMap<K, NewSocket>,
    /// Keys that the plan no longer has.
    pub(crate) removed: Vec<K>,
}

/// A socket of a plan.
#[derive(Debug)]
pub(crate) enum NewSocket {
    /// Listens already: a new one, or one that another key hands over.
    Listening(SocketAddr, Arc<TcpListener>),
    /// Bound beside a running one that it overlaps; listens as soon as that one has stopped.
    Reserved(SocketAddr, Socket),
}

impl<K: Copy + Ord + std::fmt::Debug> Listeners<K> {
    /// No sockets yet. A plan may use the keys of `endpoints`.
    pub fn new(endpoints: BTreeMap<K, Endpoint>) -> Self {
        Self { endpoints, running: BTreeMap::new(), checkpoints: Arc::new(Unhindered) }
    }

    /// The same, with somebody who may refuse a step.
    #[must_use]
    pub fn with_checkpoints(self, checkpoints: Arc<dyn Checkpoints>) -> Self {
        Self { checkpoints, ..self }
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
                Some(socket) => NewSocket::Listening(address, socket),
                None => self.bind(plan, address).map_err(|error| PrepareError { key, error })?,
            };
            changed.insert(key, socket);
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

    /// A new socket. Where a running one that is to go stands in the way, it is bound beside that one.
    fn bind(&self, plan: &BTreeMap<K, SocketAddr>, address: SocketAddr) -> Result<NewSocket, BindError> {
        self.checkpoints.pass(Step::Bind).map_err(|source| BindError::from_io(address, source))?;
        let overlapped: Vec<_> = self
            .running
            .values()
            .filter(|served| in_the_way(served.address, address) && !plan.values().any(|it| *it == served.address))
            .map(|served| served.socket.as_ref())
            .collect();
        if !overlapped.is_empty() {
            return Ok(NewSocket::Reserved(address, reserve(address, &overlapped)?));
        }
        let socket = bind(address)?;
        Ok(NewSocket::Listening(socket.local_addr().unwrap_or(address), socket))
    }
}

impl<K: Copy> Prepared<K> {
    /// The new sockets with the addresses that they have or will have.
    pub fn addresses(&self) -> impl Iterator<Item = (K, SocketAddr)> {
        self.changed.iter().map(|(&key, socket)| match socket {
            NewSocket::Listening(address, _) | NewSocket::Reserved(address, _) => (key, *address),
        })
    }
}

/// Whether a socket on `other` cannot listen while one on `running` does.
pub(crate) fn in_the_way(running: SocketAddr, other: SocketAddr) -> bool {
    running.port() == other.port() && addresses_overlap(running.ip(), other.ip())
}

/// Sockets that accept nobody any more and whose connections are to end.
#[derive(Debug)]
#[must_use = "without a drain the old connections live on"]
pub struct Drain {
    pub(crate) closed: Vec<Closed>,
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
