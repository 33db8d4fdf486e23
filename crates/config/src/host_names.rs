//! The names that clients may use for this computer.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// RFC 1035 section 2.3.4.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// DNS names and addresses in lower case, each once, in the order in which they were given. As text, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "wire", ts(type = "string"))]
pub struct HostNames(Vec<String>);

/// A name among them is none: it has a scheme, a port, a wildcard or a character that no name has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of DNS names and addresses")]
pub struct NoHostNames;

impl HostNames {
    /// The names, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for HostNames {
    type Err = NoHostNames;

    fn from_str(text: &str) -> Result<Self, NoHostNames> {
        let mut names: Vec<String> = Vec::new();
        for name in text.split([',', ' ']).filter(|name| !name.is_empty()) {
            let name = name.to_ascii_lowercase();
            if !is_name(&name) {
                return Err(NoHostNames);
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(Self(names))
    }
}

/// An address, or a name whose last label is no number, which a browser would take for an address (URL standard, "ends in
/// a number checker").
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=LONGEST_LABEL).contains(&label.len()) && label.bytes().all(known)
    };
    let ends_in_number = text.rsplit('.').next().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    text.parse::<IpAddr>().is_ok() || text.len() <= LONGEST_NAME && !ends_in_number && text.split('.').all(is_label)
}

impl fmt::Display for HostNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.join(", "))
    }
}

impl Serialize for HostNames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HostNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_taken_in_lower_case_and_once() {
        let names: HostNames = " Studio.LAN,bot_1.lan  studio.lan, 192.168.1.20,fd00::1".parse().unwrap();
        assert_eq!(names.to_string(), "studio.lan, bot_1.lan, 192.168.1.20, fd00::1", "as a person types them");
        assert_eq!("".parse::<HostNames>().unwrap(), HostNames::default(), "none is a choice");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "a".repeat(64);
        for text in ["*.lan", "http://studio.lan", "studio.lan:3000", "studio.lan.", "[::1]", "a..b", "1.2.3", &long] {
            assert_eq!(text.parse::<HostNames>(), Err(NoHostNames), "{text:?} would match nothing, or too much");
        }
    }
}
