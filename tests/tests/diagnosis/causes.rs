//! What the cases are made of: shells, another computer, the program's files.

use cwts_tests::{Exit, finish};
use tokio::process::Command;

/// This computer on the cable, over IPv4 and IPv6.
pub(crate) const HERE: &str = "192.168.50.1";
pub(crate) const HERE_V6: &str = "fd00:50::1";
/// The other one.
pub(crate) const THERE: &str = "192.168.50.10";
/// Puts a command on the other computer.
pub(crate) const CLIENT: [&str; 4] = ["ip", "netns", "exec", "client"];

const CABLE: &str = "ip netns add client && ip link add server type veth peer name eth0 netns client && \
    ip addr add 192.168.50.1/24 dev server && ip addr add fd00:50::1/64 dev server nodad && ip link set server up && \
    ip netns exec client ip link set lo up && ip netns exec client ip addr add 192.168.50.10/24 dev eth0 && \
    ip netns exec client ip addr add fd00:50::10/64 dev eth0 nodad && ip netns exec client ip link set eth0 up && \
    for queue in /sys/class/net/server/queues/rx-0/rps_cpus; do echo 2 >$queue 2>/dev/null || true; done";

/// Runs a script in the sandbox, which must succeed.
pub(crate) async fn shell(script: &str) {
    let mut bash = Command::new("bash");
    bash.args(["-euc", script]).kill_on_drop(true);
    let exit: Exit = finish(bash).await;
    assert_eq!(exit.status, Some(0), "{script}: {exit:?}");
}

/// Another computer at the other end of a cable.
pub(crate) async fn lay_cable() {
    shell(CABLE).await;
}

/// Has the firewall of this computer treat connections to a port in a way, until [`tear_down`].
pub(crate) async fn firewall(hook: &str, port: u16, verdict: &str) {
    shell(&format!(
        "nft 'table inet wall {{ chain wall {{ type filter hook {hook} priority filter; policy accept; tcp dport {port} \
         {verdict}; }}; }}'"
    ))
    .await;
}

/// Takes the firewall away.
pub(crate) async fn tear_down() {
    shell("nft delete table inet wall").await;
}
