//! Rich rules of firewalld.

use super::{Change, Probe, Rule, Verdict};
use crate::{Family, Name, Source};

/// The command that adds or removes a rule.
pub(super) fn command(operation: &str, rule: &Rule, zone: Option<&Name>, permanent: bool, first: bool) -> Vec<String> {
    let mut words = target(zone, permanent);
    words.push(format!("--{operation}-rich-rule={}", rich_rule(rule, first)));
    words
}

pub(super) fn probe(rule: &Rule, zone: Option<&Name>, permanent: bool, first: bool) -> Probe {
    let mut argv = target(zone, permanent);
    argv.push("--list-rich-rules".to_owned());
    Probe { argv, lines: vec![rich_rule(rule, first)] }
}

fn target(zone: Option<&Name>, permanent: bool) -> Vec<String> {
    let mut words = vec!["firewall-cmd".to_owned()];
    words.extend(permanent.then(|| "--permanent".to_owned()));
    words.extend(zone.map(|zone| format!("--zone={zone}")));
    words
}

/// In the spelling in which firewalld lists it.
fn rich_rule(rule: &Rule, first: bool) -> String {
    let priority = if first { " priority=\"-1\"" } else { "" };
    let source = match rule.source {
        Some(source) => {
            let family = match source.family() {
                Family::V4 => "ipv4",
                Family::V6 => "ipv6",
            };
            format!(" family=\"{family}\" source address=\"{source}\"")
        }
        None => String::new(),
    };
    let verdict = match rule.verdict {
        Verdict::Allow => "accept",
        Verdict::Deny => "drop",
    };
    format!("rule{priority}{source} port port=\"{}\" protocol=\"tcp\" {verdict}", rule.port)
}

pub(super) fn parse(argv: &[String]) -> Option<Change> {
    let permanent = argv.iter().any(|word| word == "--permanent");
    let zone = argv.iter().find_map(|word| word.strip_prefix("--zone="));
    let zone: Option<Name> = zone.map(str::parse).transpose().ok()?;
    let text = argv.iter().find_map(|word| word.strip_prefix("--add-rich-rule="))?;
    let value = |name: &str| Some(text.split_once(&format!("{name}=\""))?.1.split_once('"')?.0);
    let source: Option<Source> = value("source address").map(str::parse).transpose().ok()?;
    let verdict = if text.ends_with(" accept") { Verdict::Allow } else { Verdict::Deny };
    let rule = Rule { verdict, source, port: value("port port")?.parse().ok()? };
    Some(Change::Firewalld { rule, zone, permanent, first: text.contains(" priority=") })
}
