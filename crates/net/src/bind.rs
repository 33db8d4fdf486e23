//! One socket: bind, listen, and why the kernel said no.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::TcpListener;

/// Why a socket could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another socket holds the address (`EADDRINUSE`).
    #[error("{address} is already in use")]
    InUse {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The kernel refuses the port to this user (`EACCES`: below `ip_unprivileged_port_start`, or a security module).
    #[error("{address} needs a privilege that this user does not have")]
    Denied {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address belongs to no interface of this computer (`EADDRNOTAVAIL`).
    #[error("{address} is no address of this computer")]
    AddressUnavailable {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// Anything else that the kernel says, such as running out of file descriptors.
    #[error("{address} cannot be bound: {source}")]
    Other {
        /// The address that was asked for.
        address: SocketAddr,
        /// The kernel's reason.
        source: io::Error,
    },
}

impl BindError {
    pub(crate) fn from_io(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { address },
            io::ErrorKind::PermissionDenied => Self::Denied { address },
            io::ErrorKind::AddrNotAvailable => Self::AddressUnavailable { address },
            _ => Self::Other { address, source },
        }
    }
}

/// Connections that wait in the kernel until they are accepted; more are not answered until then.
const BACKLOG: i32 = 1024;

/// Binds and listens, with `SO_REUSEADDR` as std sets it, so that `TIME_WAIT` does not block a restart.
pub(crate) fn bind(address: SocketAddr) -> Result<Arc<TcpListener>, BindError> {
    bound(address, false).and_then(listen).map_err(|source| BindError::from_io(address, source))
}

/// Binds beside running sockets that the address overlaps, as 0.0.0.0 does 127.0.0.1. They go on serving; the new socket
/// cannot listen until they have stopped.
///
/// The kernel allows it only while both sides have `SO_REUSEPORT`. What it remembers of that until the next `listen` on the
/// port would also let in another program of this user that sets the option; one that does not is refused as ever.
pub(crate) fn reserve(address: SocketAddr, overlapped: &[&TcpListener]) -> Result<Socket, BindError> {
    let share = |shared| overlapped.iter().try_for_each(|socket| SockRef::from(*socket).set_reuse_port(shared));
    let reserved = share(true).and_then(|()| bound(address, true));
    let alone = share(false);
    let reserved = reserved.and_then(|socket| {
        alone?;
        socket.set_reuse_port(false)?;
        Ok(socket)
    });
    reserved.map_err(|source| BindError::from_io(address, source))
}

fn bound(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        // Whatever net.ipv6.bindv6only says: `::` is every address, IPv4 included (RFC 3493 section 5.3).
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Makes a bound socket listen.
pub(crate) fn listen(socket: Socket) -> io::Result<Arc<TcpListener>> {
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into()).map(Arc::new)
}

/// Stops listening without giving up the port. Nobody may be accepting.
pub(crate) fn stop_listening(socket: &TcpListener) -> io::Result<()> {
    SockRef::from(socket).shutdown(Shutdown::Read)
}

/// Listens again after [`stop_listening`]. The old handle stays deaf: its runtime has seen the end of the socket.
pub(crate) fn listen_again(socket: &TcpListener) -> io::Result<Arc<TcpListener>> {
    SockRef::from(socket).try_clone().and_then(listen)
}
