//! Rules of iptables and ip6tables.

use super::{Change, Rule, Verdict, after, argv};
use crate::{Comment, Family, Source};

/// The rule with `-I`, `-D` or `-C`.
pub(super) fn command(operation: &str, rule: &Rule, comment: &Comment, family: Family) -> Vec<String> {
    let program = match family {
        Family::V4 => "iptables",
        Family::V6 => "ip6tables",
    };
    let mut words = argv([program, "-w", operation, "INPUT"]);
    if operation == "-I" {
        words.push("1".to_owned());
    }
    match rule.source {
        Some(source) => words.extend(argv(["-p", "tcp", "-s", &source.to_string()])),
        // This computer's own connections stay, to whichever of its addresses.
        None => words.extend(argv(["!", "-i", "lo", "-p", "tcp"])),
    }
    let verdict = match rule.verdict {
        Verdict::Allow => "ACCEPT",
        Verdict::Deny => "DROP",
    };
    words.extend(argv(["--dport", &rule.port.to_string(), "-m", "conntrack", "--ctstate", "NEW"]));
    words.extend(argv(["-m", "comment", "--comment", &comment.to_string(), "-j", verdict]));
    words
}

pub(super) fn parse(argv: &[String]) -> Option<Change> {
    let family = if argv.first()? == "iptables" { Family::V4 } else { Family::V6 };
    let verdict = if after(argv, "-j")? == "ACCEPT" { Verdict::Allow } else { Verdict::Deny };
    let source = after(argv, "-s").map(|source| source.parse::<Source>().ok());
    // A source of the other version is no rule of this program.
    let source = match source {
        Some(source) => Some(source.filter(|source| source.family() == family)?),
        None => None,
    };
    let (port, comment) = (after(argv, "--dport")?.parse().ok()?, after(argv, "--comment")?.parse().ok()?);
    Some(Change::Iptables { rule: Rule { verdict, source, port }, comment, family })
}
