//! `run`: the four services until SIGINT or SIGTERM.

use std::process::ExitCode;
use std::time::Duration;

use cwts_config::{Loaded, Sources};
use cwts_domain::{Group, Problem, Service};
use cwts_runtime::{Exposure, Host, Instance, Policy, PortSurvey, ServiceSnapshot, Snapshot, Standing};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::output::print;

/// How long blocking work may hold up the end of the program.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// Ended by a second SIGINT or SIGTERM: 128 and the number of the signal, as a shell reports it.
const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

pub(crate) fn run(sources: Sources, as_json: bool) -> Result<ExitCode, Failure> {
    let loaded = furnished(&sources)?;
    // Standard output holds what scripts read, and no log.
    if let Err(error) = cwts_runtime::begin_log(&sources, loaded.settings.log_level.value) {
        eprintln!("warning: no log: {error}");
    }
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    let survey = PortSurvey::new(&sources, &loaded);
    let host = Host::new().map_err(Failure::internal)?;
    let instance = host.open(sources, cwts_server::services())?;
    let served = host.block_on(serve(&instance, &loaded, &survey, as_json));
    host.shutdown(SHUTDOWN);
    served
}

/// The configuration, in a home that has every file.
fn furnished(sources: &Sources) -> Result<Loaded, Failure> {
    let furnished = cwts_config::furnish(sources);
    let loaded = cwts_config::load(sources)?;
    if let Err(error) = furnished {
        eprintln!("warning: {} It runs without the files that are missing.", Problem::from(error));
    }
    Ok(loaded)
}

async fn serve(instance: &Instance, loaded: &Loaded, survey: &PortSurvey, as_json: bool) -> Result<ExitCode, Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::internal)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
    warn_of_shadows(loaded, survey);
    let snapshot = instance.start().await?;
    for missing in cwts_runtime::missing_addresses(&snapshot) {
        eprintln!("warning: {missing}");
    }
    warn_of_exposure(&snapshot, &instance.policy());
    warn_of_journal(instance);
    announce(&snapshot, as_json)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let clients = || instance.snapshot().services.iter().map(|entry| entry.clients).sum::<u32>();
    if clients() > 0 {
        eprintln!("Stopping: {} connections have 10 s to end. Interrupt again to end at once.", clients());
    }
    let status = tokio::select! {
        stopped = instance.stop() => {
            stopped?;
            return Ok(ExitCode::SUCCESS);
        }
        _ = interrupt.recv() => INTERRUPTED,
        _ = terminate.recv() => TERMINATED,
    };
    eprintln!("Ended at once: {} connections are cut.", clients());
    Ok(ExitCode::from(status))
}

/// A foreign listener on `[::1]` does not stop a start on 127.0.0.1, but may catch clients of `localhost`.
fn warn_of_shadows(loaded: &Loaded, survey: &PortSurvey) {
    for service in Service::ALL {
        let address = loaded.settings.socket_addr(service);
        let standing = survey.standing(service, address.port());
        if matches!(standing, Standing::Shadowed(_)) {
            let port = address.port().to_string();
            eprintln!("warning: {service}: {} Give them {address}.", standing.sentence(&port, address.ip()));
        }
    }
}

/// One line for each service with its URL.
fn announce(snapshot: &Snapshot, as_json: bool) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for entry in &snapshot.services {
        lines.push(match as_json {
            true => json!({ "service": entry.service, "url": entry.url, "port": entry.port.value }).to_string(),
            false => format!("{:<14} {}", entry.name, entry.url),
        });
    }
    print(lines.join("\n"))
}

/// Everything is served, and nothing can be traded.
fn warn_of_journal(instance: &Instance) {
    if let Some(fault) = instance.exchange().journal_fault() {
        eprintln!("warning: trading is halted: {fault}. Everything can be read. {}", fault.help());
    }
}

/// What listening beyond loopback means, in one line.
fn warn_of_exposure(snapshot: &Snapshot, policy: &Policy) {
    let beyond = |entry: &&ServiceSnapshot| !entry.address.value.to_canonical().is_loopback();
    let listening: Vec<String> = snapshot
        .services
        .iter()
        .filter(beyond)
        .map(|entry| format!("{} on {}", entry.name, entry.address.value))
        .collect();
    if listening.is_empty() {
        return;
    }
    let consequence = match policy.exposure(Group::Mcp) {
        Exposure::ReadOnly => {
            "other computers are served over TLS with a token; trading is read-only until it is armed"
        }
        _ if policy.is_exposed() => "other computers are served over TLS with a token",
        _ => {
            "TLS is off, so other computers are refused with 403. Run `cwts-ultra tls make`, then `cwts-ultra config set \
             security.tls on --layer toml`"
        }
    };
    eprintln!("warning: beyond this computer: {}: {consequence}.", listening.join(", "));
}
