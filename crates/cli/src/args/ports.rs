//! Ports and their holders.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum PortsCommand {
    /// Say who holds a port and how to free it; with --unit or --kill, free it
    Free(FreePort),
}

#[derive(Debug, Args)]
pub(crate) struct FreePort {
    /// A port, on the address that is configured for it or else on all; or ADDRESS:PORT
    #[arg(value_name = "PORT", allow_negative_numbers = true)]
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
