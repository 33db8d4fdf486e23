//! Trying the text for Prometheus out: Prometheus itself runs with it until it has scraped the target.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use cwts_domain::Problem;
use cwts_ports::loopback;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::{failed, start};

const PROGRAM: &str = "prometheus";
/// How often Prometheus is asked what it has seen, and how often it scrapes is a second.
const PERIOD: Duration = Duration::from_millis(100);
const TARGETS: &str = "/api/v1/targets";
const LONGEST_ANSWER: usize = 1 << 20;

/// The answer to `/api/v1/targets` (Prometheus, "HTTP API").
#[derive(Deserialize)]
struct Targets {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    active_targets: Vec<Target>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    /// `up`, `down` or, before the first scrape, `unknown`.
    health: String,
    scrape_url: String,
    last_error: String,
}

/// A Prometheus that ends with this, before its folder is removed.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // timeout(1), which was started, passes the signal on. Where it has ended there is nobody to tell.
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM).ok();
        }
        self.0.wait().ok();
    }
}

/// Runs Prometheus with the text on a free port of this computer and data of its own. Blocks until it has scraped once.
pub(super) fn scrape(text: &str) -> Result<(bool, String), Problem> {
    let cannot = |error: std::io::Error| failed(PROGRAM, &error);
    let folder = tempfile::tempdir().map_err(cannot)?;
    let file = folder.path().join("prometheus.yml");
    std::fs::write(&file, format!("global:\n  scrape_interval: 1s\n{text}\n")).map_err(cannot)?;
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr()).map_err(cannot)?;
    let options = [
        format!("--config.file={}", file.display()),
        format!("--storage.tsdb.path={}", folder.path().join("data").display()),
        format!("--web.listen-address={free}"),
        "--log.level=error".to_owned(),
    ];
    let mut running = Running(start(PROGRAM, &options)?);
    let said = lines(&mut running.0);
    Ok(outcome(free, &said))
}

/// What a program complains about, line by line, until it ends.
fn lines(child: &mut Child) -> Receiver<String> {
    let (tell, told) = channel();
    let errors = child.stderr.take();
    std::thread::spawn(move || {
        let lines = errors.into_iter().flat_map(|errors| BufReader::new(errors).lines().map_while(Result::ok));
        for line in lines {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    told
}

fn outcome(address: SocketAddr, said: &Receiver<String>) -> (bool, String) {
    let mut complaints = Vec::new();
    loop {
        match said.recv_timeout(PERIOD) {
            Ok(line) => complaints.push(line),
            Err(RecvTimeoutError::Timeout) => match target(address) {
                Some(Target { health, scrape_url, .. }) if health == "up" => {
                    return (true, format!("Prometheus has scraped {scrape_url}: the target is up."));
                }
                Some(Target { health, scrape_url, last_error }) if health == "down" => {
                    return (false, format!("Prometheus runs, and its target {scrape_url} is down: {last_error}."));
                }
                _ => {}
            },
            Err(RecvTimeoutError::Disconnected) => {
                complaints.push("Prometheus ended before it had scraped.".to_owned());
                return (false, complaints.join("\n"));
            }
        }
    }
}

/// The one target of the text, once Prometheus answers.
fn target(address: SocketAddr) -> Option<Target> {
    let answer = loopback::get(address, TARGETS, None, LONGEST_ANSWER).ok()?;
    serde_json::from_slice::<Targets>(&answer.body).ok()?.data.active_targets.into_iter().next()
}
