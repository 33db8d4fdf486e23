//! What works but deserves a look: unwise ports, unknown or repeated names.
//!
//! Nothing here stops a start.

use std::fmt;
use std::ops::RangeInclusive;

use cwts_domain::Service;

use crate::{InstanceId, Key, Origin};

/// Ports that browsers refuse to fetch. Source: WHATWG Fetch Standard, "Port blocking", the table of bad ports.
const BROWSER_BLOCKED: [u16; 83] = [
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Whether browsers refuse to fetch from the port.
pub fn is_browser_blocked(port: u16) -> bool {
    BROWSER_BLOCKED.binary_search(&port).is_ok()
}

/// Why a port that can be bound is still a poor choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortConcern {
    /// Browsers, and clients built on one, refuse to fetch from it.
    BrowserBlocked,
    /// The kernel gives ports of this range to outgoing connections, so it may be taken at the next start.
    Ephemeral {
        /// The kernel's range.
        range: RangeInclusive<u16>,
    },
}

impl fmt::Display for PortConcern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrowserBlocked => f.write_str("is refused by browsers, though not by curl"),
            Self::Ephemeral { range } => write!(
                f,
                "is in the range {}\u{2013}{} that the system gives to outgoing connections, so it may be taken at the next start",
                range.start(),
                range.end()
            ),
        }
    }
}

/// The reason to prefer another port, if there is one. `ephemeral` is the kernel's range, where it is known; see
/// [`Sources::ephemeral_ports`](crate::Sources::ephemeral_ports).
pub fn port_concern(port: u16, ephemeral: Option<&RangeInclusive<u16>>) -> Option<PortConcern> {
    if is_browser_blocked(port) {
        return Some(PortConcern::BrowserBlocked);
    }
    let range = ephemeral.filter(|range| range.contains(&port))?;
    Some(PortConcern::Ephemeral { range: range.clone() })
}

/// Something in the configuration that works but deserves a look. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A file holds a name that is no setting. It is kept.
    UnknownKey {
        /// As the file spells it.
        key: String,
        /// Where it stands.
        origin: Origin,
    },
    /// A file sets a variable again further down; only the last counts.
    Repeated {
        /// The setting.
        key: Key,
        /// The place without effect.
        origin: Origin,
    },
    /// A file names another instance than the one that it belongs to.
    OtherInstance {
        /// The id that the file names.
        named: InstanceId,
        /// The instance that the file belongs to.
        instance: InstanceId,
        /// Where the id stands.
        origin: Origin,
    },
    /// A port works, with a drawback.
    Port {
        /// Whose port.
        service: Service,
        /// The port.
        port: u16,
        /// Where it was set.
        origin: Origin,
        /// The drawback.
        concern: PortConcern,
    },
}

impl Warning {
    /// Where the reason stands.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::UnknownKey { origin, .. }
            | Self::Repeated { origin, .. }
            | Self::OtherInstance { origin, .. }
            | Self::Port { origin, .. } => origin,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { key, origin } => write!(f, "{origin}: {key} is no setting and has no effect."),
            Self::Repeated { key, origin } => {
                write!(f, "{origin}: {} is set again further down; this line has no effect.", key.variable_or_id())
            }
            Self::OtherInstance { named, instance, origin } => write!(
                f,
                "{origin}: the id {named} has no effect in a file of instance {instance}. Start {named} with --instance {named}."
            ),
            Self::Port { service, port, origin, concern } => {
                write!(f, "{origin}: port {port} of {service} {concern}. Choose another one.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blocked_ports_are_in_order() {
        assert!(BROWSER_BLOCKED.is_sorted(), "the binary search finds nothing in a list without order");
    }

    #[test]
    fn the_guides_alternative_10080_is_a_concern() {
        let concern = port_concern(10080, None);
        assert_eq!(concern, Some(PortConcern::BrowserBlocked), "a health page on 10080 opens in no browser");
        assert_eq!(port_concern(8180, Some(&(32768..=60999))), None, "an ordinary port is none");
    }

    #[test]
    fn a_port_of_the_ephemeral_range_is_a_concern() {
        let range = 32768..=60999;
        for port in [32768, 60999] {
            let expected = Some(PortConcern::Ephemeral { range: range.clone() });
            assert_eq!(port_concern(port, Some(&range)), expected, "{port} is inside");
        }
        assert_eq!(port_concern(61000, Some(&range)), None, "the port above the range is outside");
    }
}
