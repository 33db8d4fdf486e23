//! What the guards refused, in rows that a person can read: who, why and how often, the latest last.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use cwts_domain::Timestamp;
use serde::{Deserialize, Serialize};

/// The oldest rows of more are forgotten, so that strangers cannot fill the memory.
const ROWS: usize = 128;
/// Rows end with it. The offset of every time zone is a multiple, so that no row reaches from one day into the next.
const QUARTER_MILLIS: i64 = 15 * 60 * 1000;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// Too many requests in a second.
    Rate,
    /// Another computer, which is not served, or not in plain text.
    Remote,
    /// Not exactly one valid Host.
    BadHost,
    /// A Host that is no name of this computer.
    Host,
    /// A page of somebody else.
    Origin,
    /// No token.
    TokenMissing,
    /// A wrong token, or several.
    Token,
    /// A token that does not allow it.
    Scope,
}

impl RefusalReason {
    /// The label of the metric.
    pub fn id(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Remote => "remote",
            Self::BadHost => "bad_host",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::TokenMissing => "token_missing",
            Self::Token => "token",
            Self::Scope => "scope",
        }
    }
}

/// Refusals of one source for one reason within a quarter of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct Refused {
    /// When the latest was, in milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub at: i64,
    /// Who.
    #[cfg_attr(feature = "wire", ts(type = "string"))]
    pub source: IpAddr,
    /// Why.
    pub reason: RefusalReason,
    /// How often.
    pub count: u32,
}

/// The latest rows.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<VecDeque<Refused>>);

impl Refusals {
    pub(crate) fn add(&self, source: IpAddr, reason: RefusalReason, at: Timestamp) {
        let (at, source) = (at.millis(), source.to_canonical());
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let quarter = |millis: i64| millis.div_euclid(QUARTER_MILLIS);
        let of_this_quarter = |row: &&mut Refused| quarter(row.at) == quarter(at);
        let mut recent = rows.iter_mut().rev().take_while(of_this_quarter);
        match recent.find(|row| (row.source, row.reason) == (source, reason)) {
            Some(row) => (row.at, row.count) = (at, row.count.saturating_add(1)),
            None => {
                if rows.len() >= ROWS {
                    rows.pop_front();
                }
                rows.push_back(Refused { at, source, reason, count: 1 });
            }
        }
    }

    /// All rows, the latest first.
    pub(crate) fn rows(&self) -> Vec<Refused> {
        let mut rows: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.at));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp(millis * 1_000_000)
    }

    #[test]
    fn who_goes_on_is_one_row_until_the_quarter_ends() {
        let (refusals, one, two) = (Refusals::default(), [192, 168, 1, 77].into(), [192, 168, 1, 78].into());
        for millis in [1_000, 2_000, 4_000] {
            refusals.add(one, RefusalReason::Token, at(millis));
        }
        refusals.add(two, RefusalReason::Origin, at(3_000));
        let rows = refusals.rows();
        assert_eq!(rows[0], Refused { at: 4_000, source: one, reason: RefusalReason::Token, count: 3 }, "{rows:?}");
        assert_eq!((rows[1].source, rows[1].count, rows.len()), (two, 1, 2), "{rows:?}");
        refusals.add(one, RefusalReason::Token, at(QUARTER_MILLIS));
        assert_eq!(refusals.rows().len(), 3, "midnight of any zone is the end of a quarter");
    }

    #[test]
    fn a_flood_of_sources_is_bounded() {
        let refusals = Refusals::default();
        for last in 0..1000_u32 {
            refusals.add(IpAddr::from(last.to_be_bytes()), RefusalReason::Remote, at(0));
        }
        assert_eq!(refusals.rows().len(), ROWS, "the oldest go");
    }
}
