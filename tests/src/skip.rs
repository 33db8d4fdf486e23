//! A test that this machine cannot run says so, and fails where every test has to run.

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
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let said = writeln!(std::io::stderr(), "skipped: {reason} ({count} skipped in this suite)");
    assert!(said.is_ok(), "a skipped test must not pass in silence: {said:?}");
}
