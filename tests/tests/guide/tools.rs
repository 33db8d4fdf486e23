//! "Troubleshooting" and "Monitor Port Usage": the tools of the system, pointed at a running server.

use cwts_tests::{Server, is_installed, sandboxed, skip, within};
use rustix::process::Signal;
use tokio::io::AsyncReadExt as _;

use crate::blocks::{IN_USE, MONITOR, REFUSED, START};
use crate::person::Person;

/// A person with a running server, where the tool is installed.
async fn with_server(tool: &str, package: &str) -> Option<(Person, Server)> {
    if !is_installed(tool) {
        skip(&format!("{tool} is missing. Install the Debian package {package}."));
        return None;
    }
    let person = Person::new().await;
    let server = person.starts(START.text).await;
    Some((person, server))
}

#[tokio::test]
async fn lsof_names_the_program_on_the_port() {
    if !sandboxed(lsof_names_the_program_on_the_port).await {
        return;
    }
    let Some((person, server)) = with_server("lsof", "lsof").await else { return };
    let found = person.succeeds(IN_USE.command("lsof")).await;
    let pid = server.pid().to_string();
    let line = found.lines().find(|line| line.contains("(LISTEN)")).unwrap_or_default();
    assert!(line.starts_with("cwts-ultr") && line.contains(&pid), "the listener is the server: {found}");
    server.stop(Signal::TERM).await;
}

#[tokio::test]
async fn netstat_names_the_program_on_the_port() {
    if !sandboxed(netstat_names_the_program_on_the_port).await {
        return;
    }
    let Some((person, server)) = with_server("netstat", "net-tools").await else { return };
    let found = person.succeeds(IN_USE.command("netstat")).await;
    let program = format!("{}/cwts-ultra", server.pid());
    assert!(found.contains("127.0.0.1:3000") && found.contains(&program), "the listener is {program}: {found}");
    server.stop(Signal::TERM).await;
}

#[tokio::test]
async fn telnet_reaches_the_port() {
    if !sandboxed(telnet_reaches_the_port).await {
        return;
    }
    let Some((person, server)) = with_server("telnet", "inetutils-telnet").await else { return };
    let exit = person.runs(REFUSED.command("telnet")).await;
    assert!(exit.stdout.contains("Connected to localhost"), "what the guide takes as the proof: {exit:?}");
    server.stop(Signal::TERM).await;
    let exit = person.runs(REFUSED.command("telnet")).await;
    assert!(exit.stderr.contains("refused"), "without the server it is refused: {exit:?}");
}

#[tokio::test]
async fn nc_reaches_the_port() {
    if !sandboxed(nc_reaches_the_port).await {
        return;
    }
    let Some((person, server)) = with_server("nc", "netcat-openbsd").await else { return };
    person.succeeds(REFUSED.command("nc")).await;
    server.stop(Signal::TERM).await;
    let exit = person.runs(REFUSED.command("nc")).await;
    assert_eq!(exit.status, Some(1), "without the server the command fails: {exit:?}");
}

#[tokio::test]
async fn watch_shows_the_four_listeners_in_a_terminal() {
    if !sandboxed(watch_shows_the_four_listeners_in_a_terminal).await {
        return;
    }
    let Some((person, server)) = with_server("watch", "procps").await else { return };
    // `script` gives the command the terminal that it wants.
    let mut terminal = person.shell("exec script --quiet --return --command \"$GUIDE\" /dev/null");
    let mut screen = terminal.env("GUIDE", MONITOR.text).env("TERM", "xterm").spawn().expect("script starts");
    let mut drawn = screen.stdout.take().expect("standard output is a pipe");
    let mut picture = Vec::new();
    for port in [3000, 3001, 8080, 9090] {
        let address = format!("127.0.0.1:{port}");
        while !String::from_utf8_lossy(&picture).contains(&address) {
            let read = within(&format!("{address} on the screen"), drawn.read_buf(&mut picture)).await;
            assert_ne!(read.expect("the terminal is readable"), 0, "watch goes on until it is ended");
        }
    }
    screen.kill().await.expect("a child of ours");
    let exit = server.stop(Signal::TERM).await;
    assert_eq!(exit.status, Some(0), "watching disturbs nobody: {exit:?}");
}
