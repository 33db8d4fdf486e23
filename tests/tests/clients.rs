//! The texts of `cwts-ultra client`, pasted into the programs that they are for: each runs against a real server.

use std::fs;
use std::path::Path;

use cwts_domain::Service;
use cwts_tests::{
    Exit, Home, METRICS_TOKEN, Ports, Server, TRADE_TOKEN, command, finish, free_port, get_at, prometheus_program,
    python, sandboxed, typescript, until,
};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

/// An address of a network, in the sandbox of a test.
const NETWORK: &str = "192.168.77.20";

async fn run(home: &Home, arguments: &[&str]) -> Exit {
    let mut program = command(home);
    program.args(arguments);
    finish(program).await
}

/// The text for a client.
async fn snippet(home: &Home, arguments: &[&str]) -> String {
    let shown = run(home, &[&["client"], arguments].concat()).await;
    assert_eq!(shown.status, Some(0), "client {arguments:?}: {shown:?}");
    shown.stdout
}

/// Runs a program in a folder that holds the text as a file.
async fn run_file(text: &str, file: &str, prepare: impl FnOnce(&Path) -> Command) -> Exit {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join(file), text).expect("a file");
    let mut program = prepare(folder.path());
    program.current_dir(folder.path()).kill_on_drop(true);
    finish(program).await
}

fn assert_account(seen: &Exit, client: &str) {
    assert_eq!(seen.status, Some(0), "{client} must get its answer: {seen:?}");
    assert!(seen.stdout.contains("cash") && seen.stdout.contains("100000"), "{client} reads the account: {seen:?}");
}

async fn python_reads_the_account(home: &Home, transport: &str) {
    let Some(python) = python() else { return };
    let text = snippet(home, &["python", "--transport", transport]).await;
    let seen = run_file(&text, "agent.py", |_| {
        let mut program = Command::new(python);
        program.args(["-W", "ignore::DeprecationWarning", "agent.py"]);
        program
    });
    assert_account(&seen.await, &format!("Python over {transport}"));
}

async fn typescript_reads_the_account(home: &Home, transport: &str) {
    let Some(modules) = typescript() else { return };
    let text = snippet(home, &["typescript", "--transport", transport]).await;
    let authority = home.path().join("data/default/tls/ca.pem");
    let seen = run_file(&text, "client.mjs", |folder| {
        std::os::unix::fs::symlink(modules, folder.join("node_modules")).expect("a link");
        let mut program = Command::new("node");
        program.env("NODE_EXTRA_CA_CERTS", authority).args(["--no-warnings", "--experimental-websocket", "client.mjs"]);
        program
    });
    assert_account(&seen.await, &format!("TypeScript over {transport}"));
}

async fn curl_reads_the_status(home: &Home) {
    let text = snippet(home, &["curl"]).await;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(&text).kill_on_drop(true);
    let seen = finish(shell).await;
    let status: Value =
        serde_json::from_str(&seen.stdout).unwrap_or_else(|error| panic!("{error}: {seen:?} for {text}"));
    assert_eq!(status["state"], "running", "curl reads the status: {status}");
}

async fn a_freqtrade_fill_trades_here(home: &Home) {
    let Some(python) = python() else { return };
    let text = snippet(home, &["freqtrade"]).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/freqtrade_fill.py");
    let seen = run_file(&text, "cwts_ultra.py", |folder| {
        let mut program = Command::new(python);
        program.arg(script).arg(folder);
        program
    });
    let seen = seen.await;
    assert_eq!(seen.status, Some(0), "FreqTrade calls the hook: {seen:?}");
    assert!(
        seen.stdout.contains("'quantity': 0.02") && seen.stdout.contains("BTCUSD"),
        "one fill, traded once: {seen:?}"
    );
}

/// Prometheus with the text as its whole configuration.
async fn prometheus_scrapes(home: &Home) {
    let (Some(promtool), Some(prometheus)) = (prometheus_program("promtool"), prometheus_program("prometheus")) else {
        return;
    };
    let text = snippet(home, &["prometheus"]).await;
    let (folder, port) = (TempDir::new().expect("a folder"), free_port());
    let file = folder.path().join("prometheus.yml");
    fs::write(&file, text.replace("scrape_configs:", "global: { scrape_interval: 1s }\nscrape_configs:"))
        .expect("a file");
    let mut check = Command::new(promtool);
    check.args(["check", "config"]).arg(&file);
    let checked = finish(check).await;
    assert_eq!(checked.status, Some(0), "the configuration is valid: {checked:?}");
    let mut program = Command::new(prometheus);
    program.arg(format!("--config.file={}", file.display()));
    program.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
    program.arg(format!("--web.listen-address=127.0.0.1:{port}")).args(["--log.level=error"]);
    let _running = program.kill_on_drop(true).spawn().expect("Prometheus starts");
    let address = ([127, 0, 0, 1], port).into();
    until("Prometheus to scrape", async || {
        let reply = get_at(address, "/api/v1/targets").await.ok()?;
        let start = reply.body.find('{')?;
        let end = reply.body.rfind('}')?;
        let targets: Value = serde_json::from_str(&reply.body[start..=end]).ok()?;
        let target = &targets["data"]["activeTargets"][0];
        assert_ne!(target["health"], "down", "a scrape must not fail: {target}");
        (target["health"] == "up").then_some(())
    })
    .await;
}

async fn every_client_runs(home: &Home) {
    for transport in ["websocket", "http"] {
        python_reads_the_account(home, transport).await;
        typescript_reads_the_account(home, transport).await;
    }
    curl_reads_the_status(home).await;
    prometheus_scrapes(home).await;
    a_freqtrade_fill_trades_here(home).await;
}

#[tokio::test]
async fn every_text_works_where_it_is_pasted_on_this_computer() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    every_client_runs(&home).await;
    assert!(server.url(Service::McpHttp).starts_with("http://127.0.0.1"), "plain text on loopback");
}

#[tokio::test]
async fn every_text_works_over_tls_on_the_address_that_others_use() {
    if !sandboxed(every_text_works_over_tls_on_the_address_that_others_use).await {
        return;
    }
    let mut ip = Command::new("ip");
    ip.args(["address", "add", &format!("{NETWORK}/24"), "dev", "lo"]);
    assert_eq!(finish(ip).await.status, Some(0), "an address of a network");
    let home = Home::with(&Ports::free());
    home.write_toml(&format!("{}\n[security]\ntls = \"on\"\n", home.toml()));
    home.write_env(&format!("export MCP_BIND_ADDR={NETWORK}\nexport MONITORING_BIND_ADDR={NETWORK}\n"));
    assert_eq!(run(&home, &["tls", "make"]).await.status, Some(0), "a certificate");
    let server = Server::start(&home).await;
    let text = snippet(&home, &["python"]).await;
    assert!(text.contains(&format!("wss://{NETWORK}:")), "the network's address over TLS: {text}");
    let local = snippet(&home, &["python", "--local"]).await;
    assert!(local.contains(server.url(Service::McpWebsocket)), "and that of this computer: {local}");
    let owner = cwts_tests::bearer(cwts_tests::OWNER_TOKEN);
    let http = server.url(Service::McpHttp).trim_end_matches("/mcp");
    let mut arm = Command::new("curl");
    arm.args(["-sf", "-X", "POST", "-H", &format!("Authorization: {owner}"), &format!("{http}/api/v1/trading/arm")]);
    assert_eq!(finish(arm).await.status, Some(0), "orders wait for a person");
    every_client_runs(&home).await;
}

#[tokio::test]
async fn the_text_stands_alone_on_standard_output() {
    let home = Home::with(&Ports::free());
    let shown = run(&home, &["client", "prometheus"]).await;
    assert!(shown.stdout.starts_with("scrape_configs:\n"), "it can go into the file: {shown:?}");
    assert!(shown.stderr.contains("/etc/prometheus/prometheus.yml"), "the file is named beside it: {shown:?}");
    let json = run(&home, &["client", "cursor", "--json"]).await;
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((&json["client"], &json["transport"]), (&"cursor".into(), &"http".into()), "{json}");
    let text = json["text"].as_str().unwrap_or_default();
    assert!(text.contains(TRADE_TOKEN) && !text.contains(METRICS_TOKEN), "the token is whole: {json}");
}

#[tokio::test]
async fn names_are_listed_and_a_wrong_one_is_told() {
    let home = Home::with(&Ports::free());
    let list = run(&home, &["client"]).await;
    let names: Vec<&str> = list.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let all = "claude-desktop claude-code cursor vscode python typescript freqtrade prometheus curl";
    assert_eq!((list.status, names.join(" ").as_str()), (Some(0), all), "{list:?}");
    let wrong = run(&home, &["client", "emacs"]).await;
    assert_eq!(wrong.status, Some(2), "wrong usage: {wrong:?}");
    assert!(wrong.stderr.contains("emacs") && wrong.stderr.contains("claude-desktop"), "with the names: {wrong:?}");
    let transport = run(&home, &["client", "claude-desktop", "--transport", "http"]).await;
    assert_eq!(transport.status, Some(2), "what is not offered is refused: {transport:?}");
    assert!(transport.stderr.contains("stdio"), "with what is: {transport:?}");
}

#[tokio::test]
async fn a_text_is_tried_in_the_program_that_it_is_for() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let curl = run(&home, &["client", "curl", "--try"]).await;
    assert_eq!(curl.status, Some(0), "curl gets its answer: {curl:?}");
    assert!(curl.stdout.contains("\"state\":\"running\"") && !curl.stdout.contains(TRADE_TOKEN), "{curl:?}");
    let stdio = run(&home, &["client", "claude-desktop", "--try"]).await;
    assert!(stdio.status == Some(0) && stdio.stdout.contains("The session opened"), "{stdio:?}");
    let Some(prometheus) = prometheus_program("prometheus") else { return };
    let scrape = async || {
        let mut program = command(&home);
        program.args(["client", "prometheus", "--try", "--json"]);
        let path = std::env::var("PATH").unwrap_or_default();
        program.env("PATH", format!("{}:{path}", prometheus.parent().expect("a folder").display()));
        let tried = finish(program).await;
        let trial: Value = serde_json::from_str(&tried.stdout).unwrap_or_else(|error| panic!("{error}: {tried:?}"));
        (tried.status, trial["said"].as_str().unwrap_or_default().to_owned())
    };
    let url = server.url(Service::Prometheus).to_owned();
    assert_eq!(
        scrape().await,
        (Some(0), format!("Prometheus has scraped {url}: the target is up.")),
        "it runs for real"
    );
    server.stop(Signal::TERM).await;
    let (status, said) = scrape().await;
    assert!(status == Some(1) && said.contains(&format!("{url} is down: ")), "with the cause: {said}");
    assert!(said.contains("connection refused"), "as Prometheus saw it: {said}");
}
