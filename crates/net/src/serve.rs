//! The accept loop of one socket and the life of one HTTP connection.
//!
//! Written on hyper-util because `axum::serve` returns while WebSockets live on and cannot cut a half-sent request.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use cwts_domain::Source;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tower_http::timeout::TimeoutBody;

use crate::connection::{Connection, Signals};
use crate::limits::{Admission, Admissions, ConnectionLimits};
use crate::listeners::Endpoint;
use crate::refuse::Refusals;
use crate::tls::{self, Opened};

/// Largest request head in bytes; a larger one is answered with 431.
const MAX_HEAD: usize = 32 << 10;
/// How long to let other connections end when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A bound socket that is being served.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) socket: Arc<TcpListener>,
    closing: CancellationToken,
    accepting: JoinHandle<()>,
    pub(crate) signals: Signals,
    pub(crate) connections: TaskTracker,
}

impl Served {
    /// Starts the accept loop. Must be called within a tokio runtime.
    pub(crate) fn start(address: SocketAddr, socket: Arc<TcpListener>, endpoint: Endpoint) -> Self {
        Self::accepting(address, socket, endpoint, Signals::default(), TaskTracker::new())
    }

    fn accepting(
        address: SocketAddr,
        socket: Arc<TcpListener>,
        endpoint: Endpoint,
        signals: Signals,
        connections: TaskTracker,
    ) -> Self {
        let closing = CancellationToken::new();
        let acceptor = Acceptor {
            admissions: Admissions::new(endpoint.limits),
            refusals: Refusals::default(),
            endpoint,
            signals: signals.clone(),
            connections: connections.clone(),
        };
        let accepting = tokio::spawn(acceptor.run(Arc::clone(&socket), closing.clone()));
        Self { address, socket, closing, accepting, signals, connections }
    }

    /// Stops accepting. Connections go on, and the kernel still completes handshakes.
    pub(crate) async fn pause(self) -> Paused {
        self.closing.cancel();
        if let Err(error) = self.accepting.await {
            tracing::error!(address = %self.address, %error, "the accept loop ended abnormally");
        }
        Paused { address: self.address, socket: self.socket, signals: self.signals, connections: self.connections }
    }
}

/// A socket that listens while nobody accepts.
#[derive(Debug)]
pub(crate) struct Paused {
    pub(crate) address: SocketAddr,
    pub(crate) socket: Arc<TcpListener>,
    signals: Signals,
    connections: TaskTracker,
}

impl Paused {
    /// Accepts again, on `socket`, as if nothing had happened.
    pub(crate) fn resume(self, socket: Arc<TcpListener>, endpoint: Endpoint) -> Served {
        Served::accepting(self.address, socket, endpoint, self.signals, self.connections)
    }

    /// Closes the socket.
    pub(crate) fn close(self) -> Closed {
        self.connections.close();
        Closed { address: self.address, signals: self.signals, connections: self.connections }
    }
}

/// A socket that no longer accepts, with the connections that it still serves.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) address: SocketAddr,
    pub(crate) signals: Signals,
    pub(crate) connections: TaskTracker,
}

struct Acceptor {
    endpoint: Endpoint,
    admissions: Admissions,
    refusals: Refusals,
    signals: Signals,
    connections: TaskTracker,
}

impl Acceptor {
    async fn run(self, socket: Arc<TcpListener>, closing: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = closing.cancelled() => break,
                accepted = socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    let paused = tokio::time::timeout(ACCEPT_PAUSE, closing.cancelled());
                    if paused.await.is_ok() {
                        break;
                    }
                }
            }
        }
        self.serve_queued(&socket).await;
    }

    /// Serves the clients whose handshake the kernel has already completed, so that a move resets nobody.
    async fn serve_queued(&self, socket: &TcpListener) {
        loop {
            let next = tokio::select! {
                biased;
                accepted = socket.accept() => accepted,
                () = std::future::ready(()) => break,
            };
            match next {
                Ok((stream, peer)) => self.admit(stream, peer),
                Err(_) => break,
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        match self.admissions.admit(Source::of(peer.ip())) {
            Ok(admission) => self.serve(stream, peer, admission),
            Err(full) => {
                self.endpoint.refused.fetch_add(1, Ordering::Relaxed);
                self.refusals.answer(stream, peer, full);
            }
        }
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr, admission: Admission) {
        let Ok(local) = stream.local_addr() else { return };
        let limits = self.endpoint.limits;
        // Nagle's algorithm would hold answers back. The time limit also covers what the client's window keeps here.
        let set =
            stream.set_nodelay(true).and_then(|()| SockRef::from(&stream).set_tcp_user_timeout(Some(limits.stalled)));
        if let Err(error) = set {
            tracing::debug!(%peer, %error, "cannot set the options of a connection");
        }
        let (signals, open) = (self.signals.of_one(), Arc::clone(&self.endpoint.connections));
        let connection = Connection::new(peer, local, signals.clone(), open, self.connections.token(), admission);
        let config = self.endpoint.tls.borrow().clone();
        let router = self.endpoint.router.clone();
        tokio::spawn(async move {
            let opened = tokio::select! {
                opened = tls::open(stream, config, limits.head) => opened,
                () = signals.aborted.cancelled() => return,
            };
            match opened {
                Ok(Opened::Plain(stream)) => serve_connection(stream, connection, router, signals, limits).await,
                Ok(Opened::Encrypted(stream)) => {
                    connection.set_encrypted();
                    serve_connection(stream, connection, router, signals, limits).await;
                }
                Err(error) => tracing::debug!(%peer, %error, "no TLS handshake"),
            }
        });
    }
}

/// Serves one HTTP/1.1 connection until the client ends it, the drain lets it end, or the drain's deadline cuts it.
fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    connection: Connection,
    router: Router,
    signals: Signals,
    limits: ConnectionLimits,
) -> impl Future<Output = ()> {
    let peer = connection.peer();
    let service = router.map_request(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(connection.clone());
        request.map(|body| Body::new(TimeoutBody::new(limits.body, body)))
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_header_size(MAX_HEAD);
    let http = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).with_upgrades();
    async move {
        let mut http = std::pin::pin!(http);
        let ended = tokio::select! {
            ended = http.as_mut() => ended,
            () = signals.draining.cancelled() => {
                http.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = http.as_mut() => ended,
                    () = signals.aborted.cancelled() => Ok(()),
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "connection ended early");
        }
    }
}

/// Errors of `accept(2)` that concern the one connection, which the client has already given up.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
