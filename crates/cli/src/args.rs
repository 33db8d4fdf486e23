//! The words of the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use cwts_config::{ConfigError, Environment, SaveLayer, Sources};
use cwts_credentials::Scope;

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
    /// List all listening ports of this computer with their holders
    Ports,
    /// Show and change settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
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
