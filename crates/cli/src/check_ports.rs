//! `check-ports`: each configured port, free or taken and by whom, and what to use instead.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use cwts_config::{Edit, Key, Loaded, Origin, SaveLayer, Sources, is_browser_blocked};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_ports::{Availability, Holder};
use cwts_runtime::running_instances;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{print, print_json};

/// The exit status when a port is taken.
const TAKEN: u8 = 3;

/// What is known of one configured port.
#[derive(Debug, Serialize)]
struct Report {
    service: Service,
    port: u16,
    address: IpAddr,
    state: State,
    holder: Option<Holder>,
    alternatives: Vec<Alternative>,
    suggestion: Option<u16>,
    /// Whether a start would succeed. True also where a foreign listener on `[::1]` would catch clients of `localhost`.
    bindable: bool,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Free,
    Ours,
    Taken,
    Denied,
}

/// A port that ports.conf names as an alternative.
#[derive(Debug, Serialize)]
struct Alternative {
    port: u16,
    state: State,
}

pub(crate) fn execute(sources: &Sources, save: bool, as_json: bool) -> Result<ExitCode, Failure> {
    let loaded = cwts_config::load(sources)?;
    let mut reports = examine(sources, &loaded);
    let saved = save && save_suggestions(sources, &loaded, &reports)?;
    if saved {
        reports = examine(sources, &cwts_config::load(sources)?);
    }
    if as_json {
        print_json(&reports)?;
    } else {
        let lines: Vec<String> = reports.iter().map(Report::line).collect();
        print(lines.join("\n"))?;
    }
    if saved {
        eprintln!("Saved to {}.", sources.env_file().display());
    }
    let settled = reports.iter().all(|report| matches!(report.state, State::Free | State::Ours));
    Ok(if settled { ExitCode::SUCCESS } else { ExitCode::from(TAKEN) })
}

fn examine(sources: &Sources, loaded: &Loaded) -> Vec<Report> {
    let running = running_instances(sources.home()).into_iter();
    // On a port of another instance a start would fail, so it is as taken as any.
    let ours: Vec<u32> = running.filter(|it| it.id == sources.instance().as_str()).map(|running| running.pid).collect();
    // A suggestion must not be the port of another service, nor be suggested twice.
    let mut avoid: Vec<u16> = Service::ALL.map(|service| loaded.settings.port(service).value).into();
    let mut reports = Vec::new();
    for service in Service::ALL {
        let report = Report::of(loaded, service, &ours, &avoid);
        avoid.extend(report.suggestion);
        reports.push(report);
    }
    reports
}

impl Report {
    fn of(loaded: &Loaded, service: Service, ours: &[u32], avoid: &[u16]) -> Self {
        let address = loaded.settings.socket_addr(service);
        let (state, holder, bindable) = judge(address, ours);
        let ports = loaded.port_table.get(service);
        let alternatives = ports.alternatives.iter().map(|&port| {
            let (state, ..) = judge(SocketAddr::new(address.ip(), port), ours);
            Alternative { port, state }
        });
        let usable = ports.candidates().filter(|port| !is_browser_blocked(*port));
        let wanted = matches!(state, State::Taken | State::Denied);
        let suggestion = wanted.then(|| cwts_ports::next_free(usable, address.ip(), avoid)).flatten();
        Self {
            service,
            port: address.port(),
            address: address.ip(),
            state,
            holder,
            alternatives: alternatives.collect(),
            suggestion,
            bindable,
            origin: loaded.settings.port(service).origin.clone(),
        }
    }

    fn line(&self) -> String {
        let address = SocketAddr::new(self.address, self.port);
        let verdict = match (self.state, &self.holder) {
            (State::Free, _) => "free".to_owned(),
            (State::Ours, Some(holder)) => format!("ours: {holder}"),
            (State::Taken, Some(holder)) if self.bindable => {
                format!("free, but clients of localhost may reach {holder} on {} first", holder.address)
            }
            (State::Taken, Some(holder)) => format!("taken by {holder}"),
            (State::Ours | State::Taken, None) => "taken by a socket that this user cannot see".to_owned(),
            (State::Denied, _) => "not permitted to this user".to_owned(),
        };
        let remedy = self.suggestion.map(|port| format!("; use {port}")).unwrap_or_default();
        format!("{:<14} {address:<21} {verdict}{remedy}", self.service.name())
    }
}

/// State, holder, and whether the address can be bound.
fn judge(address: SocketAddr, ours: &[u32]) -> (State, Option<Holder>, bool) {
    match cwts_ports::availability(address) {
        Availability::Free { shadowed_by: None } => (State::Free, None, true),
        Availability::Free { shadowed_by } => (State::Taken, shadowed_by, true),
        Availability::Taken { holder } => {
            let is_ours = holder.as_ref().and_then(|holder| holder.pid).is_some_and(|pid| ours.contains(&pid));
            (if is_ours { State::Ours } else { State::Taken }, holder, false)
        }
        Availability::Denied { .. } | Availability::AddressUnavailable => (State::Denied, None, false),
    }
}

/// Writes the suggestions to ports.env; false when there is nothing to write.
fn save_suggestions(sources: &Sources, loaded: &Loaded, reports: &[Report]) -> Result<bool, Failure> {
    let mut edits = Vec::new();
    for report in reports {
        let unsettled = matches!(report.state, State::Taken | State::Denied);
        match report.suggestion {
            Some(port) => edits.push(Edit::set(Key::Port(report.service), port)?),
            None if unsettled => {
                let message = format!("No free port was found for {}.", report.service);
                let help = "Free one of its alternatives, or widen its range in ports.conf.";
                return Err(Problem::new(ErrorCode::PortTaken, message).with_help(help).into());
            }
            None => {}
        }
    }
    if edits.is_empty() {
        return Ok(false);
    }
    cwts_config::save(sources, SaveLayer::EnvFile, &edits, &loaded.revision)?;
    Ok(true)
}
