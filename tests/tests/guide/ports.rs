//! "Configuration Files" to "Security Considerations": where ports and addresses are set, and that the services use them.

use std::fs;

use cwts_tests::{PortHolder, sandboxed};
use rustix::process::Signal;

use crate::blocks::{
    CHECK_ALL, CHECK_PORTS, CUSTOM_PORTS, EXTERNAL, LOCAL_ONLY, METHOD_1, METHOD_2, METHOD_3, SOURCE, START, VIEW,
};
use crate::person::{Person, answer};

const ENV_FILE: &str = "config/ports.env";
const TOML_FILE: &str = "config/production.toml";
const DEFAULTS: [u16; 4] = [3000, 3001, 9090, 8080];
const MOVED: [u16; 4] = [5010, 5011, 9190, 8180];

#[tokio::test]
async fn the_summarys_launch_starts_on_the_default_ports() {
    if !sandboxed(the_summarys_launch_starts_on_the_default_ports).await {
        return;
    }
    Person::new().await.starts_on(START.text, DEFAULTS).await;
}

#[tokio::test]
async fn the_env_file_can_be_sourced_as_shipped_and_as_edited() {
    if !sandboxed(the_env_file_can_be_sourced_as_shipped_and_as_edited).await {
        return;
    }
    let person = Person::new().await;
    let then_show = format!("{}\nenv", SOURCE.text);
    let shipped = person.succeeds(&then_show).await;
    assert!(!shipped.contains("_PORT="), "the shipped file overrides nothing: {shipped}");
    person.installation.write(ENV_FILE, METHOD_2.text);
    let edited = person.succeeds(&then_show).await;
    for line in METHOD_2.text.lines() {
        let variable = line.trim_start_matches("export ");
        assert!(edited.lines().any(|each| each == variable), "a program of this shell sees {variable}: {edited}");
    }
    person.starts_on(&format!("{}\n{}", SOURCE.text, START.text), MOVED).await;
}

#[tokio::test]
async fn check_ports_says_that_all_are_free_and_changes_nothing() {
    if !sandboxed(check_ports_says_that_all_are_free_and_changes_nothing).await {
        return;
    }
    let person = Person::new().await;
    let before = person.installation.text(ENV_FILE);
    for block in [CHECK_PORTS, CHECK_ALL] {
        let said = person.succeeds(block.text).await;
        for port in DEFAULTS {
            let line = said.lines().find(|line| line.contains(&format!(":{port} "))).unwrap_or_default();
            assert!(line.contains("free"), "{port} is one of the four that the guide calls available: {said}");
        }
    }
    assert_eq!(person.installation.text(ENV_FILE), before, "there is nothing to override");
}

#[tokio::test]
async fn check_ports_names_the_conflict_suggests_and_saves_an_alternative() {
    if !sandboxed(check_ports_names_the_conflict_suggests_and_saves_an_alternative).await {
        return;
    }
    let person = Person::new().await;
    let holder = PortHolder::take(3000).await;
    let exit = person.runs(CHECK_PORTS.text).await;
    assert_eq!(exit.status, Some(0), "nothing is in the way of a start any more: {exit:?}");
    let said = exit.stdout.clone() + &exit.stderr;
    let pid = holder.pid().to_string();
    for part in ["3000", "python3", &pid, "5010", "ports.env"] {
        assert!(said.contains(part), "conflict, holder, alternative and file are named, {part} too: {said}");
    }
    let saved = person.installation.text(ENV_FILE);
    assert!(saved.lines().any(|line| line == "export MCP_SERVER_PORT=5010"), "saved as a shell reads it: {saved}");
    person.starts_on(START.text, [5010, 3001, 9090, 8080]).await;
}

#[tokio::test]
async fn a_start_on_a_taken_port_names_its_holder() {
    if !sandboxed(a_start_on_a_taken_port_names_its_holder).await {
        return;
    }
    let person = Person::new().await;
    let holder = PortHolder::take(9090).await;
    let exit = person.runs(START.text).await;
    assert_eq!(exit.status, Some(3), "the guide promises a check at the start: {exit:?}");
    let pid = holder.pid().to_string();
    for part in ["9090", "python3", &pid] {
        assert!(exit.stderr.contains(part), "the warning names {part}: {}", exit.stderr);
    }
}

#[tokio::test]
async fn method_1_the_environment_moves_ports_for_one_run() {
    if !sandboxed(method_1_the_environment_moves_ports_for_one_run).await {
        return;
    }
    let person = Person::new().await;
    person.starts_on(METHOD_1.text, [5010, 5011, 9090, 8080]).await;
    person.starts_on(CUSTOM_PORTS.text, [5010, 3001, 9090, 8080]).await;
    person.starts_on(START.text, DEFAULTS).await;
}

#[tokio::test]
async fn method_2_ports_env_moves_ports_for_good_and_yields_to_the_environment() {
    if !sandboxed(method_2_ports_env_moves_ports_for_good_and_yields_to_the_environment).await {
        return;
    }
    let person = Person::new().await;
    let edited = person.installation.text(ENV_FILE) + METHOD_2.text + "\n";
    person.installation.write(ENV_FILE, &edited);
    person.starts_on(START.text, MOVED).await;
    let for_one_run = format!("MCP_SERVER_PORT=5020 {}", START.text);
    person.starts_on(&for_one_run, [5020, 5011, 9190, 8180]).await;
}

#[tokio::test]
async fn method_3_production_toml_moves_ports_alone_and_among_the_shipped_settings() {
    if !sandboxed(method_3_production_toml_moves_ports_alone_and_among_the_shipped_settings).await {
        return;
    }
    let person = Person::new().await;
    let shipped = person.installation.text(TOML_FILE);
    let edited = METHOD_3.text.lines().filter_map(|line| line.split_once(" = ")).fold(shipped, |text, (key, value)| {
        let line = |line: &str| line.starts_with(&format!("{key} = "));
        assert_eq!(text.lines().filter(|each| line(each)).count(), 1, "a person finds {key} once: {text}");
        text.lines().map(|each| if line(each) { format!("{key} = {value}\n") } else { format!("{each}\n") }).collect()
    });
    for text in [edited.as_str(), METHOD_3.text] {
        person.installation.write(TOML_FILE, text);
        person.starts_on(START.text, MOVED).await;
    }
}

#[tokio::test]
async fn view_current_configuration_shows_the_four_ports() {
    if !sandboxed(view_current_configuration_shows_the_four_ports).await {
        return;
    }
    let shown = Person::new().await.succeeds(VIEW.text).await;
    for setting in ["mcp_port = 3000", "mcp_http_port = 3001", "metrics_port = 9090", "health_check_port = 8080"] {
        assert!(shown.lines().any(|line| line == setting), "the command finds {setting}: {shown}");
    }
}

#[tokio::test]
async fn the_bind_address_decides_who_can_reach_mcp() {
    if !sandboxed(the_bind_address_decides_who_can_reach_mcp).await {
        return;
    }
    let person = Person::new().await;
    for (block, address) in [(LOCAL_ONLY, "127.0.0.1"), (EXTERNAL, "0.0.0.0")] {
        let server = person.starts(&format!("{}\n{}", block.text, START.text)).await;
        answer(DEFAULTS).await;
        let sockets = person.succeeds("ss -tlnH").await;
        for (port, expected) in [(3000, address), (3001, address), (9090, "127.0.0.1"), (8080, "127.0.0.1")] {
            let socket = format!(" {expected}:{port} ");
            assert!(sockets.contains(&socket), "{} makes{socket}and nothing else: {sockets}", block.text);
        }
        let exit = server.stop(Signal::TERM).await;
        let warned = exit.stderr.contains("0.0.0.0");
        assert_eq!(warned, address == "0.0.0.0", "a person is told who can reach the server: {}", exit.stderr);
    }
}

#[tokio::test]
async fn the_guides_files_are_where_it_says() {
    let person = Person::new().await;
    for file in ["config/ports.conf", ENV_FILE, TOML_FILE, "scripts/launch.sh", "scripts/check-ports.sh"] {
        let path = person.installation.root(file);
        assert!(fs::metadata(&path).is_ok_and(|found| found.is_file()), "the guide names {}", path.display());
    }
}
