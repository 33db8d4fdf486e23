//! A market from its files: one of trades, bars or quotes, or one of trades with the quotes of the same market.

use std::path::{Path, PathBuf};

use cwts_domain::{Instrument, Timestamp};

use crate::tape::{Format, Step, Tape, TapeError, TapeFacts};

/// The files of a market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingFiles {
    /// Trades, bars or a book ticker.
    pub main: PathBuf,
    /// A book ticker of the same market; `main` then holds trades.
    pub quotes: Option<PathBuf>,
}

/// Files that are read step by step, in the sequence of time.
///
/// Of one moment the trade comes first: the size of the quote has it taken off already, so that a queue which counted both
/// would be too short.
#[derive(Debug)]
pub struct Recording {
    main: Tape,
    quotes: Option<Tape>,
    /// Read and not yet given: of `main` and of `quotes`.
    ahead: [Option<Step>; 2],
}

impl Recording {
    /// Opens files that [`RecordingFiles::facts`] has looked at. Blocks.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn open(files: &RecordingFiles, instrument: &Instrument) -> Result<Self, TapeError> {
        let open = |path: &Path| Tape::open(path, instrument.clone());
        let quotes = files.quotes.as_deref().map(open).transpose()?;
        Ok(Self { main: open(&files.main)?, quotes, ahead: [None; 2] })
    }

    /// Whether trades and quotes are played together.
    pub fn has_both(&self) -> bool {
        self.quotes.is_some()
    }

    /// The next step; `None` at the end of all files.
    ///
    /// # Errors
    /// As for [`Tape::next_step`].
    pub fn next_step(&mut self) -> Result<Option<Step>, TapeError> {
        let Some(quotes) = &mut self.quotes else { return self.main.next_step() };
        let [trade, quote] = &mut self.ahead;
        if trade.is_none() {
            *trade = self.main.next_step()?;
        }
        if quote.is_none() {
            *quote = quotes.next_step()?;
        }
        let quote_first = match (&trade, &quote) {
            (Some(trade), Some(quote)) => quote.at < trade.at,
            (trade, _) => trade.is_none(),
        };
        Ok(if quote_first { quote.take() } else { trade.take() })
    }

    /// Goes back to the first lines.
    ///
    /// # Errors
    /// As for [`Tape::rewind`].
    pub fn rewind(&mut self) -> Result<(), TapeError> {
        self.ahead = [None; 2];
        self.main.rewind()?;
        self.quotes.as_mut().map_or(Ok(()), Tape::rewind)
    }

    /// Goes to the first step at or after a moment. Blocks.
    ///
    /// # Errors
    /// As for [`Tape::seek`].
    pub fn seek(&mut self, to: Timestamp) -> Result<(), TapeError> {
        self.ahead = [None; 2];
        self.main.seek(to)?;
        self.quotes.as_mut().map_or(Ok(()), |quotes| quotes.seek(to))
    }
}

impl RecordingFiles {
    /// Looks at the files, see [`TapeFacts::of`]; of two, what both hold together. Blocks.
    ///
    /// # Errors
    /// One cannot be played, two are not trades and a book ticker, or they are of different times.
    pub fn facts(&self, instrument: &Instrument) -> Result<TapeFacts, TapeError> {
        let trades = TapeFacts::of(&self.main, instrument.clone())?;
        let Some(path) = &self.quotes else { return Ok(trades) };
        let quotes = TapeFacts::of(path, instrument.clone())?;
        for (path, found, wanted) in
            [(&self.main, trades.format, Format::Trades), (path, quotes.format, Format::BookTicker)]
        {
            if found != wanted {
                return Err(TapeError::NoPair { path: path.clone(), found, wanted });
            }
        }
        if quotes.from > trades.to || quotes.to < trades.from {
            let (path, from, to) = (path.clone(), quotes.from, quotes.to);
            return Err(TapeError::OtherTime { path, from, to, trades: [trades.from, trades.to] });
        }
        let ranges = trades.range.zip(quotes.range);
        Ok(TapeFacts {
            format: trades.format,
            bytes: trades.bytes + quotes.bytes,
            from: trades.from.min(quotes.from),
            to: trades.to.max(quotes.to),
            steps: trades.steps.zip(quotes.steps).map(|(trades, quotes)| trades + quotes),
            range: ranges.map(|(one, other)| (one.0.min(other.0), one.1.max(other.1))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Happening;

    const TRADES: &str = "1,40000.00,0.5,1,1610064001000,true,true\n2,40001.00,0.5,1,1610064003000,false,true\n";
    const QUOTES: &str =
        "1,40000.00,1,40000.10,1,1610064001000,1610064001000\n2,40000.50,1,40001.00,1,1610064002000,1610064002000\n";

    fn files(folder: &Path, trades: &str, quotes: &str) -> RecordingFiles {
        let (main, beside) = (folder.join("BTCUSDT-trades.csv"), folder.join("BTCUSDT-bookTicker.csv"));
        std::fs::write(&main, trades).unwrap();
        std::fs::write(&beside, quotes).unwrap();
        RecordingFiles { main, quotes: Some(beside) }
    }

    fn kinds(recording: &mut Recording) -> Vec<(i64, char)> {
        let mut kinds = Vec::new();
        while let Some(step) = recording.next_step().unwrap() {
            let kind = if matches!(step.what, Happening::Trade { .. }) { 't' } else { 'q' };
            kinds.push((step.at.millis() - 1_610_064_000_000, kind));
        }
        kinds
    }

    #[test]
    fn two_files_are_one_market_in_the_sequence_of_time() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path(), TRADES, QUOTES);
        let facts = files.facts(&Instrument::btcusd()).unwrap();
        assert_eq!((facts.steps, facts.to.millis()), (Some(4), 1_610_064_003_000), "of both together");
        let mut recording = Recording::open(&files, &Instrument::btcusd()).unwrap();
        let all = [(1_000, 't'), (1_000, 'q'), (2_000, 'q'), (3_000, 't')];
        assert_eq!(kinds(&mut recording), all, "of one moment the trade comes first");
        recording.rewind().unwrap();
        assert_eq!(kinds(&mut recording), all, "once more from the beginning");
        recording.seek(Timestamp(1_610_064_001_500_000_000)).unwrap();
        assert_eq!(kinds(&mut recording), all[2..], "both go to a moment");
    }

    #[test]
    fn what_is_no_pair_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let error =
            |trades, quotes| files(folder.path(), trades, quotes).facts(&Instrument::btcusd()).unwrap_err().to_string();
        assert!(error(QUOTES, QUOTES).contains("trades.csv holds book ticker; here it must be trades"));
        assert!(error(TRADES, TRADES).contains("bookTicker.csv holds trades; here it must be book ticker"));
        let later = QUOTES.replace("161006400", "161106400");
        assert!(error(TRADES, &later).contains("no moment in common"), "they were never one market");
    }
}
