//! Looking into the journal.

use clap::{Subcommand, ValueEnum};

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
