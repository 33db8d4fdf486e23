//! The program `cwts-ultra-panel`: the desktop control panel with its embedded server.
//!
//! Reads the command line and reports errors; the rest is in the modules.

mod app;
mod automation;
mod backend;
mod cli;
mod clipboard;
mod commands;
mod desk_feed;
mod feed;
mod file_chooser;
mod folder;
mod page_task;
mod port_feed;
mod test_feed;
mod theme;
mod tray;

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use cli::Refusal;
use cwts_domain::Problem;

/// The panel cannot open.
const FAILED: u8 = 1;

/// Bad usage or bad configuration.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    // pkexec starts this program again, as root and without a display, for the firewall alone.
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some((_, words)) = words.split_first().filter(|(word, _)| *word == cwts_firewall::HELPER) {
        return cwts_firewall::helper_main(words).unwrap_or_else(|error| fail(error, USAGE));
    }
    if let Err(error) = automation::refuse() {
        return fail(error, FAILED);
    }
    let arguments = match cli::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(Refusal::Usage(line)) => return fail(line, USAGE),
        Err(Refusal::Answer(text)) => {
            let written = std::io::stdout().write_all(text.as_bytes());
            return written.map_or(ExitCode::from(FAILED), |()| ExitCode::SUCCESS);
        }
    };
    let sources = match backend::sources(&arguments) {
        Ok(sources) => sources,
        Err(error) => return fail(error, USAGE),
    };
    // Before the files are read, so that the level of the log is that of the new ones.
    let furnished = cwts_config::furnish(&sources);
    if let Err(error) = cwts_runtime::begin_log(&sources, backend::log_level(&sources)) {
        return fail(format!("no log: {error}"), FAILED);
    }
    if let Err(error) = furnished {
        tracing::warn!("The home lacks files: {}", Problem::from(error));
    }
    app::run(&arguments, sources).unwrap_or_else(|error| fail(error, FAILED))
}

fn fail(error: impl Display, status: u8) -> ExitCode {
    eprintln!("cwts-ultra-panel: {error}");
    ExitCode::from(status)
}
