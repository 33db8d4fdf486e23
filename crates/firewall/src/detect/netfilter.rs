//! nftables and iptables without a manager: the kernel's rules for root, configuration files for everyone else.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Incoming, ToolFinding, ToolState, is_installed};
use crate::execute::output;
use crate::{Name, Tool};

/// Where distributions keep the ruleset that `nftables.service` loads: Debian and Arch, Fedora.
const RULESETS: [&str; 2] = ["etc/nftables.conf", "etc/sysconfig/nftables.conf"];
/// Where systemd links the service when it starts with the system.
const ENABLED: [&str; 2] = [
    "etc/systemd/system/sysinit.target.wants/nftables.service",
    "etc/systemd/system/multi-user.target.wants/nftables.service",
];
/// The saved rules of iptables: Debian, Fedora.
const SAVED: [&str; 2] = ["etc/iptables/rules.v4", "etc/sysconfig/iptables"];
/// Tables of the old backend of iptables; for root only.
const LEGACY_TABLES: &str = "proc/net/ip_tables_names";

type Found = (ToolState, String, Option<Incoming>);

/// What is known of nftables and of iptables, and the chain of nftables that drops by default.
pub(super) fn detect(root: &Path, as_root: bool) -> (ToolFinding, ToolFinding, Option<String>) {
    let ruleset = as_root.then(ruleset).flatten();
    let (nftables, iptables, chain) = match &ruleset {
        Some(ruleset) => {
            let (nftables, chain) = read_nftables(ruleset);
            (nftables, read_iptables(ruleset, &legacy_policy(root)), chain)
        }
        None => {
            let (nftables, chain) = guess_nftables(root);
            (nftables, guess_iptables(root), chain)
        }
    };
    (finding(Tool::Nftables, nftables), finding(Tool::Iptables, iptables), chain)
}

fn finding(tool: Tool, (state, evidence, incoming): Found) -> ToolFinding {
    ToolFinding { tool, installed: is_installed(tool.program()), state, evidence, incoming }
}

/// The rules of the kernel as nft lists them; `None` where it cannot.
fn ruleset() -> Option<Value> {
    let argv = ["nft", "-j", "list", "ruleset"].map(str::to_owned);
    let text = output(&argv).ok().flatten()?;
    serde_json::from_str(&text).ok()
}

/// The chains that new connections to this computer pass, with what happens at their end.
fn input_chains(ruleset: &Value) -> impl Iterator<Item = (&str, &str, &str, Incoming)> {
    let chains = ruleset["nftables"].as_array().into_iter().flatten().map(|entry| &entry["chain"]);
    chains.filter(|chain| chain["hook"] == "input" && chain["type"] == "filter").filter_map(|chain| {
        let policy = if chain["policy"] == "drop" { Incoming::Denied } else { Incoming::Accepted };
        Some((chain["family"].as_str()?, chain["table"].as_str()?, chain["name"].as_str()?, policy))
    })
}

/// Whether a chain is one that iptables makes. It has no other names.
fn is_of_iptables(family: &str, table: &str, chain: &str) -> bool {
    matches!(family, "ip" | "ip6") && table == "filter" && chain == "INPUT"
}

fn read_nftables(ruleset: &Value) -> (Found, Option<String>) {
    let own = |(family, table, chain, _): &(&str, &str, &str, Incoming)| {
        !is_of_iptables(family, table, chain) && *table != "firewalld" && !Name::is_own_table(table)
    };
    let chains: Vec<_> = input_chains(ruleset).filter(own).collect();
    let found = chains.iter().find(|(.., policy)| *policy == Incoming::Denied).or(chains.first());
    match found {
        None => ((ToolState::Inactive, "No chain of nftables sees incoming connections".to_owned(), None), None),
        Some((family, table, chain, policy)) => {
            let name = format!("{family} {table} {chain}");
            let word = if *policy == Incoming::Denied { "drop" } else { "accept" };
            let evidence = format!("The chain {name} has the policy {word}");
            let drops = (*policy == Incoming::Denied).then_some(name);
            ((ToolState::Active, evidence, Some(*policy)), drops)
        }
    }
}

fn read_iptables(ruleset: &Value, legacy: &Option<(Incoming, bool)>) -> Found {
    let rules = ruleset["nftables"].as_array().into_iter().flatten().map(|entry| &entry["rule"]);
    let mut in_input = rules.filter(|rule| {
        let field = |name: &str| rule[name].as_str().unwrap_or_default();
        is_of_iptables(field("family"), field("table"), field("chain"))
    });
    let has_rules = in_input.next().is_some();
    let chain = input_chains(ruleset).find(|(family, table, chain, _)| is_of_iptables(family, table, chain));
    let found = match (chain, legacy) {
        (_, Some((policy, has_rules))) if *has_rules || *policy == Incoming::Denied => Some(*policy),
        (Some((.., policy)), _) if has_rules || policy == Incoming::Denied => Some(policy),
        _ => None,
    };
    match found {
        Some(Incoming::Denied) => {
            (ToolState::Active, "The chain INPUT has the policy DROP".to_owned(), Some(Incoming::Denied))
        }
        Some(Incoming::Accepted) => {
            (ToolState::Active, "The chain INPUT has rules and the policy ACCEPT".to_owned(), Some(Incoming::Accepted))
        }
        None => (ToolState::Inactive, "The chain INPUT has no rules and lets all in".to_owned(), None),
    }
}

/// Policy of the old backend's INPUT, and whether it has rules. Asks only where the table exists: to list it creates it.
fn legacy_policy(root: &Path) -> Option<(Incoming, bool)> {
    let tables = fs::read_to_string(root.join(LEGACY_TABLES)).ok()?;
    if !tables.lines().any(|table| table == "filter") {
        return None;
    }
    let argv = ["iptables-legacy", "-w", "-S", "INPUT"].map(str::to_owned);
    let text = output(&argv).ok().flatten()?;
    let policy = if text.starts_with("-P INPUT ACCEPT") { Incoming::Accepted } else { Incoming::Denied };
    Some((policy, text.lines().count() > 1))
}

/// For an ordinary user. The rules in force can differ from the file, which the evidence says by naming it.
fn guess_nftables(root: &Path) -> (Found, Option<String>) {
    let unknown = |evidence: &str| ((ToolState::Unknown, evidence.to_owned(), None), None);
    if !ENABLED.iter().any(|path| root.join(path).symlink_metadata().is_ok()) {
        return unknown("Only root may list the rules; nftables.service does not start with the system");
    }
    let file = RULESETS.iter().find_map(|path| Some((path, fs::read_to_string(root.join(path)).ok()?)));
    let Some((path, text)) = file else {
        return unknown("Only root may list the rules; nftables.service starts with the system");
    };
    match parse_ruleset(&text) {
        Some((chain, policy)) => {
            let word = if policy == Incoming::Denied { "drop" } else { "accept" };
            let evidence = format!("nftables.service loads /{path}, where {chain} has the policy {word}");
            ((ToolState::Active, evidence, Some(policy)), (policy == Incoming::Denied).then_some(chain))
        }
        None => unknown("Only root may list the rules; the file of nftables.service has no chain for them"),
    }
}

/// The first chain on the hook input in the text of a ruleset, with its policy.
pub(super) fn parse_ruleset(text: &str) -> Option<(String, Incoming)> {
    let text: String =
        text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let (before, after) = text.split_once("hook input")?;
    let name = |keyword: &str| {
        let words: Vec<&str> = before.split_whitespace().collect();
        let at = words.iter().rposition(|word| *word == keyword)?;
        Some(words[at + 1..].iter().take_while(|word| **word != "{").copied().collect::<Vec<_>>().join(" "))
    };
    let table = name("table")?;
    let table = if table.contains(' ') { table } else { format!("ip {table}") };
    let own = after.split('}').next().unwrap_or_default();
    let drops = own.split_once("policy").is_some_and(|(_, policy)| policy.trim_start().starts_with("drop"));
    Some((format!("{table} {}", name("chain")?), if drops { Incoming::Denied } else { Incoming::Accepted }))
}

fn guess_iptables(root: &Path) -> Found {
    let saved = SAVED.iter().find(|path| root.join(path).exists());
    let evidence = match saved {
        Some(path) => format!("Only root may list the rules; /{path} has saved ones"),
        None => "Only root may list the rules".to_owned(),
    };
    (ToolState::Unknown, evidence, None)
}
