//! Measures the port table against `ss -tlnp` and `lsof -i -P -n`, idle and under load, in one run:
//!
//! ```sh
//! cargo run --release -p cwts-ports --example port_table
//! ```
//!
//! The load is 2,000 listeners and 5,000 connections on loopback, all of this process and gone with it. Medians are
//! compared, the programs taking turns, so that a busy machine slows all of them. Ends with 1 when a target is missed.

use std::error::Error;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use cwts_ports::{PortsError, Watcher};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const LISTENERS: usize = 2_000;
const CONNECTIONS: usize = 5_000;
const ROUNDS: usize = 15;
/// At most this part of the time of `ss`, by the requirements of the port table.
const FIRST_POLL: f64 = 0.6;
const NEXT_POLL_IDLE: f64 = 0.1;
const NEXT_POLL_LOADED: f64 = 0.05;

const SS: (&str, &[&str]) = ("ss", &["-tlnp"]);
const LSOF: (&str, &[&str]) = ("lsof", &["-i", "-P", "-n"]);

/// Sockets that are only held.
#[derive(Default)]
struct Load {
    listeners: Vec<TcpListener>,
    connections: Vec<(TcpStream, TcpStream)>,
}

impl Load {
    /// As much as the limit of open files allows.
    fn new() -> Result<Self, Box<dyn Error>> {
        let allowed = raise_limit()?.saturating_sub(100);
        let scale = (allowed as f64 / (LISTENERS + 2 * CONNECTIONS) as f64).min(1.0);
        let part = |count: usize| (count as f64 * scale) as usize;
        let mut load = Self::default();
        for _ in 0..part(LISTENERS).max(1) {
            load.listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
        }
        let server = &load.listeners[0];
        for _ in 0..part(CONNECTIONS) {
            let client = TcpStream::connect(server.local_addr()?)?;
            load.connections.push((client, server.accept()?.0));
        }
        Ok(load)
    }
}

/// Raises the limit of open files as far as this user may. Gives the new limit.
fn raise_limit() -> Result<u64, Box<dyn Error>> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// Medians; `None` for a program that is not installed.
struct Times {
    first: Duration,
    next: Duration,
    ss: Option<Duration>,
    lsof: Option<Duration>,
}

fn measure() -> Result<Times, PortsError> {
    let (mut first, mut next, mut ss, mut lsof) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut watcher = Watcher::default();
        first.push(time(|| watcher.poll())?);
        ss.extend(run(SS));
        // Alone in the cache after another program ran, as a poll every second is.
        next.push(time(|| watcher.poll())?);
        lsof.extend(run(LSOF));
        next.push(time(|| watcher.poll())?);
    }
    let times = Times {
        first: median(first).unwrap_or_default(),
        next: median(next).unwrap_or_default(),
        ss: median(ss),
        lsof: median(lsof),
    };
    Ok(times)
}

fn time<T>(work: impl FnOnce() -> Result<T, PortsError>) -> Result<Duration, PortsError> {
    let start = Instant::now();
    work().map(|_| start.elapsed())
}

/// How long the program runs; `None` when it is not installed.
fn run((program, arguments): (&str, &[&str])) -> Option<Duration> {
    let start = Instant::now();
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.ok().map(|_| start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

/// Prints one line. Says whether the target is met.
fn report(case: &str, what: &str, ours: Duration, times: &Times, target: f64) -> bool {
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    let ratio = |other: Option<Duration>| other.map(|other| ours.as_secs_f64() / other.as_secs_f64());
    let shown = |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
    let met = ratio(times.ss).is_none_or(|ratio| ratio <= target);
    println!(
        "{case:<6} {what:<10} {:>9.3} {:>9} {:>9} {:>9} {:>9} {target:>7} {}",
        millis(ours),
        shown(times.ss.map(millis), 1),
        shown(times.lsof.map(millis), 1),
        shown(ratio(times.ss), 4),
        shown(ratio(times.lsof), 4),
        if met { "met" } else { "MISSED" }
    );
    met
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    println!("medians of {ROUNDS} rounds, in milliseconds; \"-\" is a program that is not installed");
    println!(
        "{:<6} {:<10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "", "poll", "ours", "ss", "lsof", "per ss", "per lsof", "target"
    );
    let idle = measure()?;
    let mut met = report("idle", "first", idle.first, &idle, FIRST_POLL);
    met &= report("idle", "next", idle.next, &idle, NEXT_POLL_IDLE);
    let load = Load::new()?;
    let loaded = measure()?;
    met &= report("loaded", "first", loaded.first, &loaded, FIRST_POLL);
    met &= report("loaded", "next", loaded.next, &loaded, NEXT_POLL_LOADED);
    println!("load: {} listeners, {} connections", load.listeners.len(), load.connections.len());
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
