//! The OpenAPI document and the page that shows it; schemathesis, which tries what the document says.

use std::path::Path;
use std::time::Duration;

use cwts_domain::Service;
use cwts_tests::{Home, OWNER_TOKEN, Ports, Server, TRADE_TOKEN, bearer, command, finish, schemathesis, send_exactly};
use tokio::process::Command;

/// Twice the time that schemathesis is given.
const PATIENCE: Duration = Duration::from_secs(80);

#[tokio::test]
async fn the_documentation_opens_without_a_token_and_loads_nothing_from_elsewhere() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let _server = Server::start(&home).await;
    let http = ports.of(Service::McpHttp);
    let page = send_exactly(http, "GET", "/api/v1/docs", &[("Host", "localhost")], "").await;
    assert_eq!(page.status, 200, "a browser has no token: {page:?}");
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!page.body.contains("<script") && !page.body.contains("style=\""), "the policy forbids both");
    let loaded: Vec<&str> = page.body.split("href=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let foreign: Vec<_> = loaded.iter().filter(|url| !url.starts_with('#') && !url.starts_with("/api/v1/")).collect();
    assert!(foreign.is_empty(), "it works without a network: {foreign:?}");
    for (path, kind) in [("/api/v1/docs/style.css", "text/css"), ("/api/v1/openapi.json", "application/json")] {
        let part = send_exactly(http, "GET", path, &[("Host", "localhost")], "").await;
        assert!(part.status == 200 && part.header("content-type").is_some_and(|it| it.starts_with(kind)), "{path}");
    }
    assert!(!page.body.contains("<pre>"), "a block that scrolls is reached by the keyboard");
    let prose = page.body.split("<main").next().expect("the beginning");
    assert!(prose.contains("<code>owner</code>") && !prose.contains('`'), "{prose}");
    for anchor in loaded.iter().filter_map(|url| url.strip_prefix('#')) {
        assert!(page.body.contains(&format!("id=\"{anchor}\"")), "#{anchor} leads somewhere");
    }
    let other = send_exactly(http, "GET", "/api/v1/status", &[("Host", "localhost")], "").await;
    assert_eq!(other.problem(401), "token_missing", "everything else needs one");
    let foreign = send_exactly(http, "GET", "/api/v1/docs", &[("Host", "evil.example")], "").await;
    assert_eq!(foreign.status, 403, "a rebound name is refused here too");
}

#[tokio::test]
async fn the_examples_of_the_manual_run_as_printed() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rest.md");
    let manual = std::fs::read_to_string(manual).expect("the manual");
    let printed = manual.split("```bash\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let url = server.url(Service::McpHttp).trim_end_matches("/mcp");
    let example = printed.replace("http://127.0.0.1:3001", url);
    let mut shell = Command::new("bash");
    let program = command(&home);
    let folder = Path::new(program.as_std().get_program()).parent().expect("a folder").to_owned();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    shell.args(["-euo", "pipefail", "-c", &example]).env("PATH", path).env("CWTS_HOME", home.path());
    let seen = finish(shell).await;
    assert_eq!(seen.status, Some(0), "a reader pastes it: {seen:?}");
    for said in ["BTCUSD", "asks", "my-1", "cancelled", "halted", "active"] {
        assert!(seen.stdout.contains(said), "it shows {said}: {}", seen.stdout);
    }
}

/// Everything but what would move the server away, and the stream, which has no end.
async fn look_for_faults(url: &str, token: &str) {
    let Some(program) = schemathesis() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/schemathesis.toml");
    let mut command = Command::new(program);
    command.current_dir(folder.path()).arg("--config-file").arg(config).arg("run");
    command.arg(format!("{url}/api/v1/openapi.json")).arg("-H").arg(format!("Authorization: {}", bearer(token)));
    command.args(["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "10", "--max-time", "20"]);
    command.args(["--exclude-operation-id", "change_config", "--exclude-operation-id", "stream_events"]);
    command.arg("--no-color").kill_on_drop(true);
    let seen = tokio::time::timeout(PATIENCE, command.output()).await.expect("schemathesis ends in time");
    let seen = seen.expect("schemathesis starts");
    let said = String::from_utf8_lossy(&seen.stdout);
    assert!(seen.status.success(), "schemathesis must find nothing: {said}{}", String::from_utf8_lossy(&seen.stderr));
    assert!(said.contains(" passed") && !said.contains("Tested: 0"), "and have looked: {said}");
}

#[tokio::test]
async fn schemathesis_finds_nothing_whichever_token_it_has() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let url = server.url(Service::McpHttp).trim_end_matches("/mcp").to_owned();
    look_for_faults(&url, TRADE_TOKEN).await;
    look_for_faults(&url, OWNER_TOKEN).await;
}
