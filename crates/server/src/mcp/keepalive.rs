//! Whether the client of a WebSocket is still there, and whether it says anything.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::WebSocketLimits;

/// Frames without a message (pings, pongs, broken text) that a client may send within [`NOISE_PERIOD`].
const NOISE: u32 = 200;
const NOISE_PERIOD: Duration = Duration::from_secs(10);

/// What a silent client is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A ping, which it must answer (RFC 6455 section 5.5.3).
    Ping,
    /// Its end: it answers nothing.
    Close,
}

/// When something last came from a client. Knows no socket.
#[derive(Debug)]
pub(crate) struct Keepalive {
    limits: WebSocketLimits,
    heard: Instant,
    next_ping: Instant,
    /// Nothing is read from the client for its own sake, so its silence means nothing.
    deaf: bool,
    noise_since: Instant,
    noise: u32,
}

impl Keepalive {
    pub(crate) fn new(limits: WebSocketLimits, now: Instant) -> Self {
        Self { limits, heard: now, next_ping: now + limits.ping, deaf: false, noise_since: now, noise: 0 }
    }

    /// A frame came.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.next_ping = now + self.limits.ping;
    }

    /// From now on nothing is read.
    pub(crate) fn stop_listening(&mut self) {
        self.deaf = true;
    }

    /// Frames are read again.
    pub(crate) fn listen(&mut self, now: Instant) {
        if std::mem::take(&mut self.deaf) {
            self.heard(now);
        }
    }

    /// Until when to wait for a frame.
    pub(crate) fn deadline(&self) -> Instant {
        self.next_ping.min(self.heard + self.limits.silence)
    }

    /// What to do when the deadline has passed.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        if now >= self.heard + self.limits.silence {
            return Due::Close;
        }
        self.next_ping = now + self.limits.ping;
        Due::Ping
    }

    /// Counts a frame without a message. Whether these are too many by now.
    pub(crate) fn is_noisy(&mut self, now: Instant) -> bool {
        if now >= self.noise_since + NOISE_PERIOD {
            (self.noise_since, self.noise) = (now, 0);
        }
        self.noise += 1;
        self.noise > NOISE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_silent_client_is_asked_and_then_given_up() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(WebSocketLimits::default(), start);
        for ping in [20, 40] {
            assert_eq!(keepalive.deadline(), start + seconds(ping), "a ping is due");
            assert_eq!(keepalive.due(start + seconds(ping)), Due::Ping, "after {ping} s of silence");
        }
        assert_eq!(keepalive.due(keepalive.deadline()), Due::Close, "after 60 s nobody is there");
    }

    #[test]
    fn whoever_answers_stays() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(WebSocketLimits::default(), start);
        for round in 1..=100 {
            assert_eq!(keepalive.due(keepalive.deadline()), Due::Ping, "round {round}");
            keepalive.heard(start + seconds(20 * round));
        }
    }

    #[test]
    fn a_client_that_is_not_read_is_not_silent() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(WebSocketLimits::default(), start);
        keepalive.stop_listening();
        keepalive.listen(start + seconds(300));
        assert_eq!(keepalive.deadline(), start + seconds(320), "it may have sent much that is still unread");
        keepalive.listen(start + seconds(310));
        assert_eq!(keepalive.deadline(), start + seconds(320), "reading alone is no sign of life");
    }

    #[test]
    fn pings_are_free_until_they_are_a_flood() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(WebSocketLimits::default(), start);
        let flood = (0..1000).position(|_| keepalive.is_noisy(start));
        assert_eq!(flood, Some(NOISE as usize), "each costs an answer");
        let steady = (1..1000).any(|at| keepalive.is_noisy(start + seconds(10 + at)));
        assert!(!steady, "one a second is a careful client");
    }
}
