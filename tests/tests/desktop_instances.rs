//! Several instances in the real window and in the tray, and the way back from a damaged file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use cwts_domain::Service;
use cwts_runtime::{NewInstance, create_instance};
use cwts_tests::desktop::{Desktop, Panel, Watcher, Window};
use cwts_tests::{Home, Ports, get, refuses, until};

async fn is_healthy(port: u16) -> bool {
    get(port, "/health").await.status == 200
}

#[tokio::test]
async fn an_instance_is_made_started_stopped_and_removed_and_its_data_stays() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &[]).await;
    window.click("nav-instances").await;
    window.says("state-default", "Running").await;

    window.click("new").await;
    window.fill("new-id", "a b").await;
    window.says("new-id-hint", "letters").await;
    assert!(!window.offers("new-create").await, "a name that is none makes nothing");
    window.fill("new-id", "desk").await;
    window.click("new-create").await;
    window.says("state-desk", "Running").await;
    let profile = home.path().join("config/instances/desk.toml");
    let text = fs::read_to_string(&profile).expect("the instance has a file of its own");
    let port = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.and_then(|port| port.parse::<u16>().ok()).unwrap_or_else(|| panic!("{name} is set: {text}"))
    };
    let health = port("health_check_port");
    assert_eq!(get(health, "/health").await.json()["serviceId"], "desk", "it answers on its own port");
    assert!(is_healthy(ports.of(Service::Health)).await, "beside the first one");

    window.click("stop-desk").await;
    window.says("state-desk", "Stopped").await;
    assert!(refuses(health), "it is stopped");
    assert!(is_healthy(ports.of(Service::Health)).await, "and the other one is not");
    window.click("select-desk").await;
    window.click("remove").await;
    window.says("dialog", "Remove desk?").await;
    window.click("dialog-act").await;
    window.miss("row-desk").await;
    assert!(!profile.exists(), "its settings are gone");
    assert!(home.path().join("data/desk").is_dir(), "its data stays, since nobody asked otherwise");
}

#[tokio::test]
async fn a_new_home_gets_every_file_before_the_window_opens() {
    let Some(desktop) = Desktop::start().await else { return };
    let home = Home::untouched();
    home.write_env("export CWTS_LOG=debug\n");
    let _window = Window::open(&desktop, &home, &["--stopped"]).await;
    for (name, shipped) in [
        ("production.toml", include_str!("../../config/production.toml")),
        ("ports.conf", include_str!("../../config/ports.conf")),
        ("ports.env", "export CWTS_LOG=debug\n"),
    ] {
        let found = fs::read_to_string(home.path().join("config").join(name));
        assert_eq!(found.ok().as_deref(), Some(shipped), "{name}: what is missing is made, what is there is kept");
    }
    let mode = fs::metadata(home.path().join("data/default")).expect("a folder for data").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "orders and tokens are for their owner only");
    let log = fs::read_to_string(home.path().join("logs/default.log")).expect("a log");
    assert!(log.contains("DEBUG"), "the level of the person's own file counts from the first line: {log}");
}

#[tokio::test]
async fn a_clone_takes_the_data_along_and_its_folder_opens() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &[]).await;
    window.is("run-state", "running").await;
    window.click("stop").await;
    window.is("run-state", "stopped").await;
    window.click("nav-instances").await;
    window.click("clone").await;
    window.fill("new-id", "copy").await;
    window.click("new-with-data").await;
    window.click("new-create").await;
    window.says("state-copy", "Running").await;
    let names = |id: &str| {
        let entries = fs::read_dir(home.path().join("data").join(id)).expect("its data");
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.retain(|name| name.starts_with("journal"));
        names.sort();
        names
    };
    assert!(!names("copy").is_empty() && names("copy")[0] == names("default")[0], "the journal came along");
    window.click("select-copy").await;
    window.click("open-data").await;
    let asked = desktop.opened_folder().await;
    assert_eq!(asked, home.path().join("data/copy"), "the file manager is told which");
}

#[tokio::test]
async fn the_tray_stops_and_starts_each_of_two_instances() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let new = NewInstance { id: "desk".to_owned(), ..NewInstance::default() };
    let [.., health] = create_instance(home.path(), &new).expect("four free ports");
    let mut watcher = Watcher::start(&desktop).await;
    let mut panel = Panel::launch(&desktop, &home, &[]);
    let item = watcher.item().await;
    until("both instances", async || (!refuses(health) && !refuses(ports.of(Service::Health))).then_some(())).await;

    item.choose_of("desk", "Stop").await;
    until("the end of desk", async || refuses(health).then_some(())).await;
    assert!(is_healthy(ports.of(Service::Health)).await, "the other instance is not touched");
    item.choose_of("desk", "Start").await;
    until("desk", async || (!refuses(health)).then_some(())).await;
    item.choose_of("default", "Stop").await;
    until("the end of default", async || refuses(ports.of(Service::Health)).then_some(())).await;
    assert!(is_healthy(health).await, "nor is this one");
    item.choose("Quit").await;
    assert_eq!(panel.end().await, Some(0), "quitting ends all of them: {}", panel.said());
    assert!(refuses(health), "the last one too");
}

#[tokio::test]
async fn a_damaged_file_is_restored_with_one_button() {
    let Some(desktop) = Desktop::start().await else { return };
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(&desktop, &home, &[]).await;
    window.is("run-state", "running").await;
    let good = home.toml();
    home.write_toml("[mcp\nmcp_port = ");
    let banner = window.says("banner", "production.toml is damaged").await;
    assert!(banner.contains("What runs stays"), "nobody has to hurry: {banner}");
    window.click("restore").await;
    window.says("toast", "production.toml is its last good copy again").await;
    window.miss("restore").await;
    assert_eq!(home.toml(), good, "the file is what it was");

    window.click("stop").await;
    window.is("run-state", "stopped").await;
    home.write_toml(&good.replace(&format!("mcp_port = {} ", ports.of(Service::McpWebsocket)), "mcp_port = 70000 "));
    window.says("banner", "mcp.mcp_port is 70000").await;
    window.click("restore").await;
    window.miss("restore").await;
    window.click("start").await;
    window.is("run-state", "running").await;
    assert!(is_healthy(ports.of(Service::Health)).await, "it starts as before");
}
