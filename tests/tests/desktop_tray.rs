//! The icon in the tray, the window that hides behind it, and the desktop that has no tray.

use cwts_domain::Service;
use cwts_tests::desktop::{Choice, Desktop, Panel, TrayItem, Watcher, Window};
use cwts_tests::{Home, Ports, get, refuses, until};

/// A running panel on a desktop with a tray, its services started. Nothing where the machine cannot show one.
async fn panel_in_tray() -> Option<(Desktop, Home, Ports, Panel, TrayItem)> {
    let desktop = Desktop::start().await?;
    let ports = Ports::free();
    let home = Home::with(&ports);
    let mut watcher = Watcher::start(&desktop).await;
    let panel = Panel::launch(&desktop, &home, &[]);
    let item = watcher.item().await;
    item.says("Running").await;
    desktop.await_window(true).await;
    Some((desktop, home, ports, panel, item))
}

async fn is_healthy(ports: &Ports) -> bool {
    get(ports.of(Service::Health), "/health").await.status == 200
}

fn all_refuse(ports: &Ports) -> bool {
    ports.all().into_iter().all(refuses)
}

fn labels(choices: &[Choice]) -> Vec<&str> {
    choices
        .iter()
        .filter(|choice| choice.enabled)
        .map(|choice| choice.label.as_str())
        .filter(|label| !label.is_empty())
        .collect()
}

#[tokio::test]
async fn the_icon_says_what_runs_and_where() {
    let Some((_desktop, _home, ports, _panel, item)) = panel_in_tray().await else { return };
    assert_eq!(item.text("Id").await, "cwts-ultra", "desktops remember the place of an icon by its id");
    assert_eq!(item.text("Title").await, "CWTS Ultra", "screen readers say the title");
    assert_eq!(item.text("Status").await, "Active", "a running panel is not passive: it would be hidden");
    let tooltip = item.tooltip().await;
    assert_eq!(tooltip.title, "CWTS Ultra", "the first line names the program");
    let [websocket, http, metrics, health] = ports.all();
    let places = format!("Running: {websocket}, {http}, {metrics}, {health} on 127.0.0.1");
    assert_eq!(tooltip.text.lines().next(), Some(&*places), "the second answers what runs, and on which ports");
    for (width, height, pixels) in item.pixmaps().await {
        let drawn = pixels.chunks_exact(4).filter(|pixel| pixel[0] > 0).count();
        assert_eq!(
            i32::try_from(pixels.len()),
            Ok(width * height * 4),
            "four bytes a pixel (StatusNotifierItem, Icons)"
        );
        assert!(drawn > 20, "an icon of {width} x {height} must show something, not {drawn} pixels");
    }
    let choices = item.choices().await;
    assert_eq!(choices.first().map(|choice| choice.label.as_str()), Some(places.as_str()), "the state is on top");
    let expected = ["Open", "Stop", "Halt trading", "Cancel all orders", "Quit"];
    assert_eq!(labels(&choices), expected, "what runs cannot be started");
}

#[tokio::test]
async fn the_menu_halts_and_resumes_trading() {
    let Some((_desktop, _home, ports, _panel, item)) = panel_in_tray().await else { return };
    item.says("Trading active, equity 100,000.00 USD, today 0.00").await;
    let active = item.pixmaps().await;
    for (entry, state) in [("Halt trading", "halted"), ("Resume trading", "active")] {
        item.choose(entry).await;
        let reached = async || {
            let reply = get(ports.of(Service::McpHttp), "/api/v1/trading").await;
            (reply.json()["state"] == state).then_some(())
        };
        until(&format!("trading is {state}"), reached).await;
        item.says(&format!("Trading {state}")).await;
        assert_eq!(item.pixmaps().await == active, state == "active", "a halt has a picture of its own");
    }
}

#[tokio::test]
async fn the_menu_stops_and_starts_the_services() {
    let Some((_desktop, _home, ports, mut panel, item)) = panel_in_tray().await else { return };
    let running = item.pixmaps().await;
    item.choose("Stop").await;
    item.says("Stopped").await;
    assert!(all_refuse(&ports), "stopping must not need a window");
    let stopped = item.pixmaps_other_than(&running).await;
    assert_eq!(labels(&item.choices().await), ["Open", "Start", "Quit"], "what is stopped cannot be stopped");

    item.choose("Start").await;
    item.says("Running").await;
    assert!(is_healthy(&ports).await, "the services must answer again");
    assert_eq!(item.pixmaps_other_than(&stopped).await, running, "one state has one picture");
    assert!(panel.is_running(), "the program lives on through all of this");
}

#[tokio::test]
async fn closing_the_window_leaves_the_services_and_the_icon() {
    let Some((desktop, _home, ports, mut panel, item)) = panel_in_tray().await else { return };
    desktop.close_window().await;
    desktop.await_window(false).await;
    assert!(panel.is_running(), "the icon is the way back: nothing has to end");
    assert!(is_healthy(&ports).await, "a closed window must not stop trading");
    assert_eq!(item.text("Status").await, "Active", "the icon must stay");

    item.choose("Open").await;
    desktop.await_window(true).await;
    desktop.close_window().await;
    desktop.await_window(false).await;
    item.click().await;
    desktop.await_window(true).await;
}

#[tokio::test]
async fn a_second_launch_shows_the_window_of_the_first() {
    let Some((desktop, home, ports, mut panel, _item)) = panel_in_tray().await else { return };
    desktop.close_window().await;
    desktop.await_window(false).await;
    let mut second = Panel::launch(&desktop, &home, &[]);
    assert_eq!(second.end().await, Some(0), "the second has done what was asked for: {}", second.said());
    desktop.await_window(true).await;
    assert!(panel.is_running() && is_healthy(&ports).await, "the first must not notice");
}

#[tokio::test]
async fn quit_in_the_menu_ends_everything() {
    let Some((_desktop, _home, ports, mut panel, item)) = panel_in_tray().await else { return };
    item.choose("Quit").await;
    assert_eq!(panel.end().await, Some(0), "quitting is no failure: {}", panel.said());
    assert!(all_refuse(&ports), "a program that has ended must hold no port");
}

#[tokio::test]
async fn a_tray_that_comes_late_gets_the_icon() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let _panel = Panel::launch(&desktop, &home, &[]);
    until("the services", async || (!all_refuse(&ports)).then_some(())).await;
    desktop.await_window(true).await;
    let item = Watcher::start(&desktop).await.item().await;
    item.says("Running").await;
}

#[tokio::test]
async fn without_a_tray_closing_asks_and_quits_only_on_yes() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &[]).await;
    window.is("run-state", "running").await;

    desktop.close_window().await;
    window.says("dialog", "Close CWTS Ultra?").await;
    assert!(desktop.shows_window().await, "without a tray a hidden window would be lost");
    window.press("Keep it open").await;
    window.miss("dialog-act").await;
    assert!(is_healthy(&ports).await, "an answer of no changes nothing");

    desktop.close_window().await;
    window.says("dialog", "Close CWTS Ultra?").await;
    window.press_and_end("Stop and quit").await;
    assert!(all_refuse(&ports), "a program that has ended must hold no port");
}
