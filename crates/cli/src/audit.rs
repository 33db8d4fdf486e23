//! `audit`: who did what to credentials, exposure, firewall and settings; and what this program itself adds to that.

use std::process::ExitCode;

use cwts_config::{Key, Settings, Sources};
use cwts_domain::{Clock as _, SystemClock};
use cwts_runtime::{Actor, AuditEntry, AuditRecord, Trail};

use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(sources: &Sources, limit: usize, as_json: bool) -> Result<ExitCode, Failure> {
    let trail = Trail::new(sources);
    let page = trail.page(None, limit)?;
    if as_json {
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    if page.records.is_empty() {
        print(format!("Nothing is written in {} yet.", trail.file().display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    // A terminal shows the end first.
    let lines: Vec<String> = page.records.iter().rev().map(line).collect();
    print(lines.join("\n"))?;
    if page.next_cursor.is_some() {
        eprintln!("note: older ones are in {}, or use --limit.", trail.file().display());
    }
    Ok(ExitCode::SUCCESS)
}

fn line(record: &AuditRecord) -> String {
    let AuditRecord { at, entry, .. } = record;
    let commands: String = entry.commands.iter().map(|command| format!("\n{:>51}{command}", "")).collect();
    format!("{at}  {:<24} {}{commands}", who(&entry.actor), entry.text)
}

fn who(actor: &Actor) -> String {
    match actor {
        Actor::Panel => "panel".to_owned(),
        Actor::CommandLine => "command line".to_owned(),
        Actor::Rest { scope, from } => format!("REST, {scope}, {from}"),
        Actor::Mcp { scope, from } => format!("MCP, {scope}, {from}"),
        Actor::HandEdit => "hand edit".to_owned(),
        Actor::Program => "program".to_owned(),
    }
}

/// Adds what was done. That it was done matters more than that it is told: a failure is a warning.
pub(crate) fn tell(sources: &Sources, entry: &AuditEntry) {
    if let Err(problem) = Trail::new(sources).append(entry, SystemClock.now()) {
        eprintln!("warning: the audit trail misses this: {problem}");
    }
}

/// Adds each setting that has another value.
pub(crate) fn tell_settings(sources: &Sources, before: &Settings, after: &Settings) {
    for key in Key::ALL {
        let (before, after) = (before.get(key).value, after.get(key).value);
        if before != after {
            tell(sources, &AuditEntry::setting(Actor::CommandLine, key, before, after));
        }
    }
}
