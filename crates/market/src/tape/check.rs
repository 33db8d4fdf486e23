//! A file at a look, and every line of it where that takes moments only.

use std::path::Path;

use cwts_domain::{Instrument, Ticks, Timestamp};

use super::{Format, Happening, Tape, TapeError};

/// Files up to so many bytes are read whole before they are played, so that they are refused before anything happens.
pub const CHECKED_WHOLE: u64 = 256 << 20;

/// What is known of a file before it is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapeFacts {
    /// What it holds.
    pub format: Format,
    /// Its size.
    pub bytes: u64,
    /// Of its first line.
    pub from: Timestamp,
    /// Of its last line.
    pub to: Timestamp,
    /// Steps of the market in it; `None` where it was not read whole.
    pub steps: Option<u64>,
    /// Lowest and highest price; `None` where it was not read whole.
    pub range: Option<(Ticks, Ticks)>,
}

impl TapeFacts {
    /// Looks at a file: at every line up to [`CHECKED_WHOLE`], else at the first and the last. Blocks.
    ///
    /// # Errors
    /// It cannot be played; the error names the line.
    pub fn of(path: &Path, instrument: Instrument) -> Result<Self, TapeError> {
        let mut tape = Tape::open(path, instrument)?;
        let Some(first) = tape.next_step()? else { return Err(TapeError::Empty { path: path.to_owned() }) };
        let mut facts =
            Self { format: tape.format(), bytes: tape.length, from: first.at, to: first.at, steps: None, range: None };
        if tape.length > CHECKED_WHOLE {
            let near_end = tape.line_after(tape.length - 16 * 1024, tape.start)?;
            tape.go_to(near_end)?;
            while let Some(step) = tape.next_step()? {
                facts.to = step.at;
            }
            return Ok(facts);
        }
        let (mut next, mut steps, mut range) = (Some(first), 0, (Ticks(i64::MAX), Ticks::ZERO));
        while let Some(step) = next {
            let (low, high) = match step.what {
                Happening::Trade { price, .. } => (price, price),
                Happening::Quote { bid, ask } => (bid.0, ask.0),
            };
            range = (range.0.min(low), range.1.max(high));
            (facts.to, steps) = (step.at, steps + 1);
            next = tape.next_step()?;
        }
        (facts.steps, facts.range) = (Some(steps), Some(range));
        Ok(facts)
    }
}
