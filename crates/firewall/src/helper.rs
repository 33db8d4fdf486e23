//! The way to root: in this process when it is root, else one call of pkexec for all changes together.
//!
//! pkexec starts this program again with the word [`HELPER`], the task and the vectors themselves, so that polkit's dialog
//! and the system's log show what will run. The helper takes no vector that [`Change::parse`] does not know.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{ExitCode, Output};

use crate::execute::execute;
use crate::pkexec::pkexec;
use crate::{Change, FirewallError, Report, Task};

/// The first word of a command line that is for [`helper_main`].
pub const HELPER: &str = "firewall-helper";
/// Stands between two vectors.
const SEPARATOR: &str = ";";

/// How commands get the rights of root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// This process has them.
    Root,
    /// pkexec asks the person, then starts the program.
    Pkexec {
        /// The program `cwts-ultra`, by its absolute path.
        program: PathBuf,
    },
}

impl Privilege {
    /// What this process needs. `program` is `cwts-ultra`.
    pub fn of_this_process(program: PathBuf) -> Self {
        if rustix::process::geteuid().is_root() { Self::Root } else { Self::Pkexec { program } }
    }

    /// What stands before a command in a line that a person copies.
    pub fn shell_prefix(&self) -> &'static str {
        match self {
            Self::Root => "",
            Self::Pkexec { .. } => "sudo ",
        }
    }
}

/// Does the task with the changes, and reports for each of them. Blocks: a person may be asked for a password.
///
/// # Errors
/// The person or polkit refused, or the privileged program gave no report. Nothing was changed then, unless that program
/// was killed. A command that fails is no error here but in the report.
pub fn run(task: Task, changes: &[Change], privilege: &Privilege) -> Result<Report, FirewallError> {
    match privilege {
        Privilege::Root => Ok(execute(task, changes)),
        Privilege::Pkexec { program } => {
            let output = pkexec(program, &arguments(task, changes))?;
            understand(&output, changes.len())
        }
    }
}

fn arguments(task: Task, changes: &[Change]) -> Vec<String> {
    let mut words = [HELPER, task.id(), "--"].map(str::to_owned).to_vec();
    let vectors: Vec<Vec<String>> = changes.iter().map(Change::argv).collect();
    words.extend(vectors.join(&SEPARATOR.to_owned()));
    words
}

fn understand(output: &Output, changes: usize) -> Result<Report, FirewallError> {
    let report: Option<Report> = serde_json::from_slice(&output.stdout).ok();
    match report {
        Some(report) if report.outcomes.len() == changes => Ok(report),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
            let detail = if said.is_empty() { output.status.to_string() } else { said };
            Err(FirewallError::NoReport { detail })
        }
    }
}

/// The helper: does what its words say and prints the report as JSON. The words are those after [`HELPER`].
///
/// # Errors
/// A word is none of this program's. Nothing was run.
pub fn helper_main(words: &[String]) -> Result<ExitCode, FirewallError> {
    let (task, changes) = understand_words(words)?;
    let report = execute(task, &changes);
    let printed = serde_json::to_writer(io::stdout().lock(), &report).map_err(io::Error::from);
    let printed = printed.and_then(|()| io::stdout().flush());
    printed.map_err(|error| FirewallError::NoReport { detail: error.to_string() })?;
    Ok(if report.failure.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn understand_words(words: &[String]) -> Result<(Task, Vec<Change>), FirewallError> {
    let foreign = || FirewallError::ForeignChange { words: crate::shell::line(words) };
    let (word, vectors) = words.split_first().ok_or_else(foreign)?;
    let task = Task::ALL.into_iter().find(|task| task.id() == word).ok_or_else(foreign)?;
    let vectors = vectors.strip_prefix(&["--".to_owned()]).unwrap_or(vectors);
    let parts = vectors.split(|word| word == SEPARATOR).filter(|part| !part.is_empty());
    Ok((task, parts.map(Change::parse).collect::<Result<_, _>>()?))
}
