//! The log of the real program: in a file, at the level of the moment, without secrets; and the diagnostics made of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cwts_domain::Service;
use cwts_tests::{
    Exit, Home, METRICS_TOKEN, McpClient, OWNER_TOKEN, Ports, READ_TOKEN, Server, Socket, TRADE_TOKEN, command, finish,
    get, until,
};
use rustix::process::Signal;
use serde_json::Value;
use tokio::process::Command;

async fn run(home: &Home, arguments: &[&str]) -> Exit {
    let mut program = command(home);
    program.args(arguments).current_dir(home.path());
    finish(program).await
}

fn log(home: &Home) -> String {
    fs::read_to_string(home.path().join("logs/default.log")).unwrap_or_default()
}

async fn logged(home: &Home, text: &str) {
    until(&format!("the log to have {text:?}"), async || log(home).contains(text).then_some(())).await;
}

async fn refused_page(server: &Server) {
    let url = server.url(Service::McpWebsocket);
    let foreign = Socket::open_with(url, &[("origin", "https://evil.example")]).await;
    assert!(foreign.is_err(), "a foreign page is refused");
}

fn assert_no_secret(text: &str, place: &str) {
    for token in [OWNER_TOKEN, TRADE_TOKEN, READ_TOKEN, METRICS_TOKEN] {
        let digits = token.rsplit('_').next().unwrap_or_default();
        assert!(!text.contains(digits), "{place} must hold no token");
    }
    assert!(!text.contains("PRIVATE KEY"), "{place} must hold no key");
}

#[tokio::test]
async fn what_happens_is_in_the_instances_file_at_the_level_of_the_moment() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let server = Server::start(&home).await;
    logged(&home, " INFO activity: All four services started").await;
    let file = home.path().join("logs/default.log");
    let mode = fs::metadata(&file).expect("the file").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "a log is its owner's");
    refused_page(&server).await;
    assert!(!log(&home).contains("DEBUG"), "nobody asked for it: {}", log(&home));

    let debug = run(&home, &["config", "set", "log.level", "debug", "--layer", "toml"]).await;
    assert_eq!(debug.status, Some(0), "{debug:?}");
    logged(&home, "log.level set to debug").await;
    refused_page(&server).await;
    logged(&home, "DEBUG server: request refused").await;

    let error = run(&home, &["config", "set", "log.level", "error", "--layer", "toml"]).await;
    assert_eq!(error.status, Some(0), "{error:?}");
    until("the level to be in force", async || {
        let before = log(&home).len();
        refused_page(&server).await;
        (log(&home).len() == before).then_some(())
    })
    .await;
    let status = get(ports.of(Service::McpHttp), "/api/v1/status").await;
    assert!(!status.body.contains("waits for a restart"), "nothing waits: {status:?}");
    let ended = server.stop(Signal::TERM).await;
    assert_eq!(ended.status, Some(0), "{ended:?}");
}

#[tokio::test]
async fn no_token_reaches_log_or_diagnostics() {
    let home = Home::with(&Ports::free());
    home.write_toml(&format!("{}\n[log]\nlevel = \"trace\"\n", home.toml()));
    assert_eq!(run(&home, &["tls", "make"]).await.status, Some(0), "a certificate and its key lie in the home");
    let server = Server::start(&home).await;
    let websocket = server.url(Service::McpWebsocket).to_owned();
    for token in [OWNER_TOKEN, TRADE_TOKEN, READ_TOKEN, METRICS_TOKEN] {
        // In the query, as the SDKs send it; one is refused for its scope.
        drop(Socket::open_exactly(&format!("{websocket}?token={token}"), &[]).await);
    }
    drop(Socket::open_exactly(&format!("{websocket}?token={}", TRADE_TOKEN.replace('7', "8")), &[]).await);
    drop(McpClient::connect(&websocket).await);
    logged(&home, "DEBUG").await;
    let mut test = command(&home);
    test.arg("test").env("HTTP_PROXY", "http://ada:hunter2@proxy.invalid:3128");
    assert_eq!(finish(test).await.status, Some(0), "a connection test whose results are of use");
    let written = run(&home, &["diagnostics", "bundle.tar.gz"]).await;
    assert_eq!(written.status, Some(0), "{written:?}");
    let ended = server.stop(Signal::TERM).await;
    assert_no_secret(&log(&home), "the log file");
    assert_no_secret(&ended.stderr, "standard error");

    let folder = unpack(&home.path().join("bundle.tar.gz")).await;
    let files = texts(folder.path());
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["configuration.json", "connection-tests.json", "logs/default.log", "versions.json"];
    assert_eq!(names, expected, "what a helper needs");
    for (name, text) in &files {
        assert_no_secret(text, name);
        assert!(!text.contains("hunter2"), "{name} must not hold the password of the proxy");
    }
    assert!(files[1].1.contains("proxy.invalid:3128"), "which proxy it is may be known: {}", files[1].1);
    let configuration: Value = serde_json::from_str(&files[0].1).expect("JSON");
    assert_eq!(configuration["settings"]["log.level"]["origin"]["layer"], "toml", "with origins: {configuration}");
    let tests: Value = serde_json::from_str(&files[1].1).expect("JSON");
    assert_eq!(tests.as_array().map(Vec::len), Some(4), "the last ladder of each service: {tests}");
    let versions: Value = serde_json::from_str(&files[3].1).expect("JSON");
    assert!(versions["cwts_ultra"].is_string() && versions["kernel"].is_string(), "{versions}");
    let left: Vec<_> = fs::read_dir(home.path().join("logs"))
        .expect("the folder")
        .map(|it| it.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["default.log"], "nothing of the making is left behind");
}

#[tokio::test]
async fn diagnostics_that_cannot_be_written_say_where() {
    let home = Home::with(&Ports::free());
    let refused = run(&home, &["diagnostics", "/nowhere/bundle.tar.gz"]).await;
    assert_eq!((refused.status, refused.stderr.lines().count()), (Some(1), 1), "{refused:?}");
    assert!(refused.stderr.contains("/nowhere/bundle.tar.gz"), "{refused:?}");
    let named = run(&home, &["diagnostics"]).await;
    assert!(named.stdout.starts_with("cwts-ultra-default-20"), "by instance and time where nobody names it: {named:?}");
}

async fn unpack(archive: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(archive).arg("-C").arg(folder.path()).arg("--strip-components=1");
    let unpacked = finish(tar).await;
    assert_eq!(unpacked.status, Some(0), "{unpacked:?}");
    folder
}

/// Every file below the folder with its text, by name.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let name = entry.strip_prefix(folder).expect("below it").display().to_string();
                found.push((name, fs::read_to_string(&entry).expect("text")));
            }
        }
    }
    found.sort();
    found
}
