//! Every kind of holder that an ordinary process can be, against every kind of address that a service binds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream, UdpSocket};

use socket2::{Domain, Socket, Type};

use super::*;
use crate::fixture::{ForeignListener, fresh_port};
use crate::system_table;

const ALL_V4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const OTHER_LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const ALL: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
const LOOPBACK_V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
/// The columns of the tables below.
const WANTED: [IpAddr; 4] = [ALL_V4, LOOPBACK, ALL, LOOPBACK_V6];

#[derive(Clone, Copy, PartialEq)]
enum Reuse {
    Yes,
    No,
}

fn bound(address: SocketAddr, reuse: Reuse, v6only: bool) -> Socket {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_reuse_address(reuse == Reuse::Yes).unwrap();
    if address.is_ipv6() {
        socket.set_only_v6(v6only).unwrap();
    }
    socket.bind(&address.into()).unwrap();
    socket
}

fn listening(address: SocketAddr, reuse: Reuse, v6only: bool) -> Socket {
    let socket = bound(address, reuse, v6only);
    socket.listen(8).unwrap();
    socket
}

/// A connection whose listener is gone: the client's end and the accepted end.
fn accepted(port: u16, reuse: Reuse) -> (TcpStream, TcpStream) {
    let listener = TcpListener::from(listening(SocketAddr::new(LOOPBACK, port), reuse, false));
    let client = TcpStream::connect((LOOPBACK, port)).unwrap();
    (client, listener.accept().unwrap().0)
}

/// Compares the verdict on each wanted address with the row of a table: whether it can be bound. The last column is
/// 0.0.0.0 without `SO_REUSEADDR`, which no service of ours asks for and which often gives another verdict.
fn check(row: &str, port: u16, bindable: [bool; 5]) {
    let without_reuse = {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(ALL_V4, port).into()).is_ok()
    };
    assert_eq!(without_reuse, bindable[4], "{row}: a probe without SO_REUSEADDR would not say what a start does");
    for (ip, expected) in WANTED.into_iter().zip(bindable) {
        let found = availability(SocketAddr::new(ip, port));
        let as_expected = match &found {
            Availability::Free { .. } => expected,
            Availability::Taken { .. } => !expected,
            Availability::Denied { .. } | Availability::AddressUnavailable => false,
        };
        assert!(as_expected, "{row}: {ip} can be bound: {expected}; found {found:?}");
    }
}

/// Who is in the way, which must be this process for every socket of the tests.
fn taken_by(address: SocketAddr) -> Option<Holder> {
    match availability(address) {
        Availability::Taken { holder } => holder,
        other => panic!("{address} is held by this test, found {other:?}"),
    }
}

#[test]
fn a_listener_takes_what_the_kernel_says_it_takes() {
    let rows = [
        (ALL_V4, false, [false, false, false, true, false]),
        (LOOPBACK, false, [false, false, false, true, false]),
        (OTHER_LOOPBACK, false, [false, true, false, true, false]),
        (ALL, false, [false, false, false, false, false]),
        (ALL, true, [true, true, false, false, true]),
        (LOOPBACK_V6, false, [true, true, false, false, true]),
    ];
    for (ip, v6only, bindable) in rows {
        let port = fresh_port();
        let _listener = listening(SocketAddr::new(ip, port), Reuse::Yes, v6only);
        check(&format!("listener on {ip}, v6only {v6only}"), port, bindable);
    }
}

#[test]
fn a_socket_that_is_only_bound_yields_when_it_allows_reuse() {
    let port = fresh_port();
    let _bound = bound(SocketAddr::new(LOOPBACK, port), Reuse::Yes, false);
    check("bound with reuse", port, [true, true, true, true, false]);
    let port = fresh_port();
    let _bound = bound(SocketAddr::new(LOOPBACK, port), Reuse::No, false);
    check("bound without reuse", port, [false, false, false, true, false]);
}

#[test]
fn a_live_connection_yields_when_its_listener_allowed_reuse() {
    let port = fresh_port();
    let _ends = accepted(port, Reuse::Yes);
    check("connection, listener with reuse", port, [true, true, true, true, false]);
    let port = fresh_port();
    let _ends = accepted(port, Reuse::No);
    check("connection, listener without reuse", port, [false, false, false, true, false]);
}

#[test]
fn a_closed_connection_yields_when_its_listener_allowed_reuse() {
    for (reuse, bindable) in
        [(Reuse::Yes, [true, true, true, true, false]), (Reuse::No, [false, false, false, true, false])]
    {
        let port = fresh_port();
        let (client, server) = accepted(port, reuse);
        // The end that closes first stays behind in TIME_WAIT.
        drop(server);
        drop(client);
        check("TIME_WAIT", port, bindable);
    }
}

#[test]
fn a_client_on_the_port_is_in_the_way_and_named() {
    let server = TcpListener::bind((LOOPBACK, 0)).unwrap();
    let port = fresh_port();
    let client = bound(SocketAddr::new(LOOPBACK, port), Reuse::No, false);
    client.connect(&server.local_addr().unwrap().into()).unwrap();
    check("client", port, [false, false, false, true, false]);
    let holder = taken_by(SocketAddr::new(LOOPBACK, port)).unwrap();
    assert_eq!(holder.pid, Some(std::process::id()), "a list of listeners alone would name nobody");
}

#[test]
fn a_udp_socket_leaves_tcp_alone() {
    let port = fresh_port();
    let _udp = UdpSocket::bind((LOOPBACK, port)).unwrap();
    check("UDP", port, [true; 5]);
}

#[test]
fn the_holder_of_a_taken_port_is_this_process() {
    let port = fresh_port();
    let _listener = listening(SocketAddr::new(ALL, port), Reuse::Yes, false);
    let holder = taken_by(SocketAddr::new(LOOPBACK, port)).unwrap();
    let program = std::env::current_exe().unwrap();
    let name = program.file_name().and_then(|name| name.to_str());
    assert_eq!(holder.pid, Some(std::process::id()), "the process is named");
    assert_eq!(holder.process.as_deref(), name, "with its whole name, of which the kernel tells 15 bytes");
    assert_eq!(holder.address, SocketAddr::new(ALL, port), "and with the address that is really held");
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let entry = passwd.lines().find(|line| line.split(':').nth(2) == Some(&uid));
    let user = entry.and_then(|line| line.split(':').next()).map_or(uid.clone(), str::to_owned);
    assert_eq!(holder.user, Some(user), "and its user");
}

#[test]
fn what_is_left_of_a_connection_has_no_holder() {
    let port = fresh_port();
    let (client, server) = accepted(port, Reuse::No);
    drop(server);
    drop(client);
    assert_eq!(taken_by(SocketAddr::new(LOOPBACK, port)), None, "it ends by itself; there is nobody to stop");
}

#[test]
fn the_closed_end_of_a_live_connection_has_no_holder() {
    let port = fresh_port();
    let (client, server) = accepted(port, Reuse::No);
    drop(server);
    assert_eq!(taken_by(SocketAddr::new(LOOPBACK, port)), None, "the kernel waits for the client; its list says root");
    drop(client);
}

#[test]
fn an_address_of_another_computer_is_unavailable() {
    let documentation = "[2001:db8::1]:3000".parse().unwrap();
    assert_eq!(availability(documentation), Availability::AddressUnavailable, "RFC 3849 gives it to nobody");
}

#[test]
fn a_listener_of_this_process_on_ipv6_is_no_shadow() {
    let port = fresh_port();
    let _listener = listening(SocketAddr::new(LOOPBACK_V6, port), Reuse::Yes, false);
    let expected = Availability::Free { shadowed_by: None };
    assert_eq!(availability(SocketAddr::new(LOOPBACK, port)), expected, "both sockets serve the same clients");
}

#[test]
fn a_foreign_listener_is_named_and_is_not_ours() {
    let address = SocketAddr::new(LOOPBACK, fresh_port());
    let foreign = ForeignListener::on(address);
    assert_eq!(taken_by(address).unwrap().pid, Some(foreign.pid()), "the other process is in the way");
    let rows = system_table().unwrap();
    let row = rows.iter().find(|row| row.holder.address == address).unwrap();
    assert_eq!((row.holder.pid, row.ours), (Some(foreign.pid()), false), "the table tells foreign from own sockets");
}

#[test]
fn a_foreign_listener_on_ipv6_shadows_localhost() {
    let port = fresh_port();
    let foreign = ForeignListener::on(SocketAddr::new(LOOPBACK_V6, port));
    for (ip, shadowed) in [(LOOPBACK, true), (ALL_V4, true), (OTHER_LOOPBACK, false)] {
        let Availability::Free { shadowed_by } = availability(SocketAddr::new(ip, port)) else {
            panic!("{ip} can be bound next to [::1]");
        };
        let expected = shadowed.then(|| foreign.pid());
        assert_eq!(shadowed_by.and_then(|it| it.pid), expected, "clients of localhost try ::1 before {ip}");
    }
}

#[test]
fn a_refusal_below_the_first_free_port_is_a_matter_of_privilege() {
    let refused = io::Error::from_raw_os_error(Errno::ACCESS.raw_os_error());
    let first_free = first_unprivileged_port();
    let low = verdict(&refused, SocketAddr::new(LOOPBACK, first_free - 1));
    let reason = DenyReason::Privileged { first_free };
    assert_eq!(low, Availability::Denied { reason }, "the remedy is a higher port");
    let high = verdict(&refused, SocketAddr::new(LOOPBACK, first_free));
    let by_policy = matches!(high, Availability::Denied { reason: DenyReason::SecurityPolicy { .. } });
    assert!(by_policy, "no privilege is missing above the limit: {high:?}");
}
