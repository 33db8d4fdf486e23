//! What a token allows.

use std::fmt;
use std::str::FromStr;

use cwts_domain::{ErrorCode, Problem};
use serde::Serialize;

/// What a token allows its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everything: the panel and the command line. Alone may resume trading and arm it.
    Owner,
    /// Trading, reading and metrics; may halt trading, not resume it.
    Trade,
    /// Reading accounts, orders and the market.
    Read,
    /// `/metrics` only.
    Metrics,
}

impl Scope {
    /// All, the mightiest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Trade, Self::Read, Self::Metrics];

    /// The word in commands, in tokens and in file names.
    pub fn id(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Trade => "trade",
            Self::Read => "read",
            Self::Metrics => "metrics",
        }
    }

    /// Whether a token of this scope is enough where `needed` is asked for.
    pub fn allows(self, needed: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Trade => needed != Self::Owner,
            Self::Read | Self::Metrics => needed == self,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Scope {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|scope| scope.id() == text);
        found.ok_or_else(|| {
            let message = format!("{text:?} is no scope.");
            Problem::new(ErrorCode::InvalidInput, message).with_help("Use owner, trade, read or metrics.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_allows_what_the_interface_says() {
        let table = [
            (Scope::Owner, [true, true, true, true]),
            (Scope::Trade, [false, true, true, true]),
            (Scope::Read, [false, false, true, false]),
            (Scope::Metrics, [false, false, false, true]),
        ];
        for (held, expected) in table {
            let allowed = Scope::ALL.map(|needed| held.allows(needed));
            assert_eq!(allowed, expected, "{held}, asked for owner, trade, read and metrics");
        }
    }

    #[test]
    fn a_scope_is_read_by_its_word() {
        for scope in Scope::ALL {
            assert_eq!(scope.id().parse(), Ok(scope), "what is printed can be typed");
        }
        let refused = "admin".parse::<Scope>().unwrap_err().to_string();
        assert!(refused.contains("trade"), "the message lists what is allowed: {refused}");
    }
}
