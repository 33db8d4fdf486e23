//! What all TOML files of the configuration have in common: they parse with file and line, and keep spellings.

use std::path::Path;

use toml_edit::{Document, Item, Value};

use crate::ConfigError;
use crate::text::line_number;
use crate::value::{RawValue, Spelling};

/// Parses the text that `path` holds.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Document<String>, ConfigError> {
    Document::parse(text.to_owned()).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        let problem = error.message().replace('\n', "; ");
        ConfigError::Syntax { path: path.to_owned(), line: line_number(text, offset), problem }
    })
}

/// An entry of the document as a value of a setting.
pub(crate) fn raw_value(document: &Document<String>, item: &Item) -> RawValue {
    let shown = match item.span().filter(|_| item.is_value()) {
        Some(span) => document.raw()[span].replace("\r\n", " ").replace('\n', " "),
        None => format!("a {}", item.type_name()),
    };
    let (spelling, text) = match item.as_value() {
        Some(Value::String(text)) => (Spelling::String, text.value().clone()),
        Some(Value::Integer(number)) => (Spelling::Integer, number.value().to_string()),
        Some(Value::Boolean(flag)) => (Spelling::Boolean, flag.value().to_string()),
        _ => (Spelling::Other, shown.clone()),
    };
    RawValue { spelling, text, shown }
}
