//! A socket that takes the place of one that it overlaps: wider, narrower, or IPv6 in place of IPv4.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use cwts_domain::{Checkpoints, Step};
use cwts_net::{BindError, ConnectionLimits, Endpoint, Listeners};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

const DEADLINE: Duration = Duration::from_secs(5);

fn listeners() -> Listeners<u8> {
    let endpoint = |name: &'static str| {
        let router = Router::new().route("/", get(move || async move { name }));
        let limits = ConnectionLimits::default();
        Endpoint { router, connections: Arc::default(), refused: Arc::default(), limits, tls: watch::channel(None).1 }
    };
    Listeners::new(BTreeMap::from([(1, endpoint("one")), (2, endpoint("two"))]))
}

/// A port that is free on every address.
fn free_port() -> u16 {
    StdListener::bind("[::]:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

fn on(ip: &str, port: u16) -> SocketAddr {
    SocketAddr::new(ip.parse().expect("an address"), port)
}

async fn serve(listeners: &mut Listeners<u8>, plan: &BTreeMap<u8, SocketAddr>) {
    let prepared = listeners.prepare(plan).expect("the ports are free");
    listeners.commit(prepared).await.expect("nobody interferes").within(DEADLINE).await;
}

async fn connect(ip: &str, port: u16) -> io::Result<TcpStream> {
    TcpStream::connect(on(ip, port)).await
}

async fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("the stream is open");
    let mut buffer = [0; 1024];
    let read = tokio::time::timeout(DEADLINE, stream.read(&mut buffer)).await.expect("in time").expect("an answer");
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

async fn answers(ip: &str, port: u16, name: &str) -> bool {
    match connect(ip, port).await {
        Ok(mut stream) => ask(&mut stream).await.ends_with(name),
        Err(_) => false,
    }
}

/// Refuses one step, always.
#[derive(Debug)]
struct Refuse(&'static [Step]);

impl Checkpoints for Refuse {
    fn pass(&self, step: Step) -> io::Result<()> {
        if self.0.contains(&step) { Err(io::ErrorKind::AddrInUse.into()) } else { Ok(()) }
    }
}

/// Addresses that exclude each other on one port, with one that only the second serves and one that only the first does.
const OVERLAPPING: [(&str, &str, &str, Option<&str>); 8] = [
    ("127.0.0.1", "0.0.0.0", "127.0.0.2", None),
    ("127.0.0.1", "::", "::1", None),
    ("::1", "::", "127.0.0.1", None),
    ("0.0.0.0", "::", "::1", None),
    ("0.0.0.0", "127.0.0.2", "127.0.0.2", Some("127.0.0.1")),
    ("::", "127.0.0.1", "127.0.0.1", Some("::1")),
    ("::", "::1", "::1", Some("127.0.0.1")),
    ("::", "0.0.0.0", "127.0.0.2", Some("::1")),
];

#[tokio::test]
async fn an_address_widens_and_narrows_on_its_port() {
    for (old, new, gained, given_up) in OVERLAPPING {
        let (port, other) = (free_port(), free_port());
        let mut listeners = listeners();
        let neighbour = on("127.0.0.1", other);
        serve(&mut listeners, &BTreeMap::from([(1, on(old, port)), (2, neighbour)])).await;
        let mut untouched = connect("127.0.0.1", other).await.expect("the neighbour serves");
        ask(&mut untouched).await;

        let plan = BTreeMap::from([(1, on(new, port)), (2, neighbour)]);
        let prepared = listeners.prepare(&plan).unwrap_or_else(|error| panic!("{old} to {new}: {error}"));
        let before = given_up.unwrap_or(old);
        assert!(answers(before, port, "one").await, "{old} to {new}: until the switch the old socket serves");
        listeners.commit(prepared).await.expect("nobody interferes").within(DEADLINE).await;

        assert!(answers(gained, port, "one").await, "{old} to {new}: the new address is served");
        if let Some(given_up) = given_up {
            assert!(connect(given_up, port).await.is_err(), "{old} to {new}: {given_up} is given up");
        }
        assert!(ask(&mut untouched).await.ends_with("two"), "{old} to {new}: the neighbour keeps its connections");
        let second = StdListener::bind(on(new, port)).map_err(|error| error.kind());
        assert_eq!(second.err(), Some(io::ErrorKind::AddrInUse), "{old} to {new}: the port is ours alone");
    }
}

#[tokio::test]
async fn two_services_swap_their_ports_and_widen_at_once() {
    let (a, b) = (free_port(), free_port());
    let mut listeners = listeners();
    serve(&mut listeners, &BTreeMap::from([(1, on("127.0.0.1", a)), (2, on("127.0.0.1", b))])).await;
    serve(&mut listeners, &BTreeMap::from([(1, on("0.0.0.0", b)), (2, on("127.0.0.1", a))])).await;
    assert!(answers("127.0.0.2", b, "one").await, "the first is where the second was, on every address");
    assert!(answers("127.0.0.1", a, "two").await, "the second took over the socket of the first");
}

#[tokio::test]
async fn a_holder_of_another_local_address_refuses_the_widening_before_anything_stops() {
    let port = free_port();
    let mut listeners = listeners();
    serve(&mut listeners, &BTreeMap::from([(1, on("127.0.0.1", port))])).await;
    let holder = StdListener::bind(on("127.0.0.2", port)).expect("another address of this computer");
    let mut open = connect("127.0.0.1", port).await.expect("served");
    let failed = listeners.prepare(&BTreeMap::from([(1, on("0.0.0.0", port))])).expect_err("held on 127.0.0.2");
    assert!(matches!(failed.error, BindError::InUse { .. }), "a person looks for the holder: {failed}");
    assert!(ask(&mut open).await.ends_with("one"), "nothing stopped");
    assert!(answers("127.0.0.1", port, "one").await, "and clients still come in");
    drop(holder);
    serve(&mut listeners, &BTreeMap::from([(1, on("0.0.0.0", port))])).await;
    assert!(answers("127.0.0.2", port, "one").await, "the way is free");
}

#[tokio::test]
async fn dropping_what_was_reserved_leaves_the_old_socket_alone() {
    let port = free_port();
    let mut listeners = listeners();
    serve(&mut listeners, &BTreeMap::from([(1, on("127.0.0.1", port))])).await;
    drop(listeners.prepare(&BTreeMap::from([(1, on("0.0.0.0", port))])).expect("free"));
    assert!(answers("127.0.0.1", port, "one").await, "an abandoned change changes nothing");
    assert!(StdListener::bind(on("127.0.0.2", port)).is_ok(), "and holds nothing");
}

#[tokio::test]
async fn a_switch_that_fails_serves_the_old_sockets_again() {
    let (port, other, free) = (free_port(), free_port(), free_port());
    let mut listeners = listeners().with_checkpoints(Arc::new(Refuse(&[Step::Listen])));
    serve(&mut listeners, &BTreeMap::from([(1, on("127.0.0.1", port)), (2, on("127.0.0.1", other))])).await;
    let mut open = connect("127.0.0.1", port).await.expect("served");
    ask(&mut open).await;
    let plan = BTreeMap::from([(1, on("0.0.0.0", port)), (2, on("127.0.0.1", free))]);
    let prepared = listeners.prepare(&plan).expect("free");
    let failed = listeners.commit(prepared).await.expect_err("the new socket may not listen");
    assert_eq!((failed.failed.key, failed.lost.len()), (1, 0), "the service is named and nothing is lost: {failed}");
    assert!(ask(&mut open).await.ends_with("one"), "a connection outlives a change that fails");
    assert!(answers("127.0.0.1", port, "one").await, "the old socket accepts again");
    assert!(answers("127.0.0.1", other, "two").await, "so does the other service of the change");
    assert!(connect("127.0.0.1", free).await.is_err(), "its new socket is closed");
    assert_eq!(listeners.address(1), Some(on("127.0.0.1", port)), "the books say so too");
}

#[tokio::test]
async fn a_program_that_shares_ports_fails_the_switch_and_the_old_socket_serves_again() {
    let port = free_port();
    let mut listeners = listeners();
    serve(&mut listeners, &BTreeMap::from([(1, on("127.0.0.1", port))])).await;
    // Only SO_REUSEPORT lets the reservation pass by this holder; it shows when the new socket is to listen.
    let sharer = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    sharer.set_reuse_port(true).expect("an option");
    sharer.bind(&on("127.0.0.2", port).into()).expect("another address of this computer");
    sharer.listen(1).expect("it listens");
    let prepared = listeners.prepare(&BTreeMap::from([(1, on("0.0.0.0", port))])).expect("not seen yet");
    let failed = listeners.commit(prepared).await.expect_err("held on 127.0.0.2");
    assert!(matches!(failed.failed.error, BindError::InUse { .. }), "a person looks for the holder: {failed}");
    assert!(answers("127.0.0.1", port, "one").await, "the old socket serves as before");
}

#[tokio::test]
async fn a_socket_that_cannot_come_back_is_named_and_the_next_plan_serves_it_again() {
    let (port, other) = (free_port(), free_port());
    let refuse = Refuse(&[Step::Listen, Step::ListenAgain]);
    let mut listeners = listeners().with_checkpoints(Arc::new(refuse));
    let before = BTreeMap::from([(1, on("127.0.0.1", port)), (2, on("127.0.0.1", other))]);
    serve(&mut listeners, &before).await;
    let plan = BTreeMap::from([(1, on("0.0.0.0", port)), (2, on("127.0.0.1", other))]);
    let prepared = listeners.prepare(&plan).expect("free");
    let failed = listeners.commit(prepared).await.expect_err("the new socket may not listen");
    assert_eq!(failed.lost.iter().map(|lost| lost.key).collect::<Vec<_>>(), [1], "the caller must know what is down");
    failed.drain.within(DEADLINE).await;
    assert!(connect("127.0.0.1", port).await.is_err(), "it is down indeed");
    assert!(answers("127.0.0.1", other, "two").await, "nobody else is");
    assert_eq!(listeners.address(1), None, "the books say so too");
    serve(&mut listeners, &before).await;
    assert!(answers("127.0.0.1", port, "one").await, "the next plan binds it anew");
}

#[tokio::test]
async fn a_bind_that_is_refused_changes_nothing() {
    let port = free_port();
    let listeners = listeners().with_checkpoints(Arc::new(Refuse(&[Step::Bind])));
    let failed = listeners.prepare(&BTreeMap::from([(1, on("127.0.0.1", port))])).expect_err("refused");
    assert!(matches!(failed.error, BindError::InUse { .. }), "the kernel's error as it came: {failed}");
    assert!(StdListener::bind(on("127.0.0.1", port)).is_ok(), "nothing is held");
}
