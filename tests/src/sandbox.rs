//! A network of its own for a test: every port of the guide is free, and no firewall rule reaches the machine.
//!
//! A process with threads cannot enter a user namespace, so the test runs a second time, in a child that is born there.

use std::any::type_name;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::deadline::within;
use crate::skip::skip_also_in_ci;

/// The test has deadlines of its own.
const PATIENCE: Duration = Duration::from_secs(300);

/// Set for the child.
const INSIDE: &str = "CWTS_TEST_SANDBOX";

/// User, network and mount namespaces, which need no rights; `/run` is empty, so that locks and sockets are its own.
const ENTER: [&str; 6] = ["--user", "--map-root-user", "--net", "--mount", "--", "bash"];
const PREPARE: &str = "mount -t tmpfs tmpfs /run && ip link set lo up && exec \"$@\"";

/// Runs `test`, which calls this first, in namespaces of its own. `true` in there; outside `false` after it has passed,
/// or after a note where the machine has no such namespaces.
///
/// ```ignore
/// #[tokio::test]
/// async fn a_port_below_1024_is_free() {
///     if !sandboxed(a_port_below_1024_is_free).await {
///         return;
///     }
/// }
/// ```
///
/// # Panics
/// The test failed in there.
pub async fn sandboxed<T: Fn()>(_test: T) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if !is_possible().await {
        skip_also_in_ci(
            "unshare makes no user and network namespaces here. Allow them to ordinary users, and install iproute2.",
        );
        return false;
    }
    // suite::module::test; the suite is not part of a test's name.
    let name = type_name::<T>().split_once("::").map_or("", |(_, name)| name);
    let suite = std::env::current_exe().expect("the path of the test executable");
    let arguments = [suite.as_os_str(), "--exact".as_ref(), name.as_ref(), "--nocapture".as_ref()];
    let mut command = enter(&arguments);
    command.env(INSIDE, "yes");
    let output = tokio::process::Command::from(command).kill_on_drop(true).output();
    let Ok(output) = tokio::time::timeout(PATIENCE, output).await else {
        panic!("{name} did not end within {PATIENCE:?} in its sandbox");
    };
    let output = output.expect("unshare starts");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{name} failed in its sandbox:\n{said}");
    for note in said.lines().filter_map(|line| line.strip_prefix("skipped: ")) {
        skip_also_in_ci(note.rsplit_once(" (").map_or(note, |(reason, _)| reason));
    }
    false
}

fn enter(arguments: &[&OsStr]) -> Command {
    let mut command = Command::new("unshare");
    command.args(ENTER).args(["-c", PREPARE, "sandbox"]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command
}

async fn is_possible() -> bool {
    let status = tokio::process::Command::from(enter(&["true".as_ref()])).status();
    within("unshare", status).await.is_ok_and(|status| status.success())
}
