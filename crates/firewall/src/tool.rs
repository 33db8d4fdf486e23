//! The firewall tools for which rules are written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::FirewallError;

/// A tool that people manage a firewall with. All of them end in the kernel's netfilter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// Uncomplicated Firewall, of Ubuntu and Debian.
    Ufw,
    /// firewalld, of Fedora, RHEL and openSUSE.
    Firewalld,
    /// `iptables` and `ip6tables`, of whichever backend.
    Iptables,
    /// `nft` on a ruleset that no other tool manages.
    Nftables,
}

impl Tool {
    /// All four, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Ufw, Self::Firewalld, Self::Iptables, Self::Nftables];

    /// Stable id for commands and JSON, which is also the name for people.
    pub fn id(self) -> &'static str {
        match self {
            Self::Ufw => "ufw",
            Self::Firewalld => "firewalld",
            Self::Iptables => "iptables",
            Self::Nftables => "nftables",
        }
    }

    /// The program that changes its rules.
    pub fn program(self) -> &'static str {
        match self {
            Self::Ufw => "ufw",
            Self::Firewalld => "firewall-cmd",
            Self::Iptables => "iptables",
            Self::Nftables => "nft",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Tool {
    type Err = FirewallError;

    fn from_str(text: &str) -> Result<Self, FirewallError> {
        let found = Self::ALL.into_iter().find(|tool| tool.id() == text);
        found.ok_or_else(|| FirewallError::UnknownTool { text: text.to_owned() })
    }
}
