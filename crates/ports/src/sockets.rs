//! The kernel's list of sockets, over netlink.
//!
//! Protocol: sock_diag(7). Lists every user's sockets, with the owner's uid but without the process.

use std::io;
use std::net::SocketAddr;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, TCP_TIME_WAIT};
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;

use crate::{PortsError, Protocol};

/// `TCP_BOUND_INACTIVE` of Linux's `enum tcp_states`: bound, neither listening nor connected. Older kernels list none.
const TCP_BOUND_INACTIVE: u32 = 13;
/// The kernel fills at most 32 KiB per message of a dump.
const RECEIVE_BUFFER: usize = 32 * 1024;

/// One socket of any user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    pub(crate) protocol: Protocol,
    pub(crate) address: SocketAddr,
    /// An IPv6 socket that leaves IPv4 alone.
    pub(crate) v6only: bool,
    /// 0 for a socket without a process.
    pub(crate) inode: u32,
    pub(crate) uid: u32,
}

/// All listening TCP sockets.
pub(crate) fn listening() -> Result<Vec<Socket>, PortsError> {
    both_families(Protocol::Tcp, StateFlags::LISTEN)
}

/// All bound UDP sockets without a peer.
pub(crate) fn receiving() -> Result<Vec<Socket>, PortsError> {
    both_families(Protocol::Udp, StateFlags::CLOSE)
}

/// All TCP sockets that hold a port without listening: bound ones, accepted connections and clients.
pub(crate) fn not_listening() -> Result<Vec<Socket>, PortsError> {
    let bound = StateFlags::from_bits_retain(1 << TCP_BOUND_INACTIVE);
    both_families(Protocol::Tcp, (StateFlags::all() - StateFlags::LISTEN) | bound)
}

fn both_families(protocol: Protocol, states: StateFlags) -> Result<Vec<Socket>, PortsError> {
    let mut sockets = dump(AF_INET, protocol, states.clone())?;
    sockets.extend(dump(AF_INET6, protocol, states)?);
    Ok(sockets)
}

fn dump(family: u8, protocol: Protocol, states: StateFlags) -> Result<Vec<Socket>, PortsError> {
    let unavailable = |source| PortsError::Unavailable { source };
    let mut socket = netlink_sys::Socket::new(NETLINK_SOCK_DIAG).map_err(unavailable)?;
    socket.bind_auto().map_err(unavailable)?;
    socket.connect(&netlink_sys::SocketAddr::new(0, 0)).map_err(unavailable)?;
    socket.send(&request(family, protocol, states), 0).map_err(unavailable)?;

    let mut found = Vec::new();
    let mut buffer = vec![0; RECEIVE_BUFFER];
    loop {
        let length = socket.recv(&mut &mut buffer[..], 0).map_err(unavailable)?;
        if read_messages(&buffer[..length.min(RECEIVE_BUFFER)], protocol, &mut found)? {
            return Ok(found);
        }
    }
}

fn request(family: u8, protocol: Protocol, states: StateFlags) -> Vec<u8> {
    let request = InetRequest {
        family,
        protocol: match protocol {
            Protocol::Tcp => IPPROTO_TCP,
            Protocol::Udp => IPPROTO_UDP,
        },
        extensions: ExtensionFlags::empty(),
        states,
        socket_id: if family == AF_INET6 { SocketId::new_v6() } else { SocketId::new_v4() },
    };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

/// Reads one datagram of a dump. Says whether it was the last one.
fn read_messages(mut bytes: &[u8], protocol: Protocol, found: &mut Vec<Socket>) -> Result<bool, PortsError> {
    let malformed = |detail: String| PortsError::Malformed { detail };
    if bytes.is_empty() {
        return Err(malformed("the list ends early".to_owned()));
    }
    while !bytes.is_empty() {
        let message = NetlinkMessage::<SockDiagMessage>::deserialize(bytes).map_err(|it| malformed(it.to_string()))?;
        match message.payload {
            NetlinkPayload::Done(done) if done.code < 0 => {
                return Err(PortsError::Unavailable { source: io::Error::from_raw_os_error(-done.code) });
            }
            NetlinkPayload::Done(_) => return Ok(true),
            NetlinkPayload::Error(error) => return Err(PortsError::Unavailable { source: error.to_io() }),
            NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
                found.extend(socket(&response, protocol));
            }
            _ => {}
        }
        // Messages are aligned to four bytes.
        let length = (message.header.length as usize).next_multiple_of(4);
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(false)
}

/// `None` for what is left of a closed connection, which nobody holds.
fn socket(response: &InetResponse, protocol: Protocol) -> Option<Socket> {
    let header = &response.header;
    (header.state != TCP_TIME_WAIT).then(|| Socket {
        protocol,
        address: SocketAddr::new(header.socket_id.source_address, header.socket_id.source_port),
        v6only: response.nlas.contains(&Nla::SkV6Only(true)),
        inode: header.inode,
        uid: header.uid,
    })
}
