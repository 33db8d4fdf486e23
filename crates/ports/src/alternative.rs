//! Finds a port that can be bound instead of a taken one.

use std::net::{IpAddr, SocketAddr};

use crate::availability::probe;

/// The first candidate that can be bound on `ip` right now and is not in `taken`, which holds the ports of services that
/// are configured but not running.
pub fn next_free(candidates: impl IntoIterator<Item = u16>, ip: IpAddr, taken: &[u16]) -> Option<u16> {
    // The kernel reads port 0 as "any port", which would be no answer.
    let allowed = |port: &u16| *port != 0 && !taken.contains(port);
    candidates.into_iter().filter(allowed).find(|port| probe(SocketAddr::new(ip, *port)).is_ok())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::fixture::fresh_port;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// A listener, its port, and a port that is free.
    fn held_and_free() -> (TcpListener, u16, u16) {
        let held = fresh_port();
        (TcpListener::bind((LOOPBACK, held)).unwrap(), held, fresh_port())
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let (_listener, held, free) = held_and_free();
        assert_eq!(next_free([held, free], LOOPBACK, &[]), Some(free), "an offer must work when it is taken up");
        assert_eq!(next_free([held], LOOPBACK, &[]), None, "no offer is better than a wrong one");
    }

    #[test]
    fn ports_of_other_services_and_port_zero_are_passed_over() {
        let (_listener, _, free) = held_and_free();
        assert_eq!(next_free([0, free], LOOPBACK, &[]), Some(free), "port 0 is no port");
        assert_eq!(next_free([free], LOOPBACK, &[free]), None, "a service of ours will want it");
    }

    #[test]
    fn the_port_is_tested_on_the_address_that_will_be_bound() {
        let (_listener, held, _) = held_and_free();
        let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        assert_eq!(next_free([held], other, &[]), Some(held), "127.0.0.1 leaves 127.0.0.2 alone");
    }
}
