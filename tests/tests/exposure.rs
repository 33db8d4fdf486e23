//! Beyond loopback: real peers in a network namespace, real clients over TLS, and trading that waits for a person.

use std::path::{Path, PathBuf};

use cwts_config::Environment;
use cwts_domain::Service;
use cwts_tests::{
    Embedded, Home, METRICS_TOKEN, McpClient, OTHER_END, OTHER_END_V6, OWNER_TOKEN, Ports, READ_TOKEN, Server, Socket,
    THIS_END, THIS_END_V6, TRADE_TOKEN, bearer, command, finish, get, lay_cable, lay_ipv6, remote, sandboxed,
    send_exactly, shell, shown_fingerprint, skip, until,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::Command;

/// A server on every interface, `0.0.0.0` or `::`, with TLS or without.
async fn exposed(home: &Home, address: &str, tls: bool) -> (Server, Ports) {
    let ports = Ports::free();
    let security = if tls { "\n[security]\ntls = \"on\"\n" } else { "" };
    home.write_toml(&format!("{}{security}", ports.toml()));
    if tls {
        let mut make = command(home);
        make.args(["tls", "make", "--name", THIS_END, "--name", THIS_END_V6]);
        assert_eq!(finish(make).await.status, Some(0), "a certificate of its own");
    }
    let mut program = command(home);
    program.env("MCP_BIND_ADDR", address).env("MONITORING_BIND_ADDR", address);
    (Server::launch(program).await, ports)
}

fn authority(home: &Home) -> PathBuf {
    home.path().join("data/default/tls/ca.pem")
}

#[tokio::test]
async fn without_tls_other_computers_get_the_remedies_and_this_one_is_served() {
    if !sandboxed(without_tls_other_computers_get_the_remedies_and_this_one_is_served).await {
        return;
    }
    lay_cable().await;
    let home = Home::empty();
    let (server, ports) = exposed(&home, "0.0.0.0", false).await;
    for service in Service::ALL {
        let url = format!("http://{THIS_END}:{}{}", ports.of(service), service.path());
        let (status, problem) = remote(&["-H", &format!("Authorization: {}", bearer(OWNER_TOKEN)), &url]).await;
        assert_eq!((status, &problem["code"]), (403, &json!("remote_refused")), "{service}, with any token: {problem}");
        let detail = problem["detail"].as_str().unwrap_or_default();
        for remedy in ["TLS is off", "cwts-ultra tls make", "security.tls on", "ssh -L"] {
            assert!(detail.contains(remedy), "{remedy} is a way out: {detail}");
        }
    }
    let trail = until("the entry", async || {
        let (http, bearer) = (ports.of(Service::McpHttp), bearer(OWNER_TOKEN));
        let headers = [("Host", "localhost"), ("Authorization", &*bearer)];
        let page = send_exactly(http, "GET", "/api/v1/audit", &headers, "").await.json();
        let records = page["records"].as_array()?.clone();
        records.into_iter().find(|record| record["action"] == "remote_refused")
    })
    .await;
    assert_eq!(trail["subject"], "192.168.50.10", "the trail names who was refused: {trail}");
    McpClient::connect(&format!("ws://127.0.0.1:{}/mcp", ports.of(Service::McpWebsocket))).await;
    assert_eq!(get(ports.of(Service::Health), "/health").await.json()["exposed"], false, "nobody else is served");
    let ended = server.stop(Signal::TERM).await;
    assert_eq!(ended.stderr.matches("TLS is off").count(), 1, "one line says so: {}", ended.stderr);
}

#[tokio::test]
async fn over_tls_with_a_token_other_computers_are_served_and_trading_waits_for_a_person() {
    if !sandboxed(over_tls_with_a_token_other_computers_are_served_and_trading_waits_for_a_person).await {
        return;
    }
    lay_cable().await;
    let home = Home::empty();
    let (server, ports) = exposed(&home, "0.0.0.0", true).await;
    let authority = authority(&home).display().to_string();
    let url = |scheme: &str, service: Service, path: &str| format!("{scheme}://{THIS_END}:{}{path}", ports.of(service));
    let trusted = ["--cacert", &authority];
    let ask = async |token: Option<&str>, url: &str| {
        let header = token.map(|token| format!("Authorization: {}", bearer(token)));
        let header: Vec<&str> = header.iter().flat_map(|header| ["-H", header]).collect();
        remote(&[trusted.as_slice(), &header, &[url]].concat()).await
    };
    let status = url("https", Service::McpHttp, "/api/v1/status");
    assert_eq!(ask(Some(READ_TOKEN), &status).await.0, 200, "with TLS and a token the other computer is served");
    assert_eq!(ask(None, &status).await.0, 401, "not without a token");
    let (code, problem) = ask(Some(TRADE_TOKEN), &url("http", Service::McpHttp, "/api/v1/status")).await;
    assert_eq!(code, 403, "nor in plain text: {problem}");
    let metrics = url("https", Service::Prometheus, "/metrics");
    let scraped = [None, Some(READ_TOKEN), Some(METRICS_TOKEN), Some(TRADE_TOKEN)];
    let mut statuses = Vec::new();
    for token in scraped {
        statuses.push(ask(token, &metrics).await.0);
    }
    assert_eq!(statuses, [401, 403, 200, 200], "beyond loopback metrics need their scope");
    let health = url("https", Service::Health, "/health");
    let stranger = ask(None, &health).await.1;
    let mut told: Vec<&String> = stranger.as_object().expect("an object").keys().collect();
    told.sort();
    assert_eq!(told, ["nonce", "serviceId", "status"], "a stranger learns no more: {stranger}");
    assert_eq!(ask(Some(METRICS_TOKEN), &health).await.1["exposed"], true, "who has a token learns the state");

    let mut local = McpClient::connect(&format!("ws://127.0.0.1:{}/mcp", ports.of(Service::McpWebsocket))).await;
    let order = json!({ "symbol": "BTCUSD", "side": "buy", "order_type": "limit", "quantity": 0.001, "price": 60000 });
    let refused = local.call("place_order", order.clone()).await.error();
    assert!(refused.contains("read-only until the person arms it"), "orders wait for a person: {refused}");
    let unknown = local.call("cancel_order", json!({ "order_id": "999999999" })).await.error();
    assert!(!unknown.contains("read-only"), "cancelling is always possible: {unknown}");
    let http = ports.of(Service::McpHttp);
    let arm = async |token: &str| {
        let headers = [("Host", &*format!("localhost:{http}")), ("Authorization", &bearer(token))];
        send_exactly(http, "POST", "/api/v1/trading/arm", &headers, "").await.status
    };
    assert_eq!(arm(TRADE_TOKEN).await, 403, "an agent cannot arm what a person has to");
    assert_eq!(arm(OWNER_TOKEN).await, 204, "the owner can");
    local.call("place_order", order).await.ok();
    python_trades_from_afar(&authority, &ports).await;
    let ended = server.stop(Signal::TERM).await;
    assert!(ended.stderr.contains("trading is read-only until it is armed"), "said at the start: {}", ended.stderr);
}

#[tokio::test]
async fn on_the_wildcard_of_ipv6_both_families_take_the_same_gates() {
    if !sandboxed(on_the_wildcard_of_ipv6_both_families_take_the_same_gates).await {
        return;
    }
    lay_cable().await;
    lay_ipv6().await;
    let home = Home::empty();
    let (server, ports) = exposed(&home, "::", false).await;
    let url = |scheme: &str, host: &str, service: Service, path: &str| {
        format!("{scheme}://{host}:{}{path}", ports.of(service))
    };
    let ends = [THIS_END.to_owned(), format!("[{THIS_END_V6}]")];
    let owner = format!("Authorization: {}", bearer(OWNER_TOKEN));
    for service in Service::ALL {
        for end in &ends {
            let (status, problem) = remote(&["-g", "-H", &owner, &url("http", end, service, service.path())]).await;
            assert_eq!((status, &problem["code"]), (403, &json!("remote_refused")), "{service} from {end}: {problem}");
        }
        for here in ["127.0.0.1", "[::1]"] {
            let line = format!(
                "curl -gs -o /dev/null -w '%{{http_code}}' -H '{owner}' '{}'",
                url("http", here, service, "/x")
            );
            assert_eq!(shell(&line).await.stdout, "404", "{service} is served to this computer at {here}");
        }
    }
    server.stop(Signal::TERM).await;

    let home = Home::empty();
    let (server, ports) = exposed(&home, "::", true).await;
    let authority = authority(&home).display().to_string();
    let url = |scheme: &str, end: &str| format!("{scheme}://{end}:{}/api/v1/status", ports.of(Service::McpHttp));
    let ask = async |from: &str, scheme: &str, end: &str, token: &str| {
        let header = format!("Authorization: {}", bearer(token));
        remote(&["-g", "--interface", from, "--cacert", &authority, "-H", &header, &url(scheme, end)]).await
    };
    let [v4, v6] = &ends;
    let [one, other] = OTHER_END_V6;
    for (from, end) in [(OTHER_END, v4), (one, v6)] {
        assert_eq!(ask(from, "https", end, READ_TOKEN).await.0, 200, "with TLS and a token {from} is served");
        assert_eq!(ask(from, "http", end, READ_TOKEN).await.0, 403, "not in plain text");
    }
    assert_eq!(ask(OTHER_END, "https", v4, "wrong").await.0, 401, "nor with a wrong token");
    let failed = ask(one, "https", v6, READ_TOKEN).await.1["failed_logins"]["last_source"].clone();
    assert_eq!(failed, OTHER_END, "a mapped address is shown as people know it");
    // The wait doubles each time, so that a slow machine meets it too; five mistakes of a source of its own cost nothing.
    let mut shared = false;
    for _ in 0..5 {
        until("a wait", async || (ask(one, "https", v6, "wrong").await.0 == 429).then_some(())).await;
        shared |= ask(other, "https", v6, "wrong").await.0 == 429;
    }
    assert!(shared, "a network of 64 bits is one source: {other} has to wait for the mistakes of {one}");
    assert_eq!(ask(OTHER_END, "https", v4, "wrong").await.0, 401, "and no other source has to");
    server.stop(Signal::TERM).await;
}

/// The official SDK on the other computer, over both transports.
async fn python_trades_from_afar(authority: &str, ports: &Ports) {
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|root| root.join("target/tools/python/bin/python"));
    let python = std::env::var_os("CWTS_TEST_PYTHON").map(PathBuf::from).or(installed);
    let Some(python) = python.filter(|python| python.is_file()) else {
        return skip("the Python client over TLS: CWTS_TEST_PYTHON names no interpreter");
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/ws_session.py");
    for (transport, scheme, service) in
        [("websocket", "wss", Service::McpWebsocket), ("http", "https", Service::McpHttp)]
    {
        let url = format!("{scheme}://{THIS_END}:{}/mcp", ports.of(service));
        let mut client = Command::new("ip");
        client.args(["netns", "exec", "client"]).arg(&python).arg(&script).args([transport, &url, TRADE_TOKEN]);
        let ended = finish({
            client.env("SSL_CERT_FILE", authority);
            client
        })
        .await;
        assert_eq!(ended.status, Some(0), "the SDK trades over {scheme}: {}", ended.stderr);
        let seen: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        assert_eq!(seen["filled"]["status"], "filled", "its order fills: {seen}");
    }
}

/// An instance on loopback that speaks TLS, and the file of its authority.
async fn encrypted() -> (Embedded, String) {
    let (ports, home) = (Ports::free(), Home::empty());
    home.write_toml(&format!("{}\n[security]\ntls = \"on\"\n", ports.toml()));
    let refused = Embedded::open(home, Environment::empty());
    let problem = refused.instance().start().await.expect_err("TLS without a certificate cannot be");
    assert!(problem.to_string().contains("cwts-ultra tls make"), "the remedy: {problem}");
    make(refused.home()).await;
    refused.instance().start().await.expect("now it starts");
    let authority = authority(refused.home()).display().to_string();
    (refused, authority)
}

async fn make(home: &Home) {
    let mut make = command(home);
    make.args(["tls", "make"]);
    assert_eq!(finish(make).await.status, Some(0), "a certificate");
}

#[tokio::test]
async fn every_port_speaks_tls_and_plain_text_to_this_computer() {
    let (embedded, authority) = encrypted().await;
    for service in Service::ALL {
        let port = embedded.port(service);
        let (header, path) = (bearer(TRADE_TOKEN), service.path());
        let curl = format!(
            "curl -s -o /dev/null -w '%{{http_code}}' --cacert '{authority}' -H 'Authorization: {header}' \
             https://localhost:{port}{path}"
        );
        let tls = shell(&curl).await.stdout;
        assert!(["200", "426", "406"].contains(&&*tls), "{service} over TLS: {tls}");
        assert!(get(port, service.path()).await.status < 500, "{service} in plain text on the same port");
    }
    let port = embedded.port(Service::Health);
    for (version, accepted) in [("-tls1_3", true), ("-tls1_2", true), ("-tls1_1", false)] {
        let s_client = format!(
            "openssl s_client {version} -cipher 'ALL:@SECLEVEL=0' -verify_return_error -verify_hostname localhost -CAfile \
             '{authority}' -connect 127.0.0.1:{port} </dev/null"
        );
        let exit = shell(&s_client).await;
        assert_eq!(exit.status == Some(0), accepted, "TLS 1.2 and later only, {version}: {exit:?}");
    }
    let h2 = shell(&format!("openssl s_client -alpn h2 -connect 127.0.0.1:{port} </dev/null")).await;
    assert!(h2.status != Some(0), "a client that speaks HTTP/2 only is told so in the handshake: {h2:?}");
    let untrusted = shell(&format!("curl -s https://localhost:{port}/health")).await;
    assert_eq!(untrusted.status, Some(60), "who does not trust the authority does not connect: {untrusted:?}");
}

#[tokio::test]
async fn tls_that_is_switched_on_in_the_file_is_served_and_a_broken_certificate_changes_nothing() {
    let embedded = Embedded::start().await;
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let (plain, port) = (embedded.home().toml(), embedded.port(Service::Health));
    let with_tls = format!("{plain}\n[security]\ntls = \"on\"\n");
    let complains = async || {
        let findings = embedded.instance().snapshot().findings;
        findings.into_iter().find(|it| it.title.contains("edited configuration") && it.detail.contains("tls"))
    };
    let folder = embedded.home().path().join("data/default/tls");
    std::fs::create_dir_all(&folder).expect("writable");
    std::fs::write(folder.join("server.pem"), "nonsense").expect("writable");
    embedded.home().write_toml(&with_tls);
    let finding = until("the complaint", complains).await;
    assert!(finding.detail.contains("What runs stays"), "it says what holds: {}", finding.detail);
    let https = format!("curl -sk -o /dev/null -w '%{{http_code}}' https://localhost:{port}/health");
    assert_ne!(shell(&https).await.stdout, "200", "there is no certificate to speak TLS with");
    client.call("get_account", json!({})).await.ok();

    std::fs::remove_file(folder.join("server.pem")).expect("it exists");
    make(embedded.home()).await;
    until("the end of the complaint", async || complains().await.is_none().then_some(())).await;
    until("TLS", async || (shell(&https).await.stdout == "200").then_some(())).await;
    client.call("get_account", json!({})).await.ok();
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_dropping_anybody() {
    let (embedded, authority) = encrypted().await;
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let port = embedded.port(Service::Health);
    let shown = async || shown_fingerprint(&format!("127.0.0.1:{port}")).await;
    let before = shown().await;
    make(embedded.home()).await;
    until("the new certificate", async || (shown().await != before).then_some(())).await;
    client.call("get_account", json!({})).await.ok();
    let verified = shell(&format!("curl -sf --cacert '{authority}' https://localhost:{port}/health")).await;
    assert_eq!(verified.status, Some(0), "clients that trust the authority need not do anything: {verified:?}");
    std::fs::write(embedded.home().path().join("data/default/tls/server.pem"), "nonsense").expect("writable");
    let said = |each: cwts_runtime::Activity| each.text.contains("The certificate on disk cannot be used");
    until("the complaint", async || embedded.instance().activities().into_iter().any(said).then_some(())).await;
    let verified = shell(&format!("curl -sf --cacert '{authority}' https://localhost:{port}/health")).await;
    assert_eq!(verified.status, Some(0), "a broken file leaves the good certificate in place: {verified:?}");
}

#[tokio::test]
async fn the_tokens_of_a_websocket_are_asked_for_over_tls_too() {
    let (embedded, authority) = encrypted().await;
    let port = embedded.port(Service::McpWebsocket);
    let upgrade = format!(
        "curl -s -m 3 -o /dev/null -w '%{{http_code}}' --http1.1 --cacert '{authority}' -H 'Connection: Upgrade' -H \
         'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='"
    );
    let opened = shell(&format!("{upgrade} 'https://localhost:{port}/mcp?token={TRADE_TOKEN}'")).await.stdout;
    assert_eq!(opened, "101", "with a token");
    let refused = shell(&format!("{upgrade} 'https://localhost:{port}/mcp'")).await.stdout;
    assert_eq!(refused, "401", "without");
    let plain = Socket::open_exactly(&format!("ws://127.0.0.1:{port}/mcp"), &[]).await;
    assert!(plain.is_err(), "nor in plain text");
}
