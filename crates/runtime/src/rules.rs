//! What a change of settings must meet before anything is done, and the words about it.

use std::collections::BTreeSet;

use cwts_config::{ConfigError, Edit, Key, Layer, Settings};
use cwts_domain::{ErrorCode, Group, Problem};

use crate::audit::Actor;
use crate::edit::{SaveTarget, SettingsEdit, field};
use crate::instance::Instance;

/// Refuses an edit of somebody who has not seen the latest change.
pub(crate) fn refuse_outdated(expected: u64, now: u64) -> Result<(), Problem> {
    if expected == now {
        return Ok(());
    }
    let message = format!("The settings changed meanwhile (revision {now}, not {expected}).");
    Err(Problem::new(ErrorCode::RevisionConflict, message).with_help("Look at them again and apply."))
}

/// The edits, or why they cannot be.
pub(crate) fn validated(edit: &SettingsEdit, settings: &Settings) -> Result<Vec<Edit>, Problem> {
    let mut seen = BTreeSet::new();
    let mut edits = Vec::new();
    for change in &edit.changes {
        let parsed = change.parse()?;
        let key = parsed.key();
        if !seen.insert(key) {
            let message = format!("{key} is named twice in one change.");
            return Err(Problem::new(ErrorCode::InvalidInput, message).at(field(key)));
        }
        refuse_place(edit.save, key)?;
        refuse_shadowed(edit.save, settings, key)?;
        edits.push(parsed);
    }
    if edits.is_empty() {
        return Err(Problem::new(ErrorCode::InvalidInput, "The change names no setting."));
    }
    Ok(edits)
}

/// Only sockets can change for a while.
fn refuse_place(target: SaveTarget, key: Key) -> Result<(), Problem> {
    if target != SaveTarget::ThisRun || matches!(key, Key::Port(_) | Key::BindAddr(_)) {
        return Ok(());
    }
    let message = format!("{key} does not change while the services run.");
    Err(Problem::new(ErrorCode::InvalidInput, message).at(field(key)).with_help("Save it to production.toml."))
}

/// Refuses to write where a stronger layer would hide what was written.
fn refuse_shadowed(target: SaveTarget, settings: &Settings, key: Key) -> Result<(), Problem> {
    let target = match target {
        SaveTarget::ThisRun => return Ok(()),
        SaveTarget::EnvFile => Layer::EnvFile,
        SaveTarget::Toml => Layer::Toml,
    };
    let setting = settings.get(key);
    let layers = std::iter::once(&setting.origin).chain(setting.shadowed.iter().map(|hidden| &hidden.origin));
    // A value of this run gives way to one that is saved.
    let stronger = layers.filter(|origin| origin.layer != Layer::ThisRun).find(|origin| origin.layer < target);
    let Some(origin) = stronger else { return Ok(()) };
    let name = key.variable().unwrap_or(key.id());
    let help = match origin.layer {
        Layer::Environment => format!("Unset {name} and start again."),
        _ => "Save to ports.env, or remove the line there.".to_owned(),
    };
    let message = format!("{name} is set by {origin}, which is stronger than the file to save to.");
    Err(Problem::new(ErrorCode::Shadowed, message).at(field(key)).with_help(help))
}

/// The problem of an edit, at the field that the person changed.
pub(crate) fn blame(error: ConfigError, edits: &[Edit]) -> Problem {
    let changed = |key: &Key| edits.iter().any(|edit| edit.key() == *key);
    let (code, keys) = match &error {
        ConfigError::SharedPort { services, .. } => {
            let [first, second] = services.each_ref().map(|(service, _)| Key::Port(*service));
            (ErrorCode::InvalidInput, vec![second, first])
        }
        ConfigError::OpenBeyondLoopback { group, .. } => {
            (ErrorCode::InvalidInput, vec![Key::BindAddr(*group), Key::Auth])
        }
        _ => (error.code(), error.key().into_iter().collect()),
    };
    let culprit = keys.iter().find(|key| changed(key)).or(keys.first()).copied();
    let problem = Problem { code, ..Problem::from(error) };
    culprit.map_or(problem.clone(), |key| problem.at(field(key)))
}

/// Records what changed, and who changed it.
pub(crate) fn tell(
    instance: &Instance,
    by: Actor,
    before: &Settings,
    after: &Settings,
    changed: impl IntoIterator<Item = Key>,
) {
    let changed: Vec<Key> = changed.into_iter().collect();
    instance.audit_settings(by, before, after, &changed);
    let verb = if instance.shared().is_running() { "moved" } else { "set" };
    for key in changed {
        let (from, to) = (before.get(key).value, after.get(key).value);
        instance.record(match key {
            Key::Port(service) => format!("{service} {verb} from {from} to {to}"),
            Key::BindAddr(Group::Mcp) => format!("MCP {verb} from {from} to {to}"),
            Key::BindAddr(Group::Monitoring) => format!("Monitoring {verb} from {from} to {to}"),
            _ => format!("{key} set to {to}"),
        });
    }
}
