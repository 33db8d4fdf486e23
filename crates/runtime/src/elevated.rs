//! Ends a process of another user: runs `cwts-ultra ports free` as root, for which polkit asks for a password.
//!
//! The command line looks at the port again as root and ends the listener only where it belongs to the user that the
//! person has read of.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;

use cwts_domain::{ErrorCode, Problem};
use cwts_firewall::{PkexecError, pkexec};

use crate::release::Released;

const PROGRAM: &str = "cwts-ultra";
const PKEXEC: &str = "pkexec";

/// The command line beside this program, which is that or the panel.
pub(crate) fn program() -> PathBuf {
    let this = std::env::current_exe().unwrap_or_default();
    this.parent().map(|folder| folder.join(PROGRAM)).filter(|path| path.is_file()).unwrap_or_else(|| PROGRAM.into())
}

/// What to type for it: its name where the search path leads to it.
pub(crate) fn program_name() -> String {
    let program = program();
    match in_path(PROGRAM) {
        Some(found) if found == program => PROGRAM.to_owned(),
        _ => program.display().to_string(),
    }
}

/// Whether polkit can be asked.
pub(crate) fn is_possible() -> bool {
    in_path(PKEXEC).is_some() && program().is_absolute()
}

/// Ends the listener on the address, if it is a process of that user.
///
/// # Errors
/// The password was not given, or the command line says why nothing was ended.
pub(crate) fn end(address: SocketAddr, user: &str, force: bool) -> Result<Released, Problem> {
    let address = address.to_string();
    let words = ["--json", "ports", "free", &address, "--kill", "--of", user];
    let words: Vec<String> = words.into_iter().chain(force.then_some("--force")).map(str::to_owned).collect();
    outcome(pkexec(&program(), &words))
}

/// What the command line prints as JSON.
#[derive(serde::Deserialize)]
struct Answer {
    released: Released,
}

fn outcome(ran: Result<Output, PkexecError>) -> Result<Released, Problem> {
    let output = ran.map_err(|error| {
        let problem = match error {
            PkexecError::Missing(_) => Problem::new(ErrorCode::Internal, format!("Nothing was ended: {error}.")),
            PkexecError::NoAgent => Problem::new(ErrorCode::NotPermitted, format!("Nothing was ended: {error}.")),
            PkexecError::Dismissed | PkexecError::NotAuthorized => {
                Problem::new(ErrorCode::NotPermitted, "The password was not given, so nothing was ended.")
            }
        };
        problem.with_help("Use another port.")
    })?;
    if let Ok(Answer { released }) = serde_json::from_slice(&output.stdout) {
        return Ok(released);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
    Err(Problem::new(ErrorCode::Internal, format!("Nothing was ended: {line}")))
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok() && file.is_file()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::*;

    fn output(code: i32, stdout: &str, stderr: &str) -> Output {
        Output { status: ExitStatus::from_raw(code << 8), stdout: stdout.into(), stderr: stderr.into() }
    }

    #[test]
    fn the_answer_of_the_elevated_command_is_understood() {
        let still = outcome(Ok(output(3, r#"{"released": "still_running"}"#, ""))).unwrap();
        assert_eq!(still, Released::StillRunning, "a person is asked again before SIGKILL");
        assert_eq!(
            outcome(Ok(output(0, r#"{"released": "ended"}"#, ""))).unwrap(),
            Released::Ended,
            "the start can be tried again"
        );
        let refused = outcome(Err(PkexecError::Dismissed)).unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotPermitted, "a dismissed dialog is no fault: {refused}");
        let failed = outcome(Ok(output(1, "", "error: pid 7 does not listen on 127.0.0.1:1.\n"))).unwrap_err();
        assert!(failed.message.contains("pid 7"), "the reason comes through: {failed}");
    }
}
