//! The program `cwts-ultra-panel`: the desktop control panel with its embedded server.
//!
//! Reads the command line and reports errors; the rest is in the modules.

mod app;
mod automation;
mod backend;
mod cli;
mod commands;
mod feed;
mod theme;
mod tray;

use std::fmt::Display;
use std::process::ExitCode;

use cli::Refusal;
use tracing_subscriber::EnvFilter;

/// Bad usage or bad configuration.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    if let Err(error) = automation::refuse() {
        return fail(error, 1);
    }
    let arguments = match cli::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(Refusal::Usage(line)) => return fail(line, USAGE),
        Err(Refusal::Answer(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
    };
    let filter = EnvFilter::try_from_env("CWTS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    app::run(&arguments).unwrap_or_else(|error| fail(&error, error.status()))
}

fn fail(error: impl Display, status: u8) -> ExitCode {
    eprintln!("cwts-ultra-panel: {error}");
    ExitCode::from(status)
}
