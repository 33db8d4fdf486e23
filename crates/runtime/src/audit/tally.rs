//! What strangers cause is told at once and then summarised, so that nobody can fill the trail.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// At most one entry in this time.
const PERIOD: Duration = Duration::from_secs(10 * 60);

/// Counts what is not told yet.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    untold: u64,
    latest: Option<IpAddr>,
    told: Option<Instant>,
}

impl Tally {
    /// One more, caused from there.
    pub(crate) fn add(&self, source: IpAddr) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.untold += 1;
        state.latest = Some(source.to_canonical());
    }

    /// How many there are to tell, and from where the latest was; `None` while there is nothing, or it is too soon.
    /// `anyhow` does not wait.
    pub(crate) fn take(&self, now: Instant, anyhow: bool) -> Option<(u64, IpAddr)> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = anyhow || state.told.is_none_or(|told| now.saturating_duration_since(told) >= PERIOD);
        let latest = state.latest.filter(|_| is_due && state.untold > 0)?;
        state.told = Some(now);
        Some((std::mem::take(&mut state.untold), latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_a_flood_in_one_entry() {
        let (tally, start) = (Tally::default(), Instant::now());
        let (one, two) = (IpAddr::from([192, 168, 1, 77]), IpAddr::from([192, 168, 1, 78]));
        assert_eq!(tally.take(start, true), None, "silence is nothing to tell");
        tally.add(one);
        assert_eq!(tally.take(start, false), Some((1, one)), "a person learns at once");
        for _ in 0..500 {
            tally.add(two);
        }
        let soon = start + Duration::from_secs(599);
        assert_eq!(tally.take(soon, false), None, "a flood must not push everything else out of the trail");
        assert_eq!(tally.take(start + PERIOD, false), Some((500, two)), "and is told as one");
        tally.add(one);
        assert_eq!(tally.take(start + PERIOD, true), Some((1, one)), "the end of the program waits for nothing");
    }
}
