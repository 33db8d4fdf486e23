//! `cwts-ultra ports`: who holds a port, the ways to free it, and taking them. Real processes, and a systemd of the test's own.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use cwts_domain::Service;
use cwts_tests::{
    ControlGroup, Exit, Home, PortHolder, Ports, Systemd, Units, absent_address, command, finish, free_port, refuses,
    skip, until, within,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The user `nobody` of every Linux system.
const NOBODY: u32 = 65_534;

async fn ports(arguments: &[&str]) -> Exit {
    ports_in(&Home::empty(), arguments).await
}

async fn ports_in(home: &Home, arguments: &[&str]) -> Exit {
    let mut program = command(home);
    program.arg("ports").args(arguments);
    finish(program).await
}

fn loopback(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// A listener that is deaf to SIGTERM.
async fn deaf_holder(port: u16) -> Child {
    let code = format!(
        "import signal, socket, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
         listener = socket.create_server(('127.0.0.1', {port}))\nsignal.pause()\n"
    );
    let mut program = Command::new("python3");
    program.args(["-c", &code]).stdin(Stdio::null()).kill_on_drop(true);
    let child = program.spawn().expect("python3 is installed");
    until("the deaf listener", async || (!refuses(port)).then_some(())).await;
    child
}

#[tokio::test]
async fn a_free_port_is_said_to_be_free() {
    let exit = ports(&["free", &loopback(free_port())]).await;
    assert_eq!(exit.status, Some(0), "nothing has to be done: {exit:?}");
    assert!(exit.stdout.contains("Nobody holds"), "and that is said: {}", exit.stdout);
}

#[tokio::test]
async fn what_is_no_port_is_refused_with_what_is_allowed() {
    for place in ["0", "-1", "65536", "http", "127.0.0.1", "127.0.0.1:0", "[::1]:0", "localhost:3000"] {
        let exit = ports(&["free", place]).await;
        assert_eq!(exit.status, Some(2), "{place}: {exit:?}");
        assert!(exit.stderr.contains("Use 1 to 65535"), "{place}: {}", exit.stderr);
    }
    let exit = ports(&["free", &format!("{}:3000", absent_address())]).await;
    assert_eq!(exit.status, Some(2), "nobody can hold it here: {exit:?}");
    assert!(exit.stderr.contains("no address of this computer"), "and that is why: {}", exit.stderr);
    let exit = ports(&["free", "3000", "--force"]).await;
    assert_eq!(exit.status, Some(2), "SIGKILL is the second step, never the first by itself: {exit:?}");
}

#[tokio::test]
async fn without_a_way_chosen_nothing_is_ended_and_the_commands_are_printed() {
    let holder = PortHolder::start().await;
    let home = Home::with(&Ports::free().with(Service::Health, holder.port()));
    let exit = ports_in(&home, &["free", &holder.port().to_string()]).await;
    assert_eq!(exit.status, Some(3), "the port is taken: {exit:?}");
    let first = exit.stdout.lines().next().unwrap_or_default();
    let address = loopback(holder.port());
    assert!(first.starts_with(&format!("{address} is held by python3, pid {}", holder.pid())), "who: {first}");
    let command = format!("ports free {address} --kill");
    assert!(exit.stdout.contains(&command), "the exact command, with the configured address: {}", exit.stdout);
    assert!(!refuses(holder.port()), "a look ends nothing");

    let mut check = cwts_tests::command(&home);
    check.args(["check-ports"]);
    let exit = finish(check).await;
    assert!(exit.stdout.contains(&command), "check-ports names the same way: {}", exit.stdout);
}

#[tokio::test]
async fn the_listener_is_ended_and_its_clients_are_not() {
    let holder = PortHolder::start().await;
    let port = holder.port();
    let mut client = Command::new("python3");
    let code = format!(
        "import socket, signal\ns = socket.create_connection(('127.0.0.1', {port}))\nprint('on')\nsignal.pause()"
    );
    client.args(["-uc", &code]).stdout(Stdio::piped()).kill_on_drop(true);
    let mut client = client.spawn().expect("python3 is installed");
    let mut said = BufReader::new(client.stdout.take().expect("a pipe")).lines();
    within("the client to connect", said.next_line()).await.expect("the client speaks");

    let exit = ports(&["free", &loopback(port), "--kill"]).await;
    assert_eq!(exit.status, Some(0), "SIGTERM ends an ordinary program: {exit:?}");
    assert!(exit.stdout.contains("is free"), "the outcome is said: {}", exit.stdout);
    assert!(refuses(port), "the port is free");
    assert_eq!(client.try_wait().expect("a child can be asked"), None, "kill $(lsof -t) would have ended it too");
}

#[tokio::test]
async fn a_process_that_ignores_sigterm_is_killed_only_when_asked_a_second_time() {
    let port = free_port();
    let mut deaf = deaf_holder(port).await;
    let exit = ports(&["free", &loopback(port), "--kill"]).await;
    assert_eq!(exit.status, Some(3), "the port is still taken: {exit:?}");
    assert!(exit.stderr.contains("--force"), "the next step is named: {}", exit.stderr);
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok(), "nobody killed it");
    let exit = ports(&["free", &loopback(port), "--kill", "--force"]).await;
    assert_eq!(exit.status, Some(0), "the second confirmation: {exit:?}");
    let status = within("its end", deaf.wait()).await.expect("a child can be awaited");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "SIGKILL came");
}

#[tokio::test]
async fn a_process_of_another_user_is_named_as_such_and_needs_root() {
    if !rustix::process::geteuid().is_root() {
        return skip("two users are needed: run as root");
    }
    let holder = PortHolder::start().await;
    let mut program = command(&Home::empty());
    program.args(["ports", "free", &loopback(holder.port()), "--kill"]).uid(NOBODY).gid(NOBODY).current_dir("/");
    // No pkexec in sight, whatever is installed.
    program.env("PATH", "/nonexistent");
    let exit = finish(program).await;
    assert_eq!(exit.status, Some(4), "a script tells this from a fault: {exit:?}");
    let expected = format!("ports free {} --kill", loopback(holder.port()));
    assert!(exit.stderr.contains("sudo ") && exit.stderr.contains(&expected), "the way is said: {}", exit.stderr);
    assert!(!refuses(holder.port()), "it lives on");
}

/// A `pkexec` that hands its words to the test through one pipe and prints what the test writes to the other.
fn stand_in_for_pkexec(folder: &Path) {
    for pipe in ["asked", "answer"] {
        let made = std::process::Command::new("mkfifo").arg("-m").arg("666").arg(folder.join(pipe)).status();
        assert!(made.is_ok_and(|status| status.success()), "a pipe");
    }
    let place = folder.display();
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {place}/asked\nexec cat {place}/answer\n");
    fs::write(folder.join("pkexec"), script).expect("a script");
    for path in [folder.to_owned(), folder.join("pkexec")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("nobody may run it");
    }
}

#[tokio::test]
async fn polkit_ends_the_process_of_another_user_after_another_look_as_root() {
    if !rustix::process::geteuid().is_root() {
        return skip("two users are needed: run as root");
    }
    let holder = PortHolder::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    stand_in_for_pkexec(folder.path());
    let home = Home::empty();
    let mut program = command(&home);
    program.args(["ports", "free", &loopback(holder.port()), "--kill"]).uid(NOBODY).gid(NOBODY).current_dir("/");
    program.env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
    let asking = tokio::spawn(finish(program));

    let asked = within("the question to polkit", tokio::fs::read_to_string(folder.path().join("asked"))).await;
    let asked = asked.expect("the words of the command");
    let words: Vec<&str> = asked.lines().collect();
    let [elevated, arguments @ ..] = &words[..] else { panic!("a program and its arguments: {asked:?}") };
    assert!(
        Path::new(elevated).is_absolute(),
        "the search path of a user must not choose what runs as root: {elevated}"
    );
    assert!(arguments.ends_with(&["--kill", "--of", "root"]), "only the user that the person has read of: {asked:?}");
    let mut as_root = Command::new(elevated);
    as_root.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let answer = finish(as_root).await;
    tokio::fs::write(folder.path().join("answer"), &answer.stdout).await.expect("the stand-in reads");

    let exit = within("the end of the command", asking).await.expect("the command ends");
    assert_eq!(exit.status, Some(0), "the port was freed: {exit:?} {answer:?}");
    assert!(refuses(holder.port()), "nobody listens any more");
}

#[tokio::test]
async fn a_process_of_another_user_than_was_shown_is_left_alone() {
    let holder = PortHolder::start().await;
    let exit = ports(&["free", &loopback(holder.port()), "--kill", "--of", "somebody-else"]).await;
    assert_eq!(exit.status, Some(1), "the holder has changed since the person looked: {exit:?}");
    assert!(exit.stderr.contains("not by a process of somebody-else"), "{}", exit.stderr);
    assert!(!refuses(holder.port()), "it lives on");
}

/// A holder in a control group of that name; `None`, and a note, where there are no such groups.
async fn holder_in(group: &str) -> Option<(PortHolder, ControlGroup)> {
    let group = match ControlGroup::new(group) {
        Ok(group) => group,
        Err(reason) => {
            skip(&format!("a control group of the test: {reason}"));
            return None;
        }
    };
    let holder = PortHolder::start().await;
    group.take(holder.pid());
    Some((holder, group))
}

async fn free_unit(systemd: &Systemd, port: u16) -> Exit {
    let mut program = command(&Home::empty());
    program.args(["ports", "free", &loopback(port), "--unit"]).env("DBUS_SYSTEM_BUS_ADDRESS", systemd.address());
    finish(program).await
}

fn units(service: &str, socket: Option<&str>, holder: &PortHolder) -> Units {
    let listen = format!("[::]:{}", holder.port());
    let socket = socket.map(str::to_owned);
    Units { service: service.to_owned(), socket, listen, pid: holder.pid(), forbids: false }
}

#[tokio::test]
async fn a_unit_is_stopped_together_with_the_socket_that_would_start_it_again() {
    let Some((holder, _group)) = holder_in("cwts-test-both.service").await else { return };
    let systemd = Systemd::start(units("cwts-test-both.service", Some("cwts-test-both.socket"), &holder)).await;
    let exit = free_unit(&systemd, holder.port()).await;
    assert_eq!(exit.status, Some(0), "systemd did it: {exit:?}");
    assert_eq!(systemd.stopped(), ["cwts-test-both.socket", "cwts-test-both.service"], "the trigger goes first");
    assert!(refuses(holder.port()), "the port is free");
}

#[tokio::test]
async fn a_socket_that_systemd_itself_holds_is_traced_to_its_unit() {
    // Nobody has connected to Cockpit yet: systemd listens for it.
    let Some((holder, _group)) = holder_in("cwts-test-idle/init.scope").await else { return };
    let known = units("", Some("cwts-test-cockpit.socket"), &holder);
    let systemd = Systemd::start(known).await;
    let mut look = command(&Home::empty());
    look.args(["ports", "free", &loopback(holder.port())]).env("DBUS_SYSTEM_BUS_ADDRESS", systemd.address());
    let exit = finish(look).await;
    assert!(exit.stdout.contains("Stop cwts-test-cockpit.socket"), "the unit is found by its port: {}", exit.stdout);
    let exit = free_unit(&systemd, holder.port()).await;
    assert_eq!((exit.status, systemd.stopped()), (Some(0), vec!["cwts-test-cockpit.socket".to_owned()]), "{exit:?}");
}

#[tokio::test]
async fn a_unit_that_polkit_protects_stays_and_the_command_for_root_is_said() {
    let Some((holder, _group)) = holder_in("cwts-test-forbidden.service").await else { return };
    let mut known = units("cwts-test-forbidden.service", None, &holder);
    known.forbids = true;
    let systemd = Systemd::start(known).await;
    let exit = free_unit(&systemd, holder.port()).await;
    assert_eq!(exit.status, Some(4), "not permitted: {exit:?}");
    assert!(exit.stderr.contains("sudo systemctl stop cwts-test-forbidden.service"), "{}", exit.stderr);
    assert!(!refuses(holder.port()), "it lives on");
}

#[tokio::test]
async fn a_whole_session_is_never_stopped() {
    let Some((holder, _group)) = holder_in("cwts-test-session-2.scope").await else { return };
    let systemd = Systemd::start(units("none.service", None, &holder)).await;
    let exit = free_unit(&systemd, holder.port()).await;
    assert_eq!(exit.status, Some(4), "{exit:?}");
    assert!(systemd.stopped().is_empty() && !refuses(holder.port()), "a scope holds much more than this program");
}

#[tokio::test]
async fn a_watch_prints_what_comes_and_goes_and_ends_with_a_signal() {
    let mut program = command(&Home::empty());
    program.args(["--json", "ports", "--watch"]);
    let mut child = program.spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let port = free_port();
    let mut next = async |change: &str| {
        let found = async {
            while let Some(line) = lines.next_line().await.expect("text") {
                let line: Value = serde_json::from_str(&line).expect("one object a line");
                if line["change"] == change && line["row"]["holder"]["address"] == loopback(port) {
                    return line;
                }
            }
            panic!("the watch ended");
        };
        within(&format!("the line {change}"), found).await
    };
    let holder = PortHolder::take(port).await;
    let line = next("taken").await;
    assert_eq!(line["row"]["holder"]["pid"], holder.pid(), "a person sees who: {line}");
    holder.end().await;
    next("freed").await;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    kill_process(pid.expect("it runs"), Signal::INT).expect("a child may be signalled");
    let status = within("its end", child.wait()).await.expect("a child can be awaited");
    assert_eq!(status.code(), Some(0), "Ctrl C is how a watch ends");
}

#[tokio::test]
async fn a_watch_ends_when_nobody_reads_any_more() {
    let mut program = command(&Home::empty());
    program.args(["ports", "--watch"]);
    let mut child = program.spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let head = within("the head", lines.next_line()).await.expect("text");
    assert!(head.is_some_and(|head| head.contains("HOLDER")), "the table begins with its head");
    drop(lines);
    let status = within("its end", child.wait()).await.expect("a child can be awaited");
    assert_eq!(status.code(), Some(0), "`ports --watch | head` must not wait for the next port that changes");
}
