//! Firewall rules.

use std::path::PathBuf;

use clap::Args;
use cwts_domain::Service;
use cwts_firewall::{NftChain, Tool};

#[derive(Debug, Args)]
pub(crate) struct FirewallArguments {
    /// ufw, firewalld, iptables or nftables [default: the one that is active]
    #[arg(long)]
    pub(crate) tool: Option<Tool>,
    /// Subnet or address that may connect, IPv4 or IPv6; can be repeated [default: this computer's own subnets]
    #[arg(long = "source", value_name = "CIDR")]
    pub(crate) sources: Vec<String>,
    /// mcp-websocket, mcp-http, prometheus or health; can be repeated [default: all that listen beyond loopback]
    #[arg(long = "service", value_name = "NAME")]
    pub(crate) services: Vec<Service>,
    /// Also deny everyone else, for a firewall that lets in what no rule names
    #[arg(long)]
    pub(crate) restrict: bool,
    /// Chain of nftables that drops by default, for example "inet filter input" [default: as far as it is known]
    #[arg(long)]
    pub(crate) chain: Option<NftChain>,
    /// Take back what was added: all that is remembered, or what the other options name
    #[arg(long)]
    pub(crate) undo: bool,
    /// Run the commands, as root or through pkexec
    #[arg(long)]
    pub(crate) apply: bool,
    /// Compare what was added with the rules in force, as root or through pkexec
    #[arg(long, conflicts_with_all = ["apply", "undo", "script"])]
    pub(crate) verify: bool,
    /// Also write the commands and their undo to a script
    #[arg(long, value_name = "FILE", conflicts_with = "undo")]
    pub(crate) script: Option<PathBuf>,
}
