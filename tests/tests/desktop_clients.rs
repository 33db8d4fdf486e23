//! Clients in the real window: a text copied, tried and grown old, a real client listed and ended.

use cwts_domain::Service;
use cwts_tests::desktop::{Desktop, Window};
use cwts_tests::{Home, Ports, Socket, TRADE_TOKEN, free_port, initialize_request};
use serde_json::{Value, json};

/// Where a copied text is pasted: a field that keeps its lines.
const PASTE_HERE: &str = "const area = document.createElement('textarea'); area.dataset.testid = 'paste-here';
area.style.cssText = 'position: fixed; top: 60px; left: 300px; z-index: 9'; document.body.append(area); area.focus();";
const PASTED: &str = "const area = document.querySelector('[data-testid=paste-here]'); const { value } = area; area.remove(); return value";

async fn pasted(window: &Window) -> String {
    window.execute(PASTE_HERE, Value::Null).await;
    window.chord("\u{e009}v").await;
    window.execute(PASTED, Value::Null).await.as_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_text_is_copied_whole_and_is_said_to_be_old_after_a_move() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &[]).await;
    window.is("run-state", "running").await;
    window.click("nav-clients").await;
    window.click("client-cursor").await;
    let address = format!("http://127.0.0.1:{}/mcp", ports.of(Service::McpHttp));
    let shown = window.says("snippet", &address).await;
    assert!(!shown.contains(TRADE_TOKEN) && shown.contains("••••"), "the token is hidden: {shown}");
    window.click("copy-snippet").await;
    window.says("copy-snippet", "Copied").await;
    let text = pasted(&window).await;
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let entry = &json["mcpServers"]["cwts-ultra"];
    assert_eq!(entry["url"], address, "what is pasted works: {text}");
    assert_eq!(entry["headers"]["Authorization"], format!("Bearer {TRADE_TOKEN}"), "with the whole token");

    window.click("client-claude-desktop").await;
    window.says("snippet", "mcp-stdio").await;
    window.click("try").await;
    window.says("trial-said", "The session opened").await;

    window.click("nav-ports").await;
    let port = free_port();
    window.fill("port-mcp-http", &port.to_string()).await;
    window.says("hint-mcp-http", "Free").await;
    window.click("apply").await;
    window.says("toast", &port.to_string()).await;
    window.click("nav-clients").await;
    window.see("stale-cursor").await;
    window.miss("stale-claude-desktop").await;
    window.click("client-cursor").await;
    window.says("stale", &format!("It has {address}; now it is http://127.0.0.1:{port}/mcp.")).await;
    window.click("nav-overview").await;
    let findings = "return document.body.innerText.includes('Cursor has an old configuration')";
    window.wait_for("the finding", findings, Value::Null).await;
    window.click("nav-clients").await;
    window.click("copy-snippet").await;
    window.miss("stale-cursor").await;
}

#[tokio::test]
async fn a_connected_client_is_listed_and_ended_by_its_button() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &[]).await;
    window.is("run-state", "running").await;
    window.click("nav-clients").await;
    let mut socket = Socket::open(&format!("ws://127.0.0.1:{}/mcp", ports.of(Service::McpWebsocket))).await;
    socket.send_text(initialize_request(1).to_string()).await;
    socket.next().await;
    let row = window.says("connected-row", "cwts-tests").await;
    assert!(row.contains("127.0.0.1") && row.contains("MCP WebSocket") && row.contains("Trading"), "{row}");
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": { "name": "place_order", "arguments": { "symbol": "NONE", "side": "buy", "order_type": "market", "quantity": 1 } } });
    socket.send_text(call.to_string()).await;
    socket.next().await;
    window.says("connected-row", "place_order: ").await;
    window.click("disconnect").await;
    assert_eq!(socket.close_code().await, 1008, "the client is told");
    window.miss("connected-row").await;
    window.says("toast", "cwts-tests is disconnected").await;
}
