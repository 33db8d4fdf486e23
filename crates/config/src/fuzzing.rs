//! What holds of both editors for any file and any edit. Fuzz targets and ordinary tests call the same functions.
//!
//! The first byte of an input chooses the edit, the rest is the file.

use std::path::Path;

use cwts_domain::{Group, Service};
use toml_edit::{Item, TableLike, Value};

use crate::env_file::EnvFile;
use crate::text::BOM;
use crate::toml_file::TomlFile;
use crate::value::RawValue;
use crate::{ConfigError, Edit, Key};

/// Edits ports.env: what is set is read back, and everything else stays.
///
/// # Panics
/// The editor is broken; the message says how.
pub fn env_file(input: &[u8]) {
    let Some((edit, text)) = read(input) else { return };
    let path = Path::new("ports.env");
    let before = match EnvFile::parse(path, text) {
        Ok(file) => file,
        Err(error) => return assert_placed(&error, text),
    };
    let Some(name) = edit.key.variable() else {
        return assert!(before.edited(&edit).is_err(), "{} has no variable, so it cannot be saved there", edit.key);
    };
    let edited = before.edited(&edit).unwrap_or_else(|error| panic!("an edit of what was read: {error}"));
    let after = EnvFile::parse(path, &edited).unwrap_or_else(|error| panic!("{text:?} became {edited:?}: {error}"));
    assert_holds(&edit, after.get(edit.key).map(|it| it.0), text, &edited);
    let others = |file: &EnvFile| file.others(name).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (old, new): (Vec<_>, Vec<_>) = (others(&before), others(&after));
    assert_eq!(old, new, "other variables are nobody's to change: {text:?} became {edited:?}");
    if !before.has_long_values() {
        assert_comments_stay(text, &edited);
    }
}

/// Edits production.toml: what is set is read back, and everything else stays.
///
/// # Panics
/// The editor is broken; the message says how.
pub fn toml_file(input: &[u8]) {
    let Some((edit, text)) = read(input) else { return };
    let path = Path::new("production.toml");
    let before = match TomlFile::parse(path, text) {
        Ok(file) => file,
        Err(error) => return assert_placed(&error, text),
    };
    let edited = before.edited(&edit);
    let after = TomlFile::parse(path, &edited).unwrap_or_else(|error| panic!("{text:?} became {edited:?}: {error}"));
    assert_holds(&edit, after.get(edit.key).map(|it| it.0), text, &edited);
    let (old, new) = (others(&before, edit.key), others(&after, edit.key));
    assert_eq!(old, new, "other entries are nobody's to change: {text:?} became {edited:?}");
    if !before.replaces_lines(edit.key) {
        assert_comments_stay(text, &edited);
    }
}

/// The edit and the file; `None` where the input is no text.
fn read(input: &[u8]) -> Option<(Edit, &str)> {
    let (choice, text) = input.split_first()?;
    let count = u8::try_from(Key::ALL.len()).ok()?;
    let key = Key::ALL[usize::from(choice % count)];
    let values = match key {
        Key::Port(Service::McpWebsocket | Service::McpHttp | Service::Prometheus | Service::Health) => ["1", "65535"],
        Key::BindAddr(Group::Mcp | Group::Monitoring) => ["::1", "0.0.0.0"],
        Key::ConfirmAbove => ["0", "50000"],
        Key::Auth => ["token", "none"],
        Key::Tls => ["off", "on"],
        Key::AllowedHosts => ["", "studio.lan, fd00::1"],
        Key::StartServers => ["true", "false"],
        Key::LogLevel => ["info", "off"],
        Key::InstanceId => ["default", "desk-1"],
    };
    let edit = match values.get(usize::from(choice / count % 3)) {
        Some(value) => Edit::set(key, value).ok()?,
        None => Edit::remove(key),
    };
    Some((edit, std::str::from_utf8(text).ok()?))
}

/// A refusal names a line of the file.
fn assert_placed(error: &ConfigError, text: &str) {
    let ConfigError::Syntax { line, problem, .. } = error else { panic!("a text is read or malformed: {error}") };
    let lines = text.matches('\n').count() + 1;
    assert!((1..=lines).contains(&(*line as usize)), "line {line} of {lines}: {problem}");
    assert!(!problem.contains('\n'), "every error is one line: {problem:?}");
}

fn assert_holds(edit: &Edit, found: Option<RawValue>, text: &str, edited: &str) {
    let found = found.map(|raw| raw.canonical(edit.key));
    let wanted = edit.value().map(|value| Some(value.to_owned()));
    assert_eq!(found, wanted, "what was saved is what is loaded: {text:?} became {edited:?}");
}

/// Every line that is a comment is there afterwards, in the same order.
fn assert_comments_stay(text: &str, edited: &str) {
    let mut left = lines(edited);
    for comment in lines(text).filter(|line| line.trim_start().starts_with('#')) {
        assert!(left.any(|line| line == comment), "{comment:?} is lost: {text:?} became {edited:?}");
    }
}

/// The lines of a text. A carriage return at its end becomes part of a line ending when something follows.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_prefix(BOM).unwrap_or(text).lines().map(|line| line.trim_end_matches('\r'))
}

/// Every value but the one of the key, with its path. Sorted: an entry may stand anywhere in its table.
fn others(file: &TomlFile, except: Key) -> Vec<(String, String)> {
    let mut found = Vec::new();
    leaves(file.root(), "", &mut found);
    let (section, name) = except.section_and_name();
    // The table that an entry makes or leaves behind says nothing by itself.
    let edited = [format!(".{section}"), format!(".{section}.{name}")];
    found.retain(|(path, _)| !edited.contains(path) && !path.starts_with(&format!(".{section}.{name}.")));
    found.sort();
    found
}

fn leaves(table: &dyn TableLike, path: &str, found: &mut Vec<(String, String)>) {
    for (name, item) in table.iter() {
        let path = format!("{path}.{name}");
        match item {
            Item::None => {}
            Item::Value(Value::InlineTable(table)) => {
                found.push((path.clone(), "table".to_owned()));
                leaves(table, &path, found);
            }
            Item::Value(value) => found.push((path, shown(value))),
            Item::Table(table) => {
                found.push((path.clone(), "table".to_owned()));
                leaves(table, &path, found);
            }
            Item::ArrayOfTables(tables) => {
                for (at, table) in tables.iter().enumerate() {
                    found.push((format!("{path}[{at}]"), "table".to_owned()));
                    leaves(table, &format!("{path}[{at}]"), found);
                }
            }
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.value()),
        Value::Integer(number) => number.value().to_string(),
        Value::Float(number) => format!("{:?}", number.value()),
        Value::Boolean(flag) => flag.value().to_string(),
        Value::Datetime(time) => time.value().to_string(),
        Value::Array(items) => format!("{:?}", items.iter().map(shown).collect::<Vec<_>>()),
        Value::InlineTable(table) => {
            let mut found = Vec::new();
            leaves(table, "", &mut found);
            format!("{found:?}")
        }
    }
}
