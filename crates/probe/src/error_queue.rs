//! The error queue of a TCP socket: the ICMP message behind a failed connect, and who sent it.
//!
//! ip(7) `IP_RECVERR` and ipv6(7) `IPV6_RECVERR`; works for ordinary users. The only unsafe code of the crate: no safe
//! wrapper of the tree reads the control messages.
#![expect(unsafe_code, reason = "control messages of recvmsg(2) have no safe interface in std, rustix or socket2")]

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::ptr;

use crate::Icmp;

/// Room for one `sock_extended_err` with the address of its sender.
const CONTROL: usize = 512;

/// Asks the kernel to keep what ICMP says of the socket. To be called before it connects.
pub(crate) fn keep(socket: BorrowedFd<'_>, v6: bool) -> io::Result<()> {
    let on: libc::c_int = 1;
    let (level, name) =
        if v6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) } else { (libc::IPPROTO_IP, libc::IP_RECVERR) };
    let length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the descriptor is open while it is borrowed, and the option's value is an int that outlives the call.
    let set = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const on).cast(), length) };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes the oldest message of ICMP or ICMPv6 out of the queue; `None` when it is empty.
pub(crate) fn take(socket: BorrowedFd<'_>) -> Option<Icmp> {
    // Aligned as control messages are.
    let mut control = [0_u64; CONTROL / 8];
    let mut payload = [0_u8; 128];
    let mut part = libc::iovec { iov_base: payload.as_mut_ptr().cast(), iov_len: payload.len() };
    // SAFETY: a msghdr of zeros is a valid, empty one.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(&control) as _;
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: every pointer of the header is to a local that outlives the call, with its true length.
    if unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) } < 0 {
        return None;
    }
    // SAFETY: the kernel has filled in the header and the control messages that it points to.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    while !next.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR give null or a whole header within the buffer, whose start is aligned.
        let message = unsafe { ptr::read_unaligned(next) };
        let errors = [(libc::IPPROTO_IP, libc::IP_RECVERR), (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)];
        if errors.contains(&(message.cmsg_level, message.cmsg_type)) {
            // SAFETY: such a message holds a sock_extended_err, followed by the sockaddr of its sender (ip(7)).
            let (error, offender) = unsafe {
                let data = libc::CMSG_DATA(next).cast::<libc::sock_extended_err>();
                (ptr::read_unaligned(data), sender(data))
            };
            if [libc::SO_EE_ORIGIN_ICMP, libc::SO_EE_ORIGIN_ICMP6].contains(&error.ee_origin) {
                let v6 = error.ee_origin == libc::SO_EE_ORIGIN_ICMP6;
                return Some(Icmp { v6, kind: error.ee_type, code: error.ee_code, sender: offender });
            }
        }
        // SAFETY: as for the first one.
        next = unsafe { libc::CMSG_NXTHDR(&raw const header, next) };
    }
    None
}

/// SAFETY: `error` must be followed by the address that the kernel puts behind it.
unsafe fn sender(error: *const libc::sock_extended_err) -> Option<IpAddr> {
    // SAFETY: the kernel writes a sockaddr of the socket's family, or one of family AF_UNSPEC, behind the error.
    unsafe {
        let address = error.add(1).cast::<libc::sockaddr>();
        match i32::from(ptr::read_unaligned(address).sa_family) {
            libc::AF_INET => {
                let address = ptr::read_unaligned(address.cast::<libc::sockaddr_in>());
                Some(Ipv4Addr::from(address.sin_addr.s_addr.to_ne_bytes()).into())
            }
            libc::AF_INET6 => {
                let address = ptr::read_unaligned(address.cast::<libc::sockaddr_in6>());
                Some(Ipv6Addr::from(address.sin6_addr.s6_addr).to_canonical())
            }
            _ => None,
        }
    }
}
