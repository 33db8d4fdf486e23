//! Real firewalls between two computers: ufw and firewalld, as their users switch them on.

use cwts_domain::Service;
use cwts_tests::{Home, Hosts};
use rustix::process::Signal;

use crate::matrix::{Matrix, test};

/// The server on the cable, over IPv4 and IPv6, and an address of the client.
const SERVER: &str = "192.168.50.1";
const SERVER_V6: &str = "fd00:50::1";
const CLIENT: &str = "192.168.50.10";

pub(crate) async fn all(matrix: &mut Matrix) {
    ufw(matrix).await;
    firewalld(matrix).await;
}

/// Asks the server's health from the client.
async fn outside(matrix: &mut Matrix, hosts: &Hosts, expected: &str, host: &str, what: &str) {
    let home = Home::untouched();
    let asked = hosts.on_client(&test(&home, "health", &["--host", host]));
    matrix.expect(expected, what, asked).await;
}

async fn ufw(matrix: &mut Matrix) {
    let Some(hosts) = Hosts::connect(&["ufw", "iptables"]).await else { return };
    let home = Home::empty();
    let server = hosts.serve(&home).await;
    outside(matrix, &hosts, "handshake.remote_refused", SERVER, "no firewall yet, and no TLS").await;
    hosts.switch_ufw_on().await;
    for host in [SERVER, SERVER_V6] {
        outside(matrix, &hosts, "tcp.dropped", host, "ufw as it is when it is switched on").await;
    }
    let itself = hosts.on_server(&test(&home, "health", &["--host", SERVER]));
    matrix.expect("tcp.self_test", "ufw lets the server reach itself", itself).await;
    hosts.run("ufw default reject incoming").await;
    for host in [SERVER, SERVER_V6] {
        outside(matrix, &hosts, "tcp.refused_by_firewall", host, "ufw default reject incoming").await;
    }
    let port = Service::Health.default_port();
    hosts.run(&format!("ufw reject {port}/tcp")).await;
    outside(matrix, &hosts, "tcp.refused_no_listener", SERVER, "ufw reject 8080/tcp, which resets").await;
    hosts
        .run(&format!(
            "ufw delete reject {port}/tcp; ufw prepend allow proto tcp from 192.168.50.0/24 to any port {port}"
        ))
        .await;
    outside(matrix, &hosts, "handshake.remote_refused", SERVER, "ufw with the rule that lets the client in").await;
    hosts.run("ufw default reject outgoing").await;
    let out = hosts.on_server(&test(&home, "health", &["--host", CLIENT]));
    matrix.expect("tcp.blocked_outgoing", "ufw default reject outgoing", out).await;
    server.stop(Signal::TERM).await;
}

async fn firewalld(matrix: &mut Matrix) {
    let Some(mut hosts) = Hosts::connect(&["firewalld", "dbus-daemon", "nft"]).await else { return };
    let home = Home::empty();
    let server = hosts.serve(&home).await;
    hosts.start_firewalld().await;
    let zones = [
        ("public", "tcp.admin_prohibited", "tcp.admin_prohibited_v6"),
        ("block", "tcp.admin_prohibited", "tcp.admin_prohibited_v6"),
        ("drop", "tcp.dropped", "tcp.dropped"),
        ("trusted", "handshake.remote_refused", "handshake.remote_refused"),
    ];
    for (zone, v4, v6) in zones {
        hosts.run(&format!("firewall-cmd --set-default-zone {zone}")).await;
        outside(matrix, &hosts, v4, SERVER, &format!("firewalld, zone {zone}")).await;
        outside(matrix, &hosts, v6, SERVER_V6, &format!("firewalld over IPv6, zone {zone}")).await;
    }
    server.stop(Signal::TERM).await;
}
