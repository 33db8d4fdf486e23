//! Plans, swaps and drains on real sockets.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::extract::ws::WebSocketUpgrade;
use axum::routing::get;
use cwts_net::{BindError, Connection, ConnectionLimits, Drained, Endpoint, Listeners};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

const DEADLINE: Duration = Duration::from_secs(5);

/// An endpoint that says its name at `/`, and never answers at `/stuck`.
fn endpoint(name: &'static str) -> Endpoint {
    let router = Router::new()
        .route("/", get(move || async move { name }))
        .route(
            "/peer",
            get(|Extension(connection): Extension<Connection>| async move { connection.peer().to_string() }),
        )
        .route("/stuck", get(std::future::pending::<()>));
    let limits = ConnectionLimits::default();
    Endpoint { router, connections: Arc::default(), refused: Arc::default(), limits, tls: watch::channel(None).1 }
}

fn free_address() -> SocketAddr {
    StdListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("loopback has a free port")
}

fn two_endpoints() -> Listeners<u8> {
    Listeners::new(BTreeMap::from([(1, endpoint("one")), (2, endpoint("two"))]))
}

async fn apply(listeners: &mut Listeners<u8>, plan: &[(u8, SocketAddr)]) -> Drained {
    let prepared = listeners.prepare(&plan.iter().copied().collect()).expect("the ports are free");
    listeners.commit(prepared).await.expect("nothing overlaps").within(DEADLINE).await
}

async fn text(address: SocketAddr) -> String {
    let response = reqwest::get(format!("http://{address}/")).await.expect("the socket is served");
    response.text().await.expect("the body is text")
}

/// A connection on which one request has been answered and that stays open.
async fn keep_alive(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the socket is served");
    ask(&mut stream, "/").await;
    stream
}

async fn ask(stream: &mut TcpStream, path: &str) -> String {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.expect("the stream is open");
    let mut buffer = [0; 1024];
    let read = stream.read(&mut buffer).await.expect("the server answers");
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

#[tokio::test]
async fn a_moved_socket_answers_on_the_new_port_and_refuses_on_the_old() {
    let (first, other, second) = (free_address(), free_address(), free_address());
    let mut listeners = two_endpoints();
    apply(&mut listeners, &[(1, first), (2, other)]).await;
    let mut untouched = keep_alive(other).await;

    apply(&mut listeners, &[(1, second), (2, other)]).await;

    assert_eq!(text(second).await, "one", "clients of the new port must be served");
    let refused = TcpStream::connect(first).await.map_err(|error| error.kind());
    assert_eq!(refused.err(), Some(std::io::ErrorKind::ConnectionRefused), "or clients keep talking to a ghost");
    assert!(ask(&mut untouched, "/").await.ends_with("two"), "a service that did not move keeps its connections");
}

#[tokio::test]
async fn a_taken_port_leaves_everything_as_it_was() {
    let (first, other, free) = (free_address(), free_address(), free_address());
    let holder = StdListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let taken = holder.local_addr().expect("a bound socket has an address");
    let mut listeners = two_endpoints();
    apply(&mut listeners, &[(1, first), (2, other)]).await;

    let failed = listeners.prepare(&BTreeMap::from([(1, free), (2, taken)])).expect_err("the port is taken");

    assert_eq!(failed.key, 2, "the message must name the service whose port is taken");
    assert!(matches!(failed.error, BindError::InUse { address } if address == taken));
    assert_eq!((text(first).await, text(other).await), ("one".into(), "two".into()), "nothing that runs was touched");
    StdListener::bind(free).expect("the socket that was bound before the failure is closed again");
}

#[tokio::test]
async fn two_services_swap_their_ports() {
    let (a, b) = (free_address(), free_address());
    let mut listeners = two_endpoints();
    apply(&mut listeners, &[(1, a), (2, b)]).await;

    apply(&mut listeners, &[(1, b), (2, a)]).await;

    assert_eq!((text(b).await, text(a).await), ("one".into(), "two".into()), "each answers where the other did");
}

#[tokio::test]
async fn dropping_what_was_prepared_closes_the_new_sockets() {
    let address = free_address();
    let listeners = two_endpoints();
    let prepared = listeners.prepare(&BTreeMap::from([(1, address)])).expect("the port is free");
    drop(prepared);
    StdListener::bind(address).expect("an abandoned change must not hold the port");
}

#[tokio::test]
async fn a_drain_ends_idle_connections_at_once_and_cuts_stuck_ones_at_the_deadline() {
    let address = free_address();
    let counted = endpoint("one");
    let open = Arc::clone(&counted.connections);
    let mut listeners = Listeners::new(BTreeMap::from([(1, counted)]));
    apply(&mut listeners, &[(1, address)]).await;
    let mut idle = keep_alive(address).await;
    let mut stuck = TcpStream::connect(address).await.expect("the socket is served");
    stuck.write_all(b"GET /stuck HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("the stream is open");
    keep_alive(address).await;
    assert!(open.load(Ordering::Relaxed) >= 2, "open connections are counted");

    let prepared = listeners.prepare(&BTreeMap::new()).expect("an empty plan binds nothing");
    let drained = listeners.commit(prepared).await.expect("nothing overlaps").within(Duration::from_millis(300)).await;

    assert_eq!(drained.cut, 1, "only the stuck request is cut");
    let mut rest = Vec::new();
    tokio::time::timeout(DEADLINE, idle.read_to_end(&mut rest)).await.expect("in time").expect("a clean end");
    let end = tokio::time::timeout(DEADLINE, stuck.read_to_end(&mut rest)).await.expect("the cut reaches the client");
    assert!(end.is_ok_and(|bytes| bytes == 0), "a cut connection gets no half answer");
}

#[tokio::test]
async fn a_handler_knows_its_peer() {
    let address = free_address();
    let mut listeners = two_endpoints();
    apply(&mut listeners, &[(1, address)]).await;
    let mut stream = TcpStream::connect(address).await.expect("the socket is served");
    let local = stream.local_addr().expect("a connected socket has an address");
    assert!(ask(&mut stream, "/peer").await.ends_with(&local.to_string()), "guards decide on the peer's address");
}

#[tokio::test]
async fn an_address_of_another_computer_is_named_as_such() {
    // The documentation addresses of IPv6 (RFC 3849), which no machine is given.
    let address: SocketAddr = "[2001:db8::1]:3000".parse().expect("an address");
    let failed = two_endpoints().prepare(&BTreeMap::from([(1, address)])).expect_err("it is nobody's");
    assert!(matches!(failed.error, BindError::AddressUnavailable { .. }), "a person must not look for a holder");
}

#[tokio::test]
async fn a_websocket_counts_as_a_connection_until_it_ends() {
    let keep_open = |Extension(connection): Extension<Connection>, request: WebSocketUpgrade| async move {
        request.on_upgrade(async move |mut socket| {
            while socket.recv().await.is_some() {}
            drop(connection);
        })
    };
    let mut limited = endpoint("one");
    limited.router = limited.router.route("/ws", get(keep_open));
    limited.limits = ConnectionLimits { total: 1, ..ConnectionLimits::default() };
    let refused = Arc::clone(&limited.refused);
    let address = free_address();
    let mut listeners = Listeners::new(BTreeMap::from([(1, limited)]));
    apply(&mut listeners, &[(1, address)]).await;

    let (socket, _) =
        tokio_tungstenite::connect_async(format!("ws://{address}/ws")).await.expect("the first is served");
    let mut second = TcpStream::connect(address).await.expect("the kernel accepts");
    let answer = ask(&mut second, "/").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "or a thousand WebSockets take every file of the process: {answer}");
    assert!(answer.contains("\r\nRetry-After: "), "whoever finds no room learns when to try again: {answer}");
    assert_eq!(refused.load(Ordering::Relaxed), 1, "the panel shows how many were turned away");

    drop(socket);
    let served = async {
        loop {
            let mut third = TcpStream::connect(address).await.expect("the kernel accepts");
            if ask(&mut third, "/").await.ends_with("one") {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, served).await.expect("the next is served as soon as the first has gone");
}
