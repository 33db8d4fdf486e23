//! Which firewall is active, as far as this user may know, each finding with its evidence.
//!
//! An ordinary user may read ufw's switch and ask the bus for firewalld. The kernel's rules are for root: of a ruleset
//! without a manager only its configuration file tells, and "could not be known" is an answer.

mod firewalld;
mod netfilter;
#[cfg(test)]
mod tests;
mod ufw;

pub use firewalld::system_bus;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::execute::search_path;
use crate::{Name, NftChain, Tool};

/// Whether a tool's rules are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum ToolState {
    /// They are.
    Active,
    /// They are not.
    Inactive,
    /// This user may not know.
    Unknown,
}

/// What happens to a new connection from outside that no rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Incoming {
    /// It is let in: a rule that allows restricts nobody.
    Accepted,
    /// It is refused.
    Denied,
}

/// What is known of one tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct ToolFinding {
    /// The tool.
    pub tool: Tool,
    /// Whether its program is on this computer.
    pub installed: bool,
    /// Whether its rules are in force.
    pub state: ToolState,
    /// Where that is known from, as one sentence without its full stop.
    pub evidence: String,
    /// What happens to connections that no rule names, where that is known.
    pub incoming: Option<Incoming>,
}

/// What is known of the firewall of this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct Detection {
    /// The tool to write rules for; `None` where none is active, or where that could not be known.
    pub active: Option<Tool>,
    /// Each tool, in the order of [`Tool::ALL`].
    pub tools: Vec<ToolFinding>,
    /// The chain of nftables that drops by default, as text: `inet filter input`.
    pub chain: Option<String>,
    /// The zone of firewalld that the interface of the default route is in, where that is not the default zone.
    pub zone: Option<String>,
    /// Whether root looked, who may see everything.
    pub as_root: bool,
}

impl Detection {
    /// What is known of a tool.
    pub fn of(&self, tool: Tool) -> Option<&ToolFinding> {
        self.tools.iter().find(|finding| finding.tool == tool)
    }

    /// Whether it is known that no firewall is active.
    pub fn none_is_active(&self) -> bool {
        self.tools.iter().all(|finding| finding.state == ToolState::Inactive)
    }

    /// The tool to write rules for when a person names none: the active one, else one that is installed, a table of
    /// nftables first, since it works without being switched on.
    pub fn suggested(&self) -> Tool {
        let preferred = [Tool::Nftables, Tool::Iptables, Tool::Ufw, Tool::Firewalld];
        let is_installed = |tool: &Tool| self.of(*tool).is_some_and(|finding| finding.installed);
        self.active.or_else(|| preferred.into_iter().find(is_installed)).unwrap_or(Tool::Nftables)
    }

    pub(crate) fn chain(&self) -> Option<NftChain> {
        self.chain.as_deref()?.parse().ok()
    }

    pub(crate) fn zone(&self) -> Option<Name> {
        self.zone.as_deref()?.parse().ok()
    }
}

/// Looks. Blocks for some tens of milliseconds; for 2 s where the bus does not answer.
pub fn detect() -> Detection {
    let as_root = rustix::process::geteuid().is_root();
    let (firewalld, zone) = firewalld::detect();
    let (nftables, iptables, chain) = netfilter::detect(Path::new("/"), as_root);
    combine(vec![ufw::detect(Path::new("/")), firewalld, iptables, nftables], chain, zone, as_root)
}

fn combine(tools: Vec<ToolFinding>, chain: Option<String>, zone: Option<String>, as_root: bool) -> Detection {
    // A manager's rules are also rules of iptables or nftables; the manager is whom to tell.
    let order = [Tool::Firewalld, Tool::Ufw, Tool::Nftables, Tool::Iptables];
    let is_active = |tool: &Tool| tools.iter().any(|it| it.tool == *tool && it.state == ToolState::Active);
    Detection { active: order.into_iter().find(is_active), tools, chain, zone, as_root }
}

/// Whether a program is where administrators' programs are.
fn is_installed(program: &str) -> bool {
    let folders: Vec<PathBuf> = std::env::split_paths(&search_path()).collect();
    folders.iter().any(|folder| folder.join(program).is_file())
}
