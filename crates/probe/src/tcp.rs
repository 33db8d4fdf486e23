//! One connection, made so that whatever ICMP says of it is kept.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd as _;
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::io::unix::AsyncFd;
use tokio::net::TcpStream;

use crate::{Fault, Icmp, error_queue};

/// Connects to the first address that lets it. Each address has `limit`.
pub(crate) async fn connect(
    addresses: &[SocketAddr],
    from: Option<IpAddr>,
    limit: Duration,
) -> Result<(TcpStream, String), (Fault, String)> {
    let mut tried: Vec<(Fault, String)> = Vec::new();
    for &address in addresses {
        match connect_to(address, from, limit).await {
            Ok(stream) => {
                tried.push((Fault::ConnectFailed, format!("connected to {address}")));
                return Ok((stream, told(&tried)));
            }
            Err((fault, detail)) => tried.push((fault, format!("{address}: {detail}"))),
        }
    }
    let detail = told(&tried);
    // An address of a family that this computer has no way for says least.
    let unreachable = |fault: &Fault| matches!(fault, Fault::NetworkUnreachable(None) | Fault::SourceUnavailable);
    let fault = tried.iter().map(|(fault, _)| fault).find(|fault| !unreachable(fault));
    let fault = fault.or(tried.first().map(|(fault, _)| fault)).cloned().unwrap_or(Fault::NameUnknown);
    Err((fault, detail))
}

fn told(tried: &[(Fault, String)]) -> String {
    tried.iter().map(|(_, detail)| detail.as_str()).collect::<Vec<_>>().join("; ")
}

#[expect(deprecated, reason = "its successor is unsafe for descriptors that do not stay open; a socket owns its own")]
async fn connect_to(address: SocketAddr, from: Option<IpAddr>, limit: Duration) -> Result<TcpStream, (Fault, String)> {
    let v6 = address.is_ipv6();
    let domain = if v6 { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP));
    let socket = socket.map_err(|error| seen(&error, None))?;
    // Without it the cause is less precise, and the test still runs.
    drop(error_queue::keep(socket.as_fd(), v6));
    if let Some(from) = from.filter(|from| from.is_ipv6() == v6) {
        let bound = socket.bind(&SockAddr::from(SocketAddr::new(from, 0)));
        bound.map_err(|error| (Fault::SourceUnavailable, format!("cannot connect from {from}: {error}")))?;
    } else if let Some(from) = from {
        return Err((Fault::SourceUnavailable, format!("{from} is of another family")));
    }
    match socket.connect(&SockAddr::from(address)) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(seen(&error, error_queue::take(socket.as_fd()))),
    }
    let waiting = AsyncFd::new(socket).map_err(|error| seen(&error, None))?;
    let ready = tokio::time::timeout(limit, waiting.writable()).await.map(|ready| ready.map(drop));
    let socket = waiting.into_inner();
    match ready {
        Err(_) => {
            let icmp = error_queue::take(socket.as_fd());
            let detail = format!("no answer within {} s{}", limit.as_secs_f64(), of_icmp(icmp));
            return Err((icmp.map_or(Fault::ConnectTimeout, |icmp| Fault::HostUnreachable(Some(icmp))), detail));
        }
        Ok(Err(error)) => return Err(seen(&error, None)),
        Ok(Ok(())) => {}
    }
    if let Some(error) = socket.take_error().map_err(|error| seen(&error, None))? {
        return Err(seen(&error, error_queue::take(socket.as_fd())));
    }
    let stream = TcpStream::from_std(socket.into()).map_err(|error| seen(&error, None))?;
    // A port of the ephemeral range without a listener can be connected to itself.
    if stream.local_addr().ok() == Some(address) {
        return Err((Fault::Refused(None), "nobody listens: the connection met itself".to_owned()));
    }
    if let Err(error) = stream.set_nodelay(true) {
        return Err(seen(&error, None));
    }
    Ok(stream)
}

fn seen(error: &io::Error, icmp: Option<Icmp>) -> (Fault, String) {
    let fault = match error.raw_os_error() {
        Some(libc::ECONNREFUSED) => Fault::Refused(icmp),
        Some(libc::EHOSTUNREACH) => Fault::HostUnreachable(icmp),
        Some(libc::ENETUNREACH) => Fault::NetworkUnreachable(icmp),
        Some(libc::EACCES | libc::EPERM) => Fault::Denied(icmp),
        Some(libc::ETIMEDOUT) => Fault::ConnectTimeout,
        Some(libc::EMFILE | libc::ENFILE) => Fault::OutOfDescriptors,
        Some(libc::EADDRNOTAVAIL) => Fault::SourceUnavailable,
        _ => Fault::ConnectFailed,
    };
    (fault, format!("{error}{}", of_icmp(icmp)))
}

fn of_icmp(icmp: Option<Icmp>) -> String {
    let Some(icmp) = icmp else { return String::new() };
    let sender = icmp.sender.map(|sender| format!(" from {sender}")).unwrap_or_default();
    format!(", ICMP{} {}/{}{sender}", if icmp.v6 { "v6" } else { "" }, icmp.kind, icmp.code)
}
