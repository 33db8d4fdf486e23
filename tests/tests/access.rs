//! Who gets in: tokens in the header and in the query, scopes, rotation under live connections, wrong tokens, no tokens.

use std::time::Duration;

use cwts_config::{Environment, Key};
use cwts_domain::Service;
use cwts_runtime::{RefusalReason, SaveTarget, SettingChange};
use cwts_tests::{
    Embedded, Exposition, Home, HttpSession, METRICS_TOKEN, McpClient, OWNER_TOKEN, Ports, READ_TOKEN, Reply, Server,
    Socket, TRADE_TOKEN, bearer, command, finish, get, send_exactly, until,
};
use rustix::process::Signal;
use serde_json::json;

const WRONG: &str = "cwts_trade_0000000000000000000000000000000000000000000000000000000000000000";

/// The answer to a request with that token in its header, or with none.
async fn ask(port: u16, path: &str, token: Option<&str>) -> Reply {
    let host = format!("localhost:{port}");
    let bearer = token.map(bearer);
    let mut headers = vec![("Host", &*host)];
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    send_exactly(port, "GET", path, &headers, "").await
}

/// The status with which the WebSocket is refused; 101 when it is opened.
async fn upgrade(url: &str, headers: &[(&'static str, &str)]) -> u16 {
    match Socket::open_exactly(url, headers).await {
        Ok(_) => 101,
        Err(error) => match *error {
            tokio_tungstenite::tungstenite::Error::Http(response) => response.status().as_u16(),
            other => panic!("an HTTP answer was expected, not {other}"),
        },
    }
}

fn order() -> serde_json::Value {
    json!({ "symbol": "BTCUSD", "side": "buy", "order_type": "limit", "quantity": 0.001, "price": 60000 })
}

#[tokio::test]
async fn the_token_works_in_the_header_and_in_the_query_of_the_websocket_and_nowhere_else() {
    let embedded = Embedded::start().await;
    let (websocket, http) = (embedded.url(Service::McpWebsocket), embedded.port(Service::McpHttp));
    let header = bearer(TRADE_TOKEN);
    assert_eq!(upgrade(&websocket, &[("authorization", &header)]).await, 101, "the header");
    assert_eq!(upgrade(&websocket, &[("authorization", &header.to_lowercase())]).await, 101, "RFC 9110 section 11.1");
    assert_eq!(upgrade(&format!("{websocket}?token={TRADE_TOKEN}"), &[]).await, 101, "the query");
    assert_eq!(upgrade(&format!("{websocket}?x=1&token={TRADE_TOKEN}&y"), &[]).await, 101, "among other parameters");
    assert_eq!(ask(http, "/api/v1/status", Some(TRADE_TOKEN)).await.status, 200, "the header over HTTP");

    assert_eq!(upgrade(&websocket, &[]).await, 401, "no token");
    let cookie = format!("token={TRADE_TOKEN}");
    let basic = format!("Basic {TRADE_TOKEN}");
    let protocol = format!("mcp, {TRADE_TOKEN}");
    let elsewhere: [(&'static str, &str); 5] = [
        ("cookie", &cookie),
        ("authorization", &basic),
        ("authorization", TRADE_TOKEN),
        ("x-token", TRADE_TOKEN),
        ("sec-websocket-protocol", &protocol),
    ];
    for header in elsewhere {
        assert_eq!(upgrade(&websocket, &[header]).await, 401, "not in {header:?}");
    }
    for parameter in ["Token", "access_token", "tokens"] {
        assert_eq!(upgrade(&format!("{websocket}?{parameter}={TRADE_TOKEN}"), &[]).await, 401, "not as {parameter}");
    }
    for path in ["/api/v1/status", "/mcp", &format!("/api/v1/{TRADE_TOKEN}")] {
        let reply = ask(http, &format!("{path}?token={TRADE_TOKEN}"), None).await;
        assert_eq!(reply.problem(401), "token_missing", "browsers keep URLs: not in the query of {path}");
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer "), "RFC 6750 section 3: {reply:?}");
        assert!(!reply.body.contains(TRADE_TOKEN), "an answer repeats no token: {reply:?}");
    }
    let host = format!("localhost:{http}");
    let form = format!("token={TRADE_TOKEN}&access_token={TRADE_TOKEN}");
    let json = json!({ "token": TRADE_TOKEN, "params": { "_meta": { "authorization": header } } }).to_string();
    for (kind, body) in [("application/x-www-form-urlencoded", &form), ("application/json", &json)] {
        for path in ["/api/v1/trading/halt", "/mcp"] {
            let headers = [("Host", &*host), ("Content-Type", kind), ("Accept", "application/json, text/event-stream")];
            let reply = send_exactly(http, "POST", path, &headers, body).await;
            assert_eq!(
                reply.problem(401),
                "token_missing",
                "RFC 6750 section 2.2 is not offered: not in {kind} to {path}"
            );
        }
    }
}

#[tokio::test]
async fn several_tokens_open_nothing_and_a_long_one_is_a_wrong_one() {
    let embedded = Embedded::start().await;
    let (websocket, http) = (embedded.url(Service::McpWebsocket), embedded.port(Service::McpHttp));
    let (right, wrong) = (bearer(TRADE_TOKEN), bearer(WRONG));
    let in_query = format!("{websocket}?token={TRADE_TOKEN}");
    assert_eq!(upgrade(&in_query, &[("authorization", &right)]).await, 400, "RFC 6750 section 2: one method");
    assert_eq!(upgrade(&format!("{in_query}&token={WRONG}"), &[]).await, 400, "one in the query");
    for (first, second) in [(&right, &wrong), (&wrong, &right), (&right, &right)] {
        let ports =
            [(Service::McpWebsocket, "/mcp"), (Service::McpHttp, "/api/v1/status"), (Service::Prometheus, "/metrics")];
        for (service, path) in ports {
            let headers = [("Host", "localhost"), ("Authorization", first), ("Authorization", second)];
            let reply = send_exactly(embedded.port(service), "GET", path, &headers, "").await;
            assert_eq!(reply.problem(400), "token_repeated", "a proxy may look at the other one: {path}");
            let challenge = reply.header("www-authenticate").unwrap_or_default();
            assert!(challenge.contains("invalid_request"), "RFC 6750 section 3.1: {challenge}");
        }
    }
    let failed = ask(http, "/api/v1/status", Some(TRADE_TOKEN)).await.json()["failed_logins"]["count"].clone();
    assert_eq!(failed, 0, "no token was looked at");

    let long = "f".repeat(24 << 10);
    assert_eq!(upgrade(&format!("{websocket}?token={long}"), &[]).await, 401, "as long as a head may be");
    let reply = ask(http, "/api/v1/status", Some(&long)).await;
    assert_eq!(reply.problem(401), "token_wrong", "in the header too");
    assert!(!reply.body.contains("ffff"), "an answer repeats no token: {reply:?}");
    let longer = "f".repeat(40 << 10);
    assert_eq!(upgrade(&format!("{websocket}?token={longer}"), &[]).await, 431, "more is not read");
}

#[tokio::test]
async fn metrics_and_health_are_open_on_loopback() {
    let embedded = Embedded::start().await;
    for (service, path) in [(Service::Prometheus, "/metrics"), (Service::Health, "/health")] {
        let port = embedded.port(service);
        for token in [None, Some(METRICS_TOKEN), Some(TRADE_TOKEN)] {
            assert_eq!(ask(port, path, token).await.status, 200, "{path} with {token:?}");
        }
        assert_eq!(
            ask(port, path, Some(WRONG)).await.problem(401),
            "token_wrong",
            "a wrong token is a mistake to tell"
        );
    }
}

#[tokio::test]
async fn a_small_token_reads_and_does_nothing_more() {
    let embedded = Embedded::start().await;
    let websocket = embedded.url(Service::McpWebsocket);
    let (socket, _) = Socket::open_exactly(&format!("{websocket}?token={READ_TOKEN}"), &[]).await.expect("it may read");
    let mut reader = McpClient::initialize(socket).await;
    assert_eq!(reader.call("get_account", json!({})).await.ok()["cash"], 100_000.0, "it reads");
    let http = HttpSession::connect_as(&embedded.url(Service::McpHttp), READ_TOKEN).await;
    for (tool, arguments) in [("place_order", order()), ("cancel_order", json!({ "order_id": "1" }))] {
        let refusals = [reader.call(tool, arguments.clone()).await.error(), http.call(tool, arguments).await.error()];
        for refused in refusals {
            let expected = format!("{tool} needs a token of the scope trade, and this client's is read");
            assert!(refused.starts_with(&expected), "the model reads what is missing: {refused}");
        }
    }
    let orders = http.call("list_orders", json!({ "status": "all" })).await.ok();
    assert_eq!(orders["orders"], json!([]), "nothing was placed");
    let port = embedded.port(Service::McpHttp);
    let headers = [("Host", &*format!("localhost:{port}")), ("Authorization", &bearer(READ_TOKEN))];
    let refused = send_exactly(port, "POST", "/api/v1/orders", &headers, "{}").await;
    assert_eq!(refused.problem(403), "scope_too_small", "nor over REST, whatever is served there");

    assert_eq!(upgrade(&format!("{websocket}?token={METRICS_TOKEN}"), &[]).await, 403, "metrics may scrape only");
    let reply = ask(port, "/api/v1/status", Some(METRICS_TOKEN)).await;
    assert_eq!(reply.problem(403), "scope_too_small", "metrics may not read the account");
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    assert!(challenge.contains("insufficient_scope") && challenge.contains("scope=\"read\""), "RFC 6750: {challenge}");
    for token in [TRADE_TOKEN, OWNER_TOKEN] {
        let (socket, _) = Socket::open_exactly(&format!("{websocket}?token={token}"), &[]).await.expect("it may trade");
        McpClient::initialize(socket).await.call("place_order", order()).await.ok();
    }
}

#[tokio::test]
async fn a_rotation_ends_the_old_connections_within_a_second_and_no_others() {
    let embedded = Embedded::start().await;
    let websocket = embedded.url(Service::McpWebsocket);
    let mut trader = McpClient::connect(&websocket).await;
    let (socket, _) = Socket::open_exactly(&format!("{websocket}?token={READ_TOKEN}"), &[]).await.expect("a reader");
    let mut reader = McpClient::initialize(socket).await;
    let session = HttpSession::connect(&embedded.url(Service::McpHttp)).await;
    let mut events = session.listen().await;

    let mut rotate = command(embedded.home());
    rotate.args(["token", "rotate", "--scope", "trade"]);
    let rotated = finish(rotate).await;
    assert_eq!(rotated.status, Some(0), "{rotated:?}");
    assert_eq!(trader.socket().close_code().await, 1008, "the client is told that the policy ended it");
    assert!(trader.socket().ended().await, "and the connection ends");
    assert!(events.ended_in_order().await, "the stream of server events ends");
    assert_eq!(upgrade(&websocket, &[("authorization", &bearer(TRADE_TOKEN))]).await, 401, "the old token is dead");
    reader.call("get_account", json!({})).await.ok();

    let mut show = command(embedded.home());
    show.args(["token", "show"]);
    let token = finish(show).await.stdout.trim().to_owned();
    assert_eq!(upgrade(&websocket, &[("authorization", &bearer(&token))]).await, 101, "the new one works at once");
    let gone = session.call_as(&token, "get_account").await;
    assert_eq!(gone, 404, "a session does not pass to another token: the client initializes anew");
    let told = embedded.instance().activities().into_iter().any(|each| each.text.starts_with("Token replaced: trade"));
    assert!(told, "the trail says what happened");
}

#[tokio::test]
async fn wrong_tokens_are_counted_and_slowed_down_while_right_ones_pass() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpHttp);
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let reply = ask(port, "/api/v1/status", Some(WRONG)).await;
        if reply.status == 429 {
            assert!(reply.header("retry-after").is_some(), "RFC 6585 section 4: {reply:?}");
            assert_eq!(reply.problem(429), "too_many_wrong_tokens", "said in words");
        }
        statuses.push(reply.status);
    }
    assert_eq!(statuses[..5], [401; 5], "a few mistakes cost nothing: {statuses:?}");
    assert!(statuses[6..].iter().all(|status| *status == 429), "then the source has to wait: {statuses:?}");
    assert_eq!(ask(port, "/api/v1/status", Some(TRADE_TOKEN)).await.status, 200, "programs share this address");
    let metrics = Exposition::parse(&get(embedded.port(Service::Prometheus), "/metrics").await.body);
    let failures = metrics.value("cwts_login_failures_total", &[("service", "mcp-http")]);
    assert_eq!(failures, Some(12.0), "a monitor sees that somebody tries");
    let status = ask(port, "/api/v1/status", Some(TRADE_TOKEN)).await.json();
    let failed = &status["failed_logins"];
    assert_eq!(failed["count"], 12, "those that were made to wait count too: {failed}");
    assert_eq!(failed["last_source"], "127.0.0.1", "a person sees from where: {failed}");
    let age = embedded.instance().clock().now().millis() - failed["last_at"].as_i64().expect("milliseconds");
    assert!((0..60_000).contains(&age), "and when: {age} ms ago");
    let finding = until("the finding in the panel", async || {
        let findings = embedded.instance().snapshot().findings;
        findings.into_iter().find(|finding| finding.title == "Somebody presents wrong tokens")
    })
    .await;
    assert!(finding.detail.contains("127.0.0.1"), "it names the source: {}", finding.detail);
}

#[tokio::test]
async fn a_source_that_waits_as_it_was_told_is_looked_at_again() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpHttp);
    let wrong = async || ask(port, "/api/v1/status", Some(WRONG)).await;
    for number in 1..=6 {
        assert_eq!(wrong().await.problem(401), "token_wrong", "attempt {number} is looked at");
    }
    let started = std::time::Instant::now();
    until("the end of the wait", async || (wrong().await.status == 401).then_some(())).await;
    let waited = started.elapsed();
    assert!(waited > Duration::from_millis(900), "the sixth costs a second: {waited:?}");
    let started = std::time::Instant::now();
    until("the end of the next wait", async || (wrong().await.status == 401).then_some(())).await;
    assert!(started.elapsed() > Duration::from_millis(1900), "and the next one two: {:?}", started.elapsed());
}

#[tokio::test]
async fn without_authentication_this_computer_needs_no_token_and_is_told_so() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    home.write_toml(&format!("{}\n[security]\nauth = \"none\"\n", ports.toml()));
    let embedded = Embedded::start_in(home, Environment::empty()).await;
    let (socket, _) = Socket::open_exactly(&embedded.url(Service::McpWebsocket), &[]).await.expect("no token needed");
    McpClient::initialize(socket).await.call("place_order", order()).await.ok();
    assert_eq!(ask(embedded.port(Service::McpHttp), "/api/v1/status", None).await.status, 200, "nor over HTTP");
    let findings = embedded.instance().snapshot().findings;
    let standing = findings.iter().find(|finding| finding.title == "No token is asked for");
    assert!(standing.is_some(), "the notice stands as long as it is so: {findings:?}");
}

#[tokio::test]
async fn no_output_shows_a_token() {
    let home = Home::untouched();
    let ports = Ports::free();
    home.write_toml(&ports.toml());
    let mut program = command(&home);
    program.env("CWTS_LOG", "trace").env("RUST_BACKTRACE", "1");
    let server = Server::launch(program).await;
    let secrets = ["owner", "trade", "read", "metrics"].map(|scope| {
        let file = home.path().join("data/default/tokens").join(scope);
        std::fs::read_to_string(file).expect("made at the first start").trim().to_owned()
    });
    let [websocket, http, metrics] =
        [Service::McpWebsocket, Service::McpHttp, Service::Prometheus].map(|it| ports.of(it));
    let mut seen = String::new();
    for secret in &secrets {
        upgrade(&format!("ws://127.0.0.1:{websocket}/mcp?token={secret}"), &[]).await;
        upgrade(&format!("ws://127.0.0.1:{websocket}/other?token={secret}"), &[]).await;
        for path in ["/api/v1/status".to_owned(), format!("/mcp?token={secret}"), format!("/nothing?token={secret}")] {
            let reply = ask(http, &path, Some(secret)).await;
            seen.push_str(&format!("{reply:?}"));
            seen.push_str(&format!("{:?}", ask(http, &path, None).await));
        }
        // A token with a slip is a secret as well.
        let slip = &secret[..secret.len() - 1];
        seen.push_str(&format!("{:?}", ask(http, "/api/v1/status", Some(slip)).await));
    }
    let pid = server.pid();
    for file in ["cmdline", "environ"] {
        let bytes = std::fs::read(format!("/proc/{pid}/{file}")).expect("our own child");
        seen.push_str(&String::from_utf8_lossy(&bytes));
    }
    let scraped = ask(metrics, "/metrics", None).await.body;
    assert!(scraped.contains("cwts_login_failures_total"), "the metrics were read");
    seen.push_str(&scraped);
    let ended = server.stop(Signal::TERM).await;
    assert!(ended.stderr.contains("request refused"), "the log says what it says at this level: {}", ended.stderr);
    seen.push_str(&ended.stdout);
    seen.push_str(&ended.stderr);
    for secret in &secrets {
        assert!(!seen.contains(&secret[..secret.len() - 1]), "a token was shown: {}", context(&seen, secret));
        assert!(!seen.contains(&secret[secret.len() - 20..]), "nor a part of it: {}", context(&seen, secret));
    }
}

/// What stands around a secret that should not be there.
fn context<'a>(text: &'a str, secret: &str) -> &'a str {
    let at = text.find(&secret[secret.len() - 20..]).unwrap_or_default();
    &text[at.saturating_sub(200)..at]
}

#[tokio::test]
async fn names_that_a_person_allows_are_taken_in_host_and_origin_and_no_others() {
    let embedded = Embedded::start().await;
    let http = embedded.port(Service::McpHttp);
    let token = bearer(TRADE_TOKEN);
    let status = async |host: &str, origin: Option<&str>| {
        let mut headers = vec![("Host", host), ("Authorization", &token)];
        headers.extend(origin.map(|origin| ("Origin", origin)));
        send_exactly(http, "GET", "/api/v1/status", &headers, "").await.status
    };
    assert_eq!(status("bot.lan:3001", None).await, 403, "nobody has allowed it");
    let allow = SettingChange::set(Key::AllowedHosts, "Bot.LAN");
    embedded.change([allow], SaveTarget::Toml).await.expect("a name");
    assert_eq!(status("bot.lan:3001", None).await, 200, "from the next request on");
    assert_eq!(status("localhost", Some("https://bot.lan")).await, 200, "its pages too");
    for other in ["lan", "evil.bot.lan", "bot.lan.evil.example"] {
        assert_eq!(status(other, None).await, 403, "{other} is another name");
    }
    assert_eq!(status("localhost", Some("https://bot.lan@evil.example")).await, 403, "nor by a trick");
    let bad = SettingChange::set(Key::AllowedHosts, "*.lan");
    let refused = embedded.change([bad], SaveTarget::Toml).await.expect_err("a wildcard is no name");
    assert!(refused.to_string().contains("separated by commas"), "what is allowed: {refused}");

    assert_eq!(ask(http, "/api/v1/status", Some(WRONG)).await.status, 401, "a wrong token");
    assert_eq!(ask(http, "/api/v1/status", None).await.status, 401, "none");
    let refused = embedded.instance().security().await.expect("a look").refused;
    let row = |reason| refused.iter().find(|row| row.reason == reason).map(|row| (row.source.to_string(), row.count));
    assert_eq!(
        row(RefusalReason::Host),
        Some(("127.0.0.1".to_owned(), 4)),
        "a person sees who was refused: {refused:?}"
    );
    assert_eq!(row(RefusalReason::Origin), Some(("127.0.0.1".to_owned(), 1)), "{refused:?}");
    assert_eq!(row(RefusalReason::Token), Some(("127.0.0.1".to_owned(), 1)), "{refused:?}");
    assert_eq!(row(RefusalReason::TokenMissing), Some(("127.0.0.1".to_owned(), 1)), "{refused:?}");
}
