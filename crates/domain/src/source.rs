//! Whom limits hold to account.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who is behind an address, as far as limits are concerned: an IPv4 address, an IPv6 network of 64 bits, which one
/// client may have to itself, or this computer, whatever loopback address it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(IpAddr);

impl Source {
    /// The source of a peer.
    pub fn of(peer: IpAddr) -> Self {
        match peer.to_canonical() {
            ip if ip.is_loopback() => Self(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) => Self(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into()),
            ip => Self(ip),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of(text.parse().expect("an address"))
    }

    #[test]
    fn a_source_is_who_can_be_told_apart() {
        assert_eq!(source("127.9.8.7"), source("127.0.0.1"), "a local program may use any loopback address");
        assert_eq!(source("::1"), source("127.0.0.1"), "or the other family");
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"), "a dual-stack socket shows mapped addresses");
        assert_eq!(source("2001:db8::1"), source("2001:db8::2"), "one client may have a whole /64");
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"), "two computers");
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"), "two networks");
    }
}
