//! The edges of HTTP on the four ports: who is let in, what is not there, health, metrics, status.

use cwts_domain::Service;
use cwts_server::{Limits, SessionLimits};
use cwts_tests::{
    Embedded, Exposition, HttpSession, McpClient, Raw, Reply, TRADE_TOKEN, bearer, get, initialize_request, refuses,
    send, until, within,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn scrape(embedded: &Embedded) -> Exposition {
    let reply = get(embedded.port(Service::Prometheus), "/metrics").await;
    assert_eq!(reply.status, 200, "Prometheus scrapes without a token on loopback: {reply:?}");
    let kind = reply.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "Prometheus goes by the type: {kind}");
    Exposition::parse(&reply.body)
}

#[tokio::test]
async fn a_foreign_host_or_origin_is_refused_on_every_port() {
    let embedded = Embedded::start().await;
    for service in Service::ALL {
        let (port, path) = (embedded.port(service), service.path());
        let rebound = format!("evil.example:{port}");
        let ours = format!("localhost:{port}");
        let reply = send(port, "GET", path, &[("Host", &rebound)], "").await;
        assert_eq!(reply.problem(403), "host_refused", "a rebound name must not reach {service}");
        for origin in ["https://evil.example", "null"] {
            let reply = send(port, "GET", path, &[("Host", &ours), ("Origin", origin)], "").await;
            assert_eq!(reply.problem(403), "origin_refused", "a page of {origin} must not reach {service}");
        }
        for hosts in [&[][..], &[("Host", &*ours), ("Host", &*ours)], &[("Host", "[::1")]] {
            let reply = send(port, "GET", path, hosts, "").await;
            assert_eq!(reply.problem(400), "bad_host", "RFC 9112, section 3.2: a request names one host: {hosts:?}");
        }
        let reply = send(port, "GET", path, &[("Host", &ours), ("Origin", &format!("http://{ours}"))], "").await;
        assert_ne!(reply.status, 403, "a page of this computer may reach {service}: {reply:?}");
    }
    let metrics = scrape(&embedded).await;
    for service in Service::ALL {
        let refused =
            |reason| metrics.value("cwts_requests_refused_total", &[("service", service.id()), ("reason", reason)]);
        assert_eq!(refused("origin"), Some(2.0), "attempts on {service} must be seen");
        assert!(refused("host") >= Some(1.0), "attempts on {service} must be seen");
    }
}

#[tokio::test]
async fn a_request_that_two_readers_could_read_differently_is_refused_on_every_port() {
    let embedded = Embedded::start().await;
    for service in Service::ALL {
        let (port, path) = (embedded.port(service), service.path());
        let status = async |first: &str, lines: &str| {
            let token = bearer(TRADE_TOKEN);
            let rest = format!("Host: localhost:{port}\r\nAuthorization: {token}\r\nConnection: close\r\n{lines}\r\n");
            let answer = raw(port, &format!("{first} HTTP/1.1\r\n{rest}")).await;
            answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()).unwrap_or_default()
        };
        let get = format!("GET {path}");
        let cases = [
            (&*get, "Host: evil.example\r\n", 400, "two hosts"),
            (&get, "Host : evil.example\r\n", 400, "a space before the colon (RFC 9112, section 5.1)"),
            (&get, "X-Folded: 1\r\n Host: evil.example\r\n", 400, "a folded line (RFC 9112, section 5.2)"),
            (&get, "Origin: http://localhost\r\nOrigin: https://evil.example\r\n", 403, "two pages, one of them ours"),
            (&get, "Authorization: Bearer cwts_trade_0\r\n", 400, "two tokens"),
            (&get, "Content-Length: 1\r\nContent-Length: 2\r\n", 400, "two lengths"),
            (&get, "Transfer-Encoding: chunked, identity\r\n", 400, "an encoding without an end"),
            (&format!("GET http://evil.example{path}"), "", 403, "a target that stands above the Host"),
            (&format!("GET http://localhost@evil.example{path}"), "", 403, "a user that looks like a host"),
            ("CONNECT evil.example:443", "", 403, "a proxy's request for somewhere else"),
        ];
        for (first, lines, expected, what) in cases {
            assert_eq!(status(first, lines).await, expected, "{what} on {service}");
        }
        let own = status(&format!("GET http://localhost:{port}{path}"), "").await;
        assert!(![0, 400, 401, 403].contains(&own), "an absolute target of our own name is none: {own} on {service}");
    }
}

#[tokio::test]
async fn a_body_hides_no_second_request() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpHttp);
    let hidden = format!(
        "0\r\n\r\nGET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\r\n",
        bearer(TRADE_TOKEN)
    );
    let length = format!("Content-Length: {}", hidden.len());
    for lines in [format!("{length}\r\nTransfer-Encoding: chunked"), format!("Transfer-Encoding: chunked\r\n{length}")]
    {
        let answer = raw(port, &format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\n{hidden}")).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "the request itself has no token: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "what a proxy took for the body stays unread: {answer}");
    }
}

/// Everything that the server answers to the bytes until it closes.
async fn raw(port: u16, request: &str) -> String {
    let mut raw = Raw::connect(port).await;
    raw.send(request.as_bytes()).await.expect("an open connection");
    String::from_utf8_lossy(&raw.read_to_end().await).into_owned()
}

#[tokio::test]
async fn a_foreign_page_cannot_place_an_order_over_http() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpHttp);
    let arguments =
        json!({ "symbol": "BTCUSD", "side": "buy", "order_type": "limit", "quantity": 0.01, "price": 60_000 });
    let params = json!({ "name": "place_order", "arguments": arguments });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    // text/plain is what a page may send without asking first (Fetch, "CORS-safelisted request-header").
    let headers =
        [("Host", &*format!("localhost:{port}")), ("Origin", "https://evil.example"), ("Content-Type", "text/plain")];
    assert_eq!(send(port, "POST", "/mcp", &headers, &body).await.problem(403), "origin_refused", "a simple request");
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let orders = client.call("list_orders", json!({ "status": "all" })).await.ok();
    assert_eq!(orders["orders"], json!([]), "the page has placed nothing");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_document() {
    let embedded = Embedded::start().await;
    for service in Service::ALL {
        let port = embedded.port(service);
        assert_eq!(get(port, "/nothing/here").await.problem(404), "not_found", "{service} says so in its one format");
    }
    let host = |port: u16| format!("127.0.0.1:{port}");
    for (service, path) in
        [(Service::McpHttp, "/api/v1/status"), (Service::Prometheus, "/metrics"), (Service::Health, "/health")]
    {
        let port = embedded.port(service);
        let reply = send(port, "DELETE", path, &[("Host", &host(port))], "").await;
        assert_eq!(reply.problem(405), "method_not_allowed", "{path} can only be read");
        let allow = reply.header("allow").unwrap_or_default();
        assert!(allow.contains("GET"), "RFC 9110, section 15.5.6: Allow names what {path} takes: {reply:?}");
    }
}

#[tokio::test]
async fn a_plain_get_on_the_websocket_port_is_answered_in_words() {
    let embedded = Embedded::start().await;
    let reply = get(embedded.port(Service::McpWebsocket), "/mcp").await;
    assert!((400..500).contains(&reply.status), "a browser that opens the URL gets an answer, no hanging: {reply:?}");
    assert!(!reply.body.is_empty(), "a person who opens the URL reads why nothing shows: {reply:?}");
}

#[tokio::test]
async fn health_tells_which_process_answers() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::Health);
    for path in ["/health", "/health/ready", "/health/live"] {
        let reply = get(port, path).await;
        assert_eq!(reply.status, 200, "a running server is healthy: {reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/health+json"), "monitors go by the type");
        let health = reply.json();
        assert_eq!(health["status"], "pass", "draft-inadarei-api-health-check, section 3.1: {health}");
        assert_eq!(health["serviceId"], "default", "an instance is told from another: {health}");
        assert_eq!(health["nonce"], embedded.instance().nonce(), "an orphan is told from ours: {health}");
    }
    let other = Embedded::start().await;
    let theirs = get(other.port(Service::Health), "/health").await.json();
    assert_ne!(theirs["nonce"], embedded.instance().nonce(), "each process has a nonce of its own");
}

#[tokio::test]
async fn health_answers_until_the_other_services_have_drained() {
    let embedded = Embedded::start().await;
    let (mcp, health) = (embedded.port(Service::McpHttp), embedded.port(Service::Health));
    let mut unfinished = TcpStream::connect(("127.0.0.1", mcp)).await.expect("the service runs");
    let body = initialize_request(1).to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{mcp}\r\nAuthorization: {}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nContent-Length: {}\r\n\r\n",
        bearer(TRADE_TOKEN),
        body.len()
    );
    unfinished.write_all(head.as_bytes()).await.expect("an open stream");
    until("the request to be under way", async || {
        (embedded.instance().meter(Service::McpHttp).requests() == 1).then_some(())
    })
    .await;
    let instance = embedded.instance().clone();
    let stopping = tokio::spawn(async move { instance.stop().await });
    let draining = until("the drain to begin", async || {
        let reply = get(health, "/health/ready").await;
        (reply.status != 200).then_some(reply)
    })
    .await;
    assert_eq!(draining.status, 503, "a load balancer must send nobody here any more: {draining:?}");
    assert!(draining.body.contains("draining"), "a person reads why: {draining:?}");
    assert_eq!(get(health, "/health/live").await.status, 200, "nobody may kill a process that is ending in order");
    until("the other services to refuse", async || refuses(mcp).then_some(())).await;
    unfinished.write_all(body.as_bytes()).await.expect("the drain lets a request end");
    let mut answer = String::new();
    within("its answer", unfinished.read_to_string(&mut answer)).await.expect("text");
    assert!(answer.starts_with("HTTP/1.1 200"), "a request that was under way is answered: {answer}");
    within("the end of the drain", stopping).await.expect("the task ends").expect("a stop cannot fail");
    assert!(refuses(health), "then health closes too");
}

#[tokio::test]
async fn metrics_are_valid_and_count_orders() {
    let embedded = Embedded::start().await;
    let before = scrape(&embedded).await;
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let order = json!({
        "symbol": "BTCUSD", "side": "buy", "order_type": "limit", "quantity": 0.001, "price": 60_000,
        "client_order_id": "once"
    });
    client.call("place_order", order.clone()).await.ok();
    client.call("place_order", order).await.ok();
    let too_much =
        json!({ "symbol": "BTCUSD", "side": "buy", "order_type": "limit", "quantity": 100, "price": 60_000 });
    client.call("place_order", too_much).await.error();
    let after = scrape(&embedded).await;
    let moved = |name, labels: &[(&str, &str)]| {
        let value = |metrics: &Exposition| metrics.value(name, labels).unwrap_or_default();
        value(&after) - value(&before)
    };
    assert_eq!(moved("cwts_orders_total", &[("outcome", "accepted")]), 1.0, "the accepted order is counted");
    assert_eq!(moved("cwts_orders_total", &[("outcome", "repeated")]), 1.0, "a retry is no second order");
    assert_eq!(moved("cwts_orders_total", &[("outcome", "rejected")]), 1.0, "the rejected one too");
    assert_eq!(moved("cwts_order_latency_seconds_count", &[]), 3.0, "all are timed");
    assert_eq!(moved("cwts_tool_calls_total", &[("tool", "place_order"), ("outcome", "ok")]), 2.0, "calls by outcome");
    assert_eq!(moved("cwts_tool_calls_total", &[("tool", "place_order"), ("outcome", "error")]), 1.0, "and failures");
    assert!(moved("cwts_websocket_messages_total", &[("direction", "in")]) >= 4.0, "messages are counted");
    let prometheus = [("service", "prometheus"), ("status", "200")];
    assert_eq!(moved("cwts_http_requests_total", &prometheus), 1.0, "the scrape before is counted");
    for service in Service::ALL {
        assert_eq!(after.value("cwts_service_up", &[("service", service.id())]), Some(1.0), "{service} is up");
    }
}

#[tokio::test]
async fn status_shows_the_four_services_and_the_market() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpHttp);
    let status = get(port, "/api/v1/status").await.json();
    assert_eq!(
        (&status["state"], &status["instance"]),
        (&json!("running"), &json!("default")),
        "as the panel shows it"
    );
    let services = status["services"].as_array().expect("a list of services");
    let shown: Vec<_> = services.iter().map(|each| (each["service"].clone(), each["port"]["value"].clone())).collect();
    let expected = Service::ALL.map(|service| (json!(service.id()), json!(embedded.port(service))));
    assert_eq!(shown, expected, "all four, in the fixed order, with the bound ports");
    assert_eq!(services[0]["port"]["origin"]["layer"], "toml", "a port knows where it was set: {}", services[0]);
    assert_eq!(status["market"]["symbol"], "BTCUSD", "the market as it is now: {status}");
}

#[tokio::test]
async fn mcp_over_http_keeps_sessions_and_refuses_strangers() {
    let embedded = Embedded::start().await;
    let session = HttpSession::connect(&embedded.url(Service::McpHttp)).await;
    let info = session.call("server_info", json!({})).await.ok();
    assert_eq!(info["paper_trading"], true, "an agent must know that nothing is real: {info}");
    let failed = session.call("get_market_data", json!({ "symbol": "DOGEUSD" })).await.error();
    assert!(failed.contains("DOGEUSD"), "tool errors are the same on both transports: {failed}");
    let port = embedded.port(Service::McpHttp);
    let host = format!("127.0.0.1:{port}");
    let accept = ("Accept", "application/json, text/event-stream");
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let post = async |headers: &[(&str, &str)], body: &str| -> Reply {
        let all: Vec<_> =
            [("Host", &*host), ("Content-Type", "application/json")].iter().chain(headers).copied().collect();
        send(port, "POST", "/mcp", &all, body).await
    };
    let session = ("Mcp-Session-Id", "00000000-0000-4000-8000-000000000000");
    let unknown = post(&[accept, session], &list).await;
    let gone = unknown.problem(404);
    assert_eq!(gone, "session_unknown", "MCP 2025-06-18, \"Session Management\": a session that is gone is 404");
    let big = post(&[accept], &format!("{{\"jsonrpc\":\"{}\"}}", "x".repeat(2 << 20))).await;
    assert_eq!(big.problem(413), "too_large", "a body beyond the limit is refused");
}

#[tokio::test]
async fn every_error_of_mcp_over_http_is_json_that_says_what_to_do() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpHttp);
    let host = format!("127.0.0.1:{port}");
    let all = ("Accept", "application/json, text/event-stream");
    let json = ("Content-Type", "application/json");
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let ask = async |method: &str, headers: &[(&str, &str)], body: &str| -> Reply {
        send(port, method, "/mcp", &[&[("Host", &*host)], headers].concat(), body).await
    };
    let cases = [
        (ask("POST", &[all, json], &list).await, 400, "session_missing", "initialize"),
        (ask("POST", &[json], &list).await, 406, "not_acceptable", "Accept: application/json, text/event-stream"),
        (ask("POST", &[all], &list).await, 415, "unsupported_media_type", "Content-Type: application/json"),
        (ask("GET", &[], "").await, 406, "not_acceptable", "Accept: text/event-stream"),
        (ask("GET", &[("Accept", "text/event-stream")], "").await, 400, "session_missing", "Mcp-Session-Id"),
        (ask("DELETE", &[], "").await, 400, "session_missing", "Mcp-Session-Id"),
        (ask("PUT", &[], "").await, 405, "method_not_allowed", "POST"),
        (
            ask("POST", &[all, json, ("MCP-Protocol-Version", "1999-01-01")], &list).await,
            400,
            "bad_request",
            "1999-01-01",
        ),
    ];
    for (reply, status, code, named) in cases {
        assert_eq!(reply.problem(status), code, "a program branches on it: {reply:?}");
        let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(detail.contains(named), "a person reads what to do, {named}: {detail}");
    }
    let allowed = ask("PUT", &[], "").await;
    assert_eq!(allowed.header("allow"), Some("GET, POST, DELETE"), "RFC 9110, section 15.5.6");
    let faults = [
        ("{", 400, -32700),
        ("[]", 400, -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":5}", 400, -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":5}}", 200, -32602),
    ];
    for (body, status, code) in faults {
        let reply = ask("POST", &[all, json], body).await;
        let kind = reply.header("content-type").unwrap_or_default();
        assert!(reply.status == status && kind.starts_with("application/json"), "{body} has {status}: {reply:?}");
        assert_eq!(reply.json()["error"]["code"], code, "the same codes as over WebSocket: {reply:?}");
    }
}

#[tokio::test]
async fn the_path_of_mcp_may_end_with_a_slash_and_has_nothing_below_it() {
    let embedded = Embedded::start().await;
    HttpSession::connect(&format!("{}/", embedded.url(Service::McpHttp))).await;
    let below = get(embedded.port(Service::McpHttp), "/mcp/other").await;
    assert_eq!(below.problem(404), "not_found", "a typing error must not look like a session that has ended");
}

#[tokio::test]
async fn sessions_are_bounded_and_a_session_that_ends_makes_room() {
    let sessions = SessionLimits { total: 3, per_source: 2, ..SessionLimits::default() };
    let embedded = Embedded::start_with(Limits { sessions, ..Limits::default() }).await;
    let url = embedded.url(Service::McpHttp);
    let (first, _second) = (HttpSession::connect(&url).await, HttpSession::connect(&url).await);
    let refused = HttpSession::attempt(&url).await;
    assert_eq!(refused.problem(429), "too_many_sessions", "56 KB each must not add up: {refused:?}");
    assert!(refused.header("retry-after").is_some(), "RFC 6585, section 4: {refused:?}");
    first.call("server_info", json!({})).await.ok();
    first.end().await;
    HttpSession::connect(&url).await;
}

#[tokio::test]
async fn an_idle_session_ends_but_not_one_that_listens() {
    let idle = std::time::Duration::from_millis(400);
    let sessions = SessionLimits { per_source: 2, idle, ..SessionLimits::default() };
    let embedded = Embedded::start_with(Limits { sessions, ..Limits::default() }).await;
    let url = embedded.url(Service::McpHttp);
    let (idle, listening) = (HttpSession::connect(&url).await, HttpSession::connect(&url).await);
    let mut events = listening.listen().await;
    until("the place of the idle session", async || (HttpSession::attempt(&url).await.status == 200).then_some(()))
        .await;
    assert!(!idle.exists().await, "56 KB that nobody uses are given back");
    assert!(events.is_open(), "who listens is there, however long nothing happens");
    listening.call("server_info", json!({})).await.ok();
}

#[tokio::test]
async fn a_market_that_stands_still_is_a_warning_and_no_failure() {
    let embedded = Embedded::start().await;
    embedded.instance().pause_market().await.expect("a person may");
    let warned = async {
        let mut looks = tokio::time::interval(std::time::Duration::from_millis(200));
        loop {
            looks.tick().await;
            let reply = get(embedded.port(Service::Health), "/health/ready").await;
            assert_eq!(reply.status, 200, "it takes orders all the same: {reply:?}");
            let health = reply.json();
            if health["status"] == "warn" {
                return health;
            }
        }
    };
    let patience = std::time::Duration::from_secs(60);
    let health = tokio::time::timeout(patience, warned).await.expect("a monitor is told after 10 s");
    let market = &health["checks"]["market:lag"][0];
    assert_eq!((&market["status"], &market["observedUnit"]), (&json!("warn"), &json!("s")), "{health}");
    assert!(market["output"].as_str().is_some_and(|text| text.contains("has not moved for")), "{health}");
    assert_eq!(health["checks"]["journal:writable"][0]["status"], "pass", "and nothing else is wrong: {health}");
}
