//! The rules do what they say: real connections between two computers, with each firewall, before, with and after them.

use std::path::Path;

use cwts_domain::Service;
use cwts_tests::{Exit, Home, Hosts, Reach};

const IPTABLES_LIST: &str = "iptables -S; ip6tables -S";
fn succeeded(exit: &Exit) {
    assert_eq!(exit.status, Some(0), "the command succeeds: {exit:?}");
}

/// The whole way: nothing chosen, the rules applied, applied once more, and taken back.
async fn prove(hosts: &Hosts, tool: &str, words: &[&str], before: Reach, list: &str) {
    let home = Home::empty();
    let server = hosts.serve(&home).await;
    let rules = hosts.run(list).await;
    assert_eq!(hosts.reach(Service::McpWebsocket).await, before, "{tool}: before any rule of ours");

    let arguments: Vec<&str> = words.iter().copied().chain(["--apply"]).collect();
    succeeded(&hosts.firewall(&home, tool, &arguments).await);
    for service in [Service::McpWebsocket, Service::Prometheus] {
        assert_eq!(hosts.reach(service).await, Reach::ALLOWED, "{tool}: {service} is for the sources only");
        assert!(hosts.reaches_itself(service).await, "{tool}: this computer still reaches its own {service}");
    }
    assert_eq!(hosts.reach(Service::Health).await, before, "{tool}: a service that nobody chose stays as it was");

    let applied = hosts.run(list).await;
    succeeded(&hosts.firewall(&home, tool, &arguments).await);
    assert_eq!(hosts.run(list).await, applied, "{tool}: a second time adds nothing");
    let exit = hosts.firewall(&home, tool, &["--verify"]).await;
    succeeded(&exit);
    assert!(exit.stdout.contains("All that was added is in place."), "{tool}: {}", exit.stdout);

    succeeded(&hosts.firewall(&home, tool, &["--undo", "--apply"]).await);
    assert_eq!(hosts.reach(Service::McpWebsocket).await, before, "{tool}: as before");
    assert_eq!(hosts.run(list).await, rules, "{tool}: the rules are those of before, to the letter");

    prove_lines(hosts, &home, tool, words, before, list).await;
    server.stop(rustix::process::Signal::TERM).await;
}

/// The same with the lines that a person copies, and with the script.
async fn prove_lines(hosts: &Hosts, home: &Home, tool: &str, words: &[&str], before: Reach, list: &str) {
    let rules = hosts.run(list).await;
    let script = home.path().join("firewall.sh");
    let path = script.display().to_string();
    let arguments: Vec<&str> = words.iter().copied().chain(["--json", "--script", &path]).collect();
    let exit = hosts.firewall(home, tool, &arguments).await;
    let answer: serde_json::Value =
        serde_json::from_str(&exit.stdout).unwrap_or_else(|error| panic!("{error}: {exit:?}"));
    let lines = |field: &str| {
        let lines = answer[field].as_array().expect("an array of lines").iter();
        lines.map(|line| line.as_str().expect("a line")).collect::<Vec<_>>().join("\n")
    };
    hosts.run(&lines("commands")).await;
    assert_eq!(hosts.reach(Service::McpWebsocket).await, Reach::ALLOWED, "{tool}: the copied lines do the same");
    hosts.run(&lines("undo")).await;
    assert_eq!(hosts.run(list).await, rules, "{tool}: and so do the copied lines of the undo");
    run_script(hosts, &script, "apply").await;
    assert_eq!(hosts.reach(Service::Prometheus).await, Reach::ALLOWED, "{tool}: the script does the same");
    run_script(hosts, &script, "undo").await;
    assert_eq!(hosts.run(list).await, rules, "{tool}: and takes it back");
    assert_eq!(hosts.reach(Service::Prometheus).await, before, "{tool}: with effect");
}

async fn run_script(hosts: &Hosts, script: &Path, word: &str) {
    hosts.run(&format!("sh {} {word}", script.display())).await;
}

#[tokio::test]
async fn ufw_lets_in_the_sources_only() {
    let Some(hosts) = Hosts::connect(&["ufw", "iptables"]).await else { return };
    hosts.switch_ufw_on().await;
    prove(
        &hosts,
        "ufw",
        &[],
        Reach::NOBODY,
        "ufw show added; iptables -S ufw-user-input; ip6tables -S ufw6-user-input",
    )
    .await;
}

#[tokio::test]
async fn ufw_with_an_earlier_deny_or_an_accepting_policy_lets_in_the_sources_only() {
    let Some(hosts) = Hosts::connect(&["ufw", "iptables"]).await else { return };
    hosts.switch_ufw_on().await;
    hosts.run("ufw default allow incoming; ufw deny 9090/tcp").await;
    let home = Home::empty();
    let server = hosts.serve(&home).await;
    let rules = hosts.run("ufw show added").await;
    succeeded(&hosts.firewall(&home, "ufw", &["--restrict", "--apply"]).await);
    for service in [Service::McpWebsocket, Service::Prometheus] {
        assert_eq!(hosts.reach(service).await, Reach::ALLOWED, "{service}: ours are before all others");
    }
    succeeded(&hosts.firewall(&home, "ufw", &["--undo", "--apply"]).await);
    assert_eq!(hosts.run("ufw show added").await, rules, "as before");
    assert_eq!(hosts.reach(Service::Prometheus).await, Reach::NOBODY, "the person's deny decides again");
    assert_eq!(hosts.reach(Service::McpWebsocket).await, Reach::EVERYBODY, "and the policy for the rest");
    drop(server);
}

#[tokio::test]
async fn firewalld_lets_in_the_sources_only() {
    let Some(mut hosts) = Hosts::connect(&["firewalld", "dbus-daemon", "nft"]).await else { return };
    hosts.start_firewalld().await;
    let list = "firewall-cmd --list-all; firewall-cmd --permanent --list-all";
    prove(&hosts, "firewalld", &[], Reach::NOBODY, list).await;
}

#[tokio::test]
async fn firewalld_with_a_zone_that_accepts_lets_in_the_sources_only() {
    let Some(mut hosts) = Hosts::connect(&["firewalld", "dbus-daemon", "nft"]).await else { return };
    hosts.start_firewalld().await;
    hosts.run("firewall-cmd --set-default-zone=trusted").await;
    let list = "firewall-cmd --list-all; firewall-cmd --permanent --list-all";
    prove(&hosts, "firewalld", &["--restrict"], Reach::EVERYBODY, list).await;
}

#[tokio::test]
async fn iptables_on_nftables_lets_in_the_sources_only() {
    let Some(mut hosts) = Hosts::connect(&["iptables-nft"]).await else { return };
    hosts.choose_iptables("nft");
    hosts.drop_with_iptables().await;
    prove(&hosts, "iptables", &[], Reach::NOBODY, IPTABLES_LIST).await;
}

#[tokio::test]
async fn iptables_legacy_lets_in_the_sources_only() {
    let Some(mut hosts) = Hosts::connect(&["iptables-legacy"]).await else { return };
    hosts.choose_iptables("legacy");
    hosts.drop_with_iptables().await;
    prove(&hosts, "iptables", &[], Reach::NOBODY, IPTABLES_LIST).await;
}

#[tokio::test]
async fn iptables_that_accepts_by_default_denies_everyone_else_when_told_to() {
    for backend in ["nft", "legacy"] {
        let Some(mut hosts) = Hosts::connect(&["iptables-nft", "iptables-legacy"]).await else { return };
        hosts.choose_iptables(backend);
        // Listing creates the chains, so that they are there before and after.
        hosts.run(IPTABLES_LIST).await;
        prove(&hosts, "iptables", &["--restrict"], Reach::EVERYBODY, IPTABLES_LIST).await;
    }
}

#[tokio::test]
async fn nftables_with_a_chain_that_drops_lets_in_the_sources_only() {
    let Some(hosts) = Hosts::connect(&["nft"]).await else { return };
    hosts.drop_with_nftables().await;
    prove(&hosts, "nftables", &[], Reach::NOBODY, "nft list ruleset").await;
}

#[tokio::test]
async fn nftables_without_a_firewall_denies_everyone_else_in_a_table_of_its_own() {
    let Some(hosts) = Hosts::connect(&["nft"]).await else { return };
    prove(&hosts, "nftables", &[], Reach::EVERYBODY, "nft list ruleset").await;
}
