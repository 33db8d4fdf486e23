//! The entry that `scripts/install.sh` adds to the desktop's menu, started by GLib, as GNOME and others start it.

use std::fs;

use cwts_domain::Service;
use cwts_tests::desktop::Desktop;
use cwts_tests::{Installation, Ports, get, until};

#[tokio::test]
async fn a_click_in_the_menu_opens_the_panel_of_that_installation() {
    let Some(desktop) = Desktop::start().await else { return };
    let installation = Installation::none();
    // Every character that the Exec key treats in a way of its own.
    let home = installation.user().join("50% of \"my\" $apps, `mine` \\ others");
    let exit = installation.run(&["--home", home.to_str().expect("a plain name")]).await;
    assert_eq!(exit.status, Some(0), "a folder may have any name: {exit:?}");
    let ports = Ports::free();
    fs::write(home.join("config/production.toml"), ports.toml()).expect("writable");

    let entry = installation.user().join(".local/share/applications/cwts-ultra-panel.desktop");
    let _panel = desktop.open(&entry);
    desktop.await_window(true).await;
    until("the services of that home", async || {
        let answers = !cwts_tests::refuses(ports.of(Service::Health));
        (answers && get(ports.of(Service::Health), "/health").await.status == 200).then_some(())
    })
    .await;
    let text = fs::read_to_string(&entry).expect("the entry");
    let class = text.lines().find_map(|line| line.strip_prefix("StartupWMClass=")).expect("a window class");
    let shown = desktop.window_class().await;
    assert!(
        shown.split('.').any(|each| each.eq_ignore_ascii_case(class)),
        "the taskbar finds the entry's icon by the window's class: {shown}"
    );
}
