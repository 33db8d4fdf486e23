//! The file of the trail: `data/ID/audit.jsonl`, one JSON object a line, for its owner only.
//!
//! Several programs append to it, each under a lock and with one write. When it is full it becomes `audit.1.jsonl`, what
//! that was becomes `audit.2.jsonl`, and so on; the oldest goes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use cwts_config::Sources;
use cwts_domain::{ErrorCode, Problem, Timestamp};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::{AuditEntry, AuditRecord};

/// A file that is as large makes room for a new one.
const LARGEST: u64 = 1 << 20;
/// Full files that are kept.
const KEPT: usize = 4;
/// The last lines of a file are within so many bytes of its end.
const TAIL: u64 = 64 << 10;
/// Most records of one page.
const PAGE: usize = 500;

/// The trail of one instance.
#[derive(Clone, Debug)]
pub struct Trail {
    path: PathBuf,
}

/// Part of the trail, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditPage {
    /// The records.
    pub records: Vec<AuditRecord>,
    /// Ask for what is older with this; `None` at the end.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub next_cursor: Option<u64>,
}

/// The part of a line that every version of the program writes.
#[derive(Deserialize)]
struct Numbered {
    sequence: u64,
}

impl Trail {
    /// The trail of an instance. Touches nothing.
    pub fn new(sources: &Sources) -> Self {
        Self::in_folder(&sources.data())
    }

    pub(super) fn in_folder(data: &Path) -> Self {
        Self { path: data.join("audit.jsonl") }
    }

    /// Where it lies.
    pub fn file(&self) -> &Path {
        &self.path
    }

    /// Appends a record. Blocks.
    ///
    /// # Errors
    /// The file cannot be written; it is as before.
    pub fn append(&self, entry: &AuditEntry, at: Timestamp) -> Result<(), Problem> {
        self.write(entry, at).map_err(|error| {
            let message = format!("{} cannot be written: {error}.", self.path.display());
            Problem::new(ErrorCode::SaveFailed, message)
        })
    }

    fn write(&self, entry: &AuditEntry, at: Timestamp) -> io::Result<()> {
        let mut file = self.open()?;
        let mut length = file.metadata()?.len();
        let sequence = match last_sequence(&mut file, length)? {
            Some(last) => last + 1,
            None => self.last_of_the_full()?.map_or(1, |last| last + 1),
        };
        if length >= LARGEST {
            self.make_room()?;
            file = self.open()?;
            length = file.metadata()?.len();
        }
        let record = AuditRecord { sequence, at: at.to_string(), entry: entry.clone() };
        let mut line = serde_json::to_string(&record)?;
        line.push('\n');
        if !ends_a_line(&mut file, length)? {
            line.insert(0, '\n');
        }
        let written = file.write_all(line.as_bytes()).and_then(|()| file.sync_data());
        if written.is_err() {
            // What came to lie there of a line would spoil it.
            file.set_len(length)?;
        }
        written
    }

    /// Opens the file, made where it is missing, and holds its lock until it is closed.
    fn open(&self) -> io::Result<File> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        loop {
            let mut options = OpenOptions::new();
            options.read(true).append(true).create(true).mode(0o600);
            let file = options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(&self.path)?;
            file.lock()?;
            // Another program may have made room meanwhile.
            if fs::metadata(&self.path).is_ok_and(|found| found.ino() == file.metadata().map_or(0, |it| it.ino())) {
                if rustix::process::geteuid().is_root() {
                    // Under sudo the file belongs to whoever owns the folder.
                    let owner = fs::metadata(folder)?;
                    fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
                }
                return Ok(file);
            }
        }
    }

    /// The file in use for 0, then those that are full, the newest first.
    fn numbered(&self, number: usize) -> PathBuf {
        if number == 0 { self.path.clone() } else { self.path.with_extension(format!("{number}.jsonl")) }
    }

    fn make_room(&self) -> io::Result<()> {
        for number in (0..KEPT).rev() {
            match fs::rename(self.numbered(number), self.numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn last_of_the_full(&self) -> io::Result<Option<u64>> {
        match File::open(self.numbered(1)) {
            Ok(mut full) => {
                let length = full.metadata()?.len();
                last_sequence(&mut full, length)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// At most `limit` records, and never more than 500, the newest first; with a cursor only what is older. Lines that
    /// are no records are left out. Blocks.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn page(&self, cursor: Option<u64>, limit: usize) -> Result<AuditPage, Problem> {
        let limit = limit.clamp(1, PAGE);
        let mut records = Vec::new();
        for number in 0..=KEPT {
            let path = self.numbered(number);
            let older = |record: &AuditRecord| cursor.is_none_or(|cursor| record.sequence < cursor);
            let mut lines: Vec<AuditRecord> = read(&path).map_err(|error| unreadable(&path, &error))?;
            lines.reverse();
            records.extend(lines.into_iter().filter(older));
            if records.len() > limit {
                break;
            }
        }
        let more = records.len() > limit;
        records.truncate(limit);
        let next_cursor = records.last().filter(|_| more).map(|last| last.sequence);
        Ok(AuditPage { records, next_cursor })
    }

    /// Whether the newest record about the same says the same.
    pub(super) fn tells(&self, entry: &AuditEntry) -> bool {
        let Ok(page) = self.page(None, PAGE) else { return false };
        let newest = page.records.into_iter().find(|it| it.entry.subject == entry.subject);
        newest.is_some_and(|newest| newest.entry.is_same_fact(entry))
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied => ErrorCode::NotPermitted,
        _ => ErrorCode::Internal,
    };
    Problem::new(code, format!("{} cannot be read: {error}.", path.display()))
}

fn read(path: &Path) -> io::Result<Vec<AuditRecord>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let lines: Vec<Vec<u8>> = BufReader::new(file).split(b'\n').collect::<io::Result<_>>()?;
    Ok(lines.iter().filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// The number of the last line that has one.
fn last_sequence(file: &mut File, length: u64) -> io::Result<Option<u64>> {
    let found = last_sequence_from(file, length.saturating_sub(TAIL))?;
    if found.is_some() || length <= TAIL { Ok(found) } else { last_sequence_from(file, 0) }
}

fn last_sequence_from(file: &mut File, start: u64) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let mut numbers = tail.split(|byte| *byte == b'\n').rev();
    Ok(numbers.find_map(|line| serde_json::from_slice::<Numbered>(line).ok()).map(|line| line.sequence))
}

fn ends_a_line(file: &mut File, length: u64) -> io::Result<bool> {
    if length == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::Start(length - 1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use cwts_config::Key;
    use cwts_domain::Service;

    use super::*;
    use crate::audit::Actor;

    fn entry(after: impl Into<String>) -> AuditEntry {
        AuditEntry::setting(Actor::CommandLine, Key::Port(Service::Health), "8080", after)
    }

    fn told(trail: &Trail) -> Vec<(u64, Option<String>)> {
        let records = trail.page(None, PAGE).unwrap().records;
        records.into_iter().map(|record| (record.sequence, record.entry.after)).collect()
    }

    #[test]
    fn records_are_numbered_and_read_newest_first_in_pages() {
        let data = tempfile::tempdir().unwrap();
        let trail = Trail::in_folder(&data.path().join("default"));
        assert_eq!(trail.page(None, 10).unwrap().records, [], "no file is an empty trail");
        for port in 1..=5 {
            Trail::in_folder(&data.path().join("default")).append(&entry(port.to_string()), Timestamp(0)).unwrap();
        }
        let first = trail.page(None, 2).unwrap();
        assert_eq!(first.records.iter().map(|it| it.sequence).collect::<Vec<_>>(), [5, 4], "the newest first");
        let second = trail.page(first.next_cursor, 3).unwrap();
        assert_eq!(second.records.iter().map(|it| it.sequence).collect::<Vec<_>>(), [3, 2, 1], "then what is older");
        assert_eq!(second.next_cursor, None, "and that is all");
        let mode = fs::metadata(trail.file()).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "who did what is for the owner only");
        assert!(trail.tells(&entry("5")), "the newest about the setting");
        assert!(!trail.tells(&entry("4")), "an older value was set again: that is news");
    }

    #[test]
    fn a_full_file_makes_room_and_the_oldest_goes() {
        let data = tempfile::tempdir().unwrap();
        let trail = Trail::in_folder(data.path());
        // A line has it twice and is longer than the tail that is looked at first.
        let long = "x".repeat(TAIL as usize);
        let lines = 9 * (KEPT as u64 + 2);
        for _ in 0..lines {
            trail.append(&entry(long.clone()), Timestamp(0)).unwrap();
        }
        let files = fs::read_dir(data.path()).unwrap().count();
        assert_eq!(files, KEPT + 1, "the trail is bounded");
        let mut cursor = None;
        let mut seen = Vec::new();
        loop {
            let page = trail.page(cursor, 7).unwrap();
            seen.extend(page.records.iter().map(|record| record.sequence));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<u64> = (lines + 1 - seen.len() as u64..=lines).rev().collect();
        assert_eq!(seen, expected, "without a gap through all files");
        assert!(seen.len() > 8 * KEPT && seen.len() < lines as usize, "what is oldest went: {}", seen.len());
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let data = tempfile::tempdir().unwrap();
        let trail = Trail::in_folder(data.path());
        trail.append(&entry("1"), Timestamp(0)).unwrap();
        let mut file = OpenOptions::new().append(true).open(trail.file()).unwrap();
        file.write_all(b"{\"sequence\":2,\"at\":\"20").unwrap();
        trail.append(&entry("3"), Timestamp(0)).unwrap();
        assert_eq!(told(&trail), [(2, Some("3".to_owned())), (1, Some("1".to_owned()))], "a crash costs one line");
    }

    #[test]
    fn several_writers_share_the_file() {
        let data = tempfile::tempdir().unwrap();
        let trail = Trail::in_folder(data.path());
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let trail = &trail;
                scope.spawn(move || {
                    for number in 0..25 {
                        trail.append(&entry(format!("{writer}/{number}")), Timestamp(0)).unwrap();
                    }
                });
            }
        });
        let numbers: Vec<u64> = told(&trail).into_iter().map(|(sequence, _)| sequence).collect();
        assert_eq!(numbers, (1..=100).rev().collect::<Vec<_>>(), "none is lost and none has the number of another");
    }
}
