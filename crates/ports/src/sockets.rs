//! The kernel's list of sockets, over netlink.
//!
//! Protocol: sock_diag(7). Lists every user's sockets, with the owner's uid but without the process.

use std::io;
use std::net::{IpAddr, SocketAddr};

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload, Nla as _};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, TCP_CLOSE, TCP_LISTEN};
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;

use crate::{PortsError, Protocol};

/// `TCP_BOUND_INACTIVE` of Linux's `enum tcp_states`: bound, neither listening nor connected. Older kernels list none.
const TCP_BOUND_INACTIVE: u32 = 13;
/// `INET_DIAG_CGROUP_ID` of Linux's inet_diag.h, a 64-bit number. Kernels before 5.9 do not tell it.
const CGROUP_ID: u16 = 21;
/// The kernel fills at most 32 KiB per message of a dump.
const RECEIVE_BUFFER: usize = 32 * 1024;

/// One socket of any user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Socket {
    pub(crate) protocol: Protocol,
    pub(crate) address: SocketAddr,
    /// The other end; unspecified for a socket without one.
    pub(crate) peer: IpAddr,
    /// Whether it takes connections, or for UDP datagrams of anybody.
    pub(crate) listens: bool,
    /// An IPv6 socket that leaves IPv4 alone.
    pub(crate) v6only: bool,
    /// 0 for a socket without a process.
    pub(crate) inode: u32,
    pub(crate) uid: u32,
    /// The control group in which the socket was made; `None` where the kernel does not tell.
    pub(crate) cgroup: Option<u64>,
    /// Of a listener: connections that wait to be accepted, and how many may wait.
    pub(crate) queue: (u32, u32),
}

/// All listening TCP sockets.
pub(crate) fn listening() -> Result<Vec<Socket>, PortsError> {
    let mut found = Vec::new();
    SockDiag::open()?.both_families(Protocol::Tcp, StateFlags::LISTEN, &mut found)?;
    Ok(found)
}

/// Adds all listening TCP sockets, and all bound UDP sockets without a peer. Their order stays while
/// nothing changes.
pub(crate) fn offered(found: &mut Vec<Socket>) -> Result<(), PortsError> {
    let mut kernel = SockDiag::open()?;
    kernel.both_families(Protocol::Tcp, StateFlags::LISTEN, found)?;
    kernel.both_families(Protocol::Udp, StateFlags::CLOSE, found)
}

/// All TCP sockets that hold a port without listening: bound ones, accepted connections and clients.
pub(crate) fn not_listening() -> Result<Vec<Socket>, PortsError> {
    let bound = StateFlags::from_bits_retain(1 << TCP_BOUND_INACTIVE);
    let mut found = Vec::new();
    SockDiag::open()?.both_families(Protocol::Tcp, (StateFlags::all() - StateFlags::LISTEN) | bound, &mut found)?;
    // What is left of a closed connection has no inode, and nobody holds it.
    found.retain(|socket| socket.inode != 0);
    Ok(found)
}

/// All established TCP connections.
pub(crate) fn connections() -> Result<Vec<Socket>, PortsError> {
    let mut found = Vec::new();
    SockDiag::open()?.both_families(Protocol::Tcp, StateFlags::ESTABLISHED, &mut found)?;
    Ok(found)
}

/// A line to the kernel, for one question after the other.
struct SockDiag {
    socket: netlink_sys::Socket,
    buffer: Vec<u8>,
}

impl SockDiag {
    fn open() -> Result<Self, PortsError> {
        let unavailable = |source| PortsError::Unavailable { source };
        let mut socket = netlink_sys::Socket::new(NETLINK_SOCK_DIAG).map_err(unavailable)?;
        socket.bind_auto().map_err(unavailable)?;
        socket.connect(&netlink_sys::SocketAddr::new(0, 0)).map_err(unavailable)?;
        Ok(Self { socket, buffer: vec![0; RECEIVE_BUFFER] })
    }

    fn both_families(
        &mut self,
        protocol: Protocol,
        states: StateFlags,
        found: &mut Vec<Socket>,
    ) -> Result<(), PortsError> {
        self.dump(AF_INET, protocol, states.clone(), found)?;
        self.dump(AF_INET6, protocol, states, found)
    }

    fn dump(
        &mut self,
        family: u8,
        protocol: Protocol,
        states: StateFlags,
        found: &mut Vec<Socket>,
    ) -> Result<(), PortsError> {
        let unavailable = |source| PortsError::Unavailable { source };
        self.socket.send(&request(family, protocol, states), 0).map_err(unavailable)?;
        loop {
            let length = self.socket.recv(&mut &mut self.buffer[..], 0).map_err(unavailable)?;
            if read_messages(&self.buffer[..length.min(RECEIVE_BUFFER)], protocol, found)? {
                return Ok(());
            }
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
                found.push(socket(&response, protocol));
            }
            _ => {}
        }
        // Messages are aligned to four bytes.
        let length = (message.header.length as usize).next_multiple_of(4);
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(false)
}

fn socket(response: &InetResponse, protocol: Protocol) -> Socket {
    let header = &response.header;
    Socket {
        protocol,
        address: SocketAddr::new(header.socket_id.source_address, header.socket_id.source_port),
        peer: header.socket_id.destination_address,
        listens: match protocol {
            Protocol::Tcp => header.state == TCP_LISTEN,
            Protocol::Udp => header.state == TCP_CLOSE,
        },
        v6only: response.nlas.contains(&Nla::SkV6Only(true)),
        inode: header.inode,
        uid: header.uid,
        cgroup: response.nlas.iter().find_map(cgroup_id),
        queue: (header.recv_queue, header.send_queue),
    }
}

fn cgroup_id(attribute: &Nla) -> Option<u64> {
    let Nla::Other(other) = attribute else {
        return None;
    };
    let mut bytes = [0; 8];
    (other.kind() == CGROUP_ID && other.value_len() == bytes.len()).then(|| {
        other.emit_value(&mut bytes);
        u64::from_ne_bytes(bytes)
    })
}
