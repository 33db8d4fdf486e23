//! The log in the real window: it follows, waits while somebody reads, filters, and is saved with everything else.

use cwts_domain::Service;
use cwts_tests::desktop::{Desktop, Window};
use cwts_tests::{Home, McpClient, Ports};
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
    let files = std::fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    let bundle = files.filter_map(|name| name.into_string().ok()).find(|name| name.ends_with(".tar.gz"));
    assert!(bundle.is_some(), "the file that the window names is there");
    let copied = window.execute("return document.querySelector(args).disabled", json!("[data-testid=copy-log]")).await;
    assert_eq!(copied, false, "lines can be copied");
}
