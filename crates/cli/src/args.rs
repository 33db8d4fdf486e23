//! The words of the command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use cwts_config::{ConfigError, Environment, SaveLayer, Sources};
use cwts_credentials::Scope;
use cwts_domain::Service;
use cwts_firewall::{NftChain, Tool};
use cwts_runtime::{ClientProgram, Transport};

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

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum InstancesCommand {
    /// Each instance with its state, its ports and what runs it
    List,
    /// Make an instance with its own settings, ports, tokens and data
    Create {
        /// 1 to 32 letters, digits, '-' or '_'
        id: String,
        /// Ports of MCP WebSocket, MCP HTTP API, Prometheus and health check [default: four that are free]
        #[arg(long, value_delimiter = ',', value_name = "PORT,PORT,PORT,PORT")]
        ports: Option<Vec<u16>>,
    },
    /// Make an instance with the settings of another one, on ports of its own
    Clone {
        /// The instance whose settings are copied
        from: String,
        /// 1 to 32 letters, digits, '-' or '_'
        id: String,
        /// Ports of MCP WebSocket, MCP HTTP API, Prometheus and health check [default: four that are free]
        #[arg(long, value_delimiter = ',', value_name = "PORT,PORT,PORT,PORT")]
        ports: Option<Vec<u16>>,
        /// Copy its data too, without tokens and certificates; it must be stopped
        #[arg(long)]
        with_data: bool,
    },
    /// Remove the settings of an instance that is stopped; its data stays
    Remove {
        /// The instance
        id: String,
        /// Remove its data too: orders, tokens and keys
        #[arg(long)]
        data: bool,
    },
    /// Ask the process that runs an instance to end, and wait until it has
    Stop {
        /// The instance
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Read all of it, from the newest snapshot and from the oldest, and compare what comes out
    Check,
    /// Print orders or fills of the paper account as CSV: the open ones and the last 10,000
    Export {
        #[arg(value_enum)]
        what: Exported,
    },
}

/// What can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exported {
    Orders,
    Fills,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PortsCommand {
    /// Say who holds a port and how to free it; with --unit or --kill, free it
    Free(FreePort),
}

#[derive(Debug, Args)]
pub(crate) struct FreePort {
    /// A port, on the address that is configured for it or else on all; or ADDRESS:PORT
    #[arg(value_name = "PORT")]
    pub(crate) place: String,
    /// Stop the systemd unit of the holder, and the socket units that would start it again
    #[arg(long, conflicts_with = "kill")]
    pub(crate) unit: bool,
    /// End the process that listens, and no client of the port: SIGTERM, then wait 5 s
    #[arg(long)]
    pub(crate) kill: bool,
    /// Send SIGKILL instead, to a process that has ignored SIGTERM; what it has not saved is lost
    #[arg(long, requires = "kill")]
    pub(crate) force: bool,
    /// Only if the process belongs to this user
    #[arg(long, value_name = "USER", hide = true)]
    pub(crate) of: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Print a token, whole and nothing else; made when there is none
    Show {
        /// What the token allows
        #[arg(long, value_enum, default_value_t = ScopeName::Trade)]
        scope: ScopeName,
    },
    /// Replace tokens by new ones; a running instance ends the connections of the old ones
    Rotate {
        /// Replace only this one [default: all four]
        #[arg(long, value_enum)]
        scope: Option<ScopeName>,
    },
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeName {
    /// Everything, resuming and arming included: for the panel and the command line
    Owner,
    /// Trading, reading and metrics: for agents and bots
    Trade,
    /// Reading accounts, orders and the market
    Read,
    /// The metrics only: for Prometheus
    Metrics,
}

impl From<ScopeName> for Scope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Owner => Self::Owner,
            ScopeName::Trade => Self::Trade,
            ScopeName::Read => Self::Read,
            ScopeName::Metrics => Self::Metrics,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TlsCommand {
    /// Make or renew a certificate for this computer, and an authority that clients can trust
    Make {
        /// Another DNS name or address that clients use for this computer; may be repeated
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<String>,
        /// Replace a certificate that was imported; its key is lost
        #[arg(long)]
        force: bool,
    },
    /// Take over a certificate with its chain, and its key, from PEM files
    Import {
        /// The server's certificate, followed by those that vouch for it
        certificate: PathBuf,
        /// Its private key, not encrypted
        key: PathBuf,
    },
    /// Say what the certificate is for, when it ends, and how clients trust it
    Show,
}

#[derive(Debug, Args)]
pub(crate) struct ClientArguments {
    /// The program; without it, the list of names
    #[arg(value_parser = PossibleValuesParser::new(ClientProgram::ALL.map(ClientProgram::id)))]
    pub(crate) name: Option<String>,
    /// How it connects [default: the usual way of the program]
    #[arg(long, value_enum, requires = "name")]
    pub(crate) transport: Option<TransportName>,
    /// For a program on this computer, also while other computers are served
    #[arg(long, requires = "name")]
    pub(crate) local: bool,
}

/// How a client can connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TransportName {
    /// MCP through a program that the client starts
    Stdio,
    /// MCP over Streamable HTTP
    Http,
    /// MCP over WebSocket
    Websocket,
}

impl From<TransportName> for Transport {
    fn from(name: TransportName) -> Self {
        match name {
            TransportName::Stdio => Self::Stdio,
            TransportName::Http => Self::Http,
            TransportName::Websocket => Self::WebSocket,
        }
    }
}

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

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Every setting with its value, where it came from and what it hides
    Show,
    /// The value of one setting
    Get {
        /// For example mcp.mcp_port or MCP_SERVER_PORT
        key: String,
    },
    /// Change one setting in a file
    Set {
        /// For example mcp.mcp_port or MCP_SERVER_PORT
        key: String,
        /// The new value
        value: String,
        /// File to write [default: env-file, or toml for a setting without a variable]
        #[arg(long, value_enum)]
        layer: Option<LayerName>,
    },
    /// Read every layer and report what is wrong
    Check,
    /// Put the last good copy in place of a damaged file, which is kept aside
    Restore {
        /// File to restore [default: the damaged one]
        #[arg(long, value_enum)]
        layer: Option<LayerName>,
    },
}

/// The layers that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayerName {
    /// ports.env
    EnvFile,
    /// production.toml
    Toml,
}

impl From<LayerName> for SaveLayer {
    fn from(name: LayerName) -> Self {
        match name {
            LayerName::EnvFile => Self::EnvFile,
            LayerName::Toml => Self::Toml,
        }
    }
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
