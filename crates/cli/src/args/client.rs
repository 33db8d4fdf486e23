//! What client programs are told.

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use cwts_runtime::{ClientProgram, Transport};

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
    /// Run the program with the text, where it is on this computer, and say what it said
    #[arg(long = "try", requires = "name")]
    pub(crate) try_out: bool,
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
