//! ports.env: a file that a shell can source, read as data and never run.
//!
//! An edit changes the bytes of one value or adds one line; everything else stays as it is, byte for byte.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::text::{line_start, newline, next_line, spliced, with_line};
use crate::value::RawValue;
use crate::{ConfigError, Edit, Key, Layer, Origin, Warning};

mod scan;

/// A parsed ports.env.
#[derive(Clone, Debug)]
pub(crate) struct EnvFile {
    path: PathBuf,
    text: String,
    assignments: Vec<Assignment>,
    /// Whether a backslash at the end draws what follows into the last statement.
    continues: bool,
}

/// One `NAME=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Assignment {
    name: String,
    /// After quotes and escapes.
    value: String,
    line: u32,
    /// Where the name starts.
    start: usize,
    /// The value with its quotes.
    value_span: Range<usize>,
}

impl EnvFile {
    /// Parses the text that `path` holds.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let syntax =
            |flaw: scan::Flaw| ConfigError::Syntax { path: path.to_owned(), line: flaw.line, problem: flaw.problem };
        let (assignments, continues) = scan::assignments(text).map_err(syntax)?;
        Ok(Self { path: path.to_owned(), text: text.to_owned(), assignments, continues })
    }

    /// The value of a setting; `None` when it is absent or empty.
    pub(crate) fn get(&self, key: Key) -> Option<(RawValue, Origin)> {
        let last = self.last(key.variable()?).filter(|last| !last.value.is_empty())?;
        Some((RawValue::untyped(&last.value), self.origin(last)))
    }

    /// Names that are no setting, and assignments without effect.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let judge = |(index, it): (usize, &Assignment)| {
            let origin = self.origin(it);
            match Key::of_variable(&it.name) {
                None => Some(Warning::UnknownKey { key: it.name.clone(), origin }),
                Some(key) => {
                    let again = self.assignments[index + 1..].iter().any(|later| later.name == it.name);
                    again.then_some(Warning::Repeated { key, origin })
                }
            }
        };
        self.assignments.iter().enumerate().filter_map(judge).collect()
    }

    /// The text after an edit.
    ///
    /// # Errors
    /// The setting has no variable.
    pub(crate) fn edited(&self, edit: &Edit) -> Result<String, ConfigError> {
        let name = edit.key.variable().ok_or(ConfigError::NoVariable { key: edit.key })?;
        Ok(match &edit.value {
            Some(value) => self.with(name, value),
            None => self.without(name),
        })
    }

    /// The text with the variable set. Keeps `export`, the style of the quotes, comments and line endings.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        match self.last(name) {
            Some(last) => {
                let old = &self.text[last.value_span.clone()];
                spliced(&self.text, last.value_span.clone(), &quoted(value, old))
            }
            None => {
                // Or it would be part of the statement before it.
                let gap = if self.continues { newline(&self.text) } else { "" };
                with_line(&self.text, self.text.len(), &format!("{gap}export {name}={}", quoted(value, "")))
            }
        }
    }

    /// The text without the variable: its lines go. Where a line holds more, the value is emptied instead.
    pub(crate) fn without(&self, name: &str) -> String {
        let mut text = self.text.clone();
        for it in self.assignments.iter().rev().filter(|it| it.name == name) {
            let range = self.own_line(it).unwrap_or_else(|| it.value_span.clone());
            text.replace_range(range, "");
        }
        text
    }

    /// The assignments of other variables, in their order.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn others(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        let others = self.assignments.iter().filter(move |it| it.name != name);
        others.map(|it| (it.name.as_str(), it.value.as_str()))
    }

    /// Whether a value goes over several lines, which may look like comments.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn has_long_values(&self) -> bool {
        self.assignments.iter().any(|it| self.text[it.value_span.clone()].contains('\n'))
    }

    fn last(&self, name: &str) -> Option<&Assignment> {
        self.assignments.iter().rev().find(|it| it.name == name)
    }

    fn origin(&self, it: &Assignment) -> Origin {
        let variable = Some(it.name.clone());
        Origin { layer: Layer::EnvFile, file: Some(self.path.clone()), line: Some(it.line), variable }
    }

    /// The lines of the assignment with their end; `None` when they hold more than it and a comment.
    fn own_line(&self, it: &Assignment) -> Option<Range<usize>> {
        let (start, end) = (line_start(&self.text, it.start), next_line(&self.text, it.value_span.end));
        let before = self.text[start..it.start].trim();
        let after = self.text[it.value_span.end..end].trim();
        let continues = self.text[..start].trim_end_matches(['\r', '\n']).ends_with('\\');
        let alone = (before.is_empty() || before == "export") && (after.is_empty() || after.starts_with('#'));
        (alone && !continues).then_some(start..end)
    }
}

/// The value as a shell word in the style of the old one: single quotes, double quotes, or bare where that is possible.
fn quoted(value: &str, old: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/,@%+-".contains(c);
    if old.starts_with('"') {
        let escape = |c: char| {
            if "\\\"$`".contains(c) { format!("\\{c}") } else { c.to_string() }
        };
        format!("\"{}\"", value.chars().map(escape).collect::<String>())
    } else if old.starts_with('\'') || !value.chars().all(plain) {
        format!("'{}'", value.replace('\'', r"'\''"))
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests;
