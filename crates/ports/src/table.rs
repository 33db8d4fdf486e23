//! Every listening port of the system.

use std::process;

use crate::owner::Owners;
use crate::sockets::{listening, receiving};
use crate::well_known::description;
use crate::{ListenerRow, PortsError};

/// All listening TCP sockets and all bound UDP sockets without a peer, by port, then protocol, then address. Sockets of
/// one process on one address are one row.
///
/// # Errors
/// The kernel does not list its sockets.
pub fn system_table() -> Result<Vec<ListenerRow>, PortsError> {
    let mut sockets = listening()?;
    sockets.extend(receiving()?);
    let owners = Owners::of(&sockets);
    let rows = sockets.iter().map(|socket| {
        let holder = owners.holder(socket);
        ListenerRow {
            protocol: socket.protocol,
            ours: holder.pid == Some(process::id()),
            description: description(socket.protocol, socket.address.port(), holder.process.as_deref())
                .map(str::to_owned),
            holder,
        }
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| (row.holder.address.port(), row.protocol, row.holder.address, row.holder.pid));
    rows.dedup();
    Ok(rows)
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
    fn the_rows_are_in_order() {
        let listeners: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let rows = system_table().unwrap();
        assert!(rows.len() >= listeners.len(), "the sockets of this test at least");
        let ports: Vec<_> = rows.iter().map(|row| (row.holder.address.port(), row.protocol)).collect();
        assert!(ports.is_sorted(), "a person looks for a port number: {ports:?}");
    }
}
