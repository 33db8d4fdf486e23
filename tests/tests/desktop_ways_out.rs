//! The ways out of a taken port and the table of ports in the real window, with real programs on the ports.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use cwts_domain::Service;
use cwts_tests::desktop::{Desktop, Holder, Window};
use cwts_tests::{Home, Ports, free_port, get, refuses};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

const WANTED: Service = Service::McpWebsocket;

/// A panel whose services are stopped. Nothing where the machine cannot show one.
async fn panel(ports: &Ports) -> Option<(Desktop, Home, Window)> {
    let desktop = Desktop::start().await?;
    let home = Home::with(ports);
    let window = Window::open(&desktop, &home, &["--stopped"]).await;
    Some((desktop, home, window))
}

/// What has the focus.
async fn focused(window: &Window) -> Value {
    window.execute("return document.activeElement?.dataset.testid ?? null", Value::Null).await
}

#[tokio::test]
async fn a_holder_is_ended_after_a_question_and_the_start_is_tried_again() {
    let ports = Ports::free();
    let Some((desktop, _home, window)) = panel(&ports).await else { return };
    let taken = ports.of(WANTED);
    let holder = Holder::of(&desktop, taken).await;
    window.click("start").await;
    window.says("conflict", "It did not answer as a CWTS instance").await;

    window.press("End python3…").await;
    let question = window.says("dialog", &format!("End python3, pid {}?", holder.pid())).await;
    assert!(question.contains("SIGTERM"), "the question says what happens: {question}");
    assert_eq!(focused(&window).await, "dialog-keep", "Enter must be harmless");
    window.click("dialog-keep").await;
    window.miss("dialog-act").await;
    assert!(!refuses(taken), "nothing is ended by a question");

    window.press("End python3…").await;
    window.click("dialog-act").await;
    window.is("run-state", "running").await;
    window.miss("conflict").await;
    assert_eq!(get(ports.of(Service::Health), "/health").await.status, 200, "what the person wanted has happened");
}

#[tokio::test]
async fn a_deaf_holder_is_killed_only_after_a_second_question() {
    let ports = Ports::free();
    let Some((desktop, _home, window)) = panel(&ports).await else { return };
    let holder = Holder::deaf(&desktop, ports.of(WANTED)).await;
    window.click("start").await;
    window.press("End python3…").await;
    window.click("dialog-act").await;
    let question = window.says("dialog", &format!("Kill python3, pid {}?", holder.pid())).await;
    assert!(question.contains("ignores SIGTERM"), "the second question says why it is asked: {question}");
    assert_eq!(focused(&window).await, "dialog-keep", "Enter must be harmless here most of all");
    assert!(!refuses(ports.of(WANTED)), "it still serves");
    window.click("dialog-act").await;
    window.is("run-state", "running").await;
}

#[tokio::test]
async fn a_held_port_is_freed_from_the_form_and_the_move_is_tried_again() {
    let ports = Ports::free();
    let Some((desktop, _home, window)) = panel(&ports).await else { return };
    window.click("start").await;
    window.is("run-state", "running").await;
    window.click("nav-ports").await;
    let taken = free_port();
    let holder = Holder::of(&desktop, taken).await;
    window.fill("port-prometheus", &taken.to_string()).await;
    window.says("hint-prometheus", &format!("pid {}", holder.pid())).await;
    window.click("ways-prometheus").await;
    let card = window.says("conflict", &format!("Port {taken} is held by python3")).await;
    assert!(card.contains("Prometheus stays on"), "the card says that nothing has happened yet: {card}");

    window.press("End python3…").await;
    window.click("dialog-act").await;
    window.says("toast", &format!("Prometheus moved to {taken}")).await;
    assert_eq!(get(taken, "/metrics").await.status, 200, "the move was tried again");
    assert!(refuses(ports.of(Service::Prometheus)), "and the old port let go");
}

#[tokio::test]
async fn the_table_follows_what_comes_and_goes() {
    let ports = Ports::free();
    let Some((desktop, _home, window)) = panel(&ports).await else { return };
    window.click("nav-ports").await;
    window.see("system-ports").await;
    let port = free_port();
    window.fill("filter", &port.to_string()).await;
    let holder = Holder::of(&desktop, port).await;
    let row = window.says("system-ports", &port.to_string()).await;
    assert!(row.contains(&holder.pid().to_string()), "nobody pressed refresh: {row}");
    drop(holder);
    window.miss("system-ports").await;
}

/// Listeners on an address that no other test uses, each a row of its own.
fn crowd(size: usize) -> Vec<TcpListener> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).expect("to the hard limit");
    let ip = Ipv4Addr::new(127, 9, 9, 9);
    let listeners = (33_000..=65_000).filter_map(|port| TcpListener::bind(SocketAddr::from((ip, port))).ok());
    let listeners: Vec<_> = listeners.take(size).collect();
    assert_eq!(listeners.len(), size, "the limit of open files must allow the crowd");
    listeners
}

/// Fills the table with so many rows and scrolls it. Gives the median time of a frame, and that of the slowest twentieth.
async fn scroll(window: &Window, rows: usize) -> (f64, f64) {
    let listeners = crowd(rows);
    let look = "return Number(document.querySelector('[data-testid=system-ports] table').ariaRowCount) > args";
    window.wait_for(&format!("{rows} rows"), look, json!(rows)).await;
    let frames = window.frames("system-ports").await;
    drop(listeners);
    frames
}

/// A hundred rows scroll, too.
const FEW: usize = 100;
const MANY: usize = 10_000;

#[tokio::test]
async fn ten_thousand_rows_scroll_as_smoothly_as_a_hundred() {
    let ports = Ports::free();
    let Some((_desktop, _home, window)) = panel(&ports).await else { return };
    window.click("nav-ports").await;
    window.see("system-ports").await;
    let (few, few_slow) = scroll(&window, FEW).await;
    let (many, many_slow) = scroll(&window, MANY).await;
    let told = writeln!(
        io::stderr(),
        "a frame while scrolling, median and 95 %: {FEW} rows {few:.0} and {few_slow:.0} ms, {MANY} rows {many:.0} and \
         {many_slow:.0} ms"
    );
    assert!(told.is_ok(), "the figures go past the capture of the test runner: {told:?}");
    assert!(many <= 1.5 * few + 10.0, "{MANY} rows take {many:.0} ms a frame, {FEW} rows {few:.0} ms");
    let shown =
        window.execute("return document.querySelectorAll('[data-testid=system-ports] .row').length", Value::Null);
    assert!(shown.await.as_u64().is_some_and(|rows| rows < 100), "only the rows in view exist");
}
