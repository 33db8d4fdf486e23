//! Settings.

use clap::{Subcommand, ValueEnum};
use cwts_config::SaveLayer;

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
        #[arg(allow_negative_numbers = true)]
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
