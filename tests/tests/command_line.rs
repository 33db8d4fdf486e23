//! `cwts-ultra` as a person and a script use it: bad input, signals, settings, help.

use std::fs;

use cwts_domain::Service;
use cwts_tests::{
    Exit, Home, HttpSession, McpClient, PortHolder, Ports, Server, absent_address, command, finish, free_port, get,
    refuses, skip, within,
};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::Command;

async fn run(home: &Home, arguments: &[&str]) -> Exit {
    let mut program = command(home);
    program.args(arguments);
    finish(program).await
}

/// Starts the server, which must refuse with that status in one line that has all of `named`. Nothing may listen then.
async fn refused(mut program: Command, ports: &Ports, status: i32, named: &[&str]) {
    program.arg("run");
    let exit = finish(program).await;
    assert_eq!(exit.status, Some(status), "a script tells the causes by the status: {exit:?}");
    assert_eq!(exit.stderr.lines().count(), 1, "one line that a person can read: {:?}", exit.stderr);
    assert_eq!(exit.stdout, "", "no URL of a server that is not there");
    for part in named {
        assert!(exit.stderr.contains(part), "the line must name {part}: {}", exit.stderr);
    }
    for port in ports.all() {
        assert!(refuses(port), "nothing listens on {port} when one service cannot start: {}", exit.stderr);
    }
}

#[tokio::test]
async fn an_unreadable_or_malformed_file_ends_with_its_name_and_line() {
    let ports = Ports::free();
    let home = Home::empty();
    fs::create_dir(home.toml_file()).expect("a folder in place of the file, which stops root too");
    let file = home.toml_file().display().to_string();
    refused(command(&home), &ports, 2, &[&file, "cannot be read", "Make it a file"]).await;
    fs::remove_dir(home.toml_file()).expect("the folder is empty");
    let cases = [
        (format!("{}mcp_port = 3000\n[mcp\n", ports.toml()), ":10", "Correct the line"),
        (ports.toml().replace("metrics_port = ", "metrics_port = twelve # "), ":7", "Correct the line"),
        (ports.toml().replace("metrics_port = ", "metrics_port = \"twelve\" # "), ":7", "monitoring.metrics_port"),
        (ports.toml().replace("metrics_port = ", "metrics_port = 70000 # "), ":7", "65535"),
        (ports.toml().replace("metrics_port = ", "metrics_port = -1 # "), ":7", "65535"),
        (ports.toml().replace("[mcp]", "[mcp]\nbind_addr = \"localhost\""), ":3", "mcp.bind_addr"),
    ];
    for (text, line, remedy) in cases {
        home.write_toml(&text);
        refused(command(&home), &ports, 2, &[&format!("{file}{line}"), remedy]).await;
    }
    fs::write(home.toml_file(), b"[mcp]\n# \xff\n").expect("writable");
    refused(command(&home), &ports, 2, &[&format!("{file}:2"), "UTF-8"]).await;
}

#[tokio::test]
async fn a_bad_line_of_ports_env_ends_with_its_name_and_line() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let file = home.env_file().display().to_string();
    let cases = [
        ("# mine\nexport MCP_SERVER_PORT=abc\n", ":2", "MCP_SERVER_PORT"),
        ("export MCP_SERVER_PORT=70000\n", ":1", "1 to 65535"),
        ("export MCP_SERVER_PORT=\"3000\n", ":1", "Correct the line"),
        ("export MCP_SERVER_PORT=$(reboot)\n", ":1", "would run a command"),
    ];
    for (text, line, named) in cases {
        home.write_env(text);
        refused(command(&home), &ports, 2, &[&format!("{file}{line}"), named]).await;
    }
}

#[tokio::test]
async fn a_bad_variable_is_named_with_the_allowed_range() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    for value in ["abc", "0", "70000", "-1", "3000.5", " "] {
        let mut program = command(&home);
        program.env("MCP_SERVER_PORT", value);
        refused(program, &ports, 2, &["MCP_SERVER_PORT", "1 to 65535", "unset MCP_SERVER_PORT"]).await;
    }
    let mut program = command(&home);
    program.env("MCP_BIND_ADDR", "everywhere");
    refused(program, &ports, 2, &["MCP_BIND_ADDR", "everywhere"]).await;
    let mut program = command(&home);
    program.env("CWTS_INSTANCE_ID", "../other");
    refused(program, &ports, 2, &["../other", "Use 1 to 32 letters"]).await;
}

#[tokio::test]
async fn two_services_on_one_port_are_both_named() {
    let ports = Ports::free();
    let ports = ports.with(Service::Health, ports.of(Service::McpHttp));
    let home = Home::with(&ports);
    let file = home.toml_file().display().to_string();
    let named = ["MCP HTTP API", "Health check", &format!("{file}:4"), &format!("{file}:8"), "another port"];
    refused(command(&home), &ports, 2, &named).await;
}

#[tokio::test]
async fn a_taken_port_ends_with_3_and_names_the_holder() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    // The last of the four: the three before it could be bound, and must be released.
    let taken = ports.of(Service::Health);
    let holder = PortHolder::take(taken).await;
    let mut program = command(&home);
    program.arg("run");
    let exit = finish(program).await;
    assert_eq!(exit.status, Some(3), "a script tries another port: {exit:?}");
    assert_eq!(exit.stderr.lines().count(), 1, "one line that a person can read: {:?}", exit.stderr);
    let pid = format!("pid {}", holder.pid());
    for part in [taken.to_string().as_str(), "Health check", &pid, "HEALTH_CHECK_PORT="] {
        assert!(exit.stderr.contains(part), "the line must name {part}: {}", exit.stderr);
    }
    for service in [Service::McpWebsocket, Service::McpHttp, Service::Prometheus] {
        assert!(refuses(ports.of(service)), "{service} must not run alone: {}", exit.stderr);
    }
    holder.end().await;
    let server = Server::start(&home).await;
    assert_eq!(server.stop(Signal::TERM).await.status, Some(0), "the failed start left nothing behind");
}

#[tokio::test]
async fn a_second_run_ends_with_3_and_leaves_the_first_alone() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let server = Server::start(&home).await;
    let pid = format!("pid {}", server.pid());
    // Of the same home it is the same instance; of another one the ports are taken.
    for second in [&home, &Home::with(&ports)] {
        let exit = run(second, &["run"]).await;
        assert_eq!(exit.status, Some(3), "the first instance holds what the second wants: {exit:?}");
        let one_line = exit.stderr.lines().count() == 1 && exit.stderr.contains(&pid);
        assert!(one_line, "it names the process that is to be stopped: {}", exit.stderr);
    }
    McpClient::connect(server.url(Service::McpWebsocket)).await;
    assert_eq!(server.stop(Signal::TERM).await.status, Some(0), "the first runs on");
}

#[tokio::test]
async fn a_port_below_1024_without_the_right_ends_with_4() {
    const LOW: u16 = 81;
    const NOBODY: u32 = 65_534;
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    if first.trim().parse().unwrap_or(1024) <= LOW {
        return skip(&format!("this system lets everybody bind port {LOW}"));
    }
    let ports = Ports::free().with(Service::McpWebsocket, LOW);
    let home = Home::with(&ports);
    let mut program = command(&home);
    if rustix::process::geteuid().is_root() {
        // The program and its home are taken to where nobody else's folders are in the way.
        let copy = home.path().join("cwts-ultra");
        // By a program of its own: a file that this process wrote may still be open in a child that is just starting.
        let mut cp = Command::new("cp");
        cp.arg(program.as_std().get_program()).arg(&copy);
        assert_eq!(finish(cp).await.status, Some(0), "a copy of the program");
        let mut give = Command::new("chown");
        give.arg("-R").arg(format!("{NOBODY}:{NOBODY}")).arg(home.path());
        assert_eq!(finish(give).await.status, Some(0), "root may give a folder away");
        program = Command::new(copy);
        program.env_clear().env("CWTS_HOME", home.path()).uid(NOBODY).gid(NOBODY).kill_on_drop(true);
    }
    refused(program, &ports, 4, &["81", "MCP WebSocket", "Set MCP_SERVER_PORT to 1024 to 65535"]).await;
}

#[tokio::test]
async fn an_address_that_this_computer_lacks_is_named_and_loopback_served() {
    let home = Home::with(&Ports::free());
    let mut program = command(&home);
    let absent = absent_address().to_string();
    program.env("MONITORING_BIND_ADDR", &absent);
    let server = Server::launch(program).await;
    assert!(server.url(Service::Prometheus).starts_with("http://127.0.0.1:"), "this computer is served");
    let exit = server.stop(Signal::TERM).await;
    let said = format!("warning: {absent} is not on this computer: Monitoring listens on 127.0.0.1 until it is.");
    assert!(exit.stderr.contains(&said), "a person is told: {}", exit.stderr);
}

#[tokio::test]
async fn a_missing_config_file_names_the_places_searched() {
    let home = Home::empty();
    let exit = run(&home, &["--config", "nowhere.toml", "run"]).await;
    assert_eq!(exit.status, Some(2), "bad configuration: {exit:?}");
    let searched = home.path().join("config/nowhere.toml").display().to_string();
    assert!(exit.stderr.contains(&searched), "a person must learn where to put it: {}", exit.stderr);
}

#[tokio::test]
async fn sigterm_and_sigint_drain_open_sessions_and_end_with_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = Home::with(&Ports::free());
        let server = Server::start(&home).await;
        let mut client = McpClient::connect(server.url(Service::McpWebsocket)).await;
        let session = HttpSession::connect(server.url(Service::McpHttp)).await;
        let mut events = session.listen().await;
        let ports = Service::ALL.map(|service| port_of(server.url(service)));
        let started = std::time::Instant::now();
        let exit = server.stop(signal).await;
        let took = started.elapsed().as_secs_f64();
        assert_eq!(exit.status, Some(0), "an ordered end is a success: {exit:?}");
        let complains = ["WARN", "ERROR", "warning", "error"].iter().any(|word| exit.stderr.contains(word));
        assert!(!complains, "and has nothing to complain about: {}", exit.stderr);
        assert!(took < 5.0, "idle clients must not hold up the end until the deadline: {took} s after {signal:?}");
        assert_eq!(client.socket().close_code().await, 1012, "service restart: the client may connect again");
        assert!(events.ended_in_order().await, "the event stream ends whole");
        assert!(ports.into_iter().all(refuses), "nothing listens after the end");
    }
}

fn port_of(url: &str) -> u16 {
    let port = url.split(':').nth(2).and_then(|rest| rest.split('/').next());
    port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("a URL with a port, not {url}"))
}

#[tokio::test]
async fn run_prints_a_url_for_each_service_that_works() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let server = Server::start(&home).await;
    for service in Service::ALL {
        let expected = format!("{}://127.0.0.1:{}{}", service.scheme(), ports.of(service), service.path());
        assert_eq!(server.url(service), expected, "a person pastes this URL into a client");
    }
    McpClient::connect(server.url(Service::McpWebsocket)).await;
    HttpSession::connect(server.url(Service::McpHttp)).await;
    assert_eq!(get(ports.of(Service::Prometheus), "/metrics").await.status, 200, "the URL of the metrics works");
    assert_eq!(get(ports.of(Service::Health), "/health").await.status, 200, "the URL of health works");
    let exit = server.stop(Signal::TERM).await;
    assert_eq!((exit.status, exit.stdout.as_str()), (Some(0), ""), "four lines and no more: {exit:?}");
}

#[tokio::test]
async fn run_prints_json_lines_for_scripts() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let mut program = command(&home);
    let mut child = program.args(["run", "--json"]).spawn().expect("the program starts");
    let stdout = tokio::io::BufReader::new(child.stdout.take().expect("a pipe"));
    let mut lines = tokio::io::AsyncBufReadExt::lines(stdout);
    for service in Service::ALL {
        let line = within("a line of JSON", lines.next_line()).await.expect("text").expect("a line for each service");
        let entry: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(entry["service"], service.id(), "the fixed order: {entry}");
        assert_eq!(entry["port"], ports.of(service), "a script reads the port: {entry}");
    }
    child.kill().await.expect("a child of ours");
}

#[tokio::test]
async fn the_environment_is_stronger_than_ports_env_and_that_than_toml() {
    let home = Home::with(&Ports::free());
    let (in_env_file, in_environment) = (free_port(), free_port());
    home.write_env(&format!("export MCP_SERVER_PORT={in_env_file}\nexport PROMETHEUS_PORT={in_env_file}\n"));
    let mut program = command(&home);
    program.env("MCP_SERVER_PORT", in_environment.to_string());
    let server = Server::launch(program).await;
    let port = |service| port_of(server.url(service));
    assert_eq!(port(Service::McpWebsocket), in_environment, "the environment is the strongest layer");
    assert_eq!(port(Service::Prometheus), in_env_file, "ports.env is stronger than production.toml");
}

#[tokio::test]
async fn config_show_gives_every_setting_with_its_origin() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    home.write_env("# mine\nexport MCP_SERVER_PORT=5010\n");
    let mut program = command(&home);
    program.args(["config", "show", "--json"]).env("HEALTH_CHECK_PORT", "8180");
    let exit = finish(program).await;
    let shown: Value = serde_json::from_str(&exit.stdout).unwrap_or_else(|error| panic!("{error}: {exit:?}"));
    let settings = shown.as_object().expect("an object keyed by setting");
    for key in [
        "mcp.mcp_port",
        "mcp.mcp_http_port",
        "mcp.bind_addr",
        "monitoring.metrics_port",
        "monitoring.health_check_port",
        "monitoring.bind_addr",
        "log.level",
    ] {
        let setting = settings.get(key).unwrap_or_else(|| panic!("{key} is a setting: {shown}"));
        for field in ["value", "origin", "shadowed"] {
            assert!(setting.get(field).is_some(), "{key} needs {field}: {setting}");
        }
        for field in ["layer", "file", "line", "variable"] {
            assert!(setting["origin"].get(field).is_some(), "the origin of {key} needs {field}: {setting}");
        }
    }
    let websocket = &shown["mcp.mcp_port"];
    assert_eq!(websocket["value"], 5010, "ports are numbers: {websocket}");
    let origin = json!({ "layer": "env-file", "file": home.env_file(), "line": 2, "variable": "MCP_SERVER_PORT" });
    assert_eq!(websocket["origin"], origin, "the exact place of the value");
    assert_eq!(websocket["shadowed"][0]["value"], ports.of(Service::McpWebsocket), "what it hides: {websocket}");
    assert_eq!(shown["monitoring.health_check_port"]["origin"]["variable"], "HEALTH_CHECK_PORT", "{shown}");
    assert_eq!(shown["log.level"]["origin"]["layer"], "built-in", "nobody set it: {shown}");
}

#[tokio::test]
async fn config_set_is_read_back_and_keeps_the_rest_of_the_file() {
    let ports = Ports::free();
    let (home, [toml, env, hidden]) = (Home::with(&ports), [(); 3].map(|()| free_port().to_string()));
    let exit = run(&home, &["config", "set", "mcp.mcp_port", &toml, "--layer", "toml"]).await;
    assert_eq!((exit.status, exit.stderr.as_str()), (Some(0), ""), "the file is written: {exit:?}");
    let expected = ports.toml().replace(&ports.of(Service::McpWebsocket).to_string(), &toml);
    assert_eq!(home.toml(), expected, "comments and order stay");
    assert_eq!(run(&home, &["config", "get", "mcp.mcp_port"]).await.stdout.trim(), toml, "what was set is read back");
    let exit = run(&home, &["config", "set", "MCP_SERVER_PORT", &env]).await;
    assert_eq!(exit.status, Some(0), "the variable's name is a name of the setting: {exit:?}");
    assert!(home.env().contains(&format!("MCP_SERVER_PORT={env}")), "ports.env is the default layer: {}", home.env());
    assert_eq!(
        run(&home, &["config", "get", "MCP_SERVER_PORT"]).await.stdout.trim(),
        env,
        "the stronger layer decides"
    );
    let exit = run(&home, &["config", "set", "mcp.mcp_port", &hidden, "--layer", "toml"]).await;
    assert_eq!(exit.status, Some(0), "a shadowed layer may be written: {exit:?}");
    assert!(exit.stdout.contains("ports.env") && exit.stdout.contains(&env), "it says what hides it: {}", exit.stdout);
}

#[tokio::test]
async fn config_set_refuses_what_could_not_be_loaded() {
    let home = Home::with(&Ports::free());
    let before = home.toml();
    for (key, value, named) in [
        ("mcp.mcp_port", "0", "1 to 65535"),
        ("mcp.mcp_port", "abc", "1 to 65535"),
        ("mcp.bind_addr", "localhost", "bind_addr"),
        ("mcp.port", "3000", "mcp.mcp_port"),
    ] {
        let exit = run(&home, &["config", "set", key, value, "--layer", "toml"]).await;
        assert_eq!(exit.status, Some(2), "{key} = {value} is bad usage: {exit:?}");
        let one_line = exit.stderr.lines().count() == 1 && exit.stderr.contains(named);
        assert!(one_line, "one line that names {named}: {}", exit.stderr);
    }
    assert_eq!(home.toml(), before, "what was refused was not written");
}

#[tokio::test]
async fn config_check_ends_with_0_and_reports_unknown_keys() {
    let home = Home::with(&Ports::free());
    assert_eq!(run(&home, &["config", "check"]).await.status, Some(0), "a valid configuration");
    home.write_toml(&format!("{}\n[mcp.extra]\nspeed = 1\n", home.toml()));
    let exit = run(&home, &["config", "check"]).await;
    assert_eq!(exit.status, Some(0), "an unknown key is kept: {exit:?}");
    assert!(exit.stdout.contains("warning") && exit.stdout.contains("extra"), "and reported: {}", exit.stdout);
    home.write_toml("[mcp]\nmcp_port = 0\n");
    assert_eq!(run(&home, &["config", "check"]).await.status, Some(2), "an invalid one");
}

#[tokio::test]
async fn ports_lists_the_listeners_of_this_computer() {
    let holder = PortHolder::start().await;
    let address = format!("127.0.0.1:{}", holder.port());
    let exit = run(&Home::empty(), &["ports", "--json"]).await;
    let rows: Value = serde_json::from_str(&exit.stdout).unwrap_or_else(|error| panic!("{error}: {exit:?}"));
    let ours = |row: &&Value| row["holder"]["address"] == address;
    let row = rows.as_array().and_then(|rows| rows.iter().find(ours)).cloned();
    let row = row.unwrap_or_else(|| panic!("a program of this test must be listed: {rows}"));
    assert_eq!(row["holder"]["pid"], holder.pid(), "with the process that holds it: {row}");
}

#[tokio::test]
async fn every_command_has_help_and_the_program_a_version() {
    let home = Home::empty();
    let exit = run(&home, &["--version"]).await;
    let version = format!("cwts-ultra {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((exit.status, exit.stdout), (Some(0), version), "a bug report starts with it");
    let mut open = vec![Vec::new()];
    let mut seen = 0;
    while let Some(command) = open.pop() {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let exit = run(&home, &arguments).await;
        let helpful = exit.status == Some(0) && exit.stdout.contains("Usage: cwts-ultra") && exit.stderr.is_empty();
        assert!(helpful, "{arguments:?} must help: {exit:?}");
        let listed = exit.stdout.lines().skip_while(|line| *line != "Commands:").skip(1);
        let names = listed.take_while(|line| line.starts_with("  ")).filter_map(|line| line.split_whitespace().next());
        open.extend(names.filter(|name| *name != "help").map(|name| [&command[..], &[name.to_owned()]].concat()));
        seen += 1;
    }
    assert!(seen >= 8, "the program, its commands and those of config: {seen}");
}
