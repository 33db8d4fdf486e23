//! Wrong tokens: how many there were, who presented the latest, and whether somebody goes on trying.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use cwts_credentials::{Throttle, Verdict};
use cwts_domain::{Source, Timestamp};
use serde::{Deserialize, Serialize};

/// Whoever is silent for so long has stopped trying.
const QUIET: Duration = Duration::from_secs(5 * 60);

/// The wrong tokens that were presented since the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedLogins {
    /// How many.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub count: u64,
    /// When the latest was presented, in milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub last_at: Option<i64>,
    /// From where.
    #[cfg_attr(feature = "wire", ts(type = "string | null"))]
    pub last_source: Option<IpAddr>,
}

/// Counts wrong tokens and slows their sources down.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    throttle: Throttle,
    failed: FailedLogins,
    latest: Option<Instant>,
    /// A source had to wait, which takes more than the mistakes of a person, and nobody was silent for long since.
    persistent: bool,
}

impl Logins {
    /// A wrong token came from `source`.
    pub(crate) fn failed(&mut self, source: IpAddr, at: Timestamp, now: Instant) -> Verdict {
        self.persistent &= !self.is_quiet(now);
        self.latest = Some(now);
        let count = self.failed.count + 1;
        self.failed = FailedLogins { count, last_at: Some(at.millis()), last_source: Some(source.to_canonical()) };
        let verdict = self.throttle.failed(Source::of(source), now);
        self.persistent |= matches!(verdict, Verdict::Wait(_));
        verdict
    }

    /// All of them.
    pub(crate) fn so_far(&self) -> FailedLogins {
        self.failed
    }

    /// Whether somebody goes on although slowed down.
    pub(crate) fn go_on(&self, now: Instant) -> bool {
        self.persistent && !self.is_quiet(now)
    }

    fn is_quiet(&self, now: Instant) -> bool {
        self.latest.is_none_or(|latest| now.saturating_duration_since(latest) >= QUIET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn mistakes_are_counted_and_only_persistence_is_an_alarm() {
        let (mut logins, mut now) = (Logins::default(), Instant::now());
        for _ in 0..5 {
            logins.failed(HERE, Timestamp(7_000_000), now);
        }
        assert!(!logins.go_on(now), "a client that was given an old token tries a few times");
        logins.failed(HERE, Timestamp(7_000_000), now);
        assert_eq!(logins.failed(HERE, Timestamp(8_000_000), now), Verdict::Wait(Duration::from_secs(1)), "too many");
        assert!(logins.go_on(now), "somebody goes on although slowed down");
        let expected = FailedLogins { count: 7, last_at: Some(8), last_source: Some(HERE) };
        assert_eq!(logins.so_far(), expected, "those that had to wait count too");
        now += QUIET;
        assert!(!logins.go_on(now), "five minutes of silence end the alarm");
        logins.failed(HERE, Timestamp(9_000_000), now);
        assert!(!logins.go_on(now), "and one more mistake does not raise it anew");
    }

    #[test]
    fn a_mapped_address_is_shown_as_people_know_it() {
        let mut logins = Logins::default();
        let mapped = IpAddr::V6(std::net::Ipv4Addr::new(192, 168, 1, 77).to_ipv6_mapped());
        logins.failed(mapped, Timestamp(0), Instant::now());
        assert_eq!(logins.so_far().last_source, Some([192, 168, 1, 77].into()), "not as ::ffff:192.168.1.77");
    }
}
