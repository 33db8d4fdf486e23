//! The file: two tables of a SQLite database in WAL mode with `synchronous = FULL`.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cwts_domain::Event;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use serde::Serialize;

use crate::checksum::checksum;
use crate::codec;
use crate::error::{Fault, JournalError};
use crate::mark::{self, Mark};

/// How events and snapshots are written. Grows with every change of what either of them holds.
pub const FORMAT: i32 = 1;

/// "CWTS", so that `file` and other programs know whose it is.
const APPLICATION: i32 = i32::from_be_bytes(*b"CWTS");

const SCHEMA: &str = "
    CREATE TABLE batch (first INTEGER PRIMARY KEY, events BLOB NOT NULL, checksum INTEGER NOT NULL);
    CREATE TABLE snapshot (sequence INTEGER PRIMARY KEY, state BLOB NOT NULL, checksum INTEGER NOT NULL);
";

/// Snapshots that are kept. With the events since the older one, the newer may be damaged and nothing is lost.
const KEPT_SNAPSHOTS: u32 = 2;

/// A journal that may be written to.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    mark: Mark,
    path: PathBuf,
    /// The last event that is on the disk.
    sequence: u64,
    /// The event of the newest snapshot.
    snapshot: u64,
    bytes: Vec<u8>,
}

impl Journal {
    /// A database that was read to its end.
    pub(crate) fn at_end(connection: Connection, path: &Path, sequence: u64, snapshot: u64) -> Result<Self, Fault> {
        let mark = Mark::open(path)?;
        mark.set(sequence)?;
        Ok(Self { connection, mark, path: path.to_owned(), sequence, snapshot, bytes: Vec::new() })
    }

    /// The last event that is on the disk.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Number of events since the newest snapshot.
    pub fn since_snapshot(&self) -> u64 {
        self.sequence - self.snapshot
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds the next events, all of them or none, and returns when they are on the disk. Blocks for as long as that takes.
    ///
    /// # Errors
    /// Nothing was added. The journal is not to be written any more: [`recover`](crate::recover()) it.
    pub fn append(&mut self, events: &[Event]) -> Result<(), JournalError> {
        self.try_append(events).map_err(|fault| fault.of(&self.path, self.sequence))
    }

    fn try_append(&mut self, events: &[Event]) -> Result<(), Fault> {
        if events.is_empty() {
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        for event in events {
            bytes = codec::push(bytes, event)?;
        }
        let first = self.sequence + 1;
        let mut insert = self.connection.prepare_cached("INSERT INTO batch VALUES (?1, ?2, ?3)")?;
        // One statement is one transaction.
        insert.execute(params![signed(first), bytes, signed(checksum(first, &bytes))])?;
        drop(insert);
        self.bytes = bytes;
        self.sequence += events.len() as u64;
        Ok(self.mark.set(self.sequence)?)
    }

    /// Adds a snapshot of the state after the last event, and forgets the events that no kept snapshot needs.
    ///
    /// # Errors
    /// There is no new snapshot, and nothing else was lost. The journal is not to be written any more.
    pub fn snapshot<S: Serialize>(&mut self, state: &S) -> Result<(), JournalError> {
        let sequence = self.sequence;
        let added = codec::state(state).and_then(|state| add_snapshot(&self.connection, sequence, &state));
        added.map_err(|fault| fault.of(&self.path, sequence))?;
        self.snapshot = sequence;
        Ok(())
    }

    /// Brings everything into the one file. Without it the next start does so.
    ///
    /// # Errors
    /// The files stay as they are; nothing is lost.
    pub fn close(self) -> Result<(), JournalError> {
        let Self { connection, path, sequence, .. } = self;
        let closed = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
        let closed = closed.and_then(|_| connection.close().map_err(|(_, error)| error));
        closed.map_err(|error| Fault::from(error).of(&path, sequence))
    }
}

pub(crate) fn add_snapshot(connection: &Connection, sequence: u64, state: &[u8]) -> Result<(), Fault> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute(
        "INSERT OR REPLACE INTO snapshot VALUES (?1, ?2, ?3)",
        params![signed(sequence), state, signed(checksum(sequence, state))],
    )?;
    transaction.execute(
        "DELETE FROM snapshot WHERE sequence NOT IN (SELECT sequence FROM snapshot ORDER BY sequence DESC LIMIT ?1)",
        [KEPT_SNAPSHOTS],
    )?;
    transaction.execute("DELETE FROM batch WHERE first <= (SELECT min(sequence) FROM snapshot)", [])?;
    Ok(transaction.commit()?)
}

/// A database for reading and writing, new where there was none. Nothing in it has been looked at, and closing it changes
/// nothing in it.
pub(crate) fn open(path: &Path) -> Result<Connection, Fault> {
    // SQLite would make it readable for everyone.
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    drop(file);
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if tables(&connection)? == 0 {
        create(&connection, mark::read(path))?;
    }
    check_format(&connection)?;
    // To switch it on would write to a file whose header is damaged.
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Fault::Damage(format!("its header asks for the journal mode {mode}")));
    }
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

fn create(connection: &Connection, acknowledged: u64) -> Result<(), Fault> {
    // The mark may be all that is left of an older one.
    if acknowledged > 0 {
        return Err(Fault::Damage(format!("event {acknowledged} was acknowledged, and the file is empty")));
    }
    connection.pragma_update(None, "journal_mode", "wal")?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    Ok(transaction.commit()?)
}

/// A database for reading, also while another process writes to it.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, Fault> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    check_format(&connection)?;
    Ok(connection)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Fault> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Of a damaged log, closing would keep the part before the damage and delete the rest.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

fn check_format(connection: &Connection) -> Result<(), Fault> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let found = if number("application_id")? == APPLICATION { number("user_version")? } else { 0 };
    if found == FORMAT { Ok(()) } else { Err(Fault::Format(found)) }
}

fn tables(connection: &Connection) -> Result<i64, Fault> {
    Ok(connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?)
}

/// SQLite knows signed integers only.
pub(crate) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

#[cfg(test)]
mod tests {
    use cwts_domain::OrderId;

    use super::*;
    use crate::{Replay, recover};

    const COUNT: Replay<u64> = Replay { opening: || 0, apply: |count, _| *count += 1, sequence: |count| *count };

    #[test]
    fn a_full_disk_loses_nothing_and_writing_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let mut journal = recover(&path, &COUNT).journal.unwrap();
        let events: Vec<_> = (0..200).map(|id| Event::Rested { order_id: OrderId(u64::MAX - id) }).collect();
        journal.append(&events).unwrap();
        journal.connection.pragma_update(None, "max_page_count", 12).unwrap();
        let refused = (0..1000).find_map(|_| journal.append(&events).err()).expect("twelve pages are soon full");
        assert_eq!(refused, JournalError::Full { path: path.clone() }, "a person must learn what to do");
        let acknowledged = journal.sequence();
        drop(journal);
        let recovered = recover(&path, &COUNT);
        assert_eq!(recovered.state, acknowledged, "what was acknowledged, and nothing of what was refused");
        recovered.journal.unwrap().append(&events).expect("there is room again");
        assert_eq!(recover(&path, &COUNT).state, acknowledged + 200, "and it goes on after what was acknowledged");
    }
}
