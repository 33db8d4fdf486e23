//! Reading a journal back into a state.

use std::path::Path;

use cwts_domain::Event;
use rusqlite::Connection;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::checksum::checksum;
use crate::error::{Fault, JournalError};
use crate::store::{Journal, add_snapshot, open, open_to_read, signed};
use crate::{codec, mark};

/// How events make a state.
#[derive(Debug)]
pub struct Replay<S> {
    /// The state before the first event.
    pub opening: fn() -> S,
    /// Changes it by the next event.
    pub apply: fn(&mut S, &Event),
    /// Number of events that it has seen.
    pub sequence: fn(&S) -> u64,
}

/// What a journal holds.
#[derive(Debug)]
pub struct Recovered<S> {
    /// The state after the last sound event. The opening where nothing can be read.
    pub state: S,
    /// Where to go on writing, or why nothing may be written.
    pub journal: Result<Journal, JournalError>,
    /// The newest snapshot is damaged; the one before and the events since have replaced it whole.
    pub repaired: bool,
}

/// Opens a journal, or makes a new one, and reads its state. Blocks. The caller must be the only one who writes.
pub fn recover<S: Serialize + DeserializeOwned>(path: &Path, replay: &Replay<S>) -> Recovered<S> {
    let opened = open(path).and_then(|connection| {
        let is_new = connection.query_row("SELECT count(*) FROM snapshot", [], |row| row.get::<_, i64>(0))? == 0;
        if is_new && mark::read(path) == 0 {
            add_snapshot(&connection, 0, &codec::state(&(replay.opening)())?)?;
        }
        Ok(connection)
    });
    let connection = match opened {
        Ok(connection) => connection,
        Err(fault) => return unread(path, replay, fault),
    };
    let Read { state, from, end, repaired } = match read(&connection, replay, Start::Newest, mark::read(path)) {
        Ok(read) => read,
        Err(fault) => return unread(path, replay, fault),
    };
    let sequence = (replay.sequence)(&state);
    let journal = end.and_then(|()| Journal::at_end(connection, path, sequence, from));
    Recovered { state, journal: journal.map_err(|fault| fault.of(path, sequence)), repaired }
}

fn unread<S>(path: &Path, replay: &Replay<S>, fault: Fault) -> Recovered<S> {
    Recovered { state: (replay.opening)(), journal: Err(fault.of(path, 0)), repaired: false }
}

/// The state that a journal holds, from the newest snapshot and from the oldest one, which is the opening until the first
/// is forgotten. Changes nothing, and may be asked while another process writes.
///
/// # Errors
/// It cannot be read to its end.
pub fn inspect<S: DeserializeOwned>(path: &Path, replay: &Replay<S>) -> Result<(S, S), JournalError> {
    let connection = open_to_read(path).map_err(|fault| fault.of(path, 0))?;
    // Before the events, which only grow; these are of one moment, whatever is written meanwhile.
    let acknowledged = mark::read(path);
    let moment = connection.unchecked_transaction().map_err(|error| Fault::from(error).of(path, 0))?;
    let whole = |start| {
        let Read { state, end, .. } = read(&moment, replay, start, acknowledged).map_err(|fault| fault.of(path, 0))?;
        end.map_err(|fault| fault.of(path, (replay.sequence)(&state)))?;
        Ok(state)
    };
    Ok((whole(Start::Newest)?, whole(Start::Oldest)?))
}

#[derive(Clone, Copy)]
enum Start {
    Newest,
    Oldest,
}

/// What was read.
struct Read<S> {
    state: S,
    /// The event of the snapshot that it began with.
    from: u64,
    /// Whether everything that was acknowledged is in it.
    end: Result<(), Fault>,
    repaired: bool,
}

fn read<S: DeserializeOwned>(
    connection: &Connection,
    replay: &Replay<S>,
    start: Start,
    acknowledged: u64,
) -> Result<Read<S>, Fault> {
    let order = match start {
        Start::Newest => "SELECT sequence, state, checksum FROM snapshot ORDER BY sequence DESC",
        Start::Oldest => "SELECT sequence, state, checksum FROM snapshot ORDER BY sequence",
    };
    let mut statement = connection.prepare(order)?;
    let mut rows = statement.query([])?;
    let (mut repaired, mut why) = (false, Fault::Damage("it has no snapshot".to_owned()));
    while let Some(row) = rows.next()? {
        let (from, bytes, sum): (i64, Vec<u8>, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let from = from.cast_unsigned();
        let restored = match sum == signed(checksum(from, &bytes)) {
            true => codec::restored::<S>(&bytes),
            false => Err(Fault::Damage(format!("the snapshot of event {from} has another checksum"))),
        };
        match restored {
            Ok(mut state) if (replay.sequence)(&state) == from => {
                let end = apply_after(connection, replay, &mut state).and_then(|()| {
                    let sequence = (replay.sequence)(&state);
                    let lost = || Fault::Damage(format!("event {acknowledged} was acknowledged and is missing"));
                    if sequence < acknowledged { Err(lost()) } else { Ok(()) }
                });
                return Ok(Read { state, from, end, repaired });
            }
            Ok(_) => why = Fault::Damage(format!("the snapshot of event {from} is of another one")),
            Err(fault) => why = fault,
        }
        repaired = true;
    }
    Err(why)
}

/// Applies the events after the state. It is left after the last sound batch.
fn apply_after<S>(connection: &Connection, replay: &Replay<S>, state: &mut S) -> Result<(), Fault> {
    let mut statement =
        connection.prepare("SELECT first, events, checksum FROM batch WHERE first > ?1 ORDER BY first")?;
    let mut rows = statement.query([signed((replay.sequence)(state))])?;
    while let Some(row) = rows.next()? {
        let (first, sum): (i64, i64) = (row.get(0)?, row.get(2)?);
        let (first, bytes) = (
            first.cast_unsigned(),
            row.get_ref(1)?.as_blob().map_err(|_| Fault::Damage(format!("event {first} holds no events")))?,
        );
        let next = (replay.sequence)(state) + 1;
        if first != next {
            return Err(Fault::Damage(format!("event {next} is missing, event {first} follows")));
        }
        if sum != signed(checksum(first, bytes)) {
            return Err(Fault::Damage(format!("the record of event {first} has another checksum")));
        }
        codec::each(bytes, |event| (replay.apply)(state, event))?;
    }
    Ok(())
}
