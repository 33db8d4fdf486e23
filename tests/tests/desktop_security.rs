//! Network & security in the real window: exposed in one step, armed, a token replaced, a certificate taken over, and back.

use cwts_domain::Service;
use cwts_tests::desktop::{Desktop, Watcher, Window, keep};
use cwts_tests::{
    Home, McpClient, Ports, THIS_END, TRADE_TOKEN, bearer, lay_cable, remote, sandboxed, shell, shown_fingerprint,
};
use serde_json::{Value, json};

const WORDS: &str = "return document.querySelector('[data-testid=token]').textContent";

#[tokio::test]
async fn a_person_exposes_arms_and_takes_back() {
    if !sandboxed(a_person_exposes_arms_and_takes_back).await {
        return;
    }
    let Some(desktop) = Desktop::start().await else { return };
    lay_cable().await;
    let mut watcher = Watcher::start(&desktop).await;
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &[]).await;
    window.is("run-state", "running").await;
    let tray = watcher.item().await;

    window.click("nav-security").await;
    window.see("checklist").await;
    window.says("mcp-hint", "Only programs on this computer connect").await;
    window.click("mcp-one").await;
    window.says("mcp-hint", "192.168.50.0/24 (network server) would get 403").await;
    window.click("apply-reach").await;
    window.says("steps", &format!("answer other computers on {THIS_END}")).await;
    keep("security-asking", &window.picture().await);
    window.click("dialog-act").await;
    window.says("banner", &format!("Exposed on {THIS_END}.")).await;
    window.says("banner", "Trading is read-only.").await;
    window.says("run-state", "Running, exposed").await;
    tray.says(&format!("Exposed: {}, {} on {THIS_END}", ports.of(Service::McpWebsocket), ports.of(Service::McpHttp)))
        .await;
    keep("security-exposed", &window.picture().await);

    let address = format!("{THIS_END}:{}", ports.of(Service::McpHttp));
    window.says("fingerprint", &shown_fingerprint(&address).await).await;
    let authority = home.path().join("data/default/tls/ca.pem").display().to_string();
    let (header, url) = (format!("Authorization: {}", bearer(TRADE_TOKEN)), format!("https://{address}/api/v1/status"));
    assert_eq!(remote(&["--cacert", &authority, "-H", &header, &url]).await.0, 200, "the other computer is served");

    let websocket = format!("ws://{THIS_END}:{}/mcp", ports.of(Service::McpWebsocket));
    let mut client = McpClient::connect(&websocket).await;
    let order = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": 1 });
    client.call("place_order", order.clone()).await.error();
    // The banner stands on every screen.
    window.click("nav-overview").await;
    window.click("arm").await;
    window.says("dialog", "may place orders on the paper account").await;
    window.click("dialog-act").await;
    window.says("banner", "Trading is armed").await;
    client.call("place_order", order).await.ok();

    window.click("nav-security").await;
    let hidden = window.execute(WORDS, Value::Null).await;
    assert!(!hidden.to_string().contains(TRADE_TOKEN), "a token is not on the screen unless asked for: {hidden}");
    window.click("reveal").await;
    window.says("token", TRADE_TOKEN).await;
    window.click("reveal").await;
    window.click("rotate").await;
    window.says("dialog", "closed with code 1008").await;
    window.click("dialog-act").await;
    assert_eq!(client.socket().close_code().await, 1008, "what the old token opened is closed");
    assert_eq!(remote(&["--cacert", &authority, "-H", &header, &url]).await.0, 401, "and the old one is refused");

    window.click("make-local").await;
    window.says("mcp-hint", "Only programs on this computer connect").await;
    window.miss("arm").await;
    window.miss("disarm").await;
    assert_eq!(remote(&["--cacert", &authority, "-H", &header, &url]).await.0, 0, "nobody answers there any more");
}

#[tokio::test]
async fn a_key_of_another_certificate_is_named_and_replaces_nothing() {
    let Some(desktop) = Desktop::start().await else { return };
    let home = Home::with(&Ports::free());
    let folder = home.path().display().to_string();
    for name in ["studio.lan", "other.lan"] {
        let make = format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 20 -subj /CN={name} \
             -addext subjectAltName=DNS:{name} -keyout {folder}/{name}.key -out {folder}/{name}.pem 2>/dev/null"
        );
        assert_eq!(shell(&make).await.status, Some(0), "openssl makes {name}");
    }
    let window = Window::open(&desktop, &home, &["--stopped"]).await;
    window.click("nav-security").await;
    window.click("import").await;
    window.fill("import-certificate", &format!("{folder}/studio.lan.pem")).await;
    window.fill("import-key", &format!("{folder}/other.lan.key")).await;
    window.click("dialog-act").await;
    window.says("dialog-refusal", "The key does not belong to the certificate of studio.lan").await;
    window.fill("import-key", &format!("{folder}/studio.lan.key")).await;
    window.click("dialog-act").await;
    window.miss("dialog-refusal").await;
    window.says("days-left", "days left").await;
    window.says("checklist", "There is a certificate, but").await;
    // It was imported: making another one says what is lost.
    window.click("make").await;
    window.says("dialog", "Its key is lost").await;
    window.click("dialog-keep").await;
    let kept = shell(&format!("openssl x509 -noout -subject -in {folder}/data/default/tls/server.pem")).await;
    assert!(kept.stdout.contains("studio.lan"), "the harmless answer keeps it: {kept:?}");
}
