//! The conformance suites of MCP and of WebSocket against our transports, guards and handler, with the fixtures that they need.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use cwts_domain::Service;
use cwts_tests::{Embedded, Home, McpClient, Ports, Server, Socket, conformance, python_2};
use serde_json::{Value, json};
use tokio::process::Command;

/// A suite takes a quarter of a minute on a machine that has nothing else to do.
const PATIENCE: Duration = Duration::from_secs(300);

/// Everything that a suite said, and whether it ended with 0.
async fn run(mut suite: Command) -> (bool, String) {
    suite.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, suite.output()).await.expect("the suite ends in time");
    let output = output.expect("the suite starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

async fn conforms_to(version: &str) {
    let Some([node, suite]) = conformance() else { return };
    let embedded = Embedded::start_with_fixtures().await;
    let folder = tempfile::tempdir().expect("a folder for its results");
    let mut program = Command::new(node);
    program.arg(suite).args(["server", "--url", &embedded.url(Service::McpHttp), "--requirements", version]);
    program.arg("--output-dir").arg(folder.path()).current_dir(folder.path());
    let (passed, said) = run(program).await;
    let summary = said.split_once("=== SUMMARY").map_or(said.as_str(), |(_, summary)| summary);
    let failures = failures(folder.path());
    assert!(passed, "every scored scenario of {version} must pass: {summary}\n{}", failures.join("\n"));
}

/// What the checks of the scenarios that did not pass say.
fn failures(folder: &Path) -> Vec<String> {
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(folder).expect("its results").flatten() {
        if entry.path().is_dir() {
            failures.extend(self::failures(&entry.path()));
        } else if entry.file_name() == "checks.json" {
            let text = std::fs::read_to_string(entry.path()).expect("text");
            let checks: Value = serde_json::from_str(&text).expect("JSON");
            let failed = checks.as_array().into_iter().flatten().filter(|check| check["status"] == "FAILURE");
            failures.extend(failed.map(|check| format!("{}: {}", check["id"], check["errorMessage"])));
        }
    }
    failures
}

#[tokio::test]
async fn every_scored_scenario_of_2025_11_25_passes() {
    conforms_to("2025-11-25").await;
}

#[tokio::test]
async fn every_scored_scenario_of_2026_07_28_passes() {
    conforms_to("2026-07-28").await;
}

#[tokio::test]
async fn no_case_of_the_websocket_suite_fails() {
    let Some(kosoku) = python_2("kosoku") else { return };
    let embedded = Embedded::start_with_fixtures().await;
    let folder = tempfile::tempdir().expect("a folder for its report");
    let mut program = Command::new(kosoku);
    // Compression is not offered.
    program.args(["-m", "fuzzingclient", "-x", "12.*", "-x", "13.*", "-o"]).arg(folder.path());
    program.arg(format!("ws://127.0.0.1:{}/echo", embedded.port(Service::McpWebsocket)));
    let (ended, said) = run(program).await;
    assert!(ended, "the suite runs to its end:\n{said}");
    let cases = cases(folder.path());
    let bad = |case: &&(String, Value)| {
        let fine = |key: &str| {
            ["OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"].contains(&case.1[key].as_str().unwrap_or_default())
        };
        !fine("behavior") || !fine("behaviorClose")
    };
    let failed: Vec<_> = cases.iter().filter(bad).collect();
    assert!(cases.len() > 200, "the suite has its cases: {}", cases.len());
    assert!(failed.is_empty(), "RFC 6455: {failed:?}");
}

/// The verdict on each case, by its number.
fn cases(folder: &Path) -> Vec<(String, Value)> {
    let index = std::fs::read_to_string(folder.join("index.json")).expect("the suite writes an index");
    let index: Value = serde_json::from_str(&index).expect("JSON");
    let agents = index.as_object().expect("by program").values();
    agents.flat_map(|cases| cases.as_object().expect("by case").clone()).collect()
}

#[tokio::test]
async fn the_program_itself_has_none_of_the_fixtures() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let url = server.url(Service::McpWebsocket);
    let mut client = McpClient::connect(url).await;
    for method in ["tools/list", "resources/list", "prompts/list"] {
        let listed = client.request(method, json!({})).await.to_string();
        assert!(!listed.contains("\"test_") && !listed.contains("test://"), "{method}: {listed}");
    }
    let echo = Socket::open_with(&url.replace("/mcp", "/echo"), &[]).await;
    assert!(echo.is_err(), "and no echo");
}

#[test]
fn only_the_tests_ask_for_the_fixtures() {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().expect("the workspace");
    let with_fixtures = metadata.packages.iter().filter(|package| {
        package.dependencies.iter().any(|it| it.name == "cwts-server" && it.features.iter().any(|it| it == "fixtures"))
    });
    let names: Vec<_> = with_fixtures.map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["cwts-tests"], "so no build of a program alone has them");
    let server = metadata.packages.iter().find(|package| package.name.as_str() == "cwts-server").expect("the crate");
    assert!(!server.features.contains_key("default"), "nothing is on by itself");
}
