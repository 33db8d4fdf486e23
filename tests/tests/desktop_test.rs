//! The screen Connection test in the real window: what fails is explained, its button mends it, and then it passes.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};

use cwts_domain::Service;
use cwts_tests::desktop::{Desktop, Holder, Look, Window, keep};
use cwts_tests::{Home, Ports, within};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

async fn test_all(window: &Window) {
    window.click("nav-test").await;
    window.click("run-all").await;
}

async fn all_pass(window: &Window) {
    for service in Service::ALL {
        window.is(&format!("verdict-{}", service.id()), "passed").await;
    }
}

/// Waits for the diagnosis of a service, and presses its button.
async fn mend(window: &Window, service: Service, code: &str) {
    let id = service.id();
    window.says(&format!("diagnosis-{id}"), code).await;
    window.is(&format!("verdict-{id}"), "failed").await;
    window.click(&format!("fix-{id}")).await;
}

#[tokio::test]
async fn stopped_services_are_started_and_then_pass() {
    let Some(desktop) = Desktop::start().await else { return };
    let home = Home::with(&Ports::free());
    let window = Window::open(&desktop, &home, &["--stopped"]).await;
    test_all(&window).await;
    mend(&window, Service::Health, "tcp.refused_stopped").await;
    all_pass(&window).await;
    window.is("run-state", "running").await;
    window.says("rungs-mcp-websocket", "MCP").await;
}

#[tokio::test]
async fn a_port_of_another_program_is_left_for_a_free_one() {
    let Some(desktop) = Desktop::start_with(Look::Dark).await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &["--stopped"]).await;
    let _foreign = Holder::of(&desktop, ports.of(Service::Prometheus)).await;
    test_all(&window).await;
    window.says("diagnosis-prometheus", "python3").await;
    keep("test-foreign", &window.picture().await);
    mend(&window, Service::Prometheus, "handshake.foreign_program").await;
    window.says("toast", "Prometheus moved to").await;
    // It may cover the button that is pressed next.
    window.miss("toast").await;
    mend(&window, Service::Prometheus, "tcp.refused_stopped").await;
    all_pass(&window).await;
    assert!(home.env().contains("PROMETHEUS_PORT="), "the free port is kept: {}", home.env());
}

#[tokio::test]
async fn an_expired_certificate_is_made_anew() {
    let Some(desktop) = Desktop::start().await else { return };
    let home = Home::empty();
    home.write_toml(&format!("{}\n[security]\ntls = \"on\"\n", Ports::free().toml()));
    install_expired(&home);
    let window = Window::open(&desktop, &home, &[]).await;
    window.is("run-state", "running").await;
    test_all(&window).await;
    mend(&window, Service::McpHttp, "tls.expired").await;
    window.press("Renew it").await;
    window.says("toast", "The certificate is made").await;
    all_pass(&window).await;
    window.says("rungs-health", "TLS").await;
}

/// A certificate that ended in 2020, in place of the one that the server would have.
fn install_expired(home: &Home) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("names");
    (params.not_before, params.not_after) = (date_time_ymd(2010, 1, 1), date_time_ymd(2020, 1, 1));
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    let folder = home.path().join("data/default/tls");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).expect("a folder");
    for (name, text) in [("server.pem", certificate.clone() + &key.serialize_pem()), ("ca.pem", certificate)] {
        fs::write(folder.join(name), text).expect("a file");
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).expect("a mode");
    }
}

/// A panel on the screen, with an address of this computer where somebody listens for the health check and says nothing.
async fn beside_a_silent_one(desktop: &Desktop, home: &Home, ports: &Ports) -> (Window, TcpListener) {
    let window = Window::open(desktop, home, &[]).await;
    window.is("run-state", "running").await;
    let silent = TcpListener::bind(("127.0.0.2", ports.of(Service::Health))).await.expect("a free address");
    window.click("nav-test").await;
    window.click("place-other").await;
    window.fill("other-host", "127.0.0.2").await;
    // Longer than a person, and this test, waits for anything.
    window.fill("test-timeout", "600").await;
    (window, silent)
}

#[tokio::test]
async fn a_rung_ends_at_its_own_time() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let (window, _silent) = beside_a_silent_one(&desktop, &home, &ports).await;
    window.click_on("[data-testid=rung-timeouts] summary").await;
    window.fill("timeout-handshake", "0.75").await;
    window.click("run-all").await;
    window.says("rungs-health", "no answer within 0.75 s").await;
    window.is("verdict-health", "failed").await;
}

#[tokio::test]
async fn a_test_that_nobody_sees_ends_with_its_connections() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let (window, silent) = beside_a_silent_one(&desktop, &home, &ports).await;
    window.click("run-all").await;
    let (mut client, _) = within("the test", silent.accept()).await.expect("a connection");
    window.is("verdict-health", "testing").await;
    window.click("nav-overview").await;
    let mut asked = Vec::new();
    within("the end of the connection, long before its time", client.read_to_end(&mut asked)).await.expect("a request");
    assert!(asked.starts_with(b"GET /health"), "the test asks as a client does");
}
