//! Why a file cannot be played.

use std::io;
use std::path::PathBuf;

use cwts_domain::Timestamp;

use super::Format;

/// Why a file cannot be played, or not on from here.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The system does not let it be read.
    #[error("{} cannot be read: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// As the system says.
        error: io::Error,
    },
    /// A folder, a device or a pipe.
    #[error("{} is no file", path.display())]
    NoFile {
        /// What it is instead is not looked at.
        path: PathBuf,
    },
    /// There is nothing in it.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It is compressed.
    #[error("{} is compressed with {kind}; unpack it first, for example with {tool}", path.display())]
    Compressed {
        /// The file.
        path: PathBuf,
        /// How.
        kind: &'static str,
        /// What unpacks it.
        tool: &'static str,
    },
    /// Two files are played together, and this one holds something else than it should.
    #[error("{} holds {found}; here it must be {wanted}", path.display())]
    NoPair {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: Format,
        /// What can be played together with the other one.
        wanted: Format,
    },
    /// Two files are played together, and they are of different times.
    #[error(
        "{} goes from {from} to {to} and has no moment in common with the trades, from {} to {}",
        path.display(), trades[0], trades[1]
    )]
    OtherTime {
        /// The file of quotes.
        path: PathBuf,
        /// Its first moment.
        from: Timestamp,
        /// Its last one.
        to: Timestamp,
        /// Those of the trades.
        trades: [Timestamp; 2],
    },
    /// A line says what no market does.
    #[error("{}, line {line}: {fault}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        fault: Fault,
    },
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// None of the known layouts.
    #[error(
        "{shown:?} begins no file that can be played, with its {columns} columns; known are trades \
         (id,price,qty,quote_qty,time,is_buyer_maker), book tickers (update_id,best_bid_price,best_bid_qty,\
         best_ask_price,best_ask_qty,transaction_time,event_time) and bars (open_time,open,high,low,close,volume,\
         close_time), with or without this head"
    )]
    Unknown {
        /// Of the line.
        columns: usize,
        /// How it begins.
        shown: String,
    },
    /// More or fewer than the lines before.
    #[error("{found} columns instead of the {expected} of these {format}")]
    Columns {
        /// In this line.
        found: usize,
        /// In the first line.
        expected: usize,
        /// What the file holds.
        format: Format,
    },
    /// A column says what it cannot.
    #[error("{column} is {shown:?}; it {must}")]
    Value {
        /// Its name.
        column: &'static str,
        /// How it begins.
        shown: String,
        /// What is allowed.
        must: &'static str,
    },
    /// It is earlier than the line before.
    #[error("its time {at} is before {before} of the line above; lines must be in the sequence of time")]
    TimeBack {
        /// Of this line.
        at: Timestamp,
        /// Of the line above.
        before: Timestamp,
    },
    /// So long that it cannot be one.
    #[error("the line is longer than 1,024 bytes")]
    LongLine,
}
