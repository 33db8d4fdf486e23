//! The official SDKs of both generations and FastMCP place an order and read on the real program, in both eras of the protocol.

use std::path::{Path, PathBuf};

use cwts_domain::Service;
use cwts_tests::{Home, Ports, Server, TRADE_TOKEN, finish, python_2, typescript};
use serde_json::{Value, json};
use tokio::process::Command;

const TRANSPORTS: [(&str, Service); 2] = [("websocket", Service::McpWebsocket), ("http", Service::McpHttp)];

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name)
}

/// Runs a client that prints what it saw, and judges that.
async fn trades(mut client: Command, server: &Server, mode: &str, (transport, service): (&str, Service)) -> Value {
    client.args([mode, transport, server.url(service), TRADE_TOKEN]).kill_on_drop(true);
    let ended = finish(client).await;
    assert_eq!(ended.status, Some(0), "{mode} over {transport} must get through: {ended:?}");
    let seen: Value = serde_json::from_str(&ended.stdout).expect("the client prints JSON");
    assert_eq!(
        (&seen["order"]["status"], &seen["order"]["average_price"]),
        (&json!("filled"), &json!(100.01)),
        "{seen}"
    );
    assert_eq!(seen["book"]["bids"][0][1].as_f64(), Some(1000.0), "it reads a resource: {seen}");
    assert!(seen["prompt"].as_str().is_some_and(|text| text.contains("Review the risk")), "and a prompt: {seen}");
    seen
}

#[tokio::test]
async fn the_python_sdk_2_trades_in_both_eras() {
    let Some(python) = python_2("python") else { return };
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    for (mode, protocol) in [("legacy", "2025-11-25"), ("auto", "2026-07-28")] {
        for transport in TRANSPORTS {
            let mut client = Command::new(&python);
            client.arg(script("sdk_2.py"));
            let seen = trades(client, &server, mode, transport).await;
            assert_eq!(seen["protocol"], protocol, "{mode} over {}", transport.0);
        }
    }
}

#[tokio::test]
async fn fastmcp_trades() {
    let Some(python) = python_2("python") else { return };
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let mut client = Command::new(&python);
    client.arg(script("sdk_2.py"));
    trades(client, &server, "fastmcp", TRANSPORTS[1]).await;
}

#[tokio::test]
async fn the_typescript_sdks_of_both_generations_trade() {
    let Some(modules) = typescript() else { return };
    // Node looks for modules beside the script.
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(script("sdk.mjs"), folder.path().join("sdk.mjs")).expect("a copy");
    std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).expect("a link");
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    for mode in ["1", "2-legacy", "2-auto"] {
        for transport in TRANSPORTS {
            let mut client = Command::new("node");
            client.args(["--no-warnings", "--experimental-websocket"]).arg(folder.path().join("sdk.mjs"));
            trades(client, &server, mode, transport).await;
        }
    }
}
