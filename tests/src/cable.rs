//! Another computer: a network namespace at the other end of a cable. Only inside [`sandboxed`](crate::sandboxed).

use serde_json::Value;
use tokio::process::Command;

use crate::server::{Exit, finish};

/// This computer's address on the cable.
pub const THIS_END: &str = "192.168.50.1";

const LAY: &str = "ip netns add client && ip link add server type veth peer name eth0 netns client && \
    ip addr add 192.168.50.1/24 dev server && ip link set server up && \
    ip netns exec client ip addr add 192.168.50.10/24 dev eth0 && ip netns exec client ip link set eth0 up";

/// The other computer's.
pub const OTHER_END: &str = "192.168.50.10";

/// This computer's in IPv6.
pub const THIS_END_V6: &str = "fd00:50::1";

/// Two addresses of the other computer, as a client with a network of 64 bits may have.
pub const OTHER_END_V6: [&str; 2] = ["fd00:50::10", "fd00:50::11"];

/// Runs a line in a shell.
///
/// # Panics
/// It does not end in time.
pub async fn shell(line: &str) -> Exit {
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(line).kill_on_drop(true);
    finish(bash).await
}

/// Lays the cable.
///
/// # Panics
/// It cannot be laid.
pub async fn lay_cable() {
    let laid = shell(LAY).await;
    assert_eq!(laid.status, Some(0), "another computer in a namespace: {laid:?}");
}

/// Gives both ends addresses of IPv6.
///
/// # Panics
/// The kernel has no IPv6.
pub async fn lay_ipv6() {
    let [one, other] = OTHER_END_V6;
    let line = format!(
        "ip -6 addr add {THIS_END_V6}/64 dev server nodad && \
         for each in {one} {other}; do ip netns exec client ip -6 addr add $each/64 dev eth0 nodad || exit; done"
    );
    let laid = shell(&line).await;
    assert_eq!(laid.status, Some(0), "addresses of IPv6: {laid:?}");
}

/// What curl on the other computer gets: status and body. The status is 0 where nothing answers.
///
/// # Panics
/// curl does not end in time.
pub async fn remote(arguments: &[&str]) -> (u16, Value) {
    let mut curl = Command::new("ip");
    curl.args(["netns", "exec", "client", "curl", "-s", "-m", "5", "-w", "\n%{http_code}"]).args(arguments);
    let exit = finish(curl).await;
    let (body, status) = exit.stdout.rsplit_once('\n').unwrap_or_default();
    (status.parse().unwrap_or_default(), serde_json::from_str(body).unwrap_or_default())
}

/// The SHA-256 fingerprint of the certificate that a port shows, as openssl prints it.
///
/// # Panics
/// openssl does not end in time.
pub async fn shown_fingerprint(address: &str) -> String {
    let print = format!(
        "openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    );
    let printed = shell(&print).await.stdout;
    printed.trim().rsplit_once('=').map(|(_, fingerprint)| fingerprint.to_owned()).unwrap_or_default()
}
