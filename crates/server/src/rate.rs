//! A token bucket for each source of requests.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use cwts_domain::Source;

use crate::limits::RequestLimits;

/// Sources that are remembered; a flood from more is refused as a whole.
const SOURCES: usize = 4096;

/// Buckets of one service. Holds for each source only the moment at which its bucket will be full again (the generic cell
/// rate algorithm, ITU-T I.371).
#[derive(Debug)]
pub(crate) struct RateLimiter {
    limits: RequestLimits,
    full_at: Mutex<HashMap<Source, Instant>>,
}

impl RateLimiter {
    pub(crate) fn new(limits: RequestLimits) -> Self {
        Self { limits, full_at: Mutex::default() }
    }

    /// Takes a token; otherwise tells how long it takes until there is one.
    pub(crate) fn take(&self, source: Source, now: Instant) -> Result<(), Duration> {
        let interval = self.limits.interval();
        let most = interval * self.limits.burst.saturating_sub(1);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= SOURCES && !full_at.contains_key(&source) {
            // A full bucket is as good as none.
            full_at.retain(|_, at| *at > now);
            if full_at.len() >= SOURCES {
                return Err(interval * self.limits.burst);
            }
        }
        let at = full_at.entry(source).or_insert(now);
        let missing = at.saturating_duration_since(now);
        if missing > most {
            return Err(missing - most);
        }
        *at = (*at).max(now) + interval;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LIMITS: RequestLimits = RequestLimits { per_second: 10, burst: 5 };

    fn source(number: u32) -> Source {
        Source::of(Ipv4Addr::from_bits(0x0a00_0000 + number).into())
    }

    fn taken(limiter: &RateLimiter, source: Source, now: Instant) -> usize {
        std::iter::repeat_with(|| limiter.take(source, now)).take_while(Result::is_ok).count()
    }

    #[test]
    fn a_burst_is_followed_by_the_steady_rate() {
        let (limiter, now) = (RateLimiter::new(LIMITS), Instant::now());
        assert_eq!(taken(&limiter, source(1), now), 5, "the burst");
        let wait = limiter.take(source(1), now).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100), "the next token comes after a tenth of a second");
        assert_eq!(limiter.take(source(1), now + wait), Ok(()), "whoever waits as told is served");
        assert_eq!(taken(&limiter, source(1), now + Duration::from_secs(1)), 5, "no more than a burst is saved up");
    }

    #[test]
    fn one_source_does_not_empty_the_bucket_of_another() {
        let (limiter, now) = (RateLimiter::new(LIMITS), Instant::now());
        taken(&limiter, source(1), now);
        assert_eq!(taken(&limiter, source(2), now), 5, "or a flood would lock everybody out");
    }

    #[test]
    fn the_buckets_of_many_sources_take_bounded_memory() {
        let (limiter, now) = (RateLimiter::new(LIMITS), Instant::now());
        let served = (0..2 * SOURCES as u32).filter(|number| limiter.take(source(*number), now).is_ok()).count();
        assert_eq!(served, SOURCES, "the rest of a flood is refused");
        let later = now + Duration::from_secs(1);
        assert_eq!(limiter.take(source(u32::from(u16::MAX)), later), Ok(()), "sources that have left are forgotten");
    }

    #[test]
    fn a_client_that_waits_for_its_answers_never_meets_the_default() {
        let (limiter, start) = (RateLimiter::new(RequestLimits::default()), Instant::now());
        let refused = (0..200_000_u32)
            .find(|number| limiter.take(source(1), start + *number * Duration::from_micros(100)).is_err());
        assert_eq!(refused, None, "0.1 ms is less than any request takes");
    }
}
