//! From services and sources to the changes of one tool. Pure.

use std::net::SocketAddr;

use cwts_domain::Service;

use crate::change::{Change, Rule, Verdict};
use crate::notes::notes;
use crate::{Comment, Detection, Family, Name, NftChain, Source, Tool};

/// A service and what it binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The service.
    pub service: Service,
    /// Its address and port.
    pub address: SocketAddr,
}

impl Listener {
    /// Whether only this computer reaches it, so that no rule is needed.
    pub fn is_local(&self) -> bool {
        self.address.ip().is_loopback()
    }
}

/// What a person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The tool to write rules for.
    pub tool: Tool,
    /// The id of the instance, for comments and names.
    pub instance: Name,
    /// The chosen services.
    pub listeners: Vec<Listener>,
    /// Who may reach them.
    pub sources: Vec<Source>,
    /// Whether everyone else is to be denied by rules of their own, because the firewall lets in what no rule names.
    pub restrict: bool,
    /// The chain of nftables to put rules into. Without it: the one that was detected, else a table of our own.
    pub chain: Option<NftChain>,
}

/// The changes for a request, with what is to be known about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The tool that the changes are for.
    pub tool: Tool,
    /// Whether one of the services can be reached from outside at all.
    pub needed: bool,
    /// In the order in which they are to be made.
    pub changes: Vec<Change>,
    /// One sentence or two each.
    pub notes: Vec<String>,
    instance: Name,
}

impl Plan {
    /// Writes the changes. Without services or sources there are none.
    pub fn new(request: &Request, detection: &Detection) -> Self {
        let needed = request.listeners.iter().any(|listener| !listener.is_local());
        let changes = changes(request, detection);
        let notes = notes(request, detection, &changes);
        Self { tool: request.tool, needed, changes, notes, instance: request.instance.clone() }
    }

    /// The lines to copy that make the changes; `root` stands before each command, for example `sudo `.
    pub fn commands(&self, root: &str) -> Vec<String> {
        self.changes.iter().map(|change| change.shell_line(root)).collect()
    }

    /// The lines to copy that take them back, last first.
    pub fn undo(&self, root: &str) -> Vec<String> {
        undo_lines(&self.changes, root)
    }

    /// A script for root that makes the changes, or with the word `undo` takes them back.
    pub fn script(&self) -> String {
        let indented = |lines: Vec<String>| lines.iter().map(|line| format!("    {line}\n")).collect::<String>();
        let notes: String = self.notes.iter().map(|note| format!("# {note}\n")).collect();
        format!(
            "#!/bin/sh\n# Firewall rules ({}) for the instance {} of CWTS Ultra. Run it as root; the word undo takes them \
             back.\n{notes}set -u\ncase \"${{1:-apply}}\" in\napply)\n    set -e\n{}    ;;\nundo)\n{}    ;;\n*)\n    \
             echo \"usage: $0 [apply|undo]\" >&2\n    exit 2\n    ;;\nesac\n",
            self.tool,
            self.instance,
            indented(self.commands("")),
            indented(self.undo("")),
        )
    }
}

/// The lines to copy that take changes back, last first.
pub fn undo_lines(changes: &[Change], root: &str) -> Vec<String> {
    changes.iter().rev().map(|change| change.undo_line(root)).collect()
}

fn changes(request: &Request, detection: &Detection) -> Vec<Change> {
    let mut request = request.clone();
    request.sources.sort_unstable();
    request.sources.dedup();
    if request.sources.is_empty() {
        return Vec::new();
    }
    match request.tool {
        Tool::Ufw => ufw(&request),
        Tool::Firewalld => firewalld(&request, detection),
        Tool::Iptables => iptables(&request),
        Tool::Nftables => match request.chain.clone().or_else(|| detection.chain()) {
            Some(chain) => nft_chain(&request, &chain),
            None => nft_table(&request),
        },
    }
}

/// The rules in the order in which they are to be put before all others: the last one decides first.
fn rules(request: &Request) -> Vec<(Service, Rule)> {
    let mut rules = Vec::new();
    if request.restrict {
        let denials = request.listeners.iter().map(|listener| (listener, Verdict::Deny, None));
        rules.extend(denials.map(rule));
    }
    for listener in &request.listeners {
        rules.extend(request.sources.iter().map(|source| rule((listener, Verdict::Allow, Some(*source)))));
    }
    rules
}

fn rule((listener, verdict, source): (&Listener, Verdict, Option<Source>)) -> (Service, Rule) {
    (listener.service, Rule { verdict, source, port: listener.address.port() })
}

fn comment(request: &Request, service: Service, rule: &Rule) -> Comment {
    let others = if rule.verdict == Verdict::Deny { " others" } else { "" };
    Comment::of_checked(format!("CWTS {} {service}{others}", request.instance))
}

/// nftables finds a rule by its comment, so no other may have it.
fn unique_comment(request: &Request, service: Service, rule: &Rule) -> Comment {
    let source = rule.source.map(|source| format!(" {source}")).unwrap_or_default();
    Comment::of_checked(format!("{} {}{source}", comment(request, service, rule), rule.port))
}

fn ufw(request: &Request) -> Vec<Change> {
    let mut request = request.clone();
    let everyone = request.sources.iter().filter(|source| source.is_everyone()).count();
    let mut rules = rules(&request);
    if everyone == 2 {
        // ufw lists both versions of "everyone" as one rule, so they are made as one.
        request.sources.retain(|source| !source.is_everyone());
        rules = self::rules(&request);
        let listeners = request.listeners.iter();
        rules.extend(listeners.map(|listener| rule((listener, Verdict::Allow, None))));
    }
    let changes = rules.into_iter().map(|(service, rule)| {
        let comment = comment(&request, service, &rule);
        Change::Ufw { rule, comment }
    });
    changes.collect()
}

fn firewalld(request: &Request, detection: &Detection) -> Vec<Change> {
    let rules = rules(request);
    let zone = detection.zone();
    let change = |permanent: bool| {
        let zone = &zone;
        rules.iter().map(move |(_, rule)| Change::Firewalld {
            rule: *rule,
            zone: zone.clone(),
            permanent,
            first: request.restrict && rule.verdict == Verdict::Allow,
        })
    };
    change(false).chain(change(true)).collect()
}

fn iptables(request: &Request) -> Vec<Change> {
    let is_v6 = request.listeners.iter().any(|listener| listener.address.is_ipv6());
    let mut changes = Vec::new();
    for (service, rule) in rules(request) {
        let families = match rule.source {
            Some(source) => vec![source.family()],
            None if is_v6 || request.sources.iter().any(|source| source.family() == Family::V6) => {
                vec![Family::V4, Family::V6]
            }
            None => vec![Family::V4],
        };
        let comment = comment(request, service, &rule);
        let of = |family| Change::Iptables { rule, comment: comment.clone(), family };
        changes.extend(families.into_iter().map(of));
    }
    changes
}

fn nft_chain(request: &Request, chain: &NftChain) -> Vec<Change> {
    let changes = rules(request).into_iter().map(|(service, rule)| {
        let comment = unique_comment(request, service, &rule);
        Change::NftRule { rule, comment, chain: chain.clone() }
    });
    changes.collect()
}

fn nft_table(request: &Request) -> Vec<Change> {
    let allowed = rules(request).into_iter().filter(|(_, rule)| rule.verdict == Verdict::Allow);
    let rules: Vec<_> = allowed.map(|(service, rule)| (rule, unique_comment(request, service, &rule))).collect();
    let table = Name::own_table(&request.instance);
    if rules.is_empty() { Vec::new() } else { vec![Change::NftTable { table, rules }] }
}
