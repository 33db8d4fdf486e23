//! Files that a person edits while the services run: picked up as a change of the panel is, or reported.

use std::fs;
use std::io::Write as _;

use cwts_config::Environment;
use cwts_domain::Service;
use cwts_runtime::{Finding, RunState, SaveTarget, Snapshot};
use cwts_tests::{Embedded, Home, McpClient, PortHolder, Ports, Server, command, free_port, get, refuses, until};
use rustix::process::Signal;
use serde_json::json;

use Service::{Health, McpWebsocket, Prometheus};

async fn when(embedded: &Embedded, what: &str, holds: impl Fn(&Snapshot) -> bool) -> Snapshot {
    until(what, async || Some(embedded.instance().snapshot()).filter(&holds)).await
}

async fn moved(embedded: &Embedded, service: Service, port: u16, what: &str) {
    when(embedded, what, |snapshot| snapshot.services.iter().any(|it| it.service == service && it.port.value == port))
        .await;
}

fn reported<'a>(snapshot: &'a Snapshot, text: &str) -> Option<&'a Finding> {
    snapshot
        .findings
        .iter()
        .find(|finding| finding.title.contains("edited configuration") && finding.detail.contains(text))
}

async fn lives(client: &mut McpClient) -> bool {
    client.call("server_info", json!({})).await.ok()["paper_trading"] == true
}

#[tokio::test]
async fn an_edit_moves_the_services_whichever_way_it_is_written() {
    let embedded = Embedded::start().await;
    let mut client = McpClient::connect(&embedded.url(McpWebsocket)).await;
    let old = embedded.port(Prometheus);
    let (home, toml) = (embedded.home(), embedded.home().toml());
    let with = |port: u16| toml.replace(&format!("metrics_port = {old} "), &format!("metrics_port = {port} "));

    let port = free_port();
    home.write_toml(&with(port));
    moved(&embedded, Prometheus, port, "a file that was cut short and written anew").await;
    assert!(refuses(old), "the old port is given up");

    let port = free_port();
    let beside = home.path().join("config/.production.toml.swp");
    fs::write(&beside, with(port)).expect("writable");
    fs::rename(&beside, home.toml_file()).expect("the same folder");
    moved(&embedded, Prometheus, port, "a file that was replaced by a rename").await;

    let port = free_port();
    fs::rename(home.toml_file(), home.path().join("config/production.toml~")).expect("the same folder");
    home.write_toml(&with(port));
    moved(&embedded, Prometheus, port, "an editor that moves the old file away first").await;

    let port = free_port();
    let mut open = fs::File::create(home.toml_file()).expect("writable");
    open.write_all(with(port).as_bytes()).expect("writable");
    drop(open);
    moved(&embedded, Prometheus, port, "a file that was open for a while").await;
    assert_eq!(get(port, "/metrics").await.status, 200, "the services answer where the file says");

    let port = free_port();
    home.write_env(&format!("export PROMETHEUS_PORT={port}\n"));
    moved(&embedded, Prometheus, port, "a ports.env that did not exist").await;
    fs::remove_file(home.env_file()).expect("it exists");
    let snapshot = when(&embedded, "a ports.env that is gone", |it| it.services[2].port.value != port).await;
    assert_eq!(snapshot.state, RunState::Running, "nothing stopped for all this");
    assert!(lives(&mut client).await, "a WebSocket of an untouched service survives all of it");
}

/// What the shell does to a file of the instance, given as $1, with its new content beside it as $2.
const EDITORS: [(&str, &str); 7] = [
    ("a shell that cuts the file short and writes it later", r#": > "$1"; sleep 0.3; cat "$2" >> "$1""#),
    ("a writer that keeps the file open and empty for a while", r#"{ sleep 0.3; cat "$2"; } > "$1""#),
    ("a writer that begins, and ends later", r#"{ echo; sleep 0.3; cat "$2"; } > "$1""#),
    ("vim: the old file moves away, the new one is written", r#"mv "$1" "$1~"; sleep 0.3; cat "$2" > "$1"; rm "$1~""#),
    (
        "vim: the old file is copied, and written anew",
        r#"cp "$1" "$1~"; : > "$1"; sleep 0.3; cat "$2" > "$1"; rm "$1~""#,
    ),
    ("kate: a new file is renamed", r#"cp "$2" "$1.new"; sleep 0.3; mv "$1.new" "$1""#),
    ("sed -i", r#"sed -i "s/[0-9]\{5\}/$(grep -o '[0-9]\{5\}' "$2")/" "$1""#),
];

#[tokio::test]
async fn a_file_that_is_empty_for_a_moment_moves_nothing_to_a_default() {
    let home = Home::empty();
    let (ports, mut port) = (Ports::free(), free_port());
    home.write_toml(&ports.toml());
    home.write_env(&format!("export PROMETHEUS_PORT={port}\n"));
    let embedded = Embedded::start_in(home, Environment::empty()).await;
    let (file, next) = (embedded.home().env_file(), embedded.home().path().join("next"));
    for (editor, script) in EDITORS {
        let before = std::mem::replace(&mut port, free_port());
        fs::write(&next, format!("export PROMETHEUS_PORT={port}\n")).expect("writable");
        let mut shell = tokio::process::Command::new("sh");
        let mut shell = shell.args(["-euc", script, "sh"]).args([&file, &next]).spawn().expect("a shell");
        let seen = until(editor, async || match embedded.port(Prometheus) {
            now if now == before => None,
            now => Some(now),
        });
        assert_eq!(seen.await, port, "{editor}: never on {}, which the file hides", ports.of(Prometheus));
        assert!(shell.wait().await.expect("it ends").success(), "{editor}");
    }
    fs::write(&file, "").expect("writable");
    moved(&embedded, Prometheus, ports.of(Prometheus), "a file that stays empty").await;
}

#[tokio::test]
async fn a_table_of_ports_that_is_edited_decides_the_ports_that_nobody_set() {
    let home = Home::empty();
    let ports = Ports::free();
    let table = |health: u16| {
        let rows = Service::ALL.map(|it| (it.id(), if it == Health { health } else { ports.of(it) }));
        rows.map(|(id, port)| format!("[{id}]\ndefault = {port}\n")).concat()
    };
    fs::write(home.path().join("config/ports.conf"), table(ports.of(Health))).expect("writable");
    let embedded = Embedded::start_in(home, Environment::empty()).await;
    let port = free_port();
    fs::write(embedded.home().path().join("config/ports.conf"), table(port)).expect("writable");
    moved(&embedded, Health, port, "ports.conf").await;
    assert_eq!(get(port, "/health").await.status, 200, "the service is there");
}

#[tokio::test]
async fn an_invalid_edit_is_reported_with_its_line_and_what_runs_stays() {
    let embedded = Embedded::start().await;
    let (toml, port) = (embedded.home().toml(), embedded.port(McpWebsocket));
    let mut client = McpClient::connect(&embedded.url(McpWebsocket)).await;
    embedded.home().write_toml(&toml.replace(&format!("mcp_port = {port} "), "mcp_port = 70000 "));
    let snapshot =
        when(&embedded, "the report", |it| reported(it, "production.toml:3: mcp.mcp_port is 70000").is_some()).await;
    assert_eq!((snapshot.state, snapshot.services[0].port.value), (RunState::Running, port), "what runs stays");
    assert!(lives(&mut client).await, "with its clients");
    embedded.home().write_toml(&toml);
    when(&embedded, "the end of the report", |it| reported(it, "").is_none()).await;
    assert!(lives(&mut client).await, "still on the same connection");
}

#[tokio::test]
async fn an_edit_that_cannot_be_bound_is_reported_and_a_panels_change_goes_on() {
    let embedded = Embedded::start().await;
    let holder = PortHolder::start().await;
    let before = embedded.port(Prometheus);
    embedded.home().write_env(&format!("export PROMETHEUS_PORT={}\n", holder.port()));
    when(&embedded, "the report", |it| reported(it, &format!("pid {}", holder.pid())).is_some()).await;
    assert_eq!(embedded.port(Prometheus), before, "what runs stays");
    let free = free_port();
    embedded.move_ports(&[(Health, free)], SaveTarget::EnvFile).await.expect("another setting");
    assert_eq!((embedded.port(Health), embedded.port(Prometheus)), (free, before), "only that one moves");
    let port = free_port();
    embedded.home().write_env(&format!("export PROMETHEUS_PORT={port}\nexport HEALTH_CHECK_PORT={free}\n"));
    moved(&embedded, Prometheus, port, "the corrected edit").await;
    assert!(reported(&embedded.instance().snapshot(), "").is_none(), "nothing is left to report");
}

#[tokio::test]
async fn a_save_of_our_own_is_no_edit_by_hand() {
    let embedded = Embedded::start().await;
    let after = embedded.move_ports(&[(Health, free_port())], SaveTarget::Toml).await.expect("a free port");
    // A file of its own that is followed shows that the save before it has been looked at.
    let port = free_port();
    embedded.home().write_env(&format!("export PROMETHEUS_PORT={port}\n"));
    moved(&embedded, Prometheus, port, "the edit after the save").await;
    let revision = embedded.instance().snapshot().revision;
    assert_eq!(revision, after.revision + 1, "the edit is one change, and the save was none more");
}

#[tokio::test]
async fn a_stopped_instance_shows_what_its_files_say() {
    let embedded = Embedded::open(Home::with(&Ports::free()), Environment::empty());
    let toml = embedded.home().toml();
    let port = free_port();
    embedded.home().write_env(&format!("export HEALTH_CHECK_PORT={port}\n"));
    moved(&embedded, Health, port, "the edit").await;
    embedded.home().write_toml("[mcp\n");
    when(&embedded, "the problem", |it| it.problem.as_ref().is_some_and(|it| it.message.contains("production.toml:1")))
        .await;
    embedded.home().write_toml(&toml);
    when(&embedded, "the end of the problem", |it| it.problem.is_none()).await;
    embedded.instance().start().await.expect("it starts");
}

#[tokio::test]
async fn a_damaged_file_is_offered_its_last_good_copy_while_running_and_while_stopped() {
    let embedded = Embedded::start().await;
    let (instance, good) = (embedded.instance(), embedded.home().toml());
    let file = embedded.home().toml_file().display().to_string();
    assert_eq!(instance.snapshot().damaged_file, None, "nothing is damaged");
    assert!(instance.restore().await.is_err(), "and nothing is restored then");
    for (round, state) in [RunState::Running, RunState::Stopped].into_iter().enumerate() {
        embedded.home().write_toml("[mcp\nmcp_port = ");
        when(&embedded, "the offer", |it| it.damaged_file.as_ref() == Some(&file)).await;
        let after = instance.restore().await.expect("there is a copy");
        assert_eq!((after.state, after.damaged_file, after.problem), (state, None, None), "all is well again");
        assert!(reported(&instance.snapshot(), "").is_none(), "nothing is left to report");
        assert_eq!(embedded.home().toml(), good, "the file is what it was");
        let aside = fs::read_dir(embedded.home().path().join("config")).expect("readable").flatten();
        let aside = aside.filter(|it| it.file_name().to_string_lossy().contains(".damaged")).count();
        assert_eq!(aside, round + 1, "what the person wrote is kept each time");
        instance.stop().await.expect("it stops");
    }
    instance.start().await.expect("it starts as before");
}

#[tokio::test]
async fn a_file_that_the_command_line_names_is_followed_too() {
    let (home, ports) = (Home::empty(), Ports::free());
    let file = home.path().join("mine.toml");
    fs::write(&file, ports.toml()).expect("writable");
    let mut program = command(&home);
    program.arg("--config").arg(&file);
    let server = Server::launch(program).await;
    let port = free_port();
    fs::write(&file, ports.with(Health, port).toml()).expect("writable");
    until("the service where the file says", async || (!refuses(port)).then_some(())).await;
    assert_eq!(get(port, "/health").await.status, 200, "it serves there");
    fs::write(&file, "[mcp\n").expect("writable");
    let exit = server.stop(Signal::TERM).await;
    assert_eq!(exit.status, Some(0), "an invalid edit stops nothing: {}", exit.stderr);
}
