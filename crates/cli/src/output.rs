//! Standard output, which a reader such as `head` may close early.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
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
        Err(error) => Err(Failure::internal(format!("Standard output cannot be written: {error}."))),
    }
}

/// Whether somebody may still read. Who waits for news before the next line would else never learn that a pipe is closed.
pub(crate) fn is_read() -> bool {
    let out = io::stdout();
    let mut ends = [PollFd::new(&out, PollFlags::empty())];
    let looked = poll(&mut ends, Some(&Timespec::default()));
    looked.is_err() || !ends[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(serde_json::to_string_pretty(value).map_err(Failure::internal)?)
}
