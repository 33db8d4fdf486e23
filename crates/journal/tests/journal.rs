//! A journal gives back what was acknowledged, or says that it cannot; it never gives back less without a word.

use std::fs;
use std::path::{Path, PathBuf};

use cwts_domain::{AccountId, Event, InstrumentId, Link, Lots, OrderId, PlaceOrder, Side, Ticks, Timestamp};
use cwts_journal::{Journal, JournalError, Recovered, Replay, inspect, recover};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// Remembers every event, as an exchange would by what it does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tape(Vec<Event>);

const REPLAY: Replay<Tape> = Replay {
    opening: Tape::default,
    apply: |tape, event| tape.0.push(event.clone()),
    sequence: |tape| tape.0.len() as u64,
};

fn event(number: u64) -> Event {
    let order = PlaceOrder::limit(AccountId::PAPER, InstrumentId(0), Side::Buy, Lots(5), Ticks(6_400_000));
    Event::Accepted { order_id: OrderId(number), order, link: Link::None, at: Timestamp(number as i64) }
}

fn events(from: u64, to: u64) -> Vec<Event> {
    (from..=to).map(event).collect()
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder and a journal of this test"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("journal.db")
    }

    fn recover(&self) -> Recovered<Tape> {
        recover(&self.path(), &REPLAY)
    }

    fn open(&self) -> Journal {
        self.recover().journal.expect("a folder and a journal of this test")
    }

    /// Twelve events in three batches and what they make.
    fn written(&self) -> (Journal, Tape) {
        let mut journal = self.open();
        for (from, to) in [(1, 1), (2, 9), (10, 12)] {
            journal.append(&events(from, to)).expect("a folder and a journal of this test");
        }
        (journal, Tape(events(1, 12)))
    }

    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let names = fs::read_dir(self.0.path())
            .expect("a folder and a journal of this test")
            .map(|entry| entry.expect("a folder and a journal of this test").path());
        // SQLite makes the index of its log anew.
        let mut paths: Vec<_> = names.filter(|path| !path.to_string_lossy().ends_with("-shm")).collect();
        paths.sort();
        paths
            .into_iter()
            .map(|path| (path.clone(), fs::read(path).expect("a folder and a journal of this test")))
            .collect()
    }
}

fn flip(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).expect("a folder and a journal of this test");
    bytes[offset] ^= 0x10;
    fs::write(path, bytes).expect("a folder and a journal of this test");
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash() {
    let folder = Folder::new();
    let (journal, tape) = folder.written();
    // Dropping brings nothing into the file that the acknowledgement did not.
    drop(journal);
    let recovered = folder.recover();
    assert_eq!(recovered.state, tape, "every event that was acknowledged counts");
    let mut journal = recovered.journal.expect("nothing is wrong with it");
    assert_eq!(journal.sequence(), 12, "the next event is the thirteenth");
    journal.append(&events(13, 13)).unwrap();
    journal.close().unwrap();
    assert_eq!(folder.recover().state, Tape(events(1, 13)), "and it goes on from there");
}

#[test]
fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let _written = folder.written();
    for (path, _) in folder.files() {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} tells what somebody trades", path.display());
    }
}

#[test]
fn snapshots_bound_the_file_and_change_nothing() {
    let folder = Folder::new();
    let mut tape = Tape::default();
    let mut journal = folder.open();
    for batch in 0..60 {
        tape.0.extend(events(batch * 5 + 1, batch * 5 + 5));
        journal.append(&tape.0[batch as usize * 5..]).unwrap();
        if batch % 10 == 9 {
            journal.snapshot(&tape).unwrap();
            assert_eq!(journal.since_snapshot(), 0, "it counts from the newest one");
        }
    }
    journal.append(&events(301, 302)).unwrap();
    journal.close().unwrap();
    tape.0.extend(events(301, 302));
    let recovered = folder.recover();
    assert_eq!(recovered.state, tape, "snapshot and tail make the whole");
    assert_eq!(recovered.journal.unwrap().since_snapshot(), 2, "only the tail was applied");
    let (newest, oldest) = inspect(&folder.path(), &REPLAY).unwrap();
    assert_eq!((newest, oldest), (tape.clone(), tape), "both snapshots lead to the same state");
    let connection = rusqlite::Connection::open(folder.path()).unwrap();
    let kept: (i64, i64) = connection
        .query_row("SELECT (SELECT count(*) FROM snapshot), (SELECT min(first) FROM batch)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(kept, (2, 251), "events before the older of two snapshots are forgotten");
}

#[test]
fn a_damaged_snapshot_costs_nothing() {
    let folder = Folder::new();
    let (mut journal, tape) = folder.written();
    journal.snapshot(&tape).unwrap();
    journal.close().unwrap();
    let connection = rusqlite::Connection::open(folder.path()).unwrap();
    connection.execute("UPDATE snapshot SET checksum = checksum + 1 WHERE sequence = 12", []).unwrap();
    connection.close().unwrap();
    let recovered = folder.recover();
    assert_eq!((recovered.state, recovered.repaired), (tape, true), "the snapshot before it and the events are there");
    recovered.journal.expect("everything is known, so that trading can go on");
}

#[test]
fn a_flipped_byte_is_never_swallowed() {
    for closed in [true, false] {
        let folder = Folder::new();
        let (journal, tape) = folder.written();
        match closed {
            true => journal.close().unwrap(),
            false => drop(journal),
        }
        let (mut refused, sound) = (0, folder.files());
        for (path, bytes) in &sound {
            // Every byte of the header, then one here and there.
            for offset in (0..bytes.len().min(100)).chain((100..bytes.len()).step_by(89)) {
                sound.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
                flip(path, offset);
                let damaged = folder.files();
                let Recovered { state, journal, .. } = folder.recover();
                let place = format!("byte {offset} of {}", path.display());
                match journal {
                    Ok(_) => assert!(state == tape, "{place}: writing goes on only where nothing is missing"),
                    Err(error) => {
                        assert!(tape.0.starts_with(&state.0), "{place}: what is shown is what was, up to the damage");
                        assert!(
                            !error.to_string().is_empty() && !error.help().is_empty(),
                            "a person must know what to do"
                        );
                        let touched = damaged.iter().find(|(path, bytes)| fs::read(path).ok().as_ref() != Some(bytes));
                        let touched = touched.map(|(path, _)| path);
                        assert_eq!(touched, None, "{place}: nothing that could still be rescued is touched");
                        refused += 1;
                    }
                }
            }
        }
        assert!(refused > 20, "{refused} of the flips have hit something that counts");
    }
}

#[test]
fn a_lost_log_is_noticed() {
    let folder = Folder::new();
    let (journal, _) = folder.written();
    drop(journal);
    fs::remove_file(folder.path().with_extension("db-wal")).unwrap();
    let error = folder.recover().journal.unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "an account that traded must not begin anew: {error}");
}

#[test]
fn events_that_are_missing_in_the_middle_are_noticed() {
    let folder = Folder::new();
    folder.written().0.close().unwrap();
    let connection = rusqlite::Connection::open(folder.path()).unwrap();
    connection.execute("DELETE FROM batch WHERE first = 2", []).unwrap();
    connection.close().unwrap();
    let recovered = folder.recover();
    let error = recovered.journal.unwrap_err();
    assert!(matches!(error, JournalError::Damaged { sequence: 1, .. }), "{error}");
    assert_eq!(recovered.state, Tape(events(1, 1)), "what came before can be read");
}

#[test]
fn a_file_of_another_program_or_version_is_left_alone() {
    let folder = Folder::new();
    folder.written().0.close().unwrap();
    let connection = rusqlite::Connection::open(folder.path()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    connection.close().unwrap();
    let error = folder.recover().journal.unwrap_err();
    assert!(matches!(error, JournalError::Format { found: 99, .. }), "{error}");
    fs::write(folder.path(), "This is no database, but a text that somebody has put here.").unwrap();
    let error = folder.recover().journal.unwrap_err();
    assert!(matches!(error, JournalError::Format { found: 0, .. }), "{error}");
    let text = fs::read_to_string(folder.path()).unwrap();
    assert!(text.starts_with("This is no database"), "nobody's file is overwritten");
}

#[test]
fn a_folder_that_is_missing_is_told() {
    let folder = Folder::new();
    let path = folder.path().join("below/journal.db");
    let error = recover(&path, &REPLAY).journal.unwrap_err();
    assert!(matches!(error, JournalError::Unusable { .. }), "{error}");
}
