//! A log file that does not grow without end: a new one begins after 5 MB or a week, and five old ones are kept for a month.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use cwts_domain::Timestamp;

use super::LogLine;

/// A file is not longer.
const LARGEST: u64 = 5_000_000;
/// Nor does it cover a longer time, in seconds.
const LONGEST: f64 = 7.0 * 86_400.0;
/// Files that are kept beside the one that is written.
const OLD_FILES: usize = 5;
/// For how long.
const OLDEST: Duration = Duration::from_secs(30 * 86_400);

pub(super) struct LogFile {
    path: PathBuf,
    open: Option<Open>,
}

struct Open {
    file: File,
    inode: u64,
    length: u64,
    /// When its first line was written, as far as this process knows.
    since: Timestamp,
}

impl LogFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    pub(super) fn write(&mut self, line: &LogLine, at: Timestamp) -> io::Result<()> {
        let text = format!("{line}\n");
        // A person, or another process of the same instance, may have moved the file away.
        let there = fs::metadata(&self.path).map(|found| found.ino()).ok();
        self.open.take_if(|open| Some(open.inode) != there);
        let open = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(Open::new(&self.path, at)?),
        };
        if open.length > 0 && (open.length + text.len() as u64 > LARGEST || at.seconds_since(open.since) > LONGEST) {
            self.open = None;
            self.rotate()?;
            return self.write(line, at);
        }
        open.length += text.len() as u64;
        open.file.write_all(text.as_bytes())
    }

    /// `x.log` becomes `x.log.1`, and so on; the oldest goes.
    fn rotate(&self) -> io::Result<()> {
        for number in (1..=OLD_FILES).rev() {
            let (old, newer) = (self.numbered(number), self.numbered(number - 1));
            let age = fs::metadata(&newer).and_then(|found| found.modified()).ok();
            let is_too_old =
                age.and_then(|at| SystemTime::now().duration_since(at).ok()).is_some_and(|age| age > OLDEST);
            if number > 1 && is_too_old {
                fs::remove_file(&newer)?;
            } else if newer.exists() {
                fs::rename(&newer, &old)?;
            }
        }
        Ok(())
    }

    fn numbered(&self, number: usize) -> PathBuf {
        match number {
            0 => self.path.clone(),
            number => PathBuf::from(format!("{}.{number}", self.path.display())),
        }
    }
}

impl Open {
    fn new(path: &PathBuf, at: Timestamp) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let found = file.metadata()?;
        let born = found.created().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let since = born.and_then(|since| i64::try_from(since.as_nanos()).ok()).map_or(at, Timestamp);
        Ok(Self { file, inode: found.ino(), length: found.len(), since })
    }
}

#[cfg(test)]
mod tests {
    use cwts_config::LogLevel;

    use super::*;

    fn line(number: u64, text: &str) -> LogLine {
        LogLine::new(number, Timestamp(0), LogLevel::Info, "test", text)
    }

    fn now() -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp(i64::try_from(since.as_nanos()).unwrap())
    }

    #[test]
    fn a_file_ends_by_size_and_five_old_ones_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/default.log");
        let mut log = LogFile::new(path.clone());
        let long = "x".repeat(100_000);
        for number in 0..400 {
            log.write(&line(number, &long), now()).unwrap();
        }
        let mut names: Vec<_> =
            fs::read_dir(path.parent().unwrap()).unwrap().map(|it| it.unwrap().file_name()).collect();
        names.sort();
        let expected =
            ["default.log", "default.log.1", "default.log.2", "default.log.3", "default.log.4", "default.log.5"];
        assert_eq!(names, expected, "40 MB were written, and no more than 30 are kept");
        for name in &names {
            let found = fs::metadata(path.with_file_name(name)).unwrap();
            assert!(found.len() <= LARGEST, "{name:?} has {} bytes", found.len());
            assert_eq!(found.mode() & 0o777, 0o600, "a log is its owner's");
        }
        let newest = fs::read_to_string(&path).unwrap();
        assert!(newest.starts_with("1970-01-01T00:00:00.000Z  INFO test: xxx"), "a file begins with a whole line");
    }

    #[test]
    fn a_file_ends_by_age() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("default.log");
        let mut log = LogFile::new(path.clone());
        let start = now();
        log.write(&line(1, "old"), start).unwrap();
        log.write(&line(2, "still"), Timestamp(start.0 + 6 * 86_400_000_000_000)).unwrap();
        assert!(!folder.path().join("default.log.1").exists(), "six days are no week");
        log.write(&line(3, "new"), Timestamp(start.0 + 8 * 86_400_000_000_000)).unwrap();
        assert!(fs::read_to_string(folder.path().join("default.log.1")).unwrap().contains("still"), "a week is over");
        assert!(fs::read_to_string(&path).unwrap().ends_with("new\n"));
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("default.log");
        let mut log = LogFile::new(path.clone());
        log.write(&line(1, "one"), now()).unwrap();
        fs::rename(&path, folder.path().join("mine.txt")).unwrap();
        log.write(&line(2, "two"), now()).unwrap();
        assert!(fs::read_to_string(&path).unwrap().ends_with("test: two\n"), "logrotate and people do that");
    }
}
