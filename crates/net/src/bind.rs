//! One socket: bind, listen, and why the kernel said no.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;

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
    fn from_io(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { address },
            io::ErrorKind::PermissionDenied => Self::Denied { address },
            io::ErrorKind::AddrNotAvailable => Self::AddressUnavailable { address },
            _ => Self::Other { address, source },
        }
    }
}

/// Binds and listens, with `SO_REUSEADDR` as std sets it, so that `TIME_WAIT` does not block a restart.
pub(crate) fn bind(address: SocketAddr) -> Result<Arc<TcpListener>, BindError> {
    let bound = StdListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    });
    bound.map(Arc::new).map_err(|source| BindError::from_io(address, source))
}
