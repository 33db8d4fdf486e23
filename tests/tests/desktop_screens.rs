//! What the real window shows: something at all, in the colours of the desktop, for eyes, ears and the keyboard alone.
//!
//! Keeps a picture of each screen in `target/screenshots` where `CWTS_SCREENSHOTS` is set.

use std::path::Path;

use cwts_domain::Service;
use cwts_tests::desktop::{Desktop, Holder, Look, Window, are_kept, colours, keep};
use cwts_tests::{Home, McpClient, Ports, free_port, get, refuses, skip};
use serde_json::{Value, json};

/// A blank page has one colour, a page with smooth text hundreds.
const COLOURS: usize = 50;

/// The findings of axe that keep somebody from using the page.
const AUDIT: &str = "const [done] = arguments;
const grave = ({ impact }) => impact === 'serious' || impact === 'critical';
const words = ({ id, nodes }) => id + ': ' + nodes.map((node) => node.target.join(' ')).join(' | ');
const options = { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } };
axe.run(document, options).then(
    ({ violations }) => done(violations.filter(grave).map(words)),
    (error) => done([String(error)]),
);";

/// The window as it opens.
const WIDTH: u32 = 1280;
const HEIGHT: u32 = 800;

/// A half and a quarter of a screen; the last is the smallest window there is.
const NARROW: [(u32, u32); 3] = [(900, 700), (600, 700), (480, 480)];

/// What makes the page scroll sideways, and what is cut off at the edge of a box. Words for the ear alone, which are
/// clipped to nothing on purpose, and what is folded away do not count.
const TOO_WIDE: &str =
    "const clipped = (one) => one && (getComputedStyle(one).clipPath !== 'none' || clipped(one.parentElement));
const right = (one) => one.getBoundingClientRect().right;
const seen = (box) => [...box.querySelectorAll('*')].filter((one) => one.checkVisibility() && !clipped(one));
const main = document.querySelector('main');
const wide = [document.documentElement, main].filter((one) => one.scrollWidth > one.clientWidth);
const boxes = seen(main).filter((one) => getComputedStyle(one).overflowX === 'hidden');
const cut = boxes.flatMap((box) => seen(box).filter((one) => right(one) > right(box) + 1));
return [...wide, ...cut].map((one) => `${one.tagName} ${one.textContent.trim().slice(0, 40)}`);";

/// The source of axe-core; nothing, and a note, where the UI's packages are not installed.
fn axe() -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
    let source = std::fs::read_to_string(file).ok();
    if source.is_none() {
        skip("axe-core is missing. Run `npm --prefix ui ci`.");
    }
    source
}

/// Looks at the page as it is: is it painted, and is it accessible.
async fn inspect(window: &Window, look: Look, name: &str) {
    let name = format!("{name}-{}", look.name());
    let picture = window.picture().await;
    keep(&name, &picture);
    let found = colours(&picture);
    assert!(found > COLOURS, "{name} must show something, not {found} colours");
    let findings = window.execute_async(AUDIT).await;
    assert_eq!(findings, json!([]), "{name} must have no serious or critical finding of axe");
    for (width, height) in NARROW {
        window.resize(width, height).await;
        let wide = window.execute(TOO_WIDE, Value::Null).await;
        assert_eq!(wide, json!([]), "{name} must fit a window of {width} x {height}");
        if are_kept() {
            keep(&format!("{name}-{width}"), &window.picture().await);
        }
    }
    window.resize(WIDTH, HEIGHT).await;
}

/// Clients and traffic, so that the figures and charts have something to show.
async fn some_traffic(ports: &Ports) -> McpClient {
    let mut client = McpClient::connect(&format!("ws://127.0.0.1:{}/", ports.of(Service::McpWebsocket))).await;
    for _ in 0..20 {
        client.call("get_market_data", json!({ "symbol": "BTCUSD" })).await.ok();
    }
    get(ports.of(Service::Prometheus), "/metrics").await;
    get(ports.of(Service::Health), "/health").await;
    client
}

async fn every_screen_is_drawn_and_accessible(look: Look) {
    let Some(axe) = axe() else { return };
    let Some(desktop) = Desktop::start_with(look).await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &["--stopped"]).await;
    let dark = window.execute("return matchMedia('(prefers-color-scheme: dark)').matches", Value::Null).await;
    assert_eq!(dark, look == Look::Dark, "the page must follow the theme of the desktop");
    window.execute(&axe, Value::Null).await;

    window.is("run-state", "stopped").await;
    inspect(&window, look, "overview-stopped").await;

    window.click("start").await;
    window.is("run-state", "running").await;
    let _client = some_traffic(&ports).await;
    window.says("card-mcp-websocket", "1 client").await;
    window.says("card-health", "1 request").await;
    inspect(&window, look, "overview-running").await;

    window.click("nav-ports").await;
    window.see("system-ports").await;
    inspect(&window, look, "ports").await;

    let taken = free_port();
    let _holder = Holder::of(&desktop, taken).await;
    window.fill("port-mcp-websocket", &free_port().to_string()).await;
    window.says("hint-mcp-websocket", "Free").await;
    window.fill("port-prometheus", &taken.to_string()).await;
    window.says("hint-prometheus", "python3").await;
    inspect(&window, look, "ports-refused").await;
    window.click("discard").await;
    window.miss("discard").await;

    window.click("nav-security").await;
    window.see("checklist").await;
    inspect(&window, look, "security").await;

    window.click("nav-firewall").await;
    window.see("notes").await;
    inspect(&window, look, "firewall").await;

    window.click("nav-test").await;
    window.click("run-all").await;
    window.is("verdict-health", "passed").await;
    window.is("verdict-mcp-http", "passed").await;
    inspect(&window, look, "test").await;

    window.click("stop").await;
    window.is("run-state", "stopped").await;
    let _other = Holder::of(&desktop, ports.of(Service::Prometheus)).await;
    window.click("start").await;
    window.says("conflict", "held by python3").await;
    inspect(&window, look, "overview-conflict").await;
}

#[tokio::test]
async fn every_screen_is_drawn_and_accessible_on_a_light_desktop() {
    every_screen_is_drawn_and_accessible(Look::Light).await;
}

#[tokio::test]
async fn every_screen_is_drawn_and_accessible_on_a_dark_desktop() {
    every_screen_is_drawn_and_accessible(Look::Dark).await;
}

/// Presses Tab until the focus is on the element. Returns how often.
async fn tab_to(window: &Window, id: &str) -> usize {
    for steps in 1..=40 {
        window.chord(TAB).await;
        let focused = window.execute("return document.activeElement?.dataset.testid ?? null", Value::Null).await;
        if focused == id {
            return steps;
        }
    }
    panic!("the keyboard never reaches {id}");
}

// The code points of keys that print nothing (WebDriver, section 17.4.2, "Keyboard Actions").
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ALT_2: &str = "\u{e00a}2";
const CONTROL_A: &str = "\u{e009}a";
const CONTROL_S: &str = "\u{e009}s";

#[tokio::test]
async fn a_person_without_a_mouse_can_start_move_and_save() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &["--stopped"]).await;

    let screens = window.execute("return document.querySelectorAll('nav a').length", Value::Null).await;
    let steps = tab_to(&window, "start").await;
    // The skip link and the instances stand before the screens.
    let nearest = screens.as_u64().expect("a number") + 3;
    assert!(steps as u64 <= nearest, "Start comes before everything on the page, not {steps} steps away");
    window.chord(ENTER).await;
    window.is("run-state", "running").await;

    window.chord(ALT_2).await;
    window.see("apply").await;
    tab_to(&window, "port-mcp-websocket").await;
    let new = free_port();
    window.chord(CONTROL_A).await;
    window.type_text(&new.to_string()).await;
    window.says("hint-mcp-websocket", "Free").await;
    window.chord(CONTROL_S).await;
    window.says("toast", &format!("MCP WebSocket moved to {new}")).await;
    McpClient::connect(&format!("ws://127.0.0.1:{new}/")).await;
    assert!(refuses(ports.of(Service::McpWebsocket)), "the keyboard does all of what the mouse does");
}
