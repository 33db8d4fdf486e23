//! `check-ports`: each configured port, free or taken and by whom, and what to use instead.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use cwts_config::{Edit, Key, Loaded, Origin, SaveLayer, Sources};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_ports::Holder;
use cwts_runtime::{PortCheckState, PortSurvey, Standing};
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
    /// One sentence for people.
    message: String,
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
    let mut survey = PortSurvey::new(sources, loaded);
    let mut reports = Vec::new();
    for service in Service::ALL {
        let report = Report::of(loaded, service, &survey);
        // What is suggested to one service must not be suggested to the next.
        if let Some(port) = report.suggestion {
            survey.promise(service, port);
        }
        reports.push(report);
    }
    reports
}

impl Report {
    fn of(loaded: &Loaded, service: Service, survey: &PortSurvey) -> Self {
        let address = loaded.settings.socket_addr(service);
        let standing = survey.standing(service, address.port());
        let state = State::of(&standing);
        let others = loaded.port_table.get(service).alternatives.iter().map(|&port| {
            let standing = survey.standing(service, port);
            let message = standing.sentence(&port.to_string(), address.ip());
            Alternative { port, state: State::of(&standing), message }
        });
        let wanted = matches!(state, State::Taken | State::Denied);
        Self {
            service,
            port: address.port(),
            address: address.ip(),
            state,
            holder: standing.holder().cloned(),
            alternatives: others.collect(),
            suggestion: if wanted { survey.alternatives(service, address.port()).best } else { None },
            bindable: standing.is_bindable(),
            origin: loaded.settings.port(service).origin.clone(),
            message: standing.sentence(&address.port().to_string(), address.ip()),
        }
    }

    fn line(&self) -> String {
        let address = SocketAddr::new(self.address, self.port);
        let remedy = self.suggestion.map(|port| format!(" Use {port}.")).unwrap_or_default();
        format!("{:<14} {address:<21} {:<6} {}{remedy}", self.service.name(), self.state.word(), self.message)
    }
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
