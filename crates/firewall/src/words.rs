//! The checked texts that become words of a command: sources, names and comments.
//!
//! Words reach a tool as one argument each, never through a shell. The checks are there for the tools' own grammars.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::FirewallError;

/// The start of the names of our own tables.
const OWN_TABLE: &str = "cwts-";

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Version 4.
    V4,
    /// Version 6.
    V6,
}

/// Where connections may come from: a subnet, or one address. Bits of the host are cleared: `192.168.1.7/24` stands for
/// `192.168.1.0/24`. Displays as the tools list it, one address without its prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Source(IpNet);

impl Source {
    /// The version of its addresses.
    pub fn family(self) -> Family {
        match self.0 {
            IpNet::V4(_) => Family::V4,
            IpNet::V6(_) => Family::V6,
        }
    }

    /// The subnet of an address of this computer; `None` where it is no subnet, or one that stays on one link.
    pub fn subnet_of(address: IpAddr, prefix: u8) -> Option<Self> {
        let is_link_local = match address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        };
        let network =
            IpNet::new(address, prefix).ok().filter(|network| network.prefix_len() < network.max_prefix_len());
        network.filter(|_| !is_link_local)?.trunc().to_string().parse().ok()
    }

    /// Whether it is every address of its version.
    pub fn is_everyone(self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl FromStr for Source {
    type Err = FirewallError;

    fn from_str(text: &str) -> Result<Self, FirewallError> {
        let refused = |reason| FirewallError::InvalidSource { text: text.to_owned(), reason };
        let network = match text.parse::<IpNet>() {
            Ok(network) => network.trunc(),
            Err(_) => text.parse::<IpAddr>().map(IpNet::from).map_err(|_| refused(wrong_with(text)))?,
        };
        match network {
            IpNet::V6(mapped) if is_mapped(mapped) => Err(refused("is an IPv4 address in IPv6 form; write it as IPv4")),
            _ if network.addr().is_loopback() => Err(refused("is this computer, which needs no rule")),
            _ if network.addr().is_multicast() => Err(refused("is multicast, which no connection comes from")),
            _ if network.addr().is_unspecified() && network.prefix_len() > 8 => {
                Err(refused("is no address of a computer; 0.0.0.0/0 and ::/0 mean everyone"))
            }
            _ => Ok(Self(network)),
        }
    }
}

fn wrong_with(text: &str) -> &'static str {
    match text.split_once('/') {
        Some((address, _)) if address.parse::<IpAddr>().is_ok_and(|it| it.is_ipv4()) => {
            "has no prefix length of 0 to 32"
        }
        Some((address, _)) if address.parse::<IpAddr>().is_ok() => "has no prefix length of 0 to 128",
        _ => "is no IPv4 or IPv6 subnet",
    }
}

fn is_mapped(network: Ipv6Net) -> bool {
    network.addr().to_ipv4_mapped().is_some()
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

impl TryFrom<String> for Source {
    type Error = FirewallError;

    fn try_from(text: String) -> Result<Self, FirewallError> {
        text.parse()
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}

/// The name of an instance, a zone, a table or a chain: 1 to 40 ASCII letters, digits, `-` and `_`, not `-` first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The table of nftables that belongs to an instance, whose id has at most 32 characters.
    pub(crate) fn own_table(instance: &Self) -> Self {
        Self(format!("{OWN_TABLE}{instance}"))
    }

    /// Whether it is the name of a table of ours.
    pub(crate) fn is_own_table(text: &str) -> bool {
        text.starts_with(OWN_TABLE)
    }
}

impl FromStr for Name {
    type Err = FirewallError;

    fn from_str(text: &str) -> Result<Self, FirewallError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=40).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FirewallError::InvalidName { text: text.to_owned() })
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a rule says about itself. nftables takes 128 characters, ufw no `'`; quotes and line breaks are for none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Comment(String);

impl Comment {
    /// A comment that is put together from names, services and sources, which have no other characters than it may.
    pub(crate) fn of_checked(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for Comment {
    type Err = FirewallError;

    fn from_str(text: &str) -> Result<Self, FirewallError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" .:/_-".contains(&byte);
        let is_trimmed = text.trim() == text && !text.starts_with('-');
        if (1..=128).contains(&text.len()) && is_trimmed && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FirewallError::InvalidComment { text: text.to_owned() })
        }
    }
}

impl fmt::Display for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A chain of nftables for both versions of IP, by table and name. Displays as `inet filter input`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NftChain {
    table: Name,
    name: Name,
}

impl NftChain {
    /// Family, table and name, as `nft` takes them.
    pub(crate) fn words(&self) -> [String; 3] {
        ["inet".to_owned(), self.table.to_string(), self.name.to_string()]
    }
}

impl FromStr for NftChain {
    type Err = FirewallError;

    fn from_str(text: &str) -> Result<Self, FirewallError> {
        let refused = || FirewallError::InvalidChain { text: text.to_owned() };
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            // In a chain of the family `ip`, a rule for an IPv6 source would be refused.
            ["inet", table, name] => {
                Ok(Self { table: table.parse().map_err(|_| refused())?, name: name.parse().map_err(|_| refused())? })
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for NftChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(" "))
    }
}
