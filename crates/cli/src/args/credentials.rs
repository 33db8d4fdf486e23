//! Tokens and certificates.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use cwts_credentials::Scope;

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
