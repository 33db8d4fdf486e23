//! A test that the machine cannot run says so, and fails where every test has to run.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Notes on standard error, past the capture of the test runner, that a test was not run, and counts it.
///
/// # Panics
/// `CI` is `true`: there a test that does not run is a hole nobody sees.
pub fn skip(reason: &str) {
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!in_ci, "skipped tests are not allowed in CI: {reason}");
    skip_also_in_ci(reason);
}

/// The same for what no package can bring, such as the right to make a namespace.
///
/// # Panics
/// Standard error is closed.
pub fn skip_also_in_ci(reason: &str) {
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let said = writeln!(std::io::stderr(), "skipped: {reason} ({count} skipped in this suite)");
    assert!(said.is_ok(), "a skipped test must not pass in silence: {said:?}");
}

/// Whether a program is on the `PATH`, or where Debian has the programs of administrators.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.into_iter().any(|folder| folder.join(program).is_file())
}
