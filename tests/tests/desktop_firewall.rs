//! The firewall in the real window: chosen, copied and saved. Nothing is applied: the rules would be those of the machine.

use cwts_tests::desktop::{Desktop, Window};
use cwts_tests::{Home, Ports};
use serde_json::{Value, json};

/// The lines that the window shows.
const LINES: &str =
    "return [...document.querySelectorAll('[data-testid=commands] span')].map((line) => line.textContent)";
const PASTED: &str = "return document.querySelector('[data-testid=source-draft]').value";

#[tokio::test]
async fn the_copied_commands_are_those_that_are_shown() {
    let Some(desktop) = Desktop::start().await else { return };
    let home = Home::with(&Ports::free());
    let window = Window::open(&desktop, &home, &["--stopped"]).await;
    window.click("nav-firewall").await;
    window.see("notes").await;
    window.click("tool-ufw").await;
    window.fill("source-draft", "10.9.8.7/24").await;
    window.click("source-add").await;
    window.says("commands", "sudo ufw prepend allow proto tcp from 10.9.8.0/24 to any port").await;
    window.says("notes", "Not needed: default listens on 127.0.0.1 only.").await;
    window.says("apply-firewall", "Not needed").await;

    let lines = window.execute(LINES, Value::Null).await;
    let lines: Vec<&str> = lines.as_array().expect("lines").iter().filter_map(Value::as_str).collect();
    assert!(lines.len() >= 4, "four services for one source at least: {lines:?}");
    window.click("copy-commands").await;
    window.says("copy-commands", "Copied").await;
    window.click("source-draft").await;
    window.chord("\u{e009}v").await;
    // A field of one line makes a blank of each line break.
    assert_eq!(window.execute(PASTED, Value::Null).await, json!(lines.join(" ")), "what was copied is what was shown");

    window.fill("source-draft", "10.9.8.0/33").await;
    window.click("source-add").await;
    window.says("source-hint", "0 to 32").await;

    window.click("save-script").await;
    let script = home.path().join("scripts/firewall-default.sh");
    window.says("toast", &script.display().to_string()).await;
    let text = std::fs::read_to_string(&script).expect("the script is there");
    assert!(text.contains("ufw prepend allow proto tcp from 10.9.8.0/24") && text.starts_with("#!/bin/sh\n"), "{text}");
    assert!(!home.path().join("data/default/firewall.json").exists(), "looking and copying change nothing");
}
