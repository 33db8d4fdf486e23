//! The log in the real window: it follows, waits while somebody reads, filters, and is saved with everything else.

use std::fs;
use std::io::{self, Write as _};

use cwts_domain::Service;
use cwts_tests::desktop::{Desktop, Window};
use cwts_tests::{Home, McpClient, Ports, Server};
use serde_json::{Value, json};

#[tokio::test]
async fn the_log_follows_filters_and_is_saved() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &[]).await;
    window.is("run-state", "running").await;
    window.click("nav-logs").await;
    window.says("log-line", "All four services started").await;
    let websocket = format!("ws://127.0.0.1:{}/", ports.of(Service::McpWebsocket));
    drop(McpClient::connect(&websocket).await);
    window.says("log-line", "cwts-tests connected on").await;

    window.click("pause").await;
    window.says("pause", "Follow").await;
    drop(McpClient::connect(&websocket).await);
    window.says("fresh", "1 new line").await;
    window.click("fresh").await;
    window.miss("fresh").await;

    window.fill("log-filter", "/services started$/").await;
    let shown = "return [...document.querySelectorAll('[data-testid=log-line]')].length === 1";
    window.wait_for("one line", shown, Value::Null).await;
    window.fill("log-filter", "no such words").await;
    window.press("Show all").await;
    window.says("log-line", "cwts-tests connected on").await;

    window.click("diagnostics").await;
    let folder = home.path().join("logs");
    window.says("toast", &folder.join("cwts-ultra-default-").display().to_string()).await;
    let files = fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    let bundle = files.filter_map(|name| name.into_string().ok()).find(|name| name.ends_with(".tar.gz"));
    assert!(bundle.is_some(), "the file that the window names is there");
    let copied = window.execute("return document.querySelector(args).disabled", json!("[data-testid=copy-log]")).await;
    assert_eq!(copied, false, "lines can be copied");
}

/// The log of an instance that another process runs, which the window reads from its file.
async fn scroll(desktop: &Desktop, lines: usize) -> (f64, f64) {
    let home = Home::with(&Ports::free());
    let line = |number| format!("2026-11-24T16:31:00.123Z  WARN net: line {number} of those that were there before\n");
    fs::create_dir_all(home.path().join("logs")).expect("a folder");
    fs::write(home.path().join("logs/default.log"), (0..lines).map(line).collect::<String>()).expect("a file");
    let _server = Server::start(&home).await;
    let window = Window::open(desktop, &home, &[]).await;
    window.click("nav-logs").await;
    let look = "const log = document.querySelector('[data-testid=log]'); return log && log.scrollHeight >= args * 20";
    window.wait_for(&format!("{lines} lines"), look, json!(lines)).await;
    let frames = window.frames("log").await;
    let shown = window.execute("return document.querySelectorAll('[data-testid=log-line]').length", Value::Null).await;
    assert!(shown.as_u64().is_some_and(|rows| 0 < rows && rows < 200), "only the lines in view exist: {shown}");
    frames
}

#[tokio::test]
async fn ten_thousand_lines_of_another_process_are_shown_and_only_those_in_view_exist() {
    let Some(desktop) = Desktop::start().await else { return };
    let (few, few_slow) = scroll(&desktop, 200).await;
    let (many, many_slow) = scroll(&desktop, 10_000).await;
    let told = writeln!(
        io::stderr(),
        "a frame while scrolling, median and 95 %: 200 lines {few:.0} and {few_slow:.0} ms, 10000 lines {many:.0} and \
         {many_slow:.0} ms"
    );
    assert!(told.is_ok(), "the figures go past the capture of the test runner: {told:?}");
}
