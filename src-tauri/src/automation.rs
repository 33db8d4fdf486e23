//! Keeps WebDriver out of the builds that people use.
//!
//! The webview reads `TAURI_WEBVIEW_AUTOMATION` from the process environment when it is created, and knows no other
//! switch. A driven panel could press every button, so that a release build honours the variable only with the feature
//! `automation`. Changing the environment of a running process is unsafe; starting over without the variable is not.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Asks the webview to accept a WebDriver session.
const VARIABLE: &str = "TAURI_WEBVIEW_AUTOMATION";

/// Whether this build may be driven.
const ALLOWED: bool = cfg!(any(debug_assertions, feature = "automation"));

/// The program could not be started again without the variable.
#[derive(Debug, thiserror::Error)]
#[error("{VARIABLE} is set and cannot be dropped: {source}. Unset it and start again.")]
pub(crate) struct CannotRefuse {
    source: io::Error,
}

/// Replaces this process by itself without the variable, where it is set and may not be. Returns where there is nothing
/// to refuse. Call before any other thing is done.
///
/// # Errors
/// The program's own file cannot be executed.
pub(crate) fn refuse() -> Result<(), CannotRefuse> {
    if ALLOWED || std::env::var_os(VARIABLE).is_none() {
        return Ok(());
    }
    eprintln!("cwts-ultra-panel: {VARIABLE} is ignored: this build is not made for automation.");
    let mut words = std::env::args_os();
    let name = words.next().unwrap_or_else(|| "cwts-ultra-panel".into());
    // By its path: through /proc/self/exe the process would be named "exe" wherever a port's holder is shown.
    let program = std::env::current_exe().map_err(|source| CannotRefuse { source })?;
    let source = Command::new(program).arg0(name).args(words).env_remove(VARIABLE).exec();
    Err(CannotRefuse { source })
}
