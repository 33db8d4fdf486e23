//! production.toml: values with their lines, and edits that change only what a person changed.
//!
//! An edit replaces the bytes of one value, or adds or takes away one line. Only inline tables are written anew.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::{Document, DocumentMut, Item, Table, TableLike, Value};

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
        let (text, key) = (self.document.raw(), edit.key);
        if let Some(rewritten) = self.with_inline_table(edit) {
            return rewritten;
        }
        match (&edit.value, self.entry(key)) {
            (Some(value), Some((_, item))) => match item.span().filter(|_| item.is_value()) {
                Some(span) => spliced(text, span, &spelled(key, value)),
                None => self.with_table_replaced(edit),
            },
            (Some(value), None) => self.with_entry(key, &spelled(key, value)),
            (None, Some((name, item))) => match (name.span(), item.span().filter(|_| item.is_value())) {
                (Some(start), Some(end)) => spliced(text, line_start(text, start.start)..next_line(text, end.end), ""),
                _ => self.with_table_replaced(edit),
            },
            (None, None) => text.to_owned(),
        }
    }

    /// The whole file as a table.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn root(&self) -> &dyn TableLike {
        self.document.as_table()
    }

    /// Whether an edit of the setting replaces more than a line: a long value, an inline table, or a table in its place.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn replaces_lines(&self, key: Key) -> bool {
        let section = self.document.get(key.section_and_name().0).filter(|item| item.is_inline_table());
        let replaced = section.or_else(|| self.entry(key).map(|(_, item)| item));
        let span = replaced.filter(|item| item.is_value()).and_then(Item::span);
        replaced.is_some() && span.is_none_or(|span| self.document.raw()[span].contains('\n'))
    }

    fn table(&self, key: Key) -> Option<&dyn TableLike> {
        self.document.get(key.section_and_name().0)?.as_table_like()
    }

    fn entry(&self, key: Key) -> Option<(&toml_edit::Key, &Item)> {
        self.table(key)?.get_key_value(key.section_and_name().1)
    }

    fn origin(&self, name: &toml_edit::Key) -> Origin {
        let line = name.span().map(|span| line_number(self.document.raw(), span.start));
        Origin { layer: Layer::Toml, file: Some(self.path.clone()), line, variable: None }
    }

    fn unknown(&self, key: String, name: &toml_edit::Key) -> Warning {
        Warning::UnknownKey { key, origin: self.origin(name) }
    }

    /// The text with one more entry, on a line of its own.
    fn with_entry(&self, key: Key, value: &str) -> String {
        let text = self.document.raw();
        let (section, name) = key.section_and_name();
        let table = self.document.get(section).and_then(Item::as_table);
        let dotted = table.filter(|table| table.is_dotted());
        let header = table.filter(|table| !table.is_dotted() && !table.is_implicit());
        let last = dotted.or(header).and_then(last_value).or_else(|| header?.span());
        match last {
            Some(span) => {
                let prefix = if dotted.is_some() { format!("{section}.") } else { String::new() };
                with_line(text, next_line(text, span.end), &format!("{prefix}{name} = {value}"))
            }
            None => {
                let newline = newline(text);
                let gap = if text.is_empty() { "" } else { newline };
                with_line(text, text.len(), &format!("{gap}[{section}]{newline}{name} = {value}"))
            }
        }
    }

    /// The text with the inline table of the setting written anew; `None` where there is none to change.
    fn with_inline_table(&self, edit: &Edit) -> Option<String> {
        let (section, name) = edit.key.section_and_name();
        let span = self.document.get(section).filter(|item| item.is_inline_table())?.span()?;
        let mut document = self.document.clone().into_mut();
        let table = document.get_mut(section)?.as_inline_table_mut()?;
        match &edit.value {
            Some(value) => drop(table.insert(name, spelled(edit.key, value).parse().ok()?)),
            None => drop(table.remove(name)?),
        }
        table.decor_mut().clear();
        Some(spliced(self.document.raw(), span, &table.to_string()))
    }

    /// The edit where a whole table stands in the place of the value. It goes; layout may change.
    fn with_table_replaced(&self, edit: &Edit) -> String {
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
        document.to_string()
    }
}

/// Where the last value of a table ends that stands below its header, or in its dotted keys.
fn last_value(table: &Table) -> Option<Range<usize>> {
    let span = |item: &Item| match item {
        Item::Value(_) => item.span(),
        Item::Table(inner) if inner.is_dotted() => last_value(inner),
        _ => None,
    };
    table.iter().filter_map(|(_, item)| span(item)).max_by_key(|span| span.end)
}

/// A canonical value as TOML spells it.
fn spelled(key: Key, value: &str) -> String {
    match key {
        Key::Port(_) | Key::ConfirmAbove | Key::StartServers => value.to_owned(),
        Key::BindAddr(_) | Key::Auth | Key::Tls | Key::AllowedHosts | Key::LogLevel | Key::InstanceId => {
            format!("\"{value}\"")
        }
    }
}

#[cfg(test)]
mod tests;
