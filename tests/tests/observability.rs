//! The files for Prometheus and Grafana: valid, tested by promtool, and every query of the dashboard has an answer when a real
//! Prometheus scrapes a real server.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use cwts_domain::Service;
use cwts_tests::{
    Exit, Home, McpClient, Ports, Server, finish, free_port, get, prometheus_program, send, send_exactly, until,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(path)
}

async fn promtool(program: &Path, arguments: &[&str]) -> Exit {
    let mut command = Command::new(program);
    command.current_dir(shipped("prometheus")).args(arguments);
    finish(command).await
}

#[tokio::test]
async fn promtool_finds_no_fault_in_the_rules_and_their_tests_pass() {
    let Some(program) = prometheus_program("promtool") else { return };
    for arguments in [
        &["check", "config", "prometheus.yml"][..],
        &["check", "rules", "recording.yml", "alerts.yml"],
        &["test", "rules", "tests.yml"],
    ] {
        let seen = promtool(&program, arguments).await;
        assert_eq!(seen.status, Some(0), "promtool {arguments:?}: {seen:?}");
    }
}

/// Orders that are filled, rejected and cancelled, a tool call, a wrong token: something of everything that is counted.
async fn traffic(ports: &Ports) {
    let http = ports.of(Service::McpHttp);
    let headers = [("Host", "localhost"), ("Content-Type", "application/json")];
    for quantity in [1, 2, 1_000] {
        let order = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": quantity });
        send(http, "POST", "/api/v1/orders", &headers, &order.to_string()).await;
    }
    let wrong = [("Host", "localhost"), ("Authorization", "Bearer wrong")];
    assert_eq!(send_exactly(http, "GET", "/api/v1/account", &wrong, "").await.status, 401, "it is counted");
    let mut client = McpClient::connect(&format!("ws://127.0.0.1:{}/mcp", ports.of(Service::McpWebsocket))).await;
    client.call("get_account", json!({})).await.ok();
}

#[tokio::test]
async fn promtool_finds_no_fault_in_the_metrics_of_a_busy_server() {
    let Some(program) = prometheus_program("promtool") else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let _server = Server::start(&home).await;
    traffic(&ports).await;
    let text = get(ports.of(Service::Prometheus), "/metrics").await.body;
    let counted = ["reason=\"insufficient_balance\"", "cwts_fills_total{", "cwts_market_lag_seconds{"];
    for name in counted {
        assert!(text.contains(name), "the metrics count {name}: {text}");
    }
    let mut child = Command::new(program)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("promtool starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(text.as_bytes()).await.expect("promtool reads");
    drop(stdin);
    let seen = child.wait_with_output().await.expect("promtool ends");
    let said = String::from_utf8_lossy(&seen.stderr).into_owned() + &String::from_utf8_lossy(&seen.stdout);
    assert!(seen.status.success() && said.trim().is_empty(), "promtool check metrics has nothing to say: {said}");
}

/// Prometheus with the shipped configuration, for the ports of the test and with less patience.
async fn prometheus(program: &Path, folder: &Path, metrics: u16) -> (Child, u16) {
    for name in ["prometheus.yml", "recording.yml", "alerts.yml"] {
        let text = std::fs::read_to_string(shipped("prometheus").join(name)).expect("shipped");
        let text = text.replace("127.0.0.1:9090\"]", &format!("127.0.0.1:{metrics}\"]"));
        std::fs::write(folder.join(name), text.replace("_interval: 15s", "_interval: 1s")).expect("a file");
    }
    let port = free_port();
    let mut command = Command::new(program);
    command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
    command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}")).arg("--log.level=error");
    (command.kill_on_drop(true).spawn().expect("Prometheus starts"), port)
}

async fn ask(port: u16, path: &str) -> Option<Value> {
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/api/v1/{path}")).await.ok()?;
    answer.json::<Value>().await.ok()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The expressions of the dashboard, with what Grafana puts in for its variables.
fn expressions() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(shipped("grafana/cwts-ultra.json")).expect("shipped");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| {
        let title = panel["title"].as_str().unwrap_or_default();
        panel["targets"].as_array().into_iter().flatten().map(move |target| (title, &target["expr"]))
    });
    targets
        .map(|(title, expr)| {
            let expr = expr.as_str().expect("PromQL").replace("$__rate_interval", "30s").replace("$instance", ".*");
            (title.to_owned(), expr)
        })
        .collect()
}

#[tokio::test]
async fn every_panel_of_the_dashboard_shows_data_of_a_real_server() {
    let Some(program) = prometheus_program("prometheus") else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let _server = Server::start(&home).await;
    traffic(&ports).await;
    let folder = TempDir::new().expect("a folder");
    let (_running, port) = prometheus(&program, folder.path(), ports.of(Service::Prometheus)).await;
    let expressions = expressions();
    assert!(expressions.len() > 20, "the whole dashboard: {expressions:?}");
    for (title, expression) in expressions {
        let path = format!("query?query={}", encoded(&expression));
        until(&format!("data of the panel {title}: {expression}"), async || {
            let answer = ask(port, &path).await?;
            assert_eq!(answer["status"], "success", "{title}: {expression}: {answer}");
            answer["data"]["result"].as_array().filter(|series| !series.is_empty()).map(|_| ())
        })
        .await;
    }
    let rules = ask(port, "rules").await.expect("the rules");
    for group in rules["data"]["groups"].as_array().expect("groups") {
        for rule in group["rules"].as_array().expect("rules") {
            assert_ne!(rule["health"], "err", "a rule can be evaluated: {rule}");
            assert_ne!(rule["state"], "firing", "a server that is well raises nothing: {rule}");
        }
    }
}
