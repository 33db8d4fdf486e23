//! Rules of ufw.

use super::{Change, Probe, Rule, Verdict, after, argv};
use crate::{Comment, Source};

pub(super) fn add(rule: &Rule, comment: &Comment) -> Vec<String> {
    // `prepend`: a plain `allow` lands after an earlier deny, and the first match decides.
    let mut words = argv(["ufw", "prepend"]);
    words.extend(specification(rule));
    words.extend(["comment".to_owned(), comment.to_string()]);
    words
}

pub(super) fn delete(rule: &Rule) -> Vec<String> {
    // Without the comment: with another one nothing is deleted, and ufw says so with status 0.
    let mut words = argv(["ufw", "delete"]);
    words.extend(specification(rule));
    words
}

fn specification(rule: &Rule) -> Vec<String> {
    let source = rule.source.map_or("any".to_owned(), |source| source.to_string());
    argv([verdict(rule.verdict), "proto", "tcp", "from", &source, "to", "any", "port", &rule.port.to_string()])
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
    }
}

/// `ufw show added` works also while ufw is off, and spells a rule in one way however it was given.
pub(super) fn probe(rule: &Rule) -> Probe {
    let verdict = verdict(rule.verdict);
    let line = match rule.source.filter(|source| !source.is_everyone()) {
        Some(source) => format!("ufw {verdict} from {source} to any port {} proto tcp", rule.port),
        None => format!("ufw {verdict} {}/tcp", rule.port),
    };
    Probe { argv: argv(["ufw", "show", "added"]), lines: vec![line] }
}

pub(super) fn parse(argv: &[String]) -> Option<Change> {
    let verdict = match argv.get(2)?.as_str() {
        "allow" => Verdict::Allow,
        "deny" => Verdict::Deny,
        _ => return None,
    };
    let source = match after(argv, "from")? {
        "any" => None,
        source => Some(source.parse::<Source>().ok()?),
    };
    let (port, comment) = (after(argv, "port")?.parse().ok()?, after(argv, "comment")?.parse().ok()?);
    Some(Change::Ufw { rule: Rule { verdict, source, port }, comment })
}
