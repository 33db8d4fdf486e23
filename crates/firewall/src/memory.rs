//! What this program added to the firewall for one instance, kept so that it can be compared and taken back later.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown, fchown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Change, FirewallError, Outcome, Report, Rule, Source, Task, Tool, Verdict};

/// The file in the data folder of the instance.
const FILE: &str = "firewall.json";

/// The changes that are remembered, oldest first, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    path: PathBuf,
    changes: Vec<Change>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Document {
    /// The argument vectors that were run.
    changes: Vec<Vec<String>>,
}

impl Memory {
    /// What is remembered in the data folder of an instance; nothing where there is no file.
    ///
    /// # Errors
    /// The file cannot be read, or holds a vector that this program does not write.
    pub fn load(folder: &Path) -> Result<Self, FirewallError> {
        let path = folder.join(FILE);
        let unreadable = |reason: String| FirewallError::Unreadable { path: path.clone(), reason };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { path, changes: Vec::new() }),
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let document: Document = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        let changes = document.changes.iter().map(|argv| Change::parse(argv));
        let changes = changes.collect::<Result<_, _>>().map_err(|error| unreadable(error.to_string()))?;
        Ok(Self { path, changes })
    }

    /// The changes.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The changes of a tool for ports and sources; `None` stands for all. A rule that denies everyone else goes with the
    /// last one that allows on its port, since alone it would shut everyone out. A table goes as a whole or not at all.
    pub fn select(&self, tool: Option<Tool>, ports: Option<&[u16]>, sources: Option<&[Source]>) -> Vec<Change> {
        let is_named = |rule: &Rule| {
            let of_source = match rule.source {
                Some(source) => sources.is_none_or(|sources| sources.contains(&source)),
                None => true,
            };
            ports.is_none_or(|ports| ports.contains(&rule.port)) && of_source
        };
        let of_tool = |change: &&Change| tool.is_none_or(|tool| tool == change.tool());
        let staying: Vec<Rule> = self.changes.iter().flat_map(Change::rules).filter(|rule| !is_named(rule)).collect();
        let goes = |rule: &Rule| {
            let is_last = rule.verdict == Verdict::Allow || staying.iter().all(|other| other.port != rule.port);
            is_named(rule) && is_last
        };
        let selected = self.changes.iter().filter(of_tool).filter(|change| change.rules().iter().all(goes));
        selected.cloned().collect()
    }

    /// Takes over what a task did with `changes` and writes it down. What was in place before is not ours and is not
    /// remembered, unless it already was.
    ///
    /// # Errors
    /// The file cannot be read or written. The firewall is as the report says all the same.
    pub fn record(&mut self, task: Task, changes: &[Change], report: &Report) -> Result<(), FirewallError> {
        // Another program may have written since, while a person looked for the password.
        self.changes = Self::load(self.path.parent().unwrap_or(Path::new(".")))?.changes;
        let before = self.changes.clone();
        for (change, outcome) in changes.iter().zip(&report.outcomes) {
            match (task, outcome) {
                (Task::Apply, Outcome::Done | Outcome::LeftBehind) => {
                    // A table of our own takes the place of the one before.
                    self.changes.retain(|known| known.undo() != change.undo());
                    self.changes.push(change.clone());
                }
                (Task::Undo, Outcome::Done | Outcome::Missing) => self.changes.retain(|known| known != change),
                _ => {}
            }
        }
        if self.changes == before { Ok(()) } else { self.save() }
    }

    fn save(&self) -> Result<(), FirewallError> {
        let document = Document { changes: self.changes.iter().map(Change::argv).collect() };
        let text = serde_json::to_string_pretty(&document).map_err(io::Error::from);
        let written = text.and_then(|text| replace(&self.path, &(text + "\n")));
        written.map_err(|source| FirewallError::Unwritable { path: self.path.clone(), source })
    }
}

/// Replaces the file in one step. Under sudo the file belongs to whoever owns the folder, not to root.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    let owner = fs::metadata(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    if rustix::process::geteuid().is_root() {
        fchown(temporary.as_file(), Some(owner.uid()), Some(owner.gid()))?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Creates the folder for the owner of the one above it, which under sudo is not root.
fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().ok_or(io::ErrorKind::NotFound)?;
    create_folder(above)?;
    fs::create_dir(folder)?;
    let owner = fs::metadata(above)?;
    if rustix::process::geteuid().is_root() {
        chown(folder, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Failure;

    fn change(verdict: Verdict, source: Option<&str>, port: u16) -> Change {
        let source = source.map(|text| text.parse().unwrap());
        Change::Ufw { rule: Rule { verdict, source, port }, comment: "CWTS default".parse().unwrap() }
    }

    fn report(outcomes: &[Outcome], failure: Option<Failure>) -> Report {
        Report { outcomes: outcomes.to_vec(), failure, detection: None }
    }

    #[test]
    fn only_what_was_added_is_remembered_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data/default");
        let changes =
            [change(Verdict::Allow, Some("10.0.0.0/8"), 3000), change(Verdict::Allow, Some("10.0.0.0/8"), 3001)];
        let mut memory = Memory::load(&data).unwrap();
        memory.record(Task::Apply, &changes, &report(&[Outcome::Present, Outcome::Done], None)).unwrap();
        assert_eq!(memory.changes(), &changes[1..], "what was there before is the person's");
        assert_eq!(Memory::load(&data).unwrap(), memory, "a later run reads the same");
        memory.record(Task::Undo, &changes, &report(&[Outcome::Present, Outcome::Missing], None)).unwrap();
        assert_eq!(Memory::load(&data).unwrap().changes(), [], "what somebody else removed is gone too");
    }

    #[test]
    fn a_change_that_could_not_be_taken_back_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let changes = [change(Verdict::Allow, None, 3000), change(Verdict::Allow, None, 3001)];
        let mut memory = Memory::load(folder.path()).unwrap();
        let failure = Failure { change: 1, command: "ufw".to_owned(), detail: "no".to_owned() };
        let report = report(&[Outcome::LeftBehind, Outcome::NotDone], Some(failure));
        memory.record(Task::Apply, &changes, &report).unwrap();
        assert_eq!(memory.changes(), &changes[..1], "undo tries it again");
    }

    #[test]
    fn a_denial_goes_with_the_last_permission_of_its_port() {
        let deny = change(Verdict::Deny, None, 3000);
        let (one, two) =
            (change(Verdict::Allow, Some("10.0.0.0/8"), 3000), change(Verdict::Allow, Some("fd00::/8"), 3000));
        let other = change(Verdict::Allow, Some("10.0.0.0/8"), 3001);
        let changes = vec![deny.clone(), one.clone(), two, other.clone()];
        let memory = Memory { path: PathBuf::new(), changes };
        let source: Source = "10.0.0.0/8".parse().unwrap();
        assert_eq!(memory.select(None, None, Some(&[source])), [one, other], "another subnet still needs the denial");
        assert_eq!(memory.select(None, Some(&[3000]), None).len(), 3, "with all permissions the denial goes");
        assert_eq!(memory.select(Some(Tool::Nftables), None, None), [], "nothing of that tool");
        assert!(memory.select(None, None, None).contains(&deny), "no choice means all");
    }
}
