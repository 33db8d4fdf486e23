//! Files of an exchange, played as a market: trades, best bid and ask, or bars, in the layouts of public dumps.
//!
//! [`Tape`] reads one line after the other and never holds more than a few of them. Lines are in the sequence of time, so a
//! moment is found by bisection of the file.

mod check;
mod decimal;
mod error;
mod layout;
mod parse;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use cwts_domain::{Instrument, Lots, Side, Ticks, Timestamp};

pub use self::check::{CHECKED_WHOLE, TapeFacts};
pub use self::error::TapeError;
pub use self::layout::Format;
use self::layout::Layout;

/// No line of any layout comes near it.
const LONGEST_LINE: usize = 1024;

/// Something that happened on the market of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, by the file.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Two parties traded.
    Trade {
        /// At which price.
        price: Ticks,
        /// How much; at least one lot.
        quantity: Lots,
        /// Who came in.
        taker_side: Side,
        /// Whether the file says how much was traded at this very price. The points of a bar do not.
        exact: bool,
    },
    /// The best bid and ask are these from now on, each with its size of at least one lot.
    Quote {
        /// Price and size.
        bid: (Ticks, Lots),
        /// Price and size; above the bid.
        ask: (Ticks, Lots),
    },
}

/// A file that is read step by step.
#[derive(Debug)]
pub struct Tape {
    path: PathBuf,
    layout: Layout,
    instrument: Instrument,
    reader: BufReader<File>,
    /// Where the line after the last one that was read begins.
    offset: u64,
    /// Where the first line with data begins.
    start: u64,
    length: u64,
    line: Vec<u8>,
    last: Option<Timestamp>,
    /// Steps of the line that was read last.
    steps: VecDeque<Step>,
}

impl Tape {
    /// Opens a file and finds out what it holds. Blocks.
    ///
    /// # Errors
    /// It cannot be read, is empty or compressed, or has none of the known layouts.
    pub fn open(path: &Path, instrument: Instrument) -> Result<Self, TapeError> {
        let denied = |error| TapeError::Open { path: path.to_owned(), error };
        let file = File::open(path).map_err(denied)?;
        let metadata = file.metadata().map_err(denied)?;
        if !metadata.is_file() {
            return Err(TapeError::NoFile { path: path.to_owned() });
        }
        let mut tape = Self {
            path: path.to_owned(),
            layout: Layout::default(),
            instrument,
            reader: BufReader::with_capacity(1 << 16, file),
            offset: 0,
            start: 0,
            length: metadata.len(),
            line: Vec::with_capacity(256),
            last: None,
            steps: VecDeque::new(),
        };
        tape.find_layout()?;
        tape.rewind()?;
        Ok(tape)
    }

    /// What the file holds.
    pub fn format(&self) -> Format {
        self.layout.format
    }

    /// The next step; `None` at the end of the file.
    ///
    /// # Errors
    /// The line cannot be read, or says what no market does; nothing of it is played.
    pub fn next_step(&mut self) -> Result<Option<Step>, TapeError> {
        while self.steps.is_empty() {
            let from = self.offset;
            if !self.read_line()? {
                return Ok(None);
            }
            if self.line.is_empty() {
                continue;
            }
            let at = parse::line(&self.layout, &self.instrument, &self.line, &mut self.steps)
                .map_err(|fault| self.fault(from, fault))?;
            if self.last.is_some_and(|last| at < last) {
                self.steps.clear();
                let before = self.last.unwrap_or(at);
                return Err(self.fault(from, error::Fault::TimeBack { at, before }));
            }
            self.last = Some(at);
        }
        Ok(self.steps.pop_front())
    }

    /// Goes back to the first line.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub fn rewind(&mut self) -> Result<(), TapeError> {
        self.go_to(self.start)
    }

    /// Goes to the first line at or after a moment; to the end when there is none. Blocks.
    ///
    /// # Errors
    /// The file cannot be read, or a line on the way has no time.
    pub fn seek(&mut self, to: Timestamp) -> Result<(), TapeError> {
        // The first line at or after `to` begins in low..=high.
        let (mut low, mut high) = (self.start, self.length);
        while low < high {
            let middle = low + (high - low) / 2;
            let begin = self.line_after(middle, low)?;
            match self.time_at(begin)? {
                Some(time) if begin < high && time < to => low = self.offset,
                _ => high = middle,
            }
        }
        self.go_to(low)
    }

    fn go_to(&mut self, offset: u64) -> Result<(), TapeError> {
        self.offset = offset;
        (self.last, self.steps) = (None, VecDeque::new());
        self.reader.seek(SeekFrom::Start(offset)).map_err(|error| self.unreadable(error))?;
        Ok(())
    }

    /// The first line that begins at or after `at`, where a line begins at `known`.
    fn line_after(&mut self, at: u64, known: u64) -> Result<u64, TapeError> {
        if at == known {
            return Ok(at);
        }
        self.go_to(at - 1)?;
        self.read_line()?;
        Ok(self.offset)
    }

    /// The time of the line that begins at `offset`, or of the next one that is not empty. Afterwards the tape is behind it.
    fn time_at(&mut self, offset: u64) -> Result<Option<Timestamp>, TapeError> {
        self.go_to(offset)?;
        loop {
            let from = self.offset;
            if !self.read_line()? {
                return Ok(None);
            }
            if !self.line.is_empty() {
                return parse::time(&self.layout, &self.line).map(Some).map_err(|fault| self.fault(from, fault));
            }
        }
    }

    /// Reads a line without its end. `false` at the end of the file.
    fn read_line(&mut self) -> Result<bool, TapeError> {
        self.line.clear();
        let from = self.offset;
        let mut limited = (&mut self.reader).take(LONGEST_LINE as u64);
        let read = limited.read_until(b'\n', &mut self.line).map_err(|error| self.unreadable(error))?;
        self.offset += read as u64;
        if read == LONGEST_LINE && self.line.last() != Some(&b'\n') {
            return Err(self.fault(from, error::Fault::LongLine));
        }
        while self.line.last().is_some_and(u8::is_ascii_whitespace) {
            self.line.pop();
        }
        Ok(read > 0)
    }

    fn unreadable(&self, error: std::io::Error) -> TapeError {
        TapeError::Open { path: self.path.clone(), error }
    }

    /// Names the line of a fault, counted from 1. Reads the file up to there once more: that is rare, and so lines need not
    /// be counted when a person jumps in the file.
    fn fault(&self, offset: u64, fault: error::Fault) -> TapeError {
        let count = || -> std::io::Result<u64> {
            let mut before = BufReader::new(File::open(&self.path)?.take(offset));
            let mut lines = 1;
            loop {
                let part = before.fill_buf()?;
                if part.is_empty() {
                    return Ok(lines);
                }
                lines += part.iter().filter(|byte| **byte == b'\n').count() as u64;
                let length = part.len();
                before.consume(length);
            }
        };
        TapeError::Line { path: self.path.clone(), line: count().unwrap_or_default(), fault }
    }

    fn find_layout(&mut self) -> Result<(), TapeError> {
        let begin = self.reader.fill_buf().map_err(|error| TapeError::Open { path: self.path.clone(), error })?;
        if let Some((kind, tool)) = compression(begin) {
            return Err(TapeError::Compressed { path: self.path.clone(), kind, tool });
        }
        let byte_order_mark = b"\xef\xbb\xbf";
        let from = if begin.starts_with(byte_order_mark) { byte_order_mark.len() as u64 } else { 0 };
        self.go_to(from)?;
        loop {
            let from = self.offset;
            if !self.read_line()? {
                return Err(TapeError::Empty { path: self.path.clone() });
            }
            if !self.line.is_empty() {
                let (layout, is_head) = Layout::of(&self.line).map_err(|fault| self.fault(from, fault))?;
                self.layout = layout;
                self.start = if is_head { self.offset } else { from };
                return Ok(());
            }
        }
    }
}

/// By the first bytes: how a file is compressed, and what unpacks it.
fn compression(begin: &[u8]) -> Option<(&'static str, &'static str)> {
    const KINDS: [(&[u8], &str, &str); 4] = [
        (b"\x1f\x8b", "gzip", "gunzip"),
        (b"PK\x03\x04", "zip", "unzip"),
        (b"\x28\xb5\x2f\xfd", "zstd", "unzstd"),
        (b"\xfd7zXZ", "xz", "unxz"),
    ];
    KINDS.into_iter().find(|(magic, _, _)| begin.starts_with(magic)).map(|(_, kind, tool)| (kind, tool))
}

#[cfg(test)]
mod tests;
