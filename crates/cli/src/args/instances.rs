//! Making and removing instances.

use clap::Subcommand;

/// What it may be used for is judged with the other three.
fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "a port is a whole number from 1 to 65535".to_owned())
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
        #[arg(long, value_delimiter = ',', value_parser = port, value_name = "PORT,PORT,PORT,PORT")]
        ports: Option<Vec<u16>>,
    },
    /// Make an instance with the settings of another one, on ports of its own
    Clone {
        /// The instance whose settings are copied
        from: String,
        /// 1 to 32 letters, digits, '-' or '_'
        id: String,
        /// Ports of MCP WebSocket, MCP HTTP API, Prometheus and health check [default: four that are free]
        #[arg(long, value_delimiter = ',', value_parser = port, value_name = "PORT,PORT,PORT,PORT")]
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
