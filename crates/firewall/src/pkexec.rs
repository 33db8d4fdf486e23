//! One call of pkexec(1): polkit asks the person for a password, then a program runs as root.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Why the program did not run.
#[derive(Debug, thiserror::Error)]
pub enum PkexecError {
    /// pkexec is missing, or could not be started.
    #[error("pkexec could not be started: {0}")]
    Missing(io::Error),
    /// The person dismissed the dialog for the password.
    #[error("the authorization was dismissed")]
    Dismissed,
    /// polkit refused.
    #[error("polkit did not authorize it")]
    NotAuthorized,
    /// The person would have to be asked, and no program of the session does that.
    #[error("no authentication agent of polkit runs that could ask for a password")]
    NoAgent,
}

/// Runs a program of this project, none of which ends with 126 or 127 itself. Blocks: a person may be asked.
///
/// # Errors
/// It was not run.
pub fn pkexec(program: &Path, words: &[String]) -> Result<Output, PkexecError> {
    let output = Command::new("pkexec").arg(program).args(words).stdin(Stdio::inherit()).output();
    let output = output.map_err(PkexecError::Missing)?;
    // pkexec(1), section "Return value".
    match output.status.code() {
        Some(126) => Err(PkexecError::Dismissed),
        // The same status for both; polkit 122 and 124 say it in these words and in no other language.
        Some(127) if String::from_utf8_lossy(&output.stderr).contains("authentication agent") => {
            Err(PkexecError::NoAgent)
        }
        Some(127) => Err(PkexecError::NotAuthorized),
        _ => Ok(output),
    }
}
