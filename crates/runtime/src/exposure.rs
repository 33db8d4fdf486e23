//! How far the services reach: pure functions of the address, TLS, the token and whether trading is armed.
//!
//! | Bound to | TLS and token | Armed | Other computers | Orders |
//! |---|---|---|---|---|
//! | loopback | any | any | cannot connect | taken |
//! | beyond | one is missing | any | refused with 403 | taken from this computer |
//! | beyond | both | no | served | refused, from this computer too |
//! | beyond | both | yes | served | taken |

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// How far a group of services reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Exposure {
    /// Bound to loopback.
    Local,
    /// Bound beyond loopback, but other computers are refused until nothing is missing.
    Refused {
        /// Whether TLS is on.
        tls: bool,
        /// Whether a token is asked for.
        token: bool,
    },
    /// Other computers are served; orders are refused until a person arms trading.
    ReadOnly,
    /// Other computers are served.
    Armed,
}

impl Exposure {
    /// The state that follows from the facts. `armed` matters for services that take orders only; for others it is true.
    pub fn of(address: IpAddr, tls: bool, token: bool, armed: bool) -> Self {
        if address.to_canonical().is_loopback() {
            return Self::Local;
        }
        match (tls, token, armed) {
            (true, true, true) => Self::Armed,
            (true, true, false) => Self::ReadOnly,
            _ => Self::Refused { tls, token },
        }
    }

    /// Whether other computers are served.
    pub fn is_exposed(self) -> bool {
        matches!(self, Self::ReadOnly | Self::Armed)
    }

    /// Whether orders may be placed and modified. Cancelling is always possible.
    pub fn takes_orders(self) -> bool {
        self != Self::ReadOnly
    }

    /// Why a connection is not served; `None` when it is. A peer is on this computer when it comes from loopback or from
    /// the very address that it connects to.
    pub fn refuses(self, peer_is_here: bool, encrypted: bool) -> Option<RemoteRefusal> {
        match self {
            _ if peer_is_here => None,
            // A socket on loopback has no other peers; where one appears, nothing is known of it.
            Self::Local => Some(RemoteRefusal::Unprotected { tls: false, token: true }),
            Self::Refused { tls, token } => Some(RemoteRefusal::Unprotected { tls, token }),
            Self::ReadOnly | Self::Armed => (!encrypted).then_some(RemoteRefusal::PlainText),
        }
    }
}

/// Why another computer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteRefusal {
    /// Not everything that protects the service is in place.
    Unprotected {
        /// Whether TLS is on.
        tls: bool,
        /// Whether a token is asked for.
        token: bool,
    },
    /// The service speaks TLS to other computers, and this one spoke plain text.
    PlainText,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: [&str; 4] = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"];
    const BEYOND: [&str; 6] = ["0.0.0.0", "::", "192.168.1.20", "100.92.14.3", "fd00:50::1", "::ffff:192.168.1.20"];

    /// Every combination with the outcome that the table above documents.
    fn expected(beyond: bool, tls: bool, token: bool, armed: bool) -> Exposure {
        match (beyond, tls, token, armed) {
            (false, _, _, _) => Exposure::Local,
            (true, false, false, false) => Exposure::Refused { tls: false, token: false },
            (true, false, false, true) => Exposure::Refused { tls: false, token: false },
            (true, false, true, false) => Exposure::Refused { tls: false, token: true },
            (true, false, true, true) => Exposure::Refused { tls: false, token: true },
            (true, true, false, false) => Exposure::Refused { tls: true, token: false },
            (true, true, false, true) => Exposure::Refused { tls: true, token: false },
            (true, true, true, false) => Exposure::ReadOnly,
            (true, true, true, true) => Exposure::Armed,
        }
    }

    #[test]
    fn every_combination_has_its_documented_outcome() {
        let addresses = LOOPBACK.map(|text| (text, false)).into_iter().chain(BEYOND.map(|text| (text, true)));
        let mut judged = 0;
        for (address, beyond) in addresses {
            for bits in 0..8 {
                let (tls, token, armed) = (bits & 4 != 0, bits & 2 != 0, bits & 1 != 0);
                let found = Exposure::of(address.parse().unwrap(), tls, token, armed);
                let case = format!("{address}, TLS {tls}, token {token}, armed {armed}");
                assert_eq!(found, expected(beyond, tls, token, armed), "{case}");
                assert_eq!(found.is_exposed(), beyond && tls && token, "reach: {case}");
                assert_eq!(found.takes_orders(), !(beyond && tls && token && !armed), "orders: {case}");
                judged += 1;
            }
        }
        assert_eq!(judged, 80, "ten addresses, eight combinations each");
    }

    #[test]
    fn other_computers_are_served_only_over_tls_and_this_one_always() {
        let unprotected = |tls, token| Some(RemoteRefusal::Unprotected { tls, token });
        let plain = Some(RemoteRefusal::PlainText);
        let table = [
            (Exposure::Local, unprotected(false, true), unprotected(false, true)),
            (Exposure::Refused { tls: false, token: true }, unprotected(false, true), unprotected(false, true)),
            (Exposure::Refused { tls: true, token: false }, unprotected(true, false), unprotected(true, false)),
            (Exposure::ReadOnly, plain, None),
            (Exposure::Armed, plain, None),
        ];
        for (exposure, in_plain_text, over_tls) in table {
            assert_eq!(exposure.refuses(false, false), in_plain_text, "{exposure:?}, another computer, plain text");
            assert_eq!(exposure.refuses(false, true), over_tls, "{exposure:?}, another computer, TLS");
            for encrypted in [false, true] {
                assert_eq!(exposure.refuses(true, encrypted), None, "{exposure:?}: this computer is served");
            }
        }
    }
}
