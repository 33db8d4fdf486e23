//! How long the rungs of a ladder may take, as a person says it.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::Rung;

/// What may be chosen, in seconds.
const RANGE: RangeInclusive<f64> = 0.001..=600.0;

/// A time that a person chose for one rung, or for all that have none of their own.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct Timeout {
    /// Which; `None` for all others.
    pub rung: Option<Rung>,
    /// 0.001 to 600.
    pub seconds: f64,
}

impl Timeout {
    fn limit(self) -> Result<Duration, String> {
        let Self { rung, seconds } = self;
        if RANGE.contains(&seconds) {
            return Ok(Duration::from_secs_f64(seconds));
        }
        let of = rung.map_or(String::new(), |rung| format!(" for {rung}"));
        Err(format!("{seconds} is no time{of}; use {} to {} seconds", RANGE.start(), RANGE.end()))
    }
}

impl FromStr for Timeout {
    type Err = String;

    /// `SECONDS` or `RUNG=SECONDS`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (rung, seconds) = match text.split_once('=') {
            Some((rung, seconds)) => (Some(rung.parse()?), seconds),
            None => (None, text),
        };
        let timeout = Self { rung, seconds: seconds.parse().map_err(|_| not_a_time(seconds))? };
        timeout.limit().map(|_| timeout)
    }
}

fn not_a_time(text: &str) -> String {
    format!("{text:?} is no time; use {} to {} seconds", RANGE.start(), RANGE.end())
}

/// How long each rung may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts([Duration; 6]);

impl Default for Timeouts {
    /// The kernel takes 3 s to find that an address of the local network has nobody.
    fn default() -> Self {
        Self([Duration::from_secs(5); 6])
    }
}

impl Timeouts {
    /// What was chosen, in any order; a rung's own time goes before that of all.
    ///
    /// # Errors
    /// A time is out of range.
    pub fn chosen(choices: &[Timeout]) -> Result<Self, String> {
        let mut times = Self::default();
        for all in choices.iter().filter(|choice| choice.rung.is_none()) {
            times = Self([all.limit()?; 6]);
        }
        for choice in choices {
            if let Some(rung) = choice.rung {
                times.0[rung as usize] = choice.limit()?;
            }
        }
        Ok(times)
    }

    /// How long a rung may take.
    pub fn of(&self, rung: Rung) -> Duration {
        self.0[rung as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(words: &[&str]) -> Result<Timeouts, String> {
        let choices: Result<Vec<Timeout>, String> = words.iter().map(|word| word.parse()).collect();
        Timeouts::chosen(&choices?)
    }

    #[test]
    fn a_rung_keeps_its_own_time_wherever_it_stands() {
        let seconds = |times: Timeouts| Rung::ALL.map(|rung| times.of(rung).as_secs_f64());
        assert_eq!(seconds(chosen(&[]).expect("nothing")), [5.0; 6], "the usual time");
        for words in [["tcp=0.5", "9"], ["9", "tcp=0.5"]] {
            let times = seconds(chosen(&words).expect("two times"));
            assert_eq!(times, [9.0, 0.5, 9.0, 9.0, 9.0, 9.0], "the order of options says nothing: {words:?}");
        }
    }

    #[test]
    fn what_is_no_time_is_told_with_the_range() {
        for word in ["0", "-1", "601", "NaN", "inf", "soon", "", "tcp=", "tcp=0"] {
            let error = chosen(&[word]).expect_err("no time");
            assert!(error.ends_with("is no time; use 0.001 to 600 seconds") || error.contains(" for tcp;"), "{error}");
        }
        assert_eq!(
            chosen(&["dns=1"]).expect_err("no rung"),
            "\"dns\" is no rung; use resolve, tcp, tls, handshake, auth or protocol"
        );
    }
}
