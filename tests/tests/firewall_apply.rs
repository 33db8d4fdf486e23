//! How rules get into the firewall and out again: through pkexec with exactly what was shown, all or none, remembered.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use cwts_tests::{ALLOWED, Exit, Home, Hosts, Ports, command, finish};
use serde_json::Value;

/// The user and the group `nobody`.
const NOBODY: u32 = 65534;

/// Asks nobody, writes down its words, and becomes root as the real pkexec does.
const PKEXEC: &str = "for word; do printf '%s\\0' \"$word\"; done >>\"$RECORD\"; printf '\\n' >>\"$RECORD\"\n\
    exec /usr/bin/setpriv --reuid=0 --regid=0 --clear-groups \"$@\"";

/// The server's ordinary user, whose `cwts-ultra` is a copy in the folder of the hosts.
struct Person {
    hosts: Hosts,
    home: Home,
}

impl Person {
    async fn log_in(mut hosts: Hosts, pkexec: &str) -> Self {
        let home = Home::empty();
        home.write_env("export MCP_BIND_ADDR=0.0.0.0\n");
        hosts.run(&format!("chown -R {NOBODY}:{NOBODY} {}", home.path().display())).await;
        hosts.put_first("pkexec", pkexec);
        let record = hosts.folder().join("record");
        fs::write(&record, "").expect("the record is writable");
        fs::set_permissions(&record, fs::Permissions::from_mode(0o666)).expect("a mode");
        hosts.set("RECORD", record.display().to_string());
        fs::copy(command(&home).as_std().get_program(), hosts.folder().join("cwts-ultra")).expect("a copy");
        Self { hosts, home }
    }

    /// Runs the program as the person, whom only the stand-in may make root.
    async fn firewall(&self, tool: &str, words: &[&str]) -> Exit {
        let mut command = self.hosts.command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.args(["--inh-caps=+setuid,+setgid", "--ambient-caps=+setuid,+setgid", "--"]);
        command.arg(self.hosts.folder().join("cwts-ultra")).env("CWTS_HOME", self.home.path());
        command.args(["firewall", "--tool", tool, "--service", "mcp-websocket"]);
        finish({
            command.args(ALLOWED.iter().flat_map(|source| ["--source", source])).args(words);
            command
        })
        .await
    }

    /// The words of each call of pkexec.
    fn calls(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.hosts.folder().join("record")).expect("the record");
        let words = |call: &str| call.split_terminator('\0').map(str::to_owned).collect();
        text.split_terminator('\n').map(words).collect()
    }

    /// The audit trail, oldest first.
    fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.home.path().join("data/default/audit.jsonl")).expect("a trail");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn memory(&self) -> String {
        fs::read_to_string(self.home.path().join("data/default/firewall.json")).unwrap_or_default()
    }
}

#[tokio::test]
async fn pkexec_is_asked_once_for_exactly_what_was_shown() {
    let Some(hosts) = Hosts::connect(&["ufw", "iptables", "setpriv"]).await else { return };
    hosts.switch_ufw_on().await;
    let before = hosts.run("ufw show added").await;
    let person = Person::log_in(hosts, PKEXEC).await;
    let shown = person.firewall("ufw", &["--json"]).await;
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap_or_else(|error| panic!("{error}: {shown:?}"));
    assert_eq!(shown["detected"], "ufw", "an ordinary user sees that ufw is on: {shown}");
    assert_eq!(shown["needed"], true, "the services listen on all addresses: {shown}");

    let exit = person.firewall("ufw", &["--apply"]).await;
    assert_eq!(exit.status, Some(0), "{exit:?}");
    let calls = person.calls();
    assert_eq!(calls.len(), 1, "one question, however many rules: {calls:?}");
    let program = person.hosts.folder().join("cwts-ultra").display().to_string();
    assert_eq!(calls[0][..4], [&program, "firewall-helper", "apply", "--"].map(str::to_owned), "{calls:?}");
    let vectors: Vec<String> = calls[0][4..].split(|word| word == ";").map(|vector| vector.join(" ")).collect();
    let lines = shown["commands"].as_array().expect("lines").iter();
    let lines: Vec<String> = lines.map(|line| line.as_str().unwrap_or_default().replace('\'', "")).collect();
    let as_root: Vec<String> = vectors.iter().map(|vector| format!("sudo {vector}")).collect();
    assert_eq!(as_root, lines, "polkit's dialog and the system's log show what the person saw");
    let audit = person.audit();
    assert_eq!(audit.len(), 1, "one entry for what was done at once: {audit:?}");
    assert_eq!(
        (&audit[0]["action"], &audit[0]["by"]),
        (&"firewall_applied".into(), &"command-line".into()),
        "{audit:?}"
    );
    let without_sudo: Vec<Value> = vectors.iter().map(|vector| Value::from(vector.replace('\'', ""))).collect();
    let told = audit[0]["commands"].as_array().expect("lines").iter().map(|line| line.as_str().unwrap_or_default());
    let told: Vec<Value> = told.map(|line| Value::from(line.replace('\'', ""))).collect();
    assert_eq!((&audit[0]["subject"], told), (&"ufw".into(), without_sudo), "by which tool and commands");
    let added = person.hosts.run("ufw show added").await;
    for source in ALLOWED {
        assert!(added.contains(&format!("from {source} to any port 3000")), "the rules are there: {added}");
    }

    let exit = person.firewall("ufw", &["--verify"]).await;
    assert_eq!(exit.status, Some(0), "root looks for the person: {exit:?}");
    let exit = person.firewall("ufw", &["--undo", "--apply"]).await;
    assert_eq!(exit.status, Some(0), "{exit:?}");
    assert_eq!(person.hosts.run("ufw show added").await, before, "as before");
    assert!(!person.memory().contains("ufw"), "nothing is left to remember: {}", person.memory());
    assert_eq!(person.audit().last().expect("two entries")["action"], "firewall_undone", "a check is no change");
}

#[tokio::test]
async fn a_refusal_of_polkit_changes_nothing_and_names_the_remedy() {
    for (status, word) in [(126, "dismissed"), (127, "did not authorize")] {
        let Some(hosts) = Hosts::connect(&["nft", "setpriv"]).await else { return };
        let person = Person::log_in(hosts, &format!("exit {status}")).await;
        let exit = person.firewall("nftables", &["--apply"]).await;
        assert_eq!(exit.status, Some(4), "not permitted: {exit:?}");
        assert!(exit.stderr.contains(word) && exit.stderr.contains("as root"), "{}", exit.stderr);
        assert_eq!(exit.stderr.lines().count(), 1, "one line: {}", exit.stderr);
        assert_eq!(person.hosts.run("nft list ruleset").await, "", "no rule");
        assert_eq!(person.memory(), "", "and nothing to remember");
    }
}

#[tokio::test]
async fn without_pkexec_the_person_is_told_what_to_install() {
    let Some(hosts) = Hosts::connect(&["nft", "setpriv"]).await else { return };
    let person = Person::log_in(hosts, PKEXEC).await;
    fs::remove_file(person.hosts.folder().join("bin/pkexec")).expect("the stand-in");
    person.hosts.run("test ! -e /usr/bin/pkexec || mount --bind /dev/null /usr/bin/pkexec").await;
    let exit = person.firewall("nftables", &["--apply"]).await;
    assert_eq!(exit.status, Some(4), "not permitted: {exit:?}");
    assert!(exit.stderr.contains("pkexec"), "{}", exit.stderr);
}

#[tokio::test]
async fn a_command_that_fails_takes_back_those_before_it() {
    let Some(mut hosts) = Hosts::connect(&["iptables-nft"]).await else { return };
    hosts.choose_iptables("nft");
    hosts.drop_with_iptables().await;
    let rules = hosts.run("iptables -S").await;
    hosts.put_first("ip6tables", "echo 'ip6tables: no IPv6 here' >&2; exit 3");
    let home = Home::empty();
    let exit = hosts.firewall(&home, "iptables", &["--apply"]).await;
    assert_eq!(exit.status, Some(1), "it failed: {exit:?}");
    assert!(exit.stderr.contains("no IPv6 here"), "what the tool said: {}", exit.stderr);
    assert_eq!(hosts.run("iptables -S").await, rules, "the rule for IPv4 went again");
    let exit = hosts.firewall(&home, "iptables", &["--json"]).await;
    let answer: Value = serde_json::from_str(&exit.stdout).expect("JSON");
    assert_eq!(answer["remembered"], serde_json::json!([]), "nothing was added: {answer}");
}

#[tokio::test]
async fn a_rule_that_somebody_removed_is_missed_and_forgotten_on_undo() {
    let Some(hosts) = Hosts::connect(&["nft"]).await else { return };
    hosts.drop_with_nftables().await;
    let rules = hosts.run("nft list ruleset").await;
    let home = Home::empty();
    assert_eq!(hosts.firewall(&home, "nftables", &["--apply"]).await.status, Some(0), "four rules");
    hosts.run("nft delete rule inet filter input handle $(nft -a list chain inet filter input | sed -n 's/.*3000 fd00.*handle //p')").await;
    let exit = hosts.firewall(&home, "nftables", &["--verify"]).await;
    assert_eq!(exit.status, Some(1), "what is there differs from what was added: {exit:?}");
    let missing: Vec<&str> = exit.stdout.lines().filter(|line| line.starts_with("missing")).collect();
    assert!(matches!(missing[..], [line] if line.contains("fd00:50::/64 tcp dport 3000")), "{}", exit.stdout);
    let exit = hosts.firewall(&home, "nftables", &["--undo", "--apply"]).await;
    assert!(exit.stdout.contains("Taken back: 3. Gone before: 1."), "{exit:?}");
    assert_eq!(hosts.run("nft list ruleset").await, rules, "as before");
}

#[tokio::test]
async fn a_rule_of_the_person_survives_our_undo() {
    let Some(hosts) = Hosts::connect(&["ufw", "iptables"]).await else { return };
    hosts.switch_ufw_on().await;
    hosts.run("ufw allow from 192.168.50.0/24 to any port 3000 proto tcp comment mine").await;
    let rules = hosts.run("ufw show added").await;
    let home = Home::empty();
    let exit = hosts.firewall(&home, "ufw", &["--apply"]).await;
    assert!(exit.stdout.contains("In place before: 1."), "{exit:?}");
    assert_eq!(hosts.firewall(&home, "ufw", &["--undo", "--apply"]).await.status, Some(0), "ours go");
    assert_eq!(hosts.run("ufw show added").await, rules, "only ours");
}

#[tokio::test]
async fn an_ordinary_user_finds_firewalld_on_the_bus() {
    let Some(mut hosts) = Hosts::connect(&["firewalld", "dbus-daemon", "setpriv"]).await else { return };
    hosts.start_firewalld().await;
    let person = Person::log_in(hosts, PKEXEC).await;
    let exit = person.firewall("ufw", &["--json"]).await;
    let answer: Value = serde_json::from_str(&exit.stdout).unwrap_or_else(|error| panic!("{error}: {exit:?}"));
    assert_eq!(answer["detected"], "firewalld", "the name on the bus: {answer}");
    let notes = answer["notes"].to_string();
    assert!(notes.contains("firewalld is active"), "rules of another tool do not override it: {notes}");
    let exit = person.firewall("firewalld", &["--apply"]).await;
    assert_eq!(exit.status, Some(0), "{exit:?}");
    let listed = person.hosts.run("firewall-cmd --list-rich-rules; firewall-cmd --permanent --list-rich-rules").await;
    assert_eq!(listed.matches("port=\"3000\"").count(), 4, "two sources, now and after a restart: {listed}");
}

#[tokio::test]
async fn an_example_is_never_applied() {
    let Some(hosts) = Hosts::connect(&["nft"]).await else { return };
    let home = Home::with(&Ports::free());
    let mut program = hosts.cwts(&home);
    program.args(["firewall", "--tool", "nftables", "--apply"]);
    let exit = finish(program).await;
    assert_eq!(exit.status, Some(2), "no default route, so nobody knows which subnet is meant: {exit:?}");
    assert!(exit.stderr.contains("--source"), "{}", exit.stderr);
    assert_eq!(hosts.run("nft list ruleset").await, "", "nothing was applied");
}
