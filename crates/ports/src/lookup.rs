//! Which socket keeps an address from being bound.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::owner::{Owners, sockets_of};
use crate::sockets::{Socket, listening, not_listening};
use crate::{Holder, PortsError};

/// Who keeps the address from being bound: the listener, else the process behind a bound socket or a connection on the
/// port. `None` when no process does. Asks nothing about addresses that can be bound; for that see
/// [`availability`](crate::availability).
///
/// # Errors
/// The kernel does not list its sockets.
pub fn holder(address: SocketAddr) -> Result<Option<Holder>, PortsError> {
    Ok(in_the_way(address, &[])?.map(|socket| Owners::of(&socket).holder(&socket)))
}

/// The socket that keeps the address from being bound, a listener before any other, leaving out those on `beside`.
pub(crate) fn in_the_way(address: SocketAddr, beside: &[SocketAddr]) -> Result<Option<Socket>, PortsError> {
    let others = |mut sockets: Vec<Socket>| {
        sockets.retain(|socket| !beside.contains(&socket.address));
        sockets
    };
    match closest(others(listening()?), address) {
        Some(listener) => Ok(Some(listener)),
        // Costs more with many connections, so only when no listener explains the conflict.
        None => Ok(closest(others(not_listening()?), address)),
    }
}

/// The accept queue of the listener that a client of the address reaches: connections that wait, and how many may wait.
/// `None` when nobody listens.
///
/// # Errors
/// The kernel does not list its sockets.
pub fn accept_queue(address: SocketAddr) -> Result<Option<(u32, u32)>, PortsError> {
    Ok(closest(listening()?, address).map(|socket| socket.queue))
}

/// Whether the listener that a client of the address reaches is one of the process. `None` when nobody listens, or when this
/// user may not see what the process has open. Looks at no other process.
///
/// # Errors
/// The kernel does not list its sockets.
pub fn is_listener_of(pid: u32, address: SocketAddr) -> Result<Option<bool>, PortsError> {
    let open = sockets_of(pid);
    let listener = closest(listening()?, address).filter(|_| !open.is_empty());
    Ok(listener.map(|socket| open.contains(&socket.inode)))
}

/// The listener of another process that clients of `localhost` reach before one on this IPv4 address: `localhost` means
/// `::1` first. `None` for addresses that `localhost` does not mean.
///
/// # Errors
/// The kernel does not list its sockets.
pub fn shadow_of(address: SocketAddr) -> Result<Option<Holder>, PortsError> {
    let means_localhost = [Ipv4Addr::UNSPECIFIED, Ipv4Addr::LOCALHOST].map(IpAddr::V4).contains(&address.ip());
    if !means_localhost {
        return Ok(None);
    }
    let first = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), address.port());
    let Some(socket) = closest(listening()?, first) else {
        return Ok(None);
    };
    let holder = Owners::of(&socket).holder(&socket);
    Ok((holder.pid != Some(std::process::id())).then_some(holder))
}

/// The socket that excludes the address, an exact match before a wildcard.
fn closest(sockets: Vec<Socket>, wanted: SocketAddr) -> Option<Socket> {
    let excluding = sockets.into_iter().filter(|it| excludes_address(it, wanted));
    excluding.min_by_key(|it| (canonical(it.address.ip()) != canonical(wanted.ip()), it.inode == 0, it.address))
}

/// Whether the kernel refuses `wanted` next to the socket.
pub(crate) fn excludes_address(socket: &Socket, wanted: SocketAddr) -> bool {
    socket.address.port() == wanted.port() && excludes(socket, wanted.ip())
}

/// Whether the kernel refuses `wanted` next to the socket, when `[::]` is bound for IPv4 too, as std and tokio do.
fn excludes(socket: &Socket, wanted: IpAddr) -> bool {
    let (held, wanted) = (canonical(socket.address.ip()), canonical(wanted));
    let held_is_wild =
        held.is_unspecified() && (held.is_ipv4() == wanted.is_ipv4() || (held.is_ipv6() && !socket.v6only));
    let wanted_is_wild = wanted.is_unspecified() && (wanted.is_ipv6() || held.is_ipv4());
    held == wanted || held_is_wild || wanted_is_wild
}

/// IPv4 addresses of dual-stack sockets read `::ffff:a.b.c.d`.
fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;

    fn socket(address: &str, v6only: bool) -> Socket {
        let (protocol, peer) = (Protocol::Tcp, IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let address = address.parse().unwrap();
        Socket { protocol, address, peer, listens: true, v6only, inode: 1, uid: 0, cgroup: None, queue: (0, 0) }
    }

    #[test]
    fn the_exact_address_is_named_before_a_wildcard() {
        let sockets =
            vec![socket("0.0.0.0:3000", false), socket("127.0.0.1:3000", false), socket("127.0.0.1:3001", false)];
        let found = closest(sockets, "127.0.0.1:3000".parse().unwrap()).unwrap();
        assert_eq!(found.address, "127.0.0.1:3000".parse().unwrap(), "that is the one in the way");
    }

    #[test]
    fn a_socket_that_makes_room_is_not_in_the_way() {
        // Not of the ephemeral range, where a client of another test may have the same number.
        let port = crate::fixture::fresh_port();
        let own = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        let ours = own.local_addr().unwrap();
        let wide = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
        assert_eq!(in_the_way(wide, &[]).unwrap().unwrap().address, ours, "0.0.0.0 includes 127.0.0.1");
        assert!(in_the_way(wide, &[ours]).unwrap().is_none(), "a person must not be sent after their own program");
        let foreign = std::net::TcpListener::bind(("127.0.0.2", port)).unwrap();
        let other = foreign.local_addr().unwrap();
        assert_eq!(in_the_way(wide, &[ours]).unwrap().unwrap().address, other, "but after the other one");
    }

    #[test]
    fn an_ipv4_address_in_ipv6_spelling_is_the_same_address() {
        assert!(
            excludes(&socket("[::ffff:127.0.0.1]:3000", false), "127.0.0.1".parse().unwrap()),
            "as the kernel has it"
        );
        assert!(!excludes(&socket("[::ffff:127.0.0.2]:3000", false), "127.0.0.1".parse().unwrap()), "another address");
    }

    #[test]
    fn a_socket_for_ipv6_only_leaves_ipv4_alone() {
        assert!(!excludes(&socket("[::]:3000", true), "0.0.0.0".parse().unwrap()), "v6only was asked for");
        assert!(excludes(&socket("[::]:3000", false), "0.0.0.0".parse().unwrap()), "the default takes both");
    }
}
