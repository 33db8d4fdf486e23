//! Clients that mean harm, or are merely broken: the server stays small and serves the others.

use std::time::Duration;

use cwts_domain::Service;
use cwts_runtime::ConnectionLimits;
use cwts_server::{Limits, RequestLimits, WebSocketLimits};
use cwts_tests::{DEADLINE, Embedded, McpClient, Raw, TRADE_TOKEN, authorized, bearer, frame, get, until, within};
use futures_util::future::join_all;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

const REQUESTS: u64 = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_slowed_down_instead_of_filling_the_memory() {
    let embedded = Embedded::start().await;
    let url = embedded.url(Service::McpWebsocket);
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let address = ([127, 0, 0, 1], embedded.port(Service::McpWebsocket)).into();
    let stream = within("a connection", socket.connect(address)).await.expect("the server accepts");
    let (mut client, _) =
        within("a WebSocket", client_async(authorized(&url), stream)).await.expect("the server upgrades");
    let info =
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } });
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": info }).to_string();
    client.send(Message::text(initialize)).await.expect("an open socket");
    within("the answer", client.next()).await.expect("an open socket").expect("a message");
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
    client.send(Message::text(initialized)).await.expect("an open socket");

    let arguments = json!({ "symbol": "BTCUSD", "depth": 100, "include_trades": true });
    let flood = async {
        for id in 1..=REQUESTS {
            let params = json!({ "name": "get_market_data", "arguments": arguments });
            let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string();
            if client.send(Message::text(call)).await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    // A server without bounds reads all of it in this time, and answers into its memory.
    let ended = tokio::time::timeout(Duration::from_secs(6), flood).await;
    assert!(ended.is_err(), "the client is slowed down, not thrown out");
    let read = embedded.instance().metrics().websocket_messages.with_label_values(&["in"]).get();
    assert!(read < REQUESTS / 2, "what one client does not take must not be answered: {read} requests were read");

    let mut other = McpClient::connect(&url).await;
    let account = other.call("get_account", json!({})).await.ok();
    assert_eq!(account["cash"], 100_000.0, "the others are served");
}

#[tokio::test]
async fn plain_http_on_the_websocket_port_is_told_where_to_go() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpWebsocket);
    let reply = get(port, "/").await;
    assert_eq!(reply.status, 426, "a browser is not a broken client: {}", reply.body);
    for part in [embedded.url(Service::McpWebsocket), embedded.url(Service::McpHttp)] {
        assert!(reply.body.contains(&part), "the answer must name {part}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_flood_of_requests_is_answered_with_429_on_every_port() {
    let requests = RequestLimits { per_second: 1, burst: 5 };
    let embedded = Embedded::start_with(Limits { requests, ..Limits::default() }).await;
    for service in Service::ALL {
        let port = embedded.port(service);
        for number in 1..=5 {
            let reply = get(port, service.path()).await;
            assert_ne!(reply.status, 429, "request {number} on {service} is within the burst: {reply:?}");
        }
        let reply = get(port, service.path()).await;
        assert_eq!(reply.problem(429), "too_many_requests", "the sixth on {service} is not: {reply:?}");
        let wait: u64 = reply.header("retry-after").and_then(|text| text.parse().ok()).expect("RFC 6585, section 4");
        assert_eq!(wait, 1, "the client learns when there is a token: {reply:?}");
        let refused = embedded.instance().metrics().refused.with_label_values(&[service.id(), "rate"]).get();
        assert_eq!(refused, 1, "a person sees that somebody floods {service}");
    }
}

/// Limits of connections, the rest as usual.
fn connections(limits: ConnectionLimits) -> Limits {
    Limits { connections: limits, ..Limits::default() }
}

async fn assert_refused(port: u16, status: &str) {
    let answer = Raw::connect(port).await.read_to_end().await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "whoever finds no room is told so: {answer:?}");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains("\r\nRetry-After: "), "and when to try again: {head}");
    let problem: Value = serde_json::from_str(body).expect("problem details are JSON");
    assert_eq!(problem["code"], "too_many_connections", "and why: {problem}");
}

#[tokio::test]
async fn connections_of_one_source_are_bounded_on_every_port() {
    let limits = ConnectionLimits { per_source: 2, ..ConnectionLimits::default() };
    let embedded = Embedded::start_with(connections(limits)).await;
    for service in Service::ALL {
        let port = embedded.port(service);
        let (first, _second) = (Raw::connect(port).await, Raw::connect(port).await);
        assert_refused(port, "429").await;
        drop(first);
        until(&format!("a place on {service}"), async || (get(port, service.path()).await.status != 429).then_some(()))
            .await;
    }
}

#[tokio::test]
async fn connections_are_bounded_in_total_on_every_port() {
    let limits = ConnectionLimits { total: 2, ..ConnectionLimits::default() };
    let embedded = Embedded::start_with(connections(limits)).await;
    for service in Service::ALL {
        let port = embedded.port(service);
        let _open = (Raw::connect(port).await, Raw::connect(port).await);
        assert_refused(port, "503").await;
    }
    let refused = until("the next look at the counters", async || {
        let metrics = embedded.instance().metrics();
        let counts = Service::ALL.map(|it| metrics.connections_refused.with_label_values(&[it.id()]).get());
        counts.iter().all(|count| *count > 0).then_some(counts)
    });
    assert_eq!(refused.await, [1; 4], "a person sees that somebody found no room");
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for_on_any_port() {
    let limits = ConnectionLimits { head: Duration::from_millis(300), ..ConnectionLimits::default() };
    let embedded = Embedded::start_with(connections(limits)).await;
    for service in Service::ALL {
        let mut silent = Raw::connect(embedded.port(service)).await;
        let mut dripping = Raw::connect(embedded.port(service)).await;
        dripping.send(b"GET / HTTP/1.1\r\nHost: localho").await.expect("an open connection");
        assert_eq!(silent.read_to_end().await, b"", "{service} must not keep a place for nobody");
        dripping.read_to_end().await;
    }
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_refused_on_every_port() {
    let embedded = Embedded::start().await;
    for service in Service::ALL {
        for header in [format!("X-Large: {}\r\n", "x".repeat(200 << 10)), "X-Many: x\r\n".repeat(200)] {
            let mut raw = Raw::connect(embedded.port(service)).await;
            // The server may close before it has taken all.
            drop(raw.send(format!("GET / HTTP/1.1\r\nHost: localhost\r\n{header}\r\n").as_bytes()).await);
            let answer = String::from_utf8_lossy(&raw.read_to_end().await).into_owned();
            assert!(answer.starts_with("HTTP/1.1 431 "), "{service} must not read on for ever: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_drips_is_not_waited_for() {
    let embedded = Embedded::start_with(Limits { body: Duration::from_millis(500), ..Limits::default() }).await;
    let port = embedded.port(Service::McpHttp);
    let mut raw = Raw::connect(port).await;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000000\r\n\r\n",
        bearer(TRADE_TOKEN)
    );
    raw.send(head.as_bytes()).await.expect("an open connection");
    let drip = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            if raw.send(b" ").await.is_err() {
                return;
            }
        }
    };
    let dripping = within("the server to give up", async {
        tokio::select! {
            () = drip => {}
            () = until("the answer", async || (requests_with(&embedded, "408").await > 0.0).then_some(())) => {}
        }
    });
    dripping.await;
    let answer = String::from_utf8_lossy(&raw.read_to_end().await).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408 "), "a byte now and then must not hold a place: {answer:?}");
}

async fn requests_with(embedded: &Embedded, status: &str) -> f64 {
    let metrics = &embedded.instance().metrics().http_requests;
    metrics.with_label_values(&[Service::McpHttp.id(), status]).get() as f64
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_cut_on_every_port() {
    let limits = ConnectionLimits { stalled: Duration::from_secs(1), ..ConnectionLimits::default() };
    let embedded = Embedded::start_with(connections(limits)).await;
    let cut = Service::ALL.map(async |service| {
        let port = embedded.port(service);
        let mut raw = Raw::connect_slow_reader(port).await;
        let (path, bearer) = (service.path(), bearer(TRADE_TOKEN));
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: {bearer}\r\n\r\n");
        let ask = async { while raw.send(request.repeat(100).as_bytes()).await.is_ok() {} };
        // Both ends' buffers are full soon; then nothing moves until the server gives up.
        tokio::time::timeout(DEADLINE, ask).await.unwrap_or_else(|_| panic!("{service} waits for a client for ever"));
        until(&format!("{service} to forget it"), async || {
            (embedded.instance().meter(service).connections() == 0).then_some(())
        })
        .await;
    });
    join_all(cut).await;
}

fn websocket(limits: WebSocketLimits) -> Limits {
    Limits { websocket: limits, ..Limits::default() }
}

#[tokio::test]
async fn a_websocket_without_a_session_is_closed() {
    let limits = WebSocketLimits { handshake: Duration::from_millis(300), ..WebSocketLimits::default() };
    let embedded = Embedded::start_with(websocket(limits)).await;
    let mut silent = Raw::upgrade(embedded.port(Service::McpWebsocket)).await;
    assert_eq!(silent.close_code().await, 1008, "whoever never initializes must not hold a place");
}

#[tokio::test]
async fn a_silent_websocket_is_pinged_and_then_given_up() {
    let (ping, silence) = (Duration::from_millis(200), Duration::from_millis(900));
    let limits = WebSocketLimits { ping, silence, ..WebSocketLimits::default() };
    let embedded = Embedded::start_with(websocket(limits)).await;
    let mut answering = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let mut silent = Raw::upgrade(embedded.port(Service::McpWebsocket)).await;
    let gone = async {
        let bytes = silent.read_to_end().await;
        assert!(bytes.starts_with(&[0x89, 0]), "it is asked before it is given up: {bytes:?}");
        assert!(bytes.ends_with(b"no answer to pings"), "and told why: {bytes:?}");
    };
    // The other one answers pings because it reads.
    tokio::select! {
        () = gone => {}
        message = answering.socket().next() => panic!("the server has nothing to say but pings: {message}"),
    }
    answering.call("get_account", json!({})).await.ok();
}

#[tokio::test]
async fn floods_and_broken_frames_end_their_own_websocket_with_a_reason() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpWebsocket);
    let mut other = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let unmasked = vec![0x81, 2, b'h', b'i'];
    let endless = [&[0x81, 0xff][..], &(1_u64 << 62).to_be_bytes(), &[0; 4]].concat();
    let cases = [
        (frame(9, b"ping").repeat(1000), 1008, "a flood of pings"),
        (frame(1, b"{").repeat(1000), 1008, "a flood of what is no message"),
        (frame(1, b"\xff\xfe"), 1007, "text that is not UTF-8"),
        (endless, 1009, "a frame of 4 EiB"),
        (unmasked, 1002, "a frame without a mask (RFC 6455, section 5.1)"),
        (frame(3, b""), 1002, "an opcode that does not exist"),
        (frame(9, &[0; 126]), 1002, "a control frame that is too long"),
    ];
    for (bytes, code, what) in cases {
        let mut raw = Raw::upgrade(port).await;
        // The server may close before it has taken all.
        drop(raw.send(&bytes).await);
        assert_eq!(raw.close_code().await, code, "{what} must end with its code (RFC 6455, section 7.4.1)");
        other.call("get_account", json!({})).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_hostile_clients_at_once_leave_the_others_served() {
    let limits = ConnectionLimits { head: Duration::from_secs(1), ..ConnectionLimits::default() };
    let embedded = Embedded::start_with(connections(limits)).await;
    let port = embedded.port(Service::McpWebsocket);
    let mut other = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let endless = [&[0x81, 0xff][..], &(1_u64 << 62).to_be_bytes(), &[0; 4]].concat();
    let attacks = (0..30).map(|number| {
        let endless = endless.clone();
        async move {
            let begun = b"GET /mcp HTTP/1.1\r\nHost: localhost\r\n";
            let mut raw = if number % 6 < 3 { Raw::connect(port).await } else { Raw::upgrade(port).await };
            // The server may close before it has taken all.
            drop(match number % 6 {
                0 => raw.send(begun).await,
                1 => raw.send(&[&[0x16, 3, 1, 2, 0][..], &[0x77; 512]].concat()).await,
                2 => raw.send(begun).await,
                3 => raw.send(&endless).await,
                4 => raw.send_frame(1, b"\xff\xfe").await,
                _ => raw.send(&frame(9, b"ping").repeat(1000)).await,
            });
            if number % 6 == 2 {
                raw.half_close().await;
            }
            raw.read_to_end().await;
        }
    });
    let calls = async {
        for _ in 0..200 {
            other.call("get_account", json!({})).await.ok();
        }
    };
    tokio::join!(join_all(attacks), calls);
    let meter = embedded.instance().meter(Service::McpWebsocket);
    until("the server to be rid of them", async || (meter.connections() == 1).then_some(())).await;
}
