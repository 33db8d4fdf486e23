//! Rules of nftables, in a chain of somebody else or in a table of our own.

use super::{Change, Probe, Rule, Verdict, after, argv};
use crate::{Comment, Family, Name, NftChain};

/// The comment of the rule of our own table that drops what is not allowed.
const OTHERS: &str = "CWTS everyone else";

pub(super) fn insert(rule: &Rule, comment: &Comment, chain: &NftChain) -> Vec<String> {
    let mut words = argv(["nft", "insert", "rule"]);
    words.extend(chain.words());
    words.extend(matches(rule));
    // The quotes are of nft's own grammar.
    words.extend(argv(["ct", "state", "new", verdict(rule.verdict), "comment", &quoted(comment)]));
    words
}

pub(super) fn list(chain: &NftChain) -> Vec<String> {
    let mut words = argv(["nft", "-a", "list", "chain"]);
    words.extend(chain.words());
    words
}

pub(super) fn rule_probe(rule: &Rule, comment: &Comment, chain: &NftChain) -> Probe {
    let line = format!("{} ct state new {} comment {}", listed(rule), verdict(rule.verdict), quoted(comment));
    Probe { argv: list(chain), lines: vec![line] }
}

fn matches(rule: &Rule) -> Vec<String> {
    let port = rule.port.to_string();
    match rule.source {
        Some(source) => {
            let version = match source.family() {
                Family::V4 => "ip",
                Family::V6 => "ip6",
            };
            argv([version, "saddr", &source.to_string(), "tcp", "dport", &port])
        }
        // This computer's own connections stay, to whichever of its addresses.
        None => argv(["iifname", "!=", "\"lo\"", "tcp", "dport", &port]),
    }
}

/// The match as nft lists it.
fn listed(rule: &Rule) -> String {
    matches(rule).join(" ")
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "accept",
        Verdict::Deny => "drop",
    }
}

fn quoted(comment: impl std::fmt::Display) -> String {
    format!("\"{comment}\"")
}

/// The table in one transaction. That an accept here ends the matter is true only while no other table drops.
pub(super) fn create_table(table: &Name, rules: &[(Rule, Comment)]) -> Vec<String> {
    let mut ports: Vec<u16> = rules.iter().map(|(rule, _)| rule.port).collect();
    ports.sort_unstable();
    ports.dedup();
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let mut lines = vec!["type filter hook input priority filter; policy accept".to_owned()];
    lines.extend(rules.iter().map(table_rule));
    lines.push(format!(
        "iifname != \"lo\" tcp dport {{ {} }} ct state new drop comment {}",
        ports.join(", "),
        quoted(OTHERS)
    ));
    let script = format!(
        "table inet {table}; delete table inet {table}; table inet {table} {{ chain input {{ {}; }}; }}",
        lines.join("; ")
    );
    vec!["nft".to_owned(), script]
}

fn table_rule((rule, comment): &(Rule, Comment)) -> String {
    format!("{} accept comment {}", listed(rule), quoted(comment))
}

pub(super) fn delete_table(table: &Name) -> Vec<String> {
    argv(["nft", "delete", "table", "inet", &table.to_string()])
}

pub(super) fn table_probe(table: &Name, rules: &[(Rule, Comment)]) -> Probe {
    let argv = argv(["nft", "list", "table", "inet", &table.to_string()]);
    let lines = rules.iter().map(table_rule).chain(["iifname != \"lo\" tcp dport ".to_owned()]);
    Probe { argv, lines: lines.collect() }
}

pub(super) fn parse(argv: &[String]) -> Option<Change> {
    match argv {
        [_, script] => parse_table(script),
        _ => parse_insert(argv),
    }
}

fn parse_insert(argv: &[String]) -> Option<Change> {
    let chain = argv.get(3..6)?.join(" ").parse().ok()?;
    let verdict = if argv.iter().any(|word| word == "accept") { Verdict::Allow } else { Verdict::Deny };
    let (rule, comment) = parse_rule(argv, verdict)?;
    Some(Change::NftRule { rule, comment, chain })
}

fn parse_rule(words: &[String], verdict: Verdict) -> Option<(Rule, Comment)> {
    let source = after(words, "saddr").map(str::parse).transpose().ok()?;
    let comment = words.last()?.strip_prefix('"')?.strip_suffix('"')?.parse().ok()?;
    Some((Rule { verdict, source, port: after(words, "dport")?.parse().ok()? }, comment))
}

fn parse_table(script: &str) -> Option<Change> {
    let table = script.strip_prefix("table inet ")?.split_once(';')?.0;
    // Anybody else's table would be deleted.
    let table = Some(table).filter(|table| Name::is_own_table(table))?.parse().ok()?;
    let lines = script.split("; ").filter(|line| line.starts_with("ip"));
    let rules = lines.filter(|line| line.contains(" saddr ")).map(|line| {
        let (matching, comment) = line.split_once(" comment ")?;
        let mut words: Vec<String> = matching.split(' ').map(str::to_owned).collect();
        words.push(comment.to_owned());
        parse_rule(&words, Verdict::Allow)
    });
    Some(Change::NftTable { table, rules: rules.collect::<Option<_>>()? })
}
