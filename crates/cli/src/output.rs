//! Standard output, which a reader such as `head` may close early.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// Prints a text and a line break. A reader that has gone away has read enough, which is no failure.
pub(crate) fn print(text: impl Display) -> Result<(), Failure> {
    print_on(text).map(drop)
}

/// The same for a command that goes on printing: false when nobody reads any more.
pub(crate) fn print_on(text: impl Display) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::internal(error)),
    }
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(serde_json::to_string_pretty(value).map_err(Failure::internal)?)
}
