//! Makes changes, takes them back, and looks whether they are in place, as root in this process.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::change::{Change, Probe, Undo};
use crate::{Detection, FirewallError, NftChain, detect, shell};

/// Where administrators' programs are. An ordinary user's PATH often lacks these folders.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// What is to be done with changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Make those that are not in place, in order. When one fails, those that were made are taken back.
    Apply,
    /// Take back those that are in place, last first. A failure does not keep the others.
    Undo,
    /// Look whether they are in place.
    Check,
}

impl Task {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Apply, Self::Undo, Self::Check];

    /// Its word on a command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Undo => "undo",
            Self::Check => "check",
        }
    }
}

/// How it ended with one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was made, or taken back.
    Done,
    /// It is in place, or was in place before.
    Present,
    /// It is not in place.
    Missing,
    /// It failed, or was not reached, or was taken back because another one failed.
    NotDone,
    /// It should have been taken back, and could not.
    LeftBehind,
}

/// A command that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Its index among the changes.
    pub change: usize,
    /// As a shell line.
    pub command: String,
    /// What it said, or why it could not be run.
    pub detail: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.command, self.detail)
    }
}

/// What a task did.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// For each change, in the order in which they were given.
    pub outcomes: Vec<Outcome>,
    /// What went wrong first.
    pub failure: Option<Failure>,
    /// What root sees of the firewall, after a [`Task::Check`].
    pub detection: Option<Detection>,
}

impl Report {
    /// The failure with what a person must know of it: `changes` are those of the task.
    ///
    /// # Errors
    /// A command failed.
    pub fn into_result(self, changes: &[Change]) -> Result<Self, FirewallError> {
        let Some(failure) = self.failure else {
            return Ok(self);
        };
        let left = changes.iter().zip(&self.outcomes).filter(|(_, outcome)| **outcome == Outcome::LeftBehind);
        Err(FirewallError::CommandFailed {
            failure,
            left_behind: left.map(|(change, _)| change.undo_line("")).collect(),
        })
    }
}

/// Does the task. Blocks while the tools run.
pub(crate) fn execute(task: Task, changes: &[Change]) -> Report {
    let mut run = Run { changes, outcomes: vec![Outcome::NotDone; changes.len()], failure: None };
    let result = run.look().and_then(|()| match task {
        Task::Apply => run.apply(),
        Task::Undo => run.undo(),
        Task::Check => Ok(()),
    });
    let Run { mut outcomes, failure, .. } = run;
    if result.is_err() && task == Task::Check {
        outcomes.fill(Outcome::NotDone);
    }
    let detection = (task == Task::Check).then(detect);
    Report { outcomes, failure: result.err().or(failure), detection }
}

struct Run<'a> {
    changes: &'a [Change],
    outcomes: Vec<Outcome>,
    /// Of an undo, which goes on after it.
    failure: Option<Failure>,
}

impl Run<'_> {
    /// Fills the outcomes with what is in place.
    fn look(&mut self) -> Result<(), Failure> {
        // Tools in Python take a quarter of a second for an answer that holds for all their rules.
        let mut seen = HashMap::new();
        for (index, change) in self.changes.iter().enumerate() {
            let Probe { argv, lines } = change.probe();
            if !seen.contains_key(&argv) {
                let found = output(&argv).map_err(|detail| failure(index, &argv, detail))?;
                seen.insert(argv.clone(), found);
            }
            let text = seen.get(&argv).and_then(Option::as_ref);
            let is_present = text.is_some_and(|text| lines.iter().all(|line| has_line(text, line)));
            self.outcomes[index] = if is_present { Outcome::Present } else { Outcome::Missing };
        }
        Ok(())
    }

    fn apply(&mut self) -> Result<(), Failure> {
        for (index, change) in self.changes.iter().enumerate() {
            // A table is made anew: it may hold more than what is looked for.
            let is_table = matches!(change, Change::NftTable { .. });
            if self.outcomes[index] == Outcome::Present && !is_table {
                continue;
            }
            if let Err(failure) = command(index, &change.argv()) {
                self.roll_back();
                return Err(failure);
            }
            self.outcomes[index] = Outcome::Done;
        }
        Ok(())
    }

    fn roll_back(&mut self) {
        for (index, change) in self.changes.iter().enumerate().rev() {
            self.outcomes[index] = match self.outcomes[index] {
                Outcome::Done if take_back(index, change).is_err() => Outcome::LeftBehind,
                Outcome::Present => Outcome::Present,
                _ => Outcome::NotDone,
            };
        }
    }

    fn undo(&mut self) -> Result<(), Failure> {
        for (index, change) in self.changes.iter().enumerate().rev() {
            if self.outcomes[index] == Outcome::Present {
                match take_back(index, change) {
                    Ok(()) => self.outcomes[index] = Outcome::Done,
                    Err(failure) => {
                        self.outcomes[index] = Outcome::LeftBehind;
                        self.failure.get_or_insert(failure);
                    }
                }
            }
        }
        Ok(())
    }
}

fn take_back(index: usize, change: &Change) -> Result<(), Failure> {
    match change.undo() {
        Undo::Run(argv) => command(index, &argv),
        Undo::DeleteNftRule { chain, comment } => {
            for handle in handles(index, &chain, &comment.to_string())? {
                let mut argv = ["nft", "delete", "rule"].map(str::to_owned).to_vec();
                argv.extend(chain.words());
                argv.extend(["handle".to_owned(), handle.to_string()]);
                command(index, &argv)?;
            }
            Ok(())
        }
    }
}

/// The handles of the rules with that comment.
fn handles(index: usize, chain: &NftChain, comment: &str) -> Result<Vec<u64>, Failure> {
    let mut argv = ["nft", "-j", "-a", "list", "chain"].map(str::to_owned).to_vec();
    argv.extend(chain.words());
    let text = output(&argv).map_err(|detail| failure(index, &argv, detail))?.unwrap_or_default();
    let parsed: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| failure(index, &argv, error.to_string()))?;
    let rules = parsed["nftables"].as_array().into_iter().flatten().map(|entry| &entry["rule"]);
    Ok(rules.filter(|rule| rule["comment"] == comment).filter_map(|rule| rule["handle"].as_u64()).collect())
}

/// Whether a line starts with `start`, as a whole word.
fn has_line(text: &str, start: &str) -> bool {
    let ends = |rest: &str| start.ends_with(' ') || rest.is_empty() || rest.starts_with(' ');
    text.lines().filter_map(|line| line.trim_start().strip_prefix(start)).any(ends)
}

fn failure(change: usize, argv: &[String], detail: String) -> Failure {
    Failure { change, command: shell::line(argv), detail }
}

/// Runs a command that must succeed.
fn command(index: usize, argv: &[String]) -> Result<(), Failure> {
    let failed = |detail| failure(index, argv, detail);
    let output = start(argv).map_err(|error| failed(cannot_run(argv, &error)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [&output.stderr, &output.stdout].map(|bytes| one_line(bytes));
    let said = said.into_iter().find(|text| !text.is_empty());
    Err(failed(said.unwrap_or_else(|| format!("ended with {}", output.status))))
}

/// What a command prints; `None` where it ends with another status than 0.
pub(crate) fn output(argv: &[String]) -> Result<Option<String>, String> {
    let output = start(argv).map_err(|error| cannot_run(argv, &error))?;
    Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn start(argv: &[String]) -> io::Result<std::process::Output> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    // The texts that are read are not to depend on the person's language.
    command.args(arguments).env("PATH", search_path()).env("LC_ALL", "C").stdin(Stdio::null());
    command.output()
}

/// PATH with the folders of the system's tools.
pub(crate) fn search_path() -> OsString {
    let given = std::env::var_os("PATH").unwrap_or_default();
    let system = SYSTEM_FOLDERS.map(Into::into);
    let folders: Vec<_> = std::env::split_paths(&given).chain(system).collect();
    std::env::join_paths(folders).unwrap_or(given)
}

fn cannot_run(argv: &[String], error: &io::Error) -> String {
    let program = argv.first().map(String::as_str).unwrap_or_default();
    match error.kind() {
        io::ErrorKind::NotFound => format!("{program} is not installed"),
        _ => format!("{program} could not be run: {error}"),
    }
}

fn one_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_whole_words() {
        let listed = "\tufw allow from 10.0.0.0/8 to any port 3000 proto tcp comment 'x'\nufw allow 30001/tcp\n";
        assert!(has_line(listed, "ufw allow from 10.0.0.0/8 to any port 3000 proto tcp"), "whatever its comment");
        assert!(!has_line(listed, "ufw allow 3000"), "30001 is another port");
        assert!(!has_line(listed, "allow 30001/tcp"), "the line starts with something else");
    }
}
