//! The audit trail: every kind of entry, once and in the right words; no secret; a restart; a full disk.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command as Blocking;

use cwts_config::{Environment, Key};
use cwts_domain::Service;
use cwts_runtime::{Actor, PemSource, SaveTarget, Scope, SettingChange, TradingOrder};
use cwts_tests::{
    Embedded, Home, McpClient, OWNER_TOKEN, Ports, READ_TOKEN, Reply, Server, TRADE_TOKEN, bearer, command, finish,
    free_port, get, lay_cable, sandboxed, send_exactly, until,
};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A page of the trail as REST gives it.
async fn ask(port: u16, query: &str, token: &str) -> Reply {
    let (host, bearer) = (format!("localhost:{port}"), bearer(token));
    send_exactly(port, "GET", &format!("/api/v1/audit{query}"), &[("Host", &host), ("Authorization", &bearer)], "")
        .await
}

/// The records by action, the newest first.
async fn records(port: u16, action: &str) -> Vec<Value> {
    let page = ask(port, "?limit=500", OWNER_TOKEN).await.json();
    let all = page["records"].as_array().expect("records").clone();
    all.into_iter().filter(|record| record["action"] == action).collect()
}

/// The only record of that action, once it is there.
async fn only(port: u16, action: &str) -> Value {
    let found = until(action, async || Some(records(port, action).await).filter(|found| !found.is_empty())).await;
    assert_eq!(found.len(), 1, "each fact is told once: {found:?}");
    found[0].clone()
}

async fn run(home: &Home, words: &[&str]) -> String {
    let mut program = command(home);
    program.args(words);
    let ended = finish(program).await;
    assert_eq!(ended.status, Some(0), "{words:?}: {}", ended.stderr);
    ended.stdout
}

#[tokio::test]
async fn the_trail_says_who_did_what_once_and_shows_no_secret() {
    let (home, ports) = (Home::untouched(), Ports::free());
    home.write_toml(&ports.toml());
    let first = Server::launch(command(&home)).await;
    let http = ports.of(Service::McpHttp);
    let owner = run(&home, &["token", "show", "--scope", "owner"]).await.trim().to_owned();
    let page = |reply: Reply| reply.json()["records"].as_array().cloned().expect("records");
    let made = until("the tokens", async || {
        let records = page(ask(http, "", &owner).await);
        (records.len() == 4).then_some(records)
    })
    .await;
    for (record, scope) in made.iter().rev().zip(["owner", "trade", "read", "metrics"]) {
        assert_eq!(record["action"], "token_made", "{record}");
        assert_eq!(record["text"], format!("The {scope} token was made."), "{record}");
        assert_eq!(record["by"], "program", "a start makes what is missing: {record}");
        let at = record["at"].as_str().expect("a time");
        assert!(at.ends_with('Z') && at.len() == "2026-11-24T13:00:00.000Z".len(), "RFC 3339 in UTC: {at}");
    }

    run(&home, &["token", "rotate", "--scope", "read"]).await;
    run(&home, &["tls", "make"]).await;
    run(&home, &["tls", "make"]).await;
    let health = free_port();
    run(&home, &["config", "set", "HEALTH_CHECK_PORT", &health.to_string()]).await;
    until("the new port", async || tokio::net::TcpStream::connect(("127.0.0.1", health)).await.ok()).await;
    let ended = first.stop(Signal::TERM).await;
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);

    let told: Value = serde_json::from_str(&run(&home, &["audit", "--json"]).await).expect("JSON");
    let told: Vec<(&str, &str, &str)> = told["records"]
        .as_array()
        .expect("records")
        .iter()
        .rev()
        .map(|record| {
            let word = |field: &str| record[field].as_str().expect("a word");
            (word("by"), word("action"), word("subject"))
        })
        .collect();
    let expected = [
        ("program", "token_made", "owner"),
        ("program", "token_made", "trade"),
        ("program", "token_made", "read"),
        ("program", "token_made", "metrics"),
        ("command-line", "token_replaced", "read"),
        ("command-line", "certificate_made", "certificate"),
        ("command-line", "certificate_renewed", "certificate"),
        ("command-line", "setting_changed", "monitoring.health_check_port"),
    ];
    assert_eq!(told, expected, "each fact once, by whoever did it, although the server noticed too");

    let second = Server::launch(command(&home)).await;
    let after = page(ask(http, "", &owner).await);
    assert_eq!(after.len(), told.len(), "a restart keeps the trail and adds nothing to it: {after:?}");
    let lines = run(&home, &["audit", "--limit", "1"]).await;
    assert!(lines.contains("command line") && lines.contains("was changed from"), "a person reads it: {lines}");
    second.stop(Signal::TERM).await;
    let file = home.path().join("data/default/audit.jsonl");
    assert_eq!(std::fs::metadata(&file).expect("the trail").mode() & 0o777, 0o600, "for its owner only");
    let text = std::fs::read_to_string(&file).expect("text");
    for scope in ["owner", "trade", "read", "metrics"] {
        let token = std::fs::read_to_string(home.path().join("data/default/tokens").join(scope)).expect("a token");
        let secret = token.trim().rsplit('_').next().expect("digits");
        assert!(!text.contains(&secret[..16]) && !text.contains("PRIVATE KEY"), "the trail holds no secret");
    }
}

#[tokio::test]
async fn settings_of_the_panel_and_edits_by_hand_are_told_apart() {
    let embedded = Embedded::start().await;
    let http = embedded.port(Service::McpHttp);
    let (by_panel, by_hand) = (free_port(), free_port());
    embedded.move_ports(&[(Service::Health, by_panel)], SaveTarget::EnvFile).await.expect("a change in the panel");
    let told = only(http, "setting_changed").await;
    assert_eq!((&told["by"], &told["after"]), (&json!("panel"), &json!(by_panel.to_string())), "{told}");
    embedded.home().write_env(&format!("export HEALTH_CHECK_PORT={by_hand}\n"));
    let told = until("the edit", async || {
        records(http, "setting_changed").await.into_iter().find(|record| record["by"] == "hand-edit")
    })
    .await;
    let text = format!("monitoring.health_check_port was changed from {by_panel} to {by_hand}.");
    assert_eq!(told["text"], text, "what was before and what is now: {told}");
    assert_eq!(records(http, "setting_changed").await.len(), 2, "each once");
}

#[tokio::test]
async fn credentials_that_the_panel_makes_are_its_own_although_the_files_are_followed() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    run(&home, &["tls", "make"]).await;
    home.write_toml(&format!("{}\n[security]\ntls = \"on\"\n", ports.toml()));
    let embedded = Embedded::start_in(home, Environment::empty()).await;
    let instance = embedded.instance();
    instance.rotate_tokens(vec![Scope::Read]).await.expect("a new token");
    instance.make_certificate(Vec::new(), false).await.expect("a new certificate");
    let http = embedded.port(Service::McpHttp);
    for (action, text) in
        [("token_replaced", "The read token was replaced"), ("certificate_renewed", "The certificate")]
    {
        let told = only(http, action).await;
        assert_eq!(told["by"], "panel", "{told}");
        assert!(told["text"].as_str().is_some_and(|words| words.starts_with(text)), "{told}");
        assert_ne!(told["before"], told["after"], "what was before and what is now: {told}");
    }
    // What was found in files and not claimed is written at the end.
    instance.stop().await.expect("it stops");
    let trail = std::fs::read_to_string(embedded.home().path().join("data/default/audit.jsonl")).expect("the trail");
    assert!(!trail.contains("hand-edit"), "no edit by hand: {trail}");
}

#[tokio::test]
async fn exposure_and_arming_are_told_with_who_armed() {
    let ports = Ports::free();
    let home = Home::empty();
    home.write_toml(&format!("{}\n[security]\ntls = \"on\"\n", ports.toml()));
    run(&home, &["tls", "make"]).await;
    let embedded = Embedded::start_in(home, Environment::empty()).await;
    let http = embedded.port(Service::McpHttp);
    let address = SettingChange::set(Key::BindAddr(cwts_domain::Group::Mcp), "0.0.0.0");
    embedded.change([address], SaveTarget::ThisRun).await.expect("a wider address");
    let widened = only(http, "reach_widened").await;
    assert_eq!(widened["text"], "MCP is served to other computers on 0.0.0.0 (set by this run).", "{widened}");
    assert_eq!((&widened["before"], &widened["by"]), (&json!("this computer only"), &json!("panel")), "{widened}");

    let printed = run(embedded.home(), &["arm"]).await;
    assert!(printed.contains("is armed"), "the command line arms: {printed}");
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let order = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": 1 });
    client.call("place_order", order.clone()).await.ok();
    let armed = only(http, "trading_armed").await;
    let who = (&armed["by"], &armed["scope"], &armed["from"]);
    assert_eq!(who, (&json!("rest"), &json!("owner"), &json!("127.0.0.1")), "who armed: {armed}");
    run(embedded.home(), &["disarm"]).await;
    let refused = client.call("place_order", order).await.error();
    assert!(refused.contains("read-only"), "and disarms: {refused}");
    only(http, "trading_disarmed").await;

    let address = SettingChange::set(Key::BindAddr(cwts_domain::Group::Mcp), "127.0.0.1");
    embedded.change([address], SaveTarget::ThisRun).await.expect("back");
    let narrowed = only(http, "reach_narrowed").await;
    assert_eq!(narrowed["text"], "MCP no longer reaches beyond this computer.", "{narrowed}");
    let by_panel = embedded.instance().arm_trading(true, Actor::Panel).await.expect_err("nothing to arm");
    assert!(by_panel.message.contains("not served to other computers"), "{by_panel}");
}

#[tokio::test]
async fn arming_says_why_it_cannot_be() {
    let (home, ports) = (Home::empty(), Ports::free());
    home.write_toml(&ports.toml());
    let mut arm = command(&home);
    let ended = finish({
        arm.arg("arm");
        arm
    })
    .await;
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("default does not run") && ended.stderr.contains("cwts-ultra run"), "{ended:?}");
    let server = Server::launch(command(&home)).await;
    let mut arm = command(&home);
    let ended = finish({
        arm.arg("arm");
        arm
    })
    .await;
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("MCP is not served to other computers"), "on loopback there is no need: {ended:?}");
    server.stop(Signal::TERM).await;
}

#[tokio::test]
async fn halts_and_resumes_are_told_with_who_did_it_and_only_when_something_changed() {
    let ports = Ports::free();
    let embedded = Embedded::start_in(Home::with(&ports), Environment::empty()).await;
    let http = embedded.port(Service::McpHttp);
    let mut client = McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    client.call("halt_trading", json!({})).await.ok();
    client.call("halt_trading", json!({})).await.ok();
    let told = only(http, "trading_halted").await;
    let who = (&told["by"], &told["scope"], &told["from"]);
    assert_eq!(who, (&json!("mcp"), &json!("trade"), &json!("127.0.0.1")), "an agent: {told}");
    run(embedded.home(), &["resume"]).await;
    run(embedded.home(), &["resume"]).await;
    let told = only(http, "trading_resumed").await;
    assert_eq!((&told["by"], &told["scope"]), (&json!("rest"), &json!("owner")), "only the owner can: {told}");
    for _ in 0..2 {
        let headers = [("Host", "localhost"), ("Authorization", &*bearer(TRADE_TOKEN))];
        let reply = send_exactly(http, "POST", "/api/v1/trading/reduce", &headers, "").await;
        assert_eq!(reply.json()["state"], "reducing", "an agent may take less risk: {reply:?}");
    }
    let told = only(http, "trading_reduced").await;
    assert_eq!((&told["by"], &told["scope"]), (&json!("rest"), &json!("trade")), "who did it: {told}");
    embedded.instance().order_trading(TradingOrder::Halt).await.expect("in the tray");
    let told = records(http, "trading_halted").await;
    assert_eq!((told.len(), &told[0]["by"]), (2, &json!("panel")), "{told:?}");
    let lines = run(embedded.home(), &["audit"]).await;
    assert!(
        lines.contains("MCP, trade, 127.0.0.1") && lines.contains("Trading was halted"),
        "a person reads it: {lines}"
    );
}

#[tokio::test]
async fn imports_removals_networks_and_restored_files_are_told() {
    if !sandboxed(imports_removals_networks_and_restored_files_are_told).await {
        return;
    }
    lay_cable().await;
    let ports = Ports::free();
    let (other, home) = (Home::with(&ports), Home::with(&ports));
    run(&other, &["tls", "make", "--name", "studio.lan"]).await;
    let pem = other.path().join("data/default/tls/server.pem");
    let embedded = Embedded::start_in(home, Environment::empty()).await;
    let (instance, http) = (embedded.instance(), embedded.port(Service::McpHttp));
    let source = || PemSource::File { path: pem.clone() };
    instance.import_certificate(source(), source()).await.expect("a certificate");
    let imported = only(http, "certificate_imported").await;
    assert!(imported["text"].as_str().is_some_and(|text| text.contains("studio.lan")), "for which names: {imported}");
    instance.remove_certificate().await.expect("nobody needs it");
    let removed = only(http, "certificate_removed").await;
    assert_eq!(removed["before"], imported["after"], "the fingerprint says which: {removed}");

    let network = instance.security().await.expect("a look").networks.remove(0);
    instance.trust_network(network.id.clone(), Some(true)).await.expect("a word");
    let judged = only(http, "network_judged").await;
    assert_eq!((&judged["subject"], &judged["after"]), (&json!(network.name), &json!("trusted")), "{judged}");

    embedded.home().write_toml("[mcp");
    until("the damage", async || instance.snapshot().damaged_file).await;
    instance.restore().await.expect("there is a copy");
    let restored = only(http, "settings_restored").await;
    assert_eq!(restored["by"], "panel", "{restored}");
    instance.stop().await.expect("it stops");
    embedded.home().write_toml("[mcp");
    run(embedded.home(), &["config", "restore"]).await;
    let told: Value = serde_json::from_str(&run(embedded.home(), &["audit", "--json"]).await).expect("JSON");
    let newest = &told["records"][0];
    assert_eq!((&newest["action"], &newest["by"]), (&json!("settings_restored"), &json!("command-line")), "{told}");
    let aside = newest["after"].as_str().expect("where the damaged file is");
    assert!(aside.starts_with("the damaged file is "), "{aside}");
}

#[tokio::test]
async fn wrong_tokens_are_told_at_once_and_not_one_by_one() {
    let embedded = Embedded::start().await;
    let http = embedded.port(Service::McpHttp);
    for _ in 0..20 {
        assert!([401, 429].contains(&ask(http, "", "cwts_owner_wrong").await.status), "a wrong token");
    }
    let told = only(http, "login_failed").await;
    assert!(told["text"].as_str().is_some_and(|text| text.contains("127.0.0.1")), "from where: {told}");
    embedded.instance().stop().await.expect("it stops");
    let file = embedded.home().path().join("data/default/audit.jsonl");
    let text = std::fs::read_to_string(file).expect("the trail");
    let counts: u64 = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter(|record| record["action"] == "login_failed")
        .map(|record| record["after"].as_str().and_then(|count| count.parse::<u64>().ok()).expect("a count"))
        .sum();
    assert_eq!(counts, 20, "all of them, in two entries at most: {text}");
    assert!(text.matches("login_failed").count() <= 2, "{text}");
}

#[tokio::test]
async fn the_trail_is_read_by_the_owner_in_pages() {
    let embedded = Embedded::start().await;
    let http = embedded.port(Service::McpHttp);
    for token in [TRADE_TOKEN, READ_TOKEN] {
        assert_eq!(ask(http, "", token).await.problem(403), "scope_too_small", "it tells an agent how it is watched");
    }
    for _ in 0..3 {
        embedded.move_ports(&[(Service::Health, free_port())], SaveTarget::ThisRun).await.expect("a change");
    }
    until("three entries", async || (records(http, "setting_changed").await.len() == 3).then_some(())).await;
    let first = ask(http, "?limit=2", OWNER_TOKEN).await.json();
    assert_eq!(first["records"].as_array().map(Vec::len), Some(2), "{first}");
    let rest = ask(http, &format!("?limit=2&cursor={}", first["next_cursor"]), OWNER_TOKEN).await.json();
    assert_eq!((rest["records"].as_array().map(Vec::len), &rest["next_cursor"]), (Some(1), &Value::Null), "{rest}");
    for query in ["?limit=0", "?limit=501", "?limit=x", "?cursor=-1"] {
        assert_eq!(ask(http, query, OWNER_TOKEN).await.problem(400), "invalid_query", "{query}");
    }
}

#[tokio::test]
async fn a_full_disk_stops_no_service_and_costs_no_entry() {
    if !sandboxed(a_full_disk_stops_no_service_and_costs_no_entry).await {
        return;
    }
    let home = Home::with(&Ports::free());
    let data = home.path().join("data/default");
    let aside = home.path().join("tokens");
    std::fs::rename(data.join("tokens"), &aside).expect("a moment aside");
    let mounted = Blocking::new("mount").args(["-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs"]).arg(&data).status();
    assert!(mounted.expect("mount runs").success(), "a small disk");
    let copied = Blocking::new("cp").arg("-r").arg(&aside).arg(data.join("tokens")).status();
    assert!(copied.expect("cp runs").success(), "the tokens");
    let embedded = Embedded::start_in(home, Environment::empty()).await;
    let filler = data.join("filler");
    let filled = Blocking::new("dd").arg("if=/dev/zero").arg(format!("of={}", filler.display())).output();
    assert!(!filled.expect("dd runs").status.success(), "the disk is full");

    let health = free_port();
    embedded.move_ports(&[(Service::Health, health)], SaveTarget::ThisRun).await.expect("settings still change");
    let finding = until("the finding", async || {
        let findings = embedded.instance().snapshot().findings;
        findings.into_iter().find(|finding| finding.title == "The audit trail is not written")
    })
    .await;
    assert!(finding.detail.contains("audit.jsonl"), "a person learns which file: {}", finding.detail);
    // Whether orders are taken without a journal is another matter; whoever looks is served.
    McpClient::connect(&embedded.url(Service::McpWebsocket)).await;
    let (http, metrics) = (embedded.port(Service::McpHttp), embedded.port(Service::Prometheus));
    for (port, path) in [(health, "/health/live"), (http, "/api/v1/status"), (metrics, "/metrics")] {
        assert_eq!(get(port, path).await.status, 200, "{path} is served");
    }
    std::fs::remove_file(&filler).expect("room again");
    let told = only(embedded.port(Service::McpHttp), "setting_changed").await;
    assert_eq!(told["after"], health.to_string(), "what happened meanwhile is told after all: {told}");
}
