//! A headless Chromium that opens one page and tells what its script found.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::deadline::until;
use crate::skip::skip;

/// Names of the browser where the distributions have it.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The browser; the variable `CHROMIUM` names another one.
fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    NAMES.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
}

/// Serves `script` in a page of the origin `http://HOST:PORT`, where every name but localhost leads to this computer, and
/// returns the JSON that the script gives to `tell`. `None` after a note where there is no browser.
///
/// # Panics
/// The browser does not start, or the script tells nothing in time.
pub async fn in_browser(host: &str, script: &str) -> Option<Value> {
    let Some(program) = chromium() else {
        skip("there is no Chromium in PATH, and CHROMIUM names none");
        return None;
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port for the page");
    let port = listener.local_addr().expect("an address").port();
    let page = format!(
        "<!doctype html><title>page</title><script type=module>const tell = (found) => fetch('/told', {{ method: 'POST', \
         body: JSON.stringify(found) }});\n{script}</script>"
    );
    let profile = tempfile::tempdir().expect("a folder for the profile");
    let mut browser = Command::new(program);
    browser.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    browser.arg("--disable-background-networking").arg(format!("--user-data-dir={}", profile.path().display()));
    browser.arg("--host-resolver-rules=MAP * 127.0.0.1, EXCLUDE localhost").arg(format!("http://{host}:{port}/"));
    browser.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut browser = browser.spawn().expect("the browser starts");
    let found = until("what the page found", async || {
        let (stream, _) = listener.accept().await.ok()?;
        answer(stream, &page).await
    })
    .await;
    browser.kill().await.expect("a child may be ended");
    Some(found)
}

/// Answers one request: with the page, or with nothing to what it tells, which is returned.
async fn answer(mut stream: TcpStream, page: &str) -> Option<Value> {
    let mut request = Vec::new();
    let body = loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.ok()?;
        if count == 0 {
            return None;
        }
        request.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break head.starts_with("POST /told ").then(|| body.to_owned());
        }
    };
    let content = if body.is_some() { "" } else { page };
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content.len()
    );
    stream.write_all((head + content).as_bytes()).await.ok()?;
    body.and_then(|body| serde_json::from_str(&body).ok())
}
