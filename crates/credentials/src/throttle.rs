//! Slows down sources that present wrong tokens, within a fixed memory.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use cwts_domain::Source;

/// Mistakes that cost nothing: a client that was given an old token tries a few times.
const FREE: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A source that was quiet for so long starts anew.
const FORGET: Duration = Duration::from_secs(600);
/// Sources that are remembered; the quietest gives way to a new one.
const SOURCES: usize = 1024;

/// What to answer to a wrong token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is wrong.
    Wrong,
    /// The source has to wait before its next attempt is looked at.
    Wait(Duration),
}

/// Counts the wrong tokens of each source. A right token is never made to wait: it cannot be guessed, and a source may
/// be shared (every program of this computer is one), so one of them must not lock out the others.
#[derive(Debug, Default)]
pub struct Throttle {
    sources: HashMap<Source, Failures>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
    wait_until: Instant,
}

impl Throttle {
    /// Records a wrong token from `source` at `now`.
    pub fn failed(&mut self, source: Source, now: Instant) -> Verdict {
        if !self.sources.contains_key(&source) && self.sources.len() >= SOURCES {
            let quietest = self.sources.iter().min_by_key(|(_, failures)| failures.last).map(|(source, _)| *source);
            quietest.and_then(|source| self.sources.remove(&source));
        }
        let failures = self.sources.entry(source).or_insert(Failures { count: 0, last: now, wait_until: now });
        if now.saturating_duration_since(failures.last) >= FORGET {
            failures.count = 0;
        }
        failures.last = now;
        let left = failures.wait_until.saturating_duration_since(now);
        if !left.is_zero() {
            return Verdict::Wait(left);
        }
        failures.count += 1;
        let over = failures.count.saturating_sub(FREE);
        if over > 0 {
            let wait = FIRST_WAIT.saturating_mul(1 << (over - 1).min(6)).min(LONGEST_WAIT);
            failures.wait_until = now + wait;
        }
        Verdict::Wrong
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn source(bytes: [u8; 4]) -> Source {
        Source::of(IpAddr::from(bytes))
    }

    fn one() -> Source {
        source([192, 168, 1, 77])
    }

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        for _ in 0..FREE {
            assert_eq!(throttle.failed(one(), now), Verdict::Wrong, "a few mistakes cost nothing");
        }
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(throttle.failed(one(), now), Verdict::Wrong, "this attempt was looked at");
            let wait = Duration::from_secs(expected);
            assert_eq!(throttle.failed(one(), now), Verdict::Wait(wait), "the next one has to wait");
            now += wait;
        }
        now += FORGET;
        for _ in 0..FREE {
            assert_eq!(throttle.failed(one(), now), Verdict::Wrong, "a quiet source starts anew");
        }
    }

    #[test]
    fn one_source_does_not_slow_down_another() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..20 {
            throttle.failed(one(), now);
        }
        assert_eq!(throttle.failed(source([192, 168, 1, 78]), now), Verdict::Wrong, "its neighbour has done nothing");
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_stay() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        for number in 0..10_000u32 {
            let now = start + Duration::from_millis(number.into());
            throttle.failed(source(number.to_be_bytes()), now);
            throttle.failed(one(), now);
        }
        assert_eq!(throttle.sources.len(), SOURCES, "a flood of sources must not fill the memory");
        assert!(throttle.sources[&one()].count > FREE, "who tries most is not forgotten for the others");
    }
}
