//! The words of the command line.

mod client;
mod config;
mod credentials;
mod firewall;
mod instances;
mod journal;
mod market;
mod ports;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use cwts_config::{ConfigError, Environment, Sources};

pub(crate) use self::client::ClientArguments;
pub(crate) use self::config::{ConfigCommand, LayerName};
pub(crate) use self::credentials::{TlsCommand, TokenCommand};
pub(crate) use self::firewall::FirewallArguments;
pub(crate) use self::instances::InstancesCommand;
pub(crate) use self::journal::{Exported, JournalCommand};
pub(crate) use self::market::{LimitsArguments, MarketCommand, Switch};
pub(crate) use self::ports::{FreePort, PortsCommand};
use crate::connection_test::TestArguments;

/// Paper-trading server for AI agents: MCP over WebSocket and HTTP, Prometheus metrics, health.
#[derive(Debug, Parser)]
#[command(name = "cwts-ultra", version)]
pub(crate) struct Arguments {
    /// TOML file to use in place of production.toml; looked up here, then in the home's config folder
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Instance to use [default: $CWTS_INSTANCE_ID, else default]
    #[arg(long, global = true, value_name = "ID")]
    instance: Option<String>,
    /// Home folder [default: $CWTS_HOME, else ~/.local/cwts-ultra]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Print JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Option<CommandLine>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CommandLine {
    /// Start the four services and stop them on SIGINT or SIGTERM (the default)
    Run,
    /// Say of each configured port whether it is free, and who holds it if not
    CheckPorts {
        /// Write free ports to ports.env in place of taken ones
        #[arg(long)]
        save: bool,
    },
    /// List all listening ports of this computer with their holders, or free one
    #[command(args_conflicts_with_subcommands = true)]
    Ports {
        /// Go on until SIGINT or SIGTERM, with a line for each port that is taken (+) or let go (-)
        #[arg(long)]
        watch: bool,
        #[command(subcommand)]
        command: Option<PortsCommand>,
    },
    /// Show and change settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// List the instances of this home; make, clone, remove and stop them
    Instances {
        #[command(subcommand)]
        command: InstancesCommand,
    },
    /// From now on let clients of the running instance only cancel orders, also after a restart
    Halt,
    /// Let clients of the running instance trade again
    Resume,
    /// Cancel every open order of the running instance
    CancelAll,
    /// Where prices come from: simulated, or played from a file of an exchange
    Market {
        #[command(subcommand)]
        command: MarketCommand,
    },
    /// Show and change the limits of the paper account of the running instance
    Limits(LimitsArguments),
    /// Give the paper account its opening cash back; its orders, positions and history are gone
    ResetAccount {
        /// Do it
        #[arg(long)]
        yes: bool,
    },
    /// Look into the journal that makes orders, fills and the halt survive
    Journal {
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Show and replace the tokens that clients present
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Make, import and show the certificate for TLS
    Tls {
        #[command(subcommand)]
        command: TlsCommand,
    },
    /// Print what a client program is told of this instance: its configuration with address, token and authority
    Client(ClientArguments),
    /// Write settings, versions and logs to one file, without any secret, for somebody who helps
    Diagnostics {
        /// The file to write [default: cwts-ultra-ID-TIME.tar.gz here]
        file: Option<PathBuf>,
    },
    /// Speak MCP on standard input and output, for clients that start their servers themselves
    McpStdio,
    /// Test the connection to each service, rung by rung as a client makes it, and say what is wrong and what to do
    Test(TestArguments),
    /// Let clients place orders although other computers are served, until the services stop
    Arm,
    /// Make trading read-only again while other computers are served
    Disarm,
    /// Who did what to tokens, certificates, exposure, firewall and settings
    Audit {
        /// Most lines to show, the newest last
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=500), value_name = "N")]
        limit: u16,
    },
    /// Write firewall rules for the services; apply them, compare them with what is there, take them back
    Firewall(FirewallArguments),
    /// What pkexec starts: not for people
    #[command(hide = true)]
    FirewallHelper {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

impl Arguments {
    /// Where the configuration of the chosen instance comes from.
    pub(crate) fn sources(&self) -> Result<Sources, ConfigError> {
        let environment = Environment::from_process();
        let instance = self.instance.as_deref().map(str::parse).transpose()?;
        let home = match &self.home {
            Some(home) => home.clone(),
            None => environment.home_folder()?,
        };
        Sources::find(&home, instance, self.config.as_deref(), environment)
    }
}
