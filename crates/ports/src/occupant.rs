//! Everything that can be told of whoever keeps an address from being bound: what a person needs to decide about it.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use crate::identity::{CwtsInstance, ask_all};
use crate::owner::{Owners, Started, sockets_of, started};
use crate::sockets::{Socket, connections, listening};
use crate::{Holder, PortsError, Unit, lookup};

/// At most this many sockets of the holder are asked who they are.
const MOST_ASKED: usize = 8;

/// Longer command lines are cut.
const LONGEST_COMMAND: usize = 200;

/// Whoever keeps an address from being bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupant {
    /// Who that is.
    pub holder: Holder,
    /// Every address on which it has the port, the one in the way first.
    pub addresses: Vec<SocketAddr>,
    /// Whether it takes connections. Otherwise it is a client on the port, or has only bound it.
    pub listens: bool,
    /// Its systemd unit, which [`Unit::can_be_stopped`] or not.
    pub unit: Option<Unit>,
    /// Its command line; `None` where the process is hidden.
    pub command: Option<String>,
    /// When the process started, in milliseconds since the epoch; `None` where it is hidden.
    pub started_at: Option<i64>,
    /// Who is connected to the port.
    pub clients: Clients,
    /// The CWTS instances that its process says it runs, by their health endpoints. Empty for a foreign one.
    pub instances: Vec<CwtsInstance>,
}

/// The connections to a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clients {
    /// All of them.
    pub total: usize,
    /// Those from this computer.
    pub local: usize,
}

/// Who keeps the address from being bound, with all that this user may know of it. `None` when no process does. Sockets on
/// the addresses `beside` are not meant: they are the caller's own and will make room.
///
/// Takes up to half a second: the holder is asked over HTTP whether it is a CWTS instance.
///
/// # Errors
/// The kernel does not list its sockets.
pub fn occupant(address: SocketAddr, beside: &[SocketAddr]) -> Result<Option<Occupant>, PortsError> {
    let Some(socket) = lookup::in_the_way(address, beside)? else { return Ok(None) };
    let owners = Owners::of(&socket);
    let holder = owners.holder(&socket);
    let folder = holder.pid.map(|pid| Path::new("/proc").join(pid.to_string()));
    let listeners = listeners_of_owner(&socket, holder.pid)?;
    Ok(Some(Occupant {
        listens: socket.listens,
        unit: owners.unit(&socket).cloned(),
        command: folder.as_deref().and_then(command),
        started_at: folder.as_deref().and_then(started).and_then(Started::since_epoch),
        clients: clients(&socket)?,
        addresses: listeners.iter().copied().filter(|other| other.port() == address.port()).collect(),
        // Any of its listeners may answer for its health.
        instances: if socket.listens { ask_all(&listeners[..listeners.len().min(MOST_ASKED)]) } else { Vec::new() },
        holder,
    }))
}

/// The command line as a person would type it.
fn command(folder: &Path) -> Option<String> {
    let bytes = fs::read(folder.join("cmdline")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let words: Vec<&str> = text.split('\0').filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(LONGEST_COMMAND).collect();
    (!line.is_empty()).then_some(line)
}

fn clients(listener: &Socket) -> Result<Clients, PortsError> {
    if !listener.listens {
        return Ok(Clients::default());
    }
    let mut clients = Clients::default();
    let (port, ip) = (listener.address.port(), listener.address.ip());
    for connection in connections()? {
        let local = connection.address.ip();
        if connection.address.port() == port && (ip.is_unspecified() || local.to_canonical() == ip.to_canonical()) {
            clients.total += 1;
            clients.local += usize::from(is_own(connection.peer, local));
        }
    }
    Ok(clients)
}

/// A peer on loopback, or one that talks to its own address, is on this computer.
fn is_own(peer: IpAddr, local: IpAddr) -> bool {
    peer.to_canonical().is_loopback() || peer == local
}

/// Where the owner of the socket listens, the socket itself first. Where the process is hidden, sockets that the same user
/// made in the same control group count as its own.
fn listeners_of_owner(socket: &Socket, pid: Option<u32>) -> Result<Vec<SocketAddr>, PortsError> {
    let of_process = pid.map(sockets_of);
    let is_sibling = |other: &Socket| match &of_process {
        Some(inodes) => inodes.contains(&other.inode),
        None => other.uid == socket.uid && other.cgroup.is_some() && other.cgroup == socket.cgroup,
    };
    let siblings = listening()?.into_iter().filter(|other| other.address != socket.address && is_sibling(other));
    Ok(std::iter::once(socket.address).chain(siblings.map(|other| other.address)).collect())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv6Addr, TcpListener, TcpStream};

    use super::*;
    use crate::fixture::{ForeignListener, fresh_port};

    #[test]
    fn a_foreign_holder_is_told_with_its_command_its_start_and_its_clients() {
        let address = SocketAddr::from(([127, 0, 0, 1], fresh_port()));
        let foreign = ForeignListener::on(address);
        let _clients = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
        let found = occupant(address, &[]).unwrap().unwrap();
        assert_eq!(found.holder.pid, Some(foreign.pid()), "the process is named");
        assert!(found.listens, "it takes connections");
        let program = std::env::current_exe().unwrap();
        assert!(found.command.unwrap().starts_with(program.to_str().unwrap()), "a person knows it by its command");
        let age = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
            - found.started_at.unwrap();
        assert!((-2_000..60_000).contains(&age), "it started a moment ago, not {age} ms");
        assert_eq!(found.clients, Clients { total: 2, local: 2 }, "ending it would cut these off");
        assert_eq!(found.instances, [], "it did not answer as a CWTS instance");
    }

    #[test]
    fn a_holder_is_told_with_every_address_on_which_it_has_the_port() {
        let port = fresh_port();
        let both = [SocketAddr::from(([127, 0, 0, 1], port)), SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port)];
        let _own = both.map(|address| TcpListener::bind(address).unwrap());
        let _unrelated = ForeignListener::on(SocketAddr::from(([127, 0, 0, 2], port)));
        let found = occupant(both[0], &[]).unwrap().unwrap();
        assert_eq!(found.addresses, both, "ending it frees both, and what another process has is not its own");
    }

    #[test]
    fn a_client_on_the_port_is_no_listener() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], fresh_port()));
        let client = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        client.bind(&address.into()).unwrap();
        client.connect(&server.local_addr().unwrap().into()).unwrap();
        let found = occupant(address, &[]).unwrap().unwrap();
        assert!(!found.listens, "a client must never be ended for its port");
        assert_eq!(found.clients, Clients::default(), "nobody connects to a client");
    }

    #[test]
    fn nobody_in_the_way_is_no_occupant() {
        let free = SocketAddr::from(([127, 0, 0, 1], fresh_port()));
        assert_eq!(occupant(free, &[]).unwrap(), None, "a free address has no holder");
    }
}
