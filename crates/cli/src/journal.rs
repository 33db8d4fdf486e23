//! `journal`: whether it is sound, and what it holds.

use std::process::ExitCode;

use cwts_config::Sources;
use cwts_runtime::{check_journal, kept};

use crate::args::{Exported, JournalCommand};
use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(sources: &Sources, command: &JournalCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        JournalCommand::Check => {
            let check = check_journal(sources)?;
            if as_json {
                print_json(&check)?;
            } else {
                print(format!(
                    "{} is sound: {} events, {} bytes, state {}.",
                    check.path.display(),
                    check.sequence,
                    check.bytes,
                    check.state_hash
                ))?;
            }
        }
        JournalCommand::Export { what: Exported::Orders } => print(kept(sources)?.orders())?,
        JournalCommand::Export { what: Exported::Fills } => print(kept(sources)?.fills())?,
    }
    Ok(ExitCode::SUCCESS)
}
