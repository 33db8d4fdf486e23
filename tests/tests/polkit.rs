//! Whose word polkit takes: the real pkexec and polkitd on a system bus of the test's own, each answer with its message.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cwts_tests::{ALLOWED, Exit, Home, Hosts, command, finish, skip};

const POLKITD: [&str; 2] = ["/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd"];
const BUS: &str = "<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>\
    <auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/>\
    <allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>";
const IS_READY: &str = "dbus-send --system --print-reply --dest=org.freedesktop.DBus / \
    org.freedesktop.DBus.NameHasOwner string:org.freedesktop.PolicyKit1 | grep -q true";

/// A computer whose administrator has one rule, and its ordinary user.
struct Office {
    hosts: Hosts,
    home: Home,
}

impl Office {
    /// `None`, and a note, where a program is missing.
    async fn open(rule: &str) -> Option<Self> {
        let Some(polkitd) = POLKITD.into_iter().find(|path| Path::new(path).is_file()) else {
            skip("polkitd is missing. scripts/test.sh installs it.");
            return None;
        };
        let mut hosts = Hosts::connect(&["nft", "setpriv", "setsid", "pkexec", "dbus-daemon", "dbus-send"]).await?;
        hosts.run(&format!("mkdir /run/dbus; echo '{BUS}' >/run/bus.conf")).await;
        hosts.run("mount -t tmpfs -o mode=755 tmpfs /etc/polkit-1/rules.d").await;
        hosts.run(&format!("echo '{rule}' >/etc/polkit-1/rules.d/00-test.rules")).await;
        hosts.start("dbus-daemon", &["--config-file=/run/bus.conf", "--nofork", "--nopidfile"]);
        hosts.until_succeeds("test -S /run/dbus/system_bus_socket").await;
        hosts.start(polkitd, &["--no-debug"]);
        hosts.until_succeeds(IS_READY).await;
        let home = Home::empty();
        home.write_env("export MCP_BIND_ADDR=0.0.0.0\n");
        hosts.run(&format!("chown -R nobody: {}", home.path().display())).await;
        fs::set_permissions(hosts.folder(), fs::Permissions::from_mode(0o755)).expect("a mode");
        fs::copy(command(&home).as_std().get_program(), hosts.folder().join("cwts-ultra")).expect("a copy");
        let agent = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/polkit_agent.py");
        fs::copy(agent, hosts.folder().join("agent.py")).expect("a copy");
        Some(Self { hosts, home })
    }

    /// The person applies a rule, where `words` start the program. Without a terminal, polkit has no other way to ask.
    async fn apply(&self, words: &[&str]) -> Exit {
        let mut command = self.hosts.command("setpriv");
        command.args(["--reuid=nobody", "--regid=65534", "--clear-groups", "--", "setsid", "--wait"]).args(words);
        command.arg(self.hosts.folder().join("cwts-ultra")).env("CWTS_HOME", self.home.path());
        command.args([
            "firewall",
            "--tool",
            "nftables",
            "--service",
            "mcp-websocket",
            "--apply",
            "--source",
            ALLOWED[0],
        ]);
        finish(command).await
    }

    async fn refuses(&self, words: &[&str], said: &str, help: &str) {
        let exit = self.apply(words).await;
        assert_eq!(exit.status, Some(4), "not permitted: {exit:?}");
        assert!(exit.stderr.contains(said) && exit.stderr.contains(help), "a person learns which it was: {exit:?}");
        assert_eq!(exit.stderr.lines().count(), 1, "one line: {exit:?}");
        assert_eq!(self.hosts.run("nft list ruleset").await, "", "nothing was changed");
    }
}

#[tokio::test]
async fn a_rule_of_the_administrator_grants_it_and_root_applies() {
    let Some(office) = Office::open("polkit.addRule(function() { return polkit.Result.YES; });").await else { return };
    let exit = office.apply(&[]).await;
    assert_eq!(exit.status, Some(0), "{exit:?}");
    let ruleset = office.hosts.run("nft list ruleset").await;
    assert!(ruleset.contains(ALLOWED[0]) && ruleset.contains("dport 3000"), "the rule is in force: {ruleset}");
}

#[tokio::test]
async fn a_rule_of_the_administrator_denies_it_and_an_administrator_is_the_remedy() {
    let Some(office) = Office::open("polkit.addRule(function() { return polkit.Result.NO; });").await else { return };
    office.refuses(&[], "did not authorize", "Ask an administrator").await;
}

#[tokio::test]
async fn a_person_dismisses_the_question() {
    let Some(office) = Office::open("").await else { return };
    let agent = office.hosts.folder().join("agent.py").display().to_string();
    office.refuses(&["/usr/bin/python3", &agent], "dismissed", "Apply again").await;
}

#[tokio::test]
async fn where_nobody_can_be_asked_the_missing_agent_is_named() {
    let Some(office) = Office::open("").await else { return };
    office.refuses(&[], "authentication agent of polkit", "desktop session").await;
}
