//! `check-ports`: each configured port, free or taken and by whom, and what to use instead.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use cwts_config::{Edit, Key, Loaded, Origin, SaveLayer, Sources};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_ports::Holder;
use cwts_runtime::{Owner, PortCheckState, PortSurvey, Standing, WayOut, further_addresses};
use serde::Serialize;

use crate::audit::tell_settings;
use crate::failure::{Failure, TAKEN};
use crate::output::{print, print_json};
use crate::wait::block_on;

/// What is known of one configured port.
#[derive(Debug, Serialize)]
struct Report {
    service: Service,
    port: u16,
    address: IpAddr,
    state: State,
    holder: Option<Holder>,
    /// Every address on which the holder has the port; empty where nobody is in the way of a start.
    addresses: Vec<SocketAddr>,
    alternatives: Vec<Alternative>,
    suggestion: Option<u16>,
    /// Whether a start would succeed. True also where a foreign listener on `[::1]` would catch clients of `localhost`.
    bindable: bool,
    origin: Origin,
    /// Where the service listens at this moment; null while no process runs the instance. Another place than the configured
    /// one where that process was started with other settings, for example of its environment.
    running: Option<Running>,
    /// One sentence for people.
    message: String,
    /// Whether the holder is a CWTS instance; null where nobody is in the way of a start.
    owner: Option<Owner>,
    /// What could be ended so that the port becomes free.
    ways: Vec<WayOut>,
}

/// Where a service listens.
#[derive(Clone, Copy, Debug, Serialize)]
struct Running {
    pid: u32,
    address: IpAddr,
    port: u16,
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
    /// One sentence for people: why it cannot be used, or what its drawback is.
    message: String,
}

pub(crate) fn execute(sources: &Sources, save: bool, as_json: bool) -> Result<ExitCode, Failure> {
    let loaded = cwts_config::load(sources)?;
    let found = examine(sources, &loaded)?;
    let saved = save && save_suggestions(sources, &loaded, &found)?;
    let now = if saved { Some(examine(sources, &cwts_config::load(sources)?)?) } else { None };
    let now = now.as_ref().unwrap_or(&found);
    if as_json {
        print_json(now)?;
    } else {
        // What was taken is worth knowing, also when another port has been saved.
        let lines: Vec<String> = found.iter().map(Report::line).collect();
        print(lines.join("\n"))?;
    }
    if saved {
        report_save(sources, &found, now);
    }
    Ok(if now.iter().all(Report::is_settled) { ExitCode::SUCCESS } else { ExitCode::from(TAKEN) })
}

/// Says what was written, and what a stronger layer hides all the same.
fn report_save(sources: &Sources, found: &[Report], now: &[Report]) {
    let moved = found.iter().filter_map(|report| Some((report.service, report.suggestion?)));
    let moved: Vec<String> = moved.map(|(service, port)| format!("{}={port}", service.port_variable())).collect();
    eprintln!("Saved to {}: {}.", sources.env_file().display(), moved.join(", "));
    for report in now.iter().filter(|report| !report.is_settled()) {
        eprintln!(
            "warning: {} stays on {}: {} is stronger than the saved port. Remove it there.",
            report.service, report.port, report.origin
        );
    }
}

fn examine(sources: &Sources, loaded: &Loaded) -> Result<Vec<Report>, Failure> {
    let mut survey = PortSurvey::new(sources, loaded);
    let mut reports = Vec::new();
    for service in Service::ALL {
        let report = Report::of(loaded, service, &survey)?;
        // What is suggested to one service must not be suggested to the next.
        if let Some(port) = report.suggestion {
            survey.promise(service, port);
        }
        reports.push(report);
    }
    Ok(reports)
}

impl Report {
    fn of(loaded: &Loaded, service: Service, survey: &PortSurvey) -> Result<Self, Failure> {
        let address = loaded.settings.socket_addr(service);
        let standing = survey.standing(service, address.port());
        let state = State::of(&standing);
        let others = loaded.port_table.get(service).alternatives.iter().map(|&port| {
            let standing = survey.standing(service, port);
            let message = standing.sentence(&port.to_string(), address.ip());
            Alternative { port, state: State::of(&standing), message }
        });
        let wanted = matches!(state, State::Taken | State::Denied);
        let conflict = match standing {
            Standing::Taken { .. } => Some(block_on(survey.conflict(service, address.port(), &[]))??),
            _ => None,
        };
        Ok(Self {
            service,
            port: address.port(),
            address: address.ip(),
            state,
            holder: standing.holder().cloned(),
            alternatives: others.collect(),
            suggestion: if wanted { survey.alternatives(service, address.port()).best } else { None },
            bindable: standing.is_bindable(),
            origin: loaded.settings.port(service).origin.clone(),
            running: running(survey, service),
            message: standing.sentence(&address.port().to_string(), address.ip()),
            owner: conflict.as_ref().map(|conflict| conflict.owner.clone()),
            addresses: conflict.as_ref().map(|conflict| conflict.addresses.clone()).unwrap_or_default(),
            ways: conflict.map(|conflict| conflict.ways).unwrap_or_default(),
        })
    }

    fn is_settled(&self) -> bool {
        matches!(self.state, State::Free | State::Ours)
    }

    /// That the service runs, but not on the port that this is about.
    fn elsewhere(&self) -> Option<String> {
        let Running { pid, address, port } = self.running?;
        let now = SocketAddr::new(address, port);
        (now != SocketAddr::new(self.address, self.port)).then(|| format!("It runs on {now} now, pid {pid}."))
    }

    fn line(&self) -> String {
        let address = SocketAddr::new(self.address, self.port);
        let remedy = self.suggestion.map(|port| format!(" Use {port}.")).unwrap_or_default();
        let further = further_addresses(&self.addresses).map(|text| format!(" {text}")).unwrap_or_default();
        let elsewhere = self.elsewhere().map(|text| format!(" {text}")).unwrap_or_default();
        let (name, state, message) = (self.service.name(), self.state.word(), &self.message);
        let line = format!("{name:<14} {address:<21} {state:<6} {message}{further}{remedy}{elsewhere}");
        let commands = self.ways.iter().filter_map(|way| Some((&way.action, way.command.as_ref()?)));
        let ways = commands.map(|(action, command)| format!("\n{:<43} {action}: {command}", ""));
        std::iter::once(line).chain(ways).collect()
    }
}

fn running(survey: &PortSurvey, service: Service) -> Option<Running> {
    let run = survey.own_run()?;
    let (_, now) = run.addresses.iter().find(|(it, _)| *it == service)?;
    Some(Running { pid: run.pid, address: now.ip(), port: now.port() })
}

impl State {
    fn of(standing: &Standing) -> Self {
        match standing {
            // Clients of localhost meet the other one, although a start would succeed.
            Standing::Shadowed(_) => Self::Taken,
            Standing::Denied(_) | Standing::NoAddress | Standing::NoPort => Self::Denied,
            _ => match standing.state() {
                PortCheckState::Free | PortCheckState::Warning => Self::Free,
                PortCheckState::Ours => Self::Ours,
                PortCheckState::Refused => Self::Taken,
            },
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Ours => "ours",
            Self::Taken => "taken",
            Self::Denied => "denied",
        }
    }
}

/// Writes the suggestions to ports.env; false when there is nothing to write.
fn save_suggestions(sources: &Sources, loaded: &Loaded, reports: &[Report]) -> Result<bool, Failure> {
    let mut edits = Vec::new();
    for report in reports {
        match report.suggestion {
            Some(port) => edits.push(Edit::set(Key::Port(report.service), port)?),
            None if !report.is_settled() => {
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
    let saved = cwts_config::save(sources, SaveLayer::EnvFile, &edits, &loaded.revision)?;
    tell_settings(sources, &loaded.settings, &saved.loaded.settings);
    Ok(true)
}
