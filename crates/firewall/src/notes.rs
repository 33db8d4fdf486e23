//! What a person is to know about the changes of a plan.

use std::net::IpAddr;

use crate::change::Change;
use crate::plan::Request;
use crate::{Detection, Family, Incoming, Tool, ToolFinding, ToolState};

/// The notes, the most important first.
pub(crate) fn notes(request: &Request, detection: &Detection, changes: &[Change]) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(reach(request));
    notes.extend(tool(request.tool, detection));
    if changes.is_empty() {
        return notes;
    }
    notes.extend(policy(request, detection, changes));
    notes.extend(sources(request));
    notes.push(order(request.tool, changes).to_owned());
    notes.extend(lasting(request.tool).map(str::to_owned));
    notes.push("Undo leaves established connections alive: stop the service to end them.".to_owned());
    notes.push("A connection from this computer proves nothing: try one from an allowed computer.".to_owned());
    notes
}

/// Who can reach the services at all.
fn reach(request: &Request) -> Vec<String> {
    let local: Vec<_> = request.listeners.iter().filter(|listener| listener.is_local()).collect();
    if local.is_empty() {
        return Vec::new();
    }
    if local.len() == request.listeners.len() {
        let mut addresses: Vec<IpAddr> = local.iter().map(|listener| listener.address.ip()).collect();
        addresses.dedup();
        let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
        return vec![format!("Not needed: {} listens on {} only.", request.instance, addresses.join(" and "))];
    }
    local
        .iter()
        .map(|listener| {
            let address = listener.address.ip();
            format!("{} listens on {address} only: a rule opens nothing for it.", listener.service)
        })
        .collect()
}

/// Whether the rules of the tool are in force.
fn tool(tool: Tool, detection: &Detection) -> Vec<String> {
    let mut notes = Vec::new();
    let finding = detection.of(tool);
    if finding.is_some_and(|finding| !finding.installed) {
        notes.push(format!("{} is not installed on this computer.", tool.program()));
    }
    if let Some(other) = other_active(tool, detection) {
        let active = other.tool;
        notes.push(format!(
            "{active} is active: {}. It decides too; an accept of {tool} never overrides its drop.",
            other.evidence
        ));
    } else if detection.active.is_none() && !detection.none_is_active() {
        let unknown = detection.tools.iter().filter(|finding| finding.state == ToolState::Unknown);
        let reasons: Vec<String> = unknown.map(|it| format!("{}: {}", it.tool, it.evidence)).collect();
        notes.push(format!("Which firewall is active could not be known. {}.", reasons.join("; ")));
    }
    if finding.is_some_and(|finding| finding.state == ToolState::Inactive) {
        notes.extend(match tool {
            Tool::Ufw => Some("ufw is off: its rules count once \"ufw enable\" has switched it on.".to_owned()),
            Tool::Firewalld => Some("firewalld does not run: its rules can be changed once it does.".to_owned()),
            Tool::Iptables | Tool::Nftables => None,
        });
    }
    notes
}

/// Another tool whose rules are in force. Rules of iptables are how ufw works, those of nftables how firewalld does.
fn other_active(tool: Tool, detection: &Detection) -> Option<&ToolFinding> {
    let is_how_it_works = |other: Tool| {
        matches!((tool, other), (Tool::Ufw, Tool::Iptables) | (Tool::Firewalld, Tool::Iptables | Tool::Nftables))
    };
    let others = detection.tools.iter().filter(|it| it.tool != tool && it.state == ToolState::Active);
    let mut others: Vec<_> = others.filter(|it| !is_how_it_works(it.tool)).collect();
    others.sort_by_key(|it| Some(it.tool) != detection.active);
    others.first().copied()
}

/// Whether an allow rule restricts anybody.
fn policy(request: &Request, detection: &Detection, changes: &[Change]) -> Option<String> {
    let tool = request.tool;
    if matches!(changes, [Change::NftTable { .. }]) {
        return Some(
            "The table drops all other connections to these ports, and leaves every other port alone.".to_owned(),
        );
    }
    if request.restrict {
        return Some("Everyone else is denied by rules of their own.".to_owned());
    }
    let remedy = "Add --restrict, or choose \"Deny everyone else\", to deny everyone else.";
    let accepts = "lets in what no rule names: a rule that allows restricts nobody.";
    match (detection.of(tool).and_then(|finding| finding.incoming), tool) {
        (Some(Incoming::Denied), _) => None,
        (Some(Incoming::Accepted), _) => Some(format!("{tool} {accepts} {remedy}")),
        (None, Tool::Ufw | Tool::Firewalld) => None,
        (None, Tool::Iptables | Tool::Nftables) if detection.as_root => Some(format!("{tool} {accepts} {remedy}")),
        (None, Tool::Iptables | Tool::Nftables) => Some(format!(
            "Where the policy of the chain is ACCEPT, which only root may read, a rule that allows restricts nobody. {remedy}"
        )),
    }
}

fn sources(request: &Request) -> Vec<String> {
    let mut notes = Vec::new();
    if request.sources.iter().any(|source| source.is_everyone()) {
        notes.push("A source is everyone: name your subnet to let in fewer.".to_owned());
    }
    let is_v4_only = request.listeners.iter().all(|listener| listener.address.is_ipv4());
    if is_v4_only && request.sources.iter().any(|source| source.family() == Family::V6) {
        notes.push("The services listen on IPv4 only: rules for IPv6 sources open nothing.".to_owned());
    }
    if !is_v4_only && request.sources.iter().all(|source| source.family() == Family::V4) {
        notes.push(
            "The services listen on IPv6 too: add the subnet's IPv6 prefix to let its computers in there.".to_owned(),
        );
    }
    notes
}

/// Which rule decides.
fn order(tool: Tool, changes: &[Change]) -> &'static str {
    match (tool, changes) {
        (_, [Change::NftTable { .. }]) => "A drop in any other table still drops.",
        (Tool::Ufw, _) => "The first rule that matches decides: prepend puts these before an earlier deny.",
        (Tool::Firewalld, _) => "Of rich rules with one priority, those that deny decide before those that allow.",
        (Tool::Iptables | Tool::Nftables, _) => "The first rule that matches decides: these are put before all others.",
    }
}

/// Whether the rules survive a restart.
fn lasting(tool: Tool) -> Option<&'static str> {
    match tool {
        // Both keep what they are told; for firewalld the plan tells it twice.
        Tool::Ufw | Tool::Firewalld => None,
        Tool::Iptables => Some("Gone after a restart, unless saved: netfilter-persistent save."),
        Tool::Nftables => {
            Some("Gone after a restart or a reload of nftables.service, unless the ruleset's file has them too.")
        }
    }
}
