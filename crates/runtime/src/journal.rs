//! The journal of an instance, as a person looks at it: whether it is sound, and what it holds.

use std::path::PathBuf;

use cwts_config::Sources;
use cwts_domain::{AccountId, ErrorCode, Problem};
use cwts_engine::Exchange;
use cwts_journal::inspect;
use serde::Serialize;

use crate::keeper::{REPLAY, journal_file};

/// What a look at a journal has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JournalCheck {
    /// Its file.
    pub path: PathBuf,
    /// Bytes of its files.
    pub bytes: u64,
    /// The last event.
    pub sequence: u64,
    /// Hash of the state from the newest snapshot and the events after it.
    pub state_hash: String,
    /// The same from the oldest snapshot that is kept, with all events since. Until the first snapshot was forgotten this
    /// is a replay from the very first event.
    pub replayed_hash: String,
}

/// What a journal holds of the paper account.
#[derive(Debug)]
pub struct Kept(Exchange);

impl Kept {
    /// The orders that are kept, oldest first, as CSV with a head.
    pub fn orders(&self) -> String {
        let head = "order_id,client_order_id,symbol,side,type,quantity,price,stop_price,status,filled_quantity,\
                    average_price,fees,accepted_at,updated_at";
        let rows = self.0.orders(AccountId::PAPER).filter_map(|order| {
            let of = self.0.market(order.instrument)?.instrument();
            let price = |ticks: Option<_>| ticks.map_or(String::new(), |ticks| of.price(ticks).to_string());
            let average = of.average_price(order.filled_notional, order.filled_quantity);
            let name = order.client_order_id.as_ref().map_or("", |name| &name.0);
            Some([
                order.id.to_string(),
                quoted(name),
                of.symbol.clone(),
                order.side.to_string(),
                order.order_type().to_string(),
                of.quantity(order.quantity).to_string(),
                price(order.limit),
                price(order.stop),
                order.status.id().to_owned(),
                of.quantity(order.filled_quantity).to_string(),
                average.map_or(String::new(), |average| average.to_string()),
                order.fees.amount().to_string(),
                order.accepted_at.to_string(),
                order.updated_at.to_string(),
            ])
        });
        csv(head, rows)
    }

    /// The fills that are kept, oldest first, as CSV with a head.
    pub fn fills(&self) -> String {
        let head = "sequence,order_id,symbol,side,price,quantity,fee,role,at";
        let rows = self.0.fills(AccountId::PAPER).filter_map(|fill| {
            let of = self.0.market(fill.instrument)?.instrument();
            Some([
                fill.sequence.to_string(),
                fill.order_id.to_string(),
                of.symbol.clone(),
                fill.side.to_string(),
                of.price(fill.price).to_string(),
                of.quantity(fill.quantity).to_string(),
                fill.fee.amount().to_string(),
                format!("{:?}", fill.role).to_lowercase(),
                fill.at.to_string(),
            ])
        });
        csv(head, rows)
    }
}

/// Lines without the break after the last one.
fn csv<const COLUMNS: usize>(head: &str, rows: impl Iterator<Item = [String; COLUMNS]>) -> String {
    std::iter::once(head.to_owned()).chain(rows.map(|row| row.join(","))).collect::<Vec<_>>().join("\n")
}

/// A field of CSV (RFC 4180, section 2). A leading `=` and the like would be a formula for a spreadsheet.
fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@']);
    let text = format!("{}{text}", if formula { "'" } else { "" });
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Reads the whole journal of an instance in two ways and compares what they make. Also while it runs. Blocks.
///
/// # Errors
/// There is none, or it is damaged; the problem says where.
pub fn check_journal(sources: &Sources) -> Result<JournalCheck, Problem> {
    let path = file(sources)?;
    let (newest, oldest) = inspect(&path, &REPLAY)?;
    let files = ["db", "db-wal", "mark"].map(|kind| path.with_extension(kind));
    let bytes = files.iter().filter_map(|file| file.metadata().ok()).map(|found| found.len()).sum();
    let hash = |exchange: &Exchange| format!("{:016x}", exchange.state_hash());
    let check = JournalCheck {
        path,
        bytes,
        sequence: newest.sequence(),
        state_hash: hash(&newest),
        replayed_hash: hash(&oldest),
    };
    if check.state_hash != check.replayed_hash {
        let message = format!("The snapshot of {} and its events make different states.", check.path.display());
        return Err(
            Problem::new(ErrorCode::Internal, message).with_help("Keep the file; this is a fault of the program.")
        );
    }
    Ok(check)
}

/// What the journal of an instance holds. Also while it runs. Blocks.
///
/// # Errors
/// There is none, or it is damaged.
pub fn kept(sources: &Sources) -> Result<Kept, Problem> {
    Ok(Kept(inspect(&file(sources)?, &REPLAY)?.0))
}

fn file(sources: &Sources) -> Result<PathBuf, Problem> {
    let path = journal_file(&sources.data());
    if path.exists() {
        return Ok(path);
    }
    let message = format!("Instance {} has no journal at {}.", sources.instance(), path.display());
    Err(Problem::new(ErrorCode::InvalidInput, message)
        .with_help("It is made when the instance is started for the first time."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_column_and_runs_nowhere() {
        assert_eq!(quoted("mine-1"), "mine-1", "most names need nothing");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"", "RFC 4180");
        assert_eq!(quoted("=1+1"), "'=1+1", "a spreadsheet must not compute what a client has sent");
    }
}
