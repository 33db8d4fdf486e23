//! production.toml: values with their lines, and edits that change only what a person changed.
//!
//! An edit replaces the bytes of one value, or adds or takes away one line. Only inline tables are written anew.

use std::path::{Path, PathBuf};

use toml_edit::{Document, DocumentMut, Item, TableLike, Value};

use crate::text::{line_number, line_start, newline, next_line, spliced, with_line};
use crate::value::RawValue;
use crate::{ConfigError, Edit, Key, Layer, Origin, Warning, toml_text};

/// A parsed production.toml.
#[derive(Clone, Debug)]
pub(crate) struct TomlFile {
    path: PathBuf,
    document: Document<String>,
}

impl TomlFile {
    /// Parses the text that `path` holds.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let document = toml_text::parse(path, text)?;
        for (section, _) in Key::ALL.map(Key::section_and_name) {
            if let Some((name, item)) = document.get_key_value(section)
                && !item.is_table_like()
            {
                let line = line_number(text, name.span().map_or(0, |span| span.start));
                let problem = format!("{section} must be a table, [{section}]");
                return Err(ConfigError::Syntax { path: path.to_owned(), line, problem });
            }
        }
        Ok(Self { path: path.to_owned(), document })
    }

    /// The value of a setting.
    pub(crate) fn get(&self, key: Key) -> Option<(RawValue, Origin)> {
        let (name, item) = self.entry(key)?;
        Some((toml_text::raw_value(&self.document, item), self.origin(name)))
    }

    /// Names that are no setting. A table that holds no setting is named once.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let known = Key::ALL.map(Key::section_and_name);
        let mut warnings = Vec::new();
        for (section, item) in self.document.iter() {
            let Some(table) = item.as_table_like().filter(|_| known.iter().any(|it| it.0 == section)) else {
                warnings.extend(self.document.key(section).map(|key| self.unknown(section.to_owned(), key)));
                continue;
            };
            for (name, _) in table.iter().filter(|(name, _)| !known.contains(&(section, *name))) {
                warnings.extend(table.key(name).map(|key| self.unknown(format!("{section}.{name}"), key)));
            }
        }
        warnings.sort_by_key(|warning| warning.origin().line);
        warnings
    }

    /// The text after an edit.
    pub(crate) fn edited(&self, edit: &Edit) -> String {
        let text = self.document.raw();
        match (&edit.value, self.entry(edit.key)) {
            (Some(value), Some((_, item))) => match item.span().filter(|_| item.is_value()) {
                Some(span) => spliced(text, span, &spelled(edit.key, value)),
                None => self.rewritten(edit),
            },
            (Some(value), None) => {
                self.with_entry(edit.key, &spelled(edit.key, value)).unwrap_or_else(|| self.rewritten(edit))
            }
            (None, Some((name, item))) => match (name.span(), item.span()) {
                (Some(start), Some(end)) if item.is_value() && !self.is_inline(edit.key) => {
                    spliced(text, line_start(text, start.start)..next_line(text, end.end), "")
                }
                _ => self.rewritten(edit),
            },
            (None, None) => text.to_owned(),
        }
    }

    fn table(&self, key: Key) -> Option<&dyn TableLike> {
        self.document.get(key.section_and_name().0)?.as_table_like()
    }

    fn entry(&self, key: Key) -> Option<(&toml_edit::Key, &Item)> {
        self.table(key)?.get_key_value(key.section_and_name().1)
    }

    fn is_inline(&self, key: Key) -> bool {
        self.document.get(key.section_and_name().0).is_some_and(Item::is_inline_table)
    }

    fn origin(&self, name: &toml_edit::Key) -> Origin {
        let line = name.span().map(|span| line_number(self.document.raw(), span.start));
        Origin { layer: Layer::Toml, file: Some(self.path.clone()), line, variable: None }
    }

    fn unknown(&self, key: String, name: &toml_edit::Key) -> Warning {
        Warning::UnknownKey { key, origin: self.origin(name) }
    }

    /// The text with one more entry, on a line of its own. `None` where the table's spelling has no place for a line.
    fn with_entry(&self, key: Key, value: &str) -> Option<String> {
        let text = self.document.raw();
        let (section, name) = key.section_and_name();
        let table = match self.document.get(section) {
            Some(Item::Table(table)) if !table.is_implicit() => table,
            Some(Item::Table(table)) if table.is_dotted() => table,
            Some(Item::Table(_)) | None => {
                let gap = if text.is_empty() { "" } else { newline(text) };
                return Some(with_line(
                    text,
                    text.len(),
                    &format!("{gap}[{section}]{}{name} = {value}", newline(text)),
                ));
            }
            Some(_) => return None,
        };
        let last_value = table
            .iter()
            .filter(|(_, item)| item.is_value())
            .filter_map(|(_, item)| item.span())
            .max_by_key(|span| span.end);
        let header = table.span().filter(|_| !table.is_dotted());
        let prefix = if table.is_dotted() { format!("{section}.") } else { String::new() };
        let after = last_value.or(header)?.end;
        Some(with_line(text, next_line(text, after), &format!("{prefix}{name} = {value}")))
    }

    /// The edit made on the document tree, for what lines cannot express. Keeps the content; layout may change.
    fn rewritten(&self, edit: &Edit) -> String {
        let text = self.document.raw();
        let mut document: DocumentMut = self.document.clone().into_mut();
        let (section, name) = edit.key.section_and_name();
        let Some(table) = document.get_mut(section).and_then(Item::as_table_like_mut) else {
            return text.to_owned();
        };
        match &edit.value {
            Some(value) => {
                drop(table.insert(name, spelled(edit.key, value).parse::<Value>().map_or(Item::None, Item::Value)))
            }
            None => drop(table.remove(name)),
        }
        let rewritten = document.to_string();
        if newline(text) == "\n" { rewritten } else { rewritten.replace("\r\n", "\n").replace('\n', "\r\n") }
    }
}

/// A canonical value as TOML spells it.
fn spelled(key: Key, value: &str) -> String {
    match key {
        Key::Port(_) | Key::StartServers => value.to_owned(),
        Key::BindAddr(_) | Key::Auth | Key::Tls | Key::LogLevel | Key::InstanceId => format!("\"{value}\""),
    }
}

#[cfg(test)]
mod tests;
