//! Every listening port of the system.

use std::collections::HashSet;
use std::process;

use crate::owner::Owners;
use crate::sockets::Socket;
use crate::well_known::description;
use crate::{ListenerRow, PortsError, Watcher};

/// All listening TCP sockets and all bound UDP sockets without a peer, by port, then protocol, then address. Sockets of
/// one process on one address are one row. To ask again and again, a [`Watcher`] is cheaper.
///
/// # Errors
/// The kernel does not list its sockets.
pub fn system_table() -> Result<Vec<ListenerRow>, PortsError> {
    let mut watcher = Watcher::default();
    watcher.poll()?;
    Ok(watcher.into_rows())
}

/// The table of the sockets, in order.
pub(crate) fn rows(sockets: &[Socket], owners: &Owners) -> Vec<ListenerRow> {
    let rows = sockets.iter().map(|socket| {
        let holder = owners.holder(socket);
        ListenerRow {
            protocol: socket.protocol,
            ours: holder.pid == Some(process::id()),
            v6only: socket.v6only,
            description: description(socket.protocol, socket.address.port(), holder.process.as_deref())
                .map(str::to_owned),
            holder,
        }
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| (row.holder.address.port(), row.protocol, row.holder.address, row.holder.pid, row.v6only));
    rows.dedup();
    rows
}

/// What has gone from a table, and what has come. A socket that went to another holder is both.
pub fn changes<'a>(before: &'a [ListenerRow], now: &'a [ListenerRow]) -> (Vec<&'a ListenerRow>, Vec<&'a ListenerRow>) {
    let missing_in = |other: &'a [ListenerRow]| {
        let known: HashSet<&ListenerRow> = other.iter().collect();
        move |row: &&ListenerRow| !known.contains(*row)
    };
    (before.iter().filter(missing_in(now)).collect(), now.iter().filter(missing_in(before)).collect())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;
    use crate::Protocol;

    #[test]
    fn a_socket_of_this_process_is_a_row_of_ours() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let rows = system_table().unwrap();
        let sockets = [(Protocol::Tcp, tcp.local_addr().unwrap()), (Protocol::Udp, udp.local_addr().unwrap())];
        for (protocol, address) in sockets {
            let row = rows.iter().find(|row| row.protocol == protocol && row.holder.address == address).unwrap();
            assert!(row.ours, "{protocol:?}: a person must tell own sockets from foreign ones");
            assert_eq!(row.holder.pid, Some(process::id()), "{protocol:?}: the process is named");
        }
    }

    #[test]
    fn a_connected_socket_is_no_row() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(server.local_addr().unwrap()).unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.connect("127.0.0.1:9").unwrap();
        let rows = system_table().unwrap();
        let listed =
            |protocol, address| rows.iter().any(|row| row.protocol == protocol && row.holder.address == address);
        assert!(!listed(Protocol::Tcp, client.local_addr().unwrap()), "a client offers no service");
        assert!(!listed(Protocol::Udp, udp.local_addr().unwrap()), "a socket with a peer takes nothing from others");
    }

    #[test]
    fn a_row_says_whether_the_port_is_left_free_for_ipv4() {
        let open = |v6only| {
            let socket = socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None).unwrap();
            socket.set_only_v6(v6only).unwrap();
            socket.bind(&"[::]:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
            socket.listen(1).unwrap();
            TcpListener::from(socket)
        };
        for v6only in [true, false] {
            let listener = open(v6only);
            let address = listener.local_addr().unwrap();
            let rows = system_table().unwrap();
            let row = rows.iter().find(|row| row.holder.address == address).unwrap();
            assert_eq!(row.v6only, v6only, "[::] alone does not tell whether 0.0.0.0 is taken too");
        }
    }

    #[test]
    fn only_what_differs_has_changed() {
        let _one = TcpListener::bind("127.0.0.1:0").unwrap();
        let before = system_table().unwrap();
        let mut now = before.clone();
        let gone = now.remove(0);
        let mut moved = now[0].clone();
        moved.holder.pid = Some(u32::MAX);
        let old = std::mem::replace(&mut now[0], moved.clone());
        let (left, came) = changes(&before, &now);
        assert_eq!((left, came), (vec![&gone, &old], vec![&moved]), "a socket of another holder is both");
        assert_eq!(changes(&now, &now), (vec![], vec![]), "a quiet system has no news");
    }

    #[test]
    fn the_rows_are_in_order() {
        let listeners: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let rows = system_table().unwrap();
        assert!(rows.len() >= listeners.len(), "the sockets of this test at least");
        let ports: Vec<_> = rows.iter().map(|row| (row.holder.address.port(), row.protocol)).collect();
        assert!(ports.is_sorted(), "a person looks for a port number: {ports:?}");
    }
}
