//! Which addresses exclude each other on one port.

use std::net::IpAddr;

/// Whether sockets on both addresses exclude each other on one port. `[::]` also takes IPv4, as std and tokio bind it.
pub fn addresses_overlap(one: IpAddr, other: IpAddr) -> bool {
    let covers = |wide: IpAddr, narrow: IpAddr| wide.is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4());
    one == other || covers(one, other) || covers(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_overlap_as_the_kernel_has_it() {
        let cases = [
            ("127.0.0.1", "127.0.0.1", true),
            ("0.0.0.0", "127.0.0.1", true),
            ("::", "127.0.0.1", true),
            ("::", "0.0.0.0", true),
            ("::", "::1", true),
            ("0.0.0.0", "::1", false),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.1", "::1", false),
        ];
        for (one, other, expected) in cases {
            let (a, b) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!(addresses_overlap(a, b), expected, "{one} and {other} on one port");
            assert_eq!(addresses_overlap(b, a), expected, "{other} and {one}: the order does not matter");
        }
    }
}
