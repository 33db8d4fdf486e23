//! Text that must not be seen by accident.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A secret. Has neither `Debug`, `Display` nor `Serialize`, so no log, crash text or answer shows it by accident; its
/// memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over a text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that must hand it to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `presented` is the secret. The time that it takes tells nothing but whether the lengths are equal.
    pub fn matches(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }

    /// The last four characters, by which a person tells one from another.
    pub fn hint(&self) -> &str {
        let start = self.0.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        &self.0[start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_itself_and_nothing_near_it() {
        let secret = Secret::new("cwts_trade_12ab".to_owned());
        assert!(secret.matches("cwts_trade_12ab"), "its owner is let in");
        for other in ["", "cwts_trade_12aB", "cwts_trade_12a", "cwts_trade_12abc", " cwts_trade_12ab"] {
            assert!(!secret.matches(other), "{other:?} is not the secret");
        }
        assert_eq!(secret.hint(), "12ab", "four characters tell tokens apart and give nothing away");
    }
}
