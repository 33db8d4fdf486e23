//! Wrong usage; `cwts-ultra run` and `config set` in homes that lack something, and with a person who does not want to wait.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use cwts_domain::Service;
use cwts_tests::{
    Exit, Exposition, Home, HttpSession, McpClient, Ports, Raw, Server, TRADE_TOKEN, bearer, command, finish, get,
    until,
};
use rustix::process::Signal;
use serde_json::json;
use tokio::process::Command;

async fn run(home: &Home, arguments: &[&str]) -> Exit {
    let mut program = command(home);
    program.args(arguments);
    finish(program).await
}

fn port_of(url: &str) -> u16 {
    let port = url.split(':').nth(2).and_then(|rest| rest.split('/').next());
    port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("a URL with a port, not {url}"))
}

/// The program as an ordinary user who owns the home but not the files that root made unreadable.
async fn as_nobody(home: &Home) -> Command {
    const NOBODY: u32 = 65_534;
    let program = command(home);
    if !rustix::process::geteuid().is_root() {
        return program;
    }
    // The program and its home are taken to where nobody else's folders are in the way.
    let copy = home.path().join("cwts-ultra");
    // By a program of its own: a file that this process wrote may still be open in a child that is just starting.
    let mut cp = Command::new("cp");
    cp.arg(program.as_std().get_program()).arg(&copy);
    assert_eq!(finish(cp).await.status, Some(0), "a copy of the program");
    let mut chown = Command::new("chown");
    chown.arg("-R").arg(format!("{NOBODY}:{NOBODY}")).arg(home.path());
    assert_eq!(finish(chown).await.status, Some(0), "root may give a folder away");
    let mut program = Command::new(copy);
    program.env_clear().env("CWTS_HOME", home.path()).uid(NOBODY).gid(NOBODY).kill_on_drop(true);
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    program
}

#[tokio::test]
async fn a_server_that_ends_under_its_clients_logs_no_error() {
    let home = Home::with(&Ports::free());
    let server = Server::launch(command(&home)).await;
    let (websocket, http) = (server.url(Service::McpWebsocket).to_owned(), server.url(Service::McpHttp).to_owned());
    // Those that leave before, in order and without a word.
    drop(McpClient::connect(&websocket).await);
    McpClient::connect(&websocket).await.socket().close().await;
    // Those that stay: a socket, a session with a stream of events, and one without any connection.
    let mut client = McpClient::connect(&websocket).await;
    let listening = HttpSession::connect(&http).await;
    let _events = listening.listen().await;
    let idle = HttpSession::connect(&http).await;
    idle.call("get_account", json!({})).await.ok();
    drop(idle);
    let reads = async {
        assert_eq!(client.socket().close_code().await, 1012, "it is told to come back");
    };
    let (ended, ()) = tokio::join!(server.stop(Signal::TERM), reads);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let complaints: Vec<&str> =
        ended.stderr.lines().filter(|line| line.contains("ERROR") || line.contains("WARN")).collect();
    assert_eq!(complaints, [""; 0], "a stop under clients is no fault: {}", ended.stderr);
}

#[tokio::test]
async fn a_second_interrupt_ends_at_once() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let port = port_of(server.url(Service::McpHttp));
    let mut unfinished = Raw::connect(port).await;
    let head = format!("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {}\r\n", bearer(TRADE_TOKEN));
    let head = format!("{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n");
    unfinished.send(head.as_bytes()).await.expect("an open connection");
    until("the request to be under way", async || {
        let metrics = get(port_of(server.url(Service::Prometheus)), "/metrics").await;
        let connections = Exposition::parse(&metrics.body).value("cwts_connections", &[("service", "mcp-http")]);
        (connections == Some(1.0)).then_some(())
    })
    .await;
    server.signal(Signal::INT);
    let health = port_of(server.url(Service::Health));
    until("the drain to begin", async || (get(health, "/health/ready").await.status == 503).then_some(())).await;
    let started = std::time::Instant::now();
    let exit = server.stop(Signal::INT).await;
    assert_eq!(exit.status, Some(130), "128 and SIGINT, as a shell reports it: {exit:?}");
    assert!(
        started.elapsed().as_secs_f64() < 3.0,
        "whoever insists does not wait for a client: {:?}",
        started.elapsed()
    );
    assert!(exit.stderr.contains("Interrupt again") && exit.stderr.contains("Ended at once"), "it is said: {exit:?}");
}

#[tokio::test]
async fn run_makes_the_files_that_are_missing_and_an_unknown_instance() {
    let home = Home::empty();
    let ports = Ports::free();
    let start = async |instance: &str| {
        let mut program = command(&home);
        program.args(["--instance", instance, "run"]);
        for service in Service::ALL {
            program.env(service.port_variable(), ports.of(service).to_string());
        }
        Server::launch(program).await.stop(Signal::TERM).await
    };
    let exit = start("default").await;
    assert_eq!(exit.status, Some(0), "a new home is no obstacle: {exit:?}");
    for file in ["config/production.toml", "config/ports.env", "config/ports.conf"] {
        let (made, shipped) = (home.path().join(file), concat!(env!("CARGO_MANIFEST_DIR"), "/../"));
        let [made, shipped] = [made, format!("{shipped}{file}").into()].map(|path| fs::read_to_string(path).ok());
        assert_eq!(made, shipped, "{file} lists what can be set");
    }
    fs::write(home.env_file(), "# mine\n").expect("writable");
    start("default").await;
    assert_eq!(home.env(), "# mine\n", "what is there is never overwritten");
    assert_eq!(start("desk").await.status, Some(0), "an instance that nobody made yet");
    for made in ["config/instances/desk.toml", "config/instances/desk.env", "data/desk", "data/default", "logs"] {
        assert!(home.path().join(made).exists(), "{made} is made");
    }
}

#[tokio::test]
async fn config_set_mends_the_value_that_it_replaces() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let broken = ports.toml().replace("metrics_port = ", "metrics_port = 70000 # ");
    home.write_toml(&broken);
    assert_eq!(run(&home, &["config", "check"]).await.status, Some(2), "the file is broken");
    let exit = run(&home, &["config", "set", "mcp.mcp_port", "5010", "--layer", "toml"]).await;
    assert_eq!(exit.status, Some(2), "another setting does not mend it: {exit:?}");
    assert!(exit.stderr.contains("metrics_port") && exit.stderr.contains(":7"), "it names the fault: {}", exit.stderr);
    assert_eq!(home.toml(), broken, "and nothing was written");
    let exit = run(&home, &["config", "set", "monitoring.metrics_port", "9190", "--layer", "toml"]).await;
    assert_eq!(exit.status, Some(0), "the setting itself does: {exit:?}");
    assert_eq!(run(&home, &["config", "get", "monitoring.metrics_port"]).await.stdout, "9190\n", "and is valid now");
}

#[tokio::test]
async fn a_file_that_may_not_be_read_ends_with_4() {
    let home = Home::with(&Ports::free());
    fs::set_permissions(home.toml_file(), fs::Permissions::from_mode(0o000)).expect("a file of ours");
    let file = home.toml_file().display().to_string();
    let mut program = as_nobody(&home).await;
    program.arg("run");
    let exit = finish(program).await;
    assert_eq!(exit.status, Some(4), "a script tells a missing right from a bad value: {exit:?}");
    let said = exit.stderr.lines().count() == 1
        && [&*file, "Permission denied", "may read"].iter().all(|it| exit.stderr.contains(it));
    assert!(said, "one line names the file and the remedy: {}", exit.stderr);
}

#[tokio::test]
async fn a_home_that_cannot_be_written_is_warned_of_and_served() {
    let home = Home::with(&Ports::free());
    let program = as_nobody(&home).await;
    let mut folders = vec![home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        let inside = fs::read_dir(&folder).expect("a folder of the test").flatten().map(|entry| entry.path());
        folders.extend(inside.filter(|path| path.is_dir()));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).expect("a folder of the test");
    }
    let server = Server::launch(program).await;
    let health = port_of(server.url(Service::Health));
    assert_eq!(get(health, "/health/live").await.status, 200, "it runs");
    assert_eq!(
        get(health, "/health/ready").await.status,
        503,
        "what happens cannot be written down, so nothing trades"
    );
    let exit = server.stop(Signal::TERM).await;
    assert!(exit.stderr.contains("warning: trading is halted: "), "a person must know: {exit:?}");
    assert!(exit.stderr.contains("warning: ") && exit.stderr.contains("cannot be written"), "and says so: {exit:?}");
}

#[tokio::test]
async fn bad_usage_ends_with_2_in_one_line_with_the_remedy() {
    let home = Home::empty();
    for (arguments, word) in [
        (&["fly"][..], "fly"),
        (&["ruin"], "Did you mean run?"),
        (&["run", "--fast"], "--fast"),
        (&["config"], "show, get, set, check"),
        (&["config", "set", "mcp.mcp_port"], "<VALUE>"),
        (&["config", "set", "mcp.mcp_port", "1", "--layer", "x"], "env-file, toml"),
        (&["--home"], "--home <DIR>"),
    ] {
        let exit = run(&home, arguments).await;
        assert_eq!(exit.status, Some(2), "{arguments:?} is bad usage: {exit:?}");
        let one_line = exit.stderr.lines().count() == 1 && exit.stderr.starts_with("error: ");
        assert!(one_line, "{arguments:?} is answered in one line that a script can read: {:?}", exit.stderr);
        let helps = exit.stderr.contains("Usage: cwts-ultra") || exit.stderr.contains("--help");
        assert!(helps && exit.stderr.contains(word), "{arguments:?} names {word:?} and the remedy: {}", exit.stderr);
        assert_eq!(exit.stdout, "", "errors are not output");
    }
}
