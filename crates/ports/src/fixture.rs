//! Ports and processes for the tests.

use std::io::{BufRead, BufReader};
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::availability::probe;

const LISTEN_ON: &str = "CWTS_TEST_LISTEN_ON";

/// A port that nobody uses on any address, below the ephemeral range so that no outgoing connection takes it.
pub(crate) fn fresh_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = 20_000 + (std::process::id() % 1_000) as u16 * 12;
    loop {
        let port = base + NEXT.fetch_add(1, Ordering::Relaxed);
        if probe(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)).is_ok() {
            return port;
        }
    }
}

/// Another process that listens, until it is dropped.
pub(crate) struct ForeignListener(Child);

impl ForeignListener {
    /// Runs this test program once more, as [`listens_for_another_test`].
    pub(crate) fn on(address: SocketAddr) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "fixture::listens_for_another_test", "--ignored", "--nocapture"])
            .env(LISTEN_ON, address.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let listens = output.any(|line| line.unwrap().ends_with("listening"));
        assert!(listens, "the other process must listen on {address} before the test goes on");
        Self(child)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for ForeignListener {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
#[ignore = "the other process of ForeignListener"]
fn listens_for_another_test() {
    let address: SocketAddr = std::env::var(LISTEN_ON).unwrap().parse().unwrap();
    let listener = TcpListener::bind(address).unwrap();
    println!("listening");
    // Ends with the test, also when that is killed: its end of the pipe closes.
    let end = std::io::stdin().lines().next();
    assert!(end.is_none(), "nobody writes to the process on {:?}", listener.local_addr());
}
