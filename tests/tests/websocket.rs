//! The edges of MCP over WebSocket: what is no message, how a socket opens, and how it ends.

use cwts_domain::Service;
use cwts_tests::{Embedded, McpClient, Raw, Socket, TRADE_TOKEN, bearer, initialize_request, until};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

async fn embedded() -> (Embedded, String) {
    let embedded = Embedded::start().await;
    let url = embedded.url(Service::McpWebsocket);
    (embedded, url)
}

/// Sends text and returns the error that comes back.
async fn refused(socket: &mut Socket, text: &str) -> Value {
    socket.send_text(text).await;
    let answer = socket.next().await;
    assert_eq!(answer["jsonrpc"], "2.0", "an error is a JSON-RPC message: {answer}");
    assert!(answer["error"]["message"].is_string(), "a person reads why {text:?} was refused: {answer}");
    answer
}

#[tokio::test]
async fn bad_json_is_answered_and_the_socket_lives_on() {
    let (_embedded, url) = embedded().await;
    let mut socket = Socket::open(&url).await;
    for text in ["{", "", "nonsense", "{\"jsonrpc\": \"2.0\", \"id\": 1, }"] {
        let answer = refused(&mut socket, text).await;
        assert_eq!(answer["error"]["code"], -32700, "{text:?} is a parse error (JSON-RPC 2.0, section 5.1)");
        assert_eq!(answer["id"], Value::Null, "no id can be read from {text:?}");
    }
    let mut client = McpClient::initialize(socket).await;
    let answer = refused(client.socket(), "{").await;
    assert_eq!(answer["error"]["code"], -32700, "a session makes no difference");
    assert!(client.call("server_info", json!({})).await.ok().is_object(), "one bad frame must not end a session");
}

#[tokio::test]
async fn json_that_is_no_json_rpc_is_an_invalid_request() {
    let (_embedded, url) = embedded().await;
    let mut client = McpClient::connect(&url).await;
    let batch = json!([{ "jsonrpc": "2.0", "id": 1, "method": "ping" }]).to_string();
    for text in ["42", "null", "\"text\"", "[]", "{}", "{\"jsonrpc\":\"1.0\",\"id\":7,\"method\":\"ping\"}", &batch] {
        let answer = refused(client.socket(), text).await;
        assert_eq!(answer["error"]["code"], -32600, "{text} is no request of JSON-RPC 2.0, and batches are gone");
    }
    let answer = refused(client.socket(), "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":5}").await;
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(7)), "the caller of 7 waits for it");
    assert!(client.call("server_info", json!({})).await.ok().is_object(), "the session goes on");
}

#[tokio::test]
async fn a_binary_frame_is_refused_and_the_socket_lives_on() {
    let (_embedded, url) = embedded().await;
    let mut socket = Socket::open(&url).await;
    socket.send(Message::binary(initialize_request(1).to_string().into_bytes())).await;
    let answer = socket.next().await;
    assert_eq!(answer["error"]["code"], -32600, "MCP uses text frames: {answer}");
    McpClient::initialize(socket).await;
}

#[tokio::test]
async fn an_unknown_method_is_an_error_of_the_protocol() {
    let (_embedded, url) = embedded().await;
    let mut client = McpClient::connect(&url).await;
    let answer = client.request("orders/place", json!({})).await;
    assert_eq!(answer["error"]["code"], -32601, "a client must learn that the method does not exist: {answer}");
}

#[tokio::test]
async fn wrong_parameters_of_a_known_method_are_invalid_params() {
    let (_embedded, url) = embedded().await;
    let mut client = McpClient::connect(&url).await;
    for (method, params, named) in [
        ("tools/call", json!({ "name": 5 }), "name is 5"),
        ("tools/call", json!({}), "name is missing"),
        ("tools/call", json!({ "name": "get_account", "arguments": [] }), "arguments is a list"),
        ("tools/list", json!({ "cursor": 7 }), "cursor is 7"),
        ("ping", json!([]), "params is a list"),
    ] {
        let answer = client.request(method, params.clone()).await;
        assert_eq!(answer["error"]["code"], -32602, "{method} exists, its parameters {params} are wrong: {answer}");
        let said = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains(named), "{method} {params} must say what is wrong with {named}: {said}");
    }
    let mut socket = Socket::open(&url).await;
    let answer = refused(&mut socket, &json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize" }).to_string()).await;
    assert_eq!(
        (&answer["error"]["code"], &answer["id"]),
        (&json!(-32602), &json!(1)),
        "the first message too: {answer}"
    );
    McpClient::initialize(socket).await;
}

#[tokio::test]
async fn a_notification_as_first_message_ends_with_a_close_frame() {
    let (_embedded, url) = embedded().await;
    let mut socket = Socket::open(&url).await;
    socket.send_text(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()).await;
    assert_eq!(socket.close_code().await, 1008, "a client that starts wrong must learn it, not wait for ever");
    assert!(socket.ended().await, "the close handshake completes");
}

#[tokio::test]
async fn the_subprotocol_mcp_is_offered_back() {
    let (_embedded, url) = embedded().await;
    let subprotocol = |response: &tokio_tungstenite::tungstenite::http::Response<Option<Vec<u8>>>| {
        response.headers().get("sec-websocket-protocol").map(|value| value.to_str().expect("text").to_owned())
    };
    let (socket, response) = Socket::open_with(&url, &[("sec-websocket-protocol", "mcp")]).await.expect("a WebSocket");
    assert_eq!(subprotocol(&response).as_deref(), Some("mcp"), "SDK clients end without it (RFC 6455, section 4.1)");
    McpClient::initialize(socket).await;
    let (_, response) = Socket::open_with(&url, &[]).await.expect("a WebSocket");
    assert_eq!(subprotocol(&response), None, "a client that offers none must not be given one");
}

#[tokio::test]
async fn both_paths_serve_and_others_do_not() {
    let (embedded, _) = embedded().await;
    let port = embedded.port(Service::McpWebsocket);
    for path in ["", "/", "/mcp"] {
        McpClient::connect(&format!("ws://127.0.0.1:{port}{path}")).await;
    }
    let refused = Socket::open_with(&format!("ws://127.0.0.1:{port}/other"), &[]).await;
    let status = match refused.map_err(|error| *error) {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("an HTTP status was expected, not {other:?}"),
    };
    assert_eq!(status, 404, "a typing error must not look like a server that is down");
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_websocket() {
    let (embedded, url) = embedded().await;
    let refused = Socket::open_with(&url, &[("origin", "https://evil.example")]).await;
    let status = match refused.map_err(|error| *error) {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("an HTTP status was expected, not {other:?}"),
    };
    assert_eq!(status, 403, "browsers ask before no WebSocket: only the server can refuse a foreign page");
    let port = embedded.port(Service::McpWebsocket);
    let origin = format!("http://localhost:{port}");
    Socket::open_with(&url, &[("origin", &origin)]).await.expect("a page of this computer may");
}

#[tokio::test]
async fn an_upgrade_to_something_else_or_somewhere_else_opens_nothing() {
    let (embedded, _) = embedded().await;
    let handshake = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let status = async |service: Service, first: &str, token: bool, lines: &str| {
        let mut raw = Raw::connect(embedded.port(service)).await;
        let token = if token { format!("Authorization: {}\r\n", bearer(TRADE_TOKEN)) } else { String::new() };
        raw.send(format!("{first}\r\nHost: localhost\r\n{token}{lines}\r\n").as_bytes())
            .await
            .expect("an open connection");
        let answer = raw.read_some().await;
        answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()).unwrap_or_else(|| panic!("{answer}"))
    };
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    let (no_version, two) =
        (handshake.replace("13", "8"), format!("Upgrade: h2c\r\nConnection: keep-alive\r\n{handshake}"));
    for (first, lines, what) in [
        ("GET /mcp HTTP/1.1", h2c, "HTTP/2 (RFC 9113 has no such upgrade any more)"),
        ("GET /mcp HTTP/1.1", "Upgrade: websocket\r\n", "no Connection"),
        ("GET /mcp HTTP/1.1", &no_version, "a draft of the protocol"),
        ("POST /mcp HTTP/1.1", handshake, "another method"),
        ("GET /mcp HTTP/1.0", handshake, "HTTP/1.0, which cannot upgrade"),
    ] {
        assert_eq!(status(Service::McpWebsocket, first, true, lines).await, 426, "{what} opens no WebSocket");
    }
    for lines in [handshake, h2c, &two] {
        assert_eq!(status(Service::McpWebsocket, "GET /mcp HTTP/1.1", false, lines).await, 401, "nor without a token");
        let rest = async |token| status(Service::McpHttp, "GET /api/v1/status HTTP/1.1", token, lines).await;
        assert_eq!((rest(false).await, rest(true).await), (401, 200), "REST answers as if nothing was asked: {lines}");
        for (service, first) in
            [(Service::Prometheus, "GET /metrics HTTP/1.1"), (Service::Health, "GET /health HTTP/1.1")]
        {
            assert_eq!(status(service, first, false, lines).await, 200, "and so does {service}: {lines}");
        }
    }
    // RFC 9113, section 3.4: a client that knows that the server speaks HTTP/2.
    let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
    for service in Service::ALL {
        let mut raw = Raw::connect(embedded.port(service)).await;
        raw.send(&preface).await.expect("an open connection");
        assert_eq!(raw.read_to_end().await, b"", "{service} speaks no HTTP/2 and ends it");
    }
}

#[tokio::test]
async fn a_ping_is_answered() {
    let (_embedded, url) = embedded().await;
    let mut client = McpClient::connect(&url).await;
    client.socket().send(Message::Ping("are you there".into())).await;
    let pong = client.socket().any_frame().await;
    assert_eq!(pong, Message::Pong("are you there".into()), "the Python client drops a server that answers no ping");
}

#[tokio::test]
async fn a_client_that_leaves_is_no_longer_counted() {
    let (embedded, url) = embedded().await;
    let mut client = McpClient::connect(&url).await;
    assert_eq!(embedded.instance().meter(Service::McpWebsocket).connections(), 1, "the panel shows one client");
    let leaving = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    client.socket().send(Message::Close(Some(leaving))).await;
    assert_eq!(client.socket().close_code().await, 1000, "a close frame is answered in kind (RFC 6455, section 5.5.1)");
    let vanishing = McpClient::connect(&url).await;
    drop(vanishing);
    until("both clients to be forgotten", async || {
        (embedded.instance().meter(Service::McpWebsocket).connections() == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_message_beyond_the_limit_ends_only_its_own_socket() {
    let (_embedded, url) = embedded().await;
    let mut other = McpClient::connect(&url).await;
    let mut client = McpClient::connect(&url).await;
    client.socket().send_text("x".repeat((1 << 20) + 1)).await;
    let code = client.socket().close_code().await;
    assert_eq!(code, 1009, "the client must learn that its message was too big (RFC 6455, section 7.4.1)");
    assert!(other.call("server_info", json!({})).await.ok().is_object(), "other clients are none of its business");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_one_connection_do_not_overtake_each_other() {
    let (_embedded, url) = embedded().await;
    let mut client = McpClient::connect(&url).await;
    let call = |id: u64, tool, arguments: Value| {
        let params = json!({ "name": tool, "arguments": arguments });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()
    };
    let mut overtook = 0;
    for burst in 10..20 {
        for id in (burst * 100..(burst + 1) * 100).step_by(2) {
            let name = json!({ "client_order_id": id.to_string() });
            let mut order =
                json!({ "symbol": "BTCUSD", "side": "buy", "order_type": "limit", "quantity": 0.001, "price": 60_000 });
            order["client_order_id"] = name["client_order_id"].clone();
            client.socket().send_text(call(id, "place_order", order)).await;
            client.socket().send_text(call(id + 1, "cancel_order", name)).await;
        }
        for _ in 0..100 {
            overtook += u32::from(client.socket().next().await["result"]["isError"] == true);
        }
    }
    assert_eq!(overtook, 0, "a cancel that overtakes its order leaves the order in the book");
}

#[tokio::test]
async fn every_one_of_many_calls_in_flight_is_answered() {
    let (_embedded, url) = embedded().await;
    let mut client = McpClient::connect(&url).await;
    for id in 100..200 {
        let params = json!({ "name": "get_market_data", "arguments": { "symbol": "BTCUSD" } });
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        client.socket().send_text(request.to_string()).await;
    }
    let mut answered = std::collections::BTreeSet::new();
    for _ in 100..200 {
        let answer = client.socket().next().await;
        assert!(answer["result"]["structuredContent"].is_object(), "each call succeeds: {answer}");
        answered.insert(answer["id"].as_u64());
    }
    assert_eq!(answered.len(), 100, "each call is answered once, in whatever order");
}
