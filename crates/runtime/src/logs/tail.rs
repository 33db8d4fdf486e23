//! The end of a log file that another process writes, as a [`LogPage`]: lines are numbered by where they begin.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use cwts_config::LogLevel;
use cwts_domain::{ErrorCode, Problem, Timestamp};

use super::{KEPT, LogLine, LogPage, log_folder, log_page};
use crate::instance::Instance;

/// As much of the end is read at once.
const LONGEST: u64 = 2_000_000;

/// The lines of an instance's file from byte `after` on; the end of the file where that is more than two megabytes, or
/// where the file has begun anew. `level` is what is said to be in force. Blocks.
///
/// # Errors
/// The file is there and cannot be read.
fn log_file_page(home: &Path, instance: &str, after: u64, level: &str) -> Result<LogPage, Problem> {
    let file = log_folder(home).join(format!("{instance}.log"));
    let (lines, next) = read(&file, after).map_err(|error| {
        let message = format!("{} cannot be read: {error}.", file.display());
        Problem::new(ErrorCode::Internal, message).with_help("Only the user who runs the instance may read its log.")
    })?;
    let file = file.display().to_string();
    Ok(LogPage { lines, next, file, level: level.to_owned(), problem: None })
}

impl Instance {
    /// The lines from number `after` on that concern the instance; those of its file while another process runs it.
    ///
    /// # Errors
    /// The file of another process cannot be read.
    pub async fn log_page(&self, after: u64) -> Result<LogPage, Problem> {
        let (home, id) = (self.shared().sources.home().to_owned(), self.id().to_owned());
        if self.snapshot().elsewhere.is_none() {
            return Ok(log_page(&home, &id, after));
        }
        let sources = self.shared().sources.clone();
        self.blocking(move || {
            let level = cwts_config::load(&sources).map(|loaded| loaded.settings.log_level.value.to_string());
            log_file_page(&home, &id, after, &level.unwrap_or_default())
        })
        .await
    }
}

fn read(path: &Path, after: u64) -> io::Result<(Vec<LogLine>, u64)> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let wanted = if after > length { 0 } else { after };
    let start = wanted.max(length.saturating_sub(LONGEST));
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    // A line that is being written comes whole with the next look; one that was cut at the start never.
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let mut at = start;
    let mut lines = Vec::new();
    for line in bytes[..end].split_inclusive(|byte| *byte == b'\n') {
        lines.extend(parsed(String::from_utf8_lossy(line).trim_end(), at));
        at += line.len() as u64;
    }
    lines.drain(..lines.len().saturating_sub(KEPT));
    Ok((lines, at))
}

/// `2026-11-24T16:31:00.123Z  INFO net: text`, as [`LogLine`] prints it.
fn parsed(line: &str, sequence: u64) -> Option<LogLine> {
    let (at, rest) = line.split_once(' ')?;
    let at: Timestamp = at.parse().ok()?;
    let (level, rest) = rest.trim_start().split_once(' ')?;
    let (source, text) = rest.split_once(": ")?;
    let levels = [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace];
    let level = levels.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(level))?;
    Some(LogLine::new(sequence, at, level, source, text))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_is_read_to_its_end_and_on_from_there_and_anew_when_it_has_begun_anew() {
        let home = tempfile::tempdir().unwrap();
        let path = log_folder(home.path()).join("desk.log");
        let page = |after| log_file_page(home.path(), "desk", after, "info").unwrap();
        assert_eq!((page(0).lines.len(), page(0).next), (0, 0), "nothing was logged yet");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let line = |text: &str| LogLine::new(0, Timestamp(1_500_000_000_000_000_000), LogLevel::Warn, "net", text);
        fs::write(&path, format!("cut line\n{}\n{}", line("one: two"), line("half"))).unwrap();
        let first = page(0);
        let [only] = &first.lines[..] else { panic!("one whole line: {first:?}") };
        assert_eq!(only.to_string(), line("one: two").to_string(), "as it was written");
        assert_eq!(only.sequence, 9, "numbered by where it begins");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b" of it\n").unwrap();
        let second = page(first.next);
        assert_eq!(
            second.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(),
            ["half of it"],
            "and no line twice"
        );
        fs::write(&path, format!("{}\n", line("new"))).unwrap();
        let third = page(second.next);
        assert!(third.next < second.next && third.lines.len() == 1, "a rotated file begins anew: {third:?}");
    }

    #[test]
    fn of_a_long_file_the_end_is_read() {
        let home = tempfile::tempdir().unwrap();
        let path = log_folder(home.path()).join("desk.log");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let line = LogLine::new(0, Timestamp(0), LogLevel::Info, "activity", &"x".repeat(40));
        fs::write(&path, format!("{line}\n").repeat(40_000)).unwrap();
        let page = log_file_page(home.path(), "desk", 0, "info").unwrap();
        assert_eq!(page.lines.len(), KEPT, "no more than the window keeps");
        assert_eq!(page.next, fs::metadata(&path).unwrap().len(), "up to the end");
    }
}
