//! Facts of the configuration that deserve a look although everything works.

use cwts_config::{AuthMode, Layer, Loaded, Origin, Sources, Warning};
use cwts_domain::{ErrorCode, Group, Problem, Service};

use crate::access::Access;
use crate::audit::Audit;
use crate::clients::StaleSnippet;
use crate::exposure::Exposure;
use crate::policy::Policy;
use crate::snapshot::{Finding, FindingLevel};

/// Worst first. While the services run, the system is asked who else clients may reach in their place.
pub(crate) fn of(
    loaded: Option<&Loaded>,
    access: &Access,
    audit: &Audit,
    policy: &Policy,
    pending: Option<&Problem>,
    is_running: bool,
    stale_clients: &[StaleSnippet],
) -> Vec<Finding> {
    let Some(loaded) = loaded else { return Vec::new() };
    let tokens = access.problem().map(|problem| Finding {
        level: FindingLevel::Attention,
        title: "The tokens on disk cannot be used".to_owned(),
        detail: format!("{problem} Until then the tokens read before stay in force."),
    });
    let tried = access.is_tried().then(|| Finding {
        level: FindingLevel::Attention,
        title: "Somebody presents wrong tokens".to_owned(),
        detail: format!(
            "The latest came from {}, which is slowed down. A client of yours may hold a token that was replaced.",
            access.failed_logins().last_source.map_or("an unknown address".to_owned(), |source| source.to_string())
        ),
    });
    let untold = audit.problem().map(|problem| Finding {
        level: FindingLevel::Attention,
        title: "The audit trail is not written".to_owned(),
        detail: format!("{} What happens meanwhile is kept in memory and tried again.", problem.message),
    });
    let open = (loaded.settings.auth.value == AuthMode::None).then(|| Finding {
        level: FindingLevel::Attention,
        title: "No token is asked for".to_owned(),
        detail: format!(
            "Every program and every user of this computer may trade. Set by {}; `security.auth = \"token\"` ends it.",
            loaded.settings.auth.origin
        ),
    });
    let exposed = [Group::Mcp, Group::Monitoring].into_iter().filter_map(|group| exposure(loaded, policy, group));
    let shadowed = Service::ALL.into_iter().filter_map(|service| shadowing(loaded, service));
    let warnings = loaded.warnings.iter().map(warning);
    let running = Service::ALL.into_iter().filter(|_| is_running);
    let overheard = running.filter_map(|service| overheard(loaded, service));
    let pending = pending.map(not_in_force);
    let mut findings: Vec<Finding> = pending
        .into_iter()
        .chain(tokens)
        .chain(tried)
        .chain(untold)
        .chain(stale(stale_clients))
        .chain(open)
        .chain(overheard)
        .chain(exposed)
        .chain(shadowed)
        .chain(warnings)
        .collect();
    findings.sort_by_key(|finding| finding.level == FindingLevel::Info);
    findings
}

/// Programs that a person gave a text to, and that no longer get through with it.
fn stale(clients: &[StaleSnippet]) -> Option<Finding> {
    let first = clients.first()?;
    let names: Vec<&str> = clients.iter().map(|client| client.name.as_str()).collect();
    let verb = if clients.len() == 1 { "has" } else { "have" };
    Some(Finding {
        level: FindingLevel::Attention,
        title: format!("{} {verb} an old configuration", names.join(", ")),
        detail: format!("{}: {} Copy it again on the screen Clients.", first.name, first.reason),
    })
}

/// Ports that somebody also chose for another instance of the home: only one of the two can run.
pub(crate) fn claimed(loaded: &Loaded, sources: &Sources) -> Vec<Finding> {
    let (home, settings) = (sources.home(), &loaded.settings);
    if cwts_config::profiles(home).len() == 1 {
        return Vec::new();
    }
    let mut others = cwts_config::profile_ports(home);
    others.retain(|other| other.is_chosen && other.instance != *sources.instance());
    let chosen = Service::ALL.into_iter().filter(|service| settings.is_port_chosen(*service));
    let clash = chosen.filter_map(|service| {
        let port = settings.port(service);
        let other = others.iter().find(|other| other.port == port.value)?;
        Some(Finding {
            level: FindingLevel::Attention,
            title: format!("Port {} is also set for instance {}", port.value, other.instance),
            detail: format!(
                "{service} here, set by {}, and {} there: only one of the two can run. Give one of them another port.",
                port.origin, other.service
            ),
        })
    });
    clash.collect()
}

/// Files that were edited and cannot be followed.
fn not_in_force(problem: &Problem) -> Finding {
    Finding {
        level: FindingLevel::Attention,
        title: match problem.code {
            ErrorCode::ConfigInvalid => "The edited configuration is invalid".to_owned(),
            _ => "The edited configuration is not in force".to_owned(),
        },
        detail: format!("{problem} What runs stays as it is."),
    }
}

fn exposure(loaded: &Loaded, policy: &Policy, group: Group) -> Option<Finding> {
    let address = loaded.settings.bind_addr(group);
    let (verb, consequence) = match policy.exposure(group) {
        Exposure::ReadOnly => {
            ("is exposed", "Other computers are served over TLS. Trading is read-only until it is armed.")
        }
        Exposure::Armed if group == Group::Mcp => ("is exposed", "Other computers are served over TLS, and may trade."),
        Exposure::Armed => ("is exposed", "Other computers are served over TLS."),
        Exposure::Local | Exposure::Refused { .. } => {
            ("listens", "Other computers are refused with 403 until TLS is on.")
        }
    };
    (!address.value.is_loopback()).then(|| Finding {
        level: FindingLevel::Attention,
        title: format!("{} {verb} on {}", group_name(group), address.value),
        detail: format!("Set by {}. {consequence}", address.origin),
    })
}

fn group_name(group: Group) -> &'static str {
    match group {
        Group::Mcp => "MCP",
        Group::Monitoring => "Monitoring",
    }
}

/// Somebody else on `[::1]`, whom clients of `localhost` reach first.
fn overheard(loaded: &Loaded, service: Service) -> Option<Finding> {
    let address = loaded.settings.socket_addr(service);
    let holder = cwts_ports::shadow_of(address).ok().flatten()?;
    let port = address.port();
    Some(Finding {
        level: FindingLevel::Attention,
        title: format!("localhost:{port} may not be {service}"),
        detail: format!(
            "{holder} listens on {}, which clients of localhost try first. Give them {address}.",
            holder.address
        ),
    })
}

/// A file that a person may edit without effect, because a stronger layer decides.
fn shadowing(loaded: &Loaded, service: Service) -> Option<Finding> {
    let port = loaded.settings.port(service);
    let hidden = port.shadowed.iter().find(|hidden| {
        let written_by_a_person = matches!(hidden.origin.layer, Layer::EnvFile | Layer::Environment);
        written_by_a_person && hidden.value != port.value
    })?;
    Some(Finding {
        level: FindingLevel::Attention,
        title: format!("{} is set in two places", service.port_variable()),
        detail: format!(
            "{} says {} and wins. {} says {}.",
            place(&port.origin),
            port.value,
            place(&hidden.origin),
            hidden.value
        ),
    })
}

fn place(origin: &Origin) -> String {
    match origin.layer {
        Layer::ThisRun => "This run".to_owned(),
        Layer::Environment => "The environment".to_owned(),
        Layer::EnvFile => "ports.env".to_owned(),
        Layer::Toml => "production.toml".to_owned(),
        Layer::PortTable => "ports.conf".to_owned(),
        Layer::BuiltIn => "The default".to_owned(),
    }
}

fn warning(warning: &Warning) -> Finding {
    let title = match warning {
        Warning::UnknownKey { key, .. } => format!("{key} is no setting"),
        Warning::Repeated { key, .. } => format!("{} is set twice", key.variable().unwrap_or(key.id())),
        Warning::OtherInstance { named, .. } => format!("The id {named} has no effect"),
        Warning::Port { service, port, .. } => format!("Port {port} of {service} is a poor choice"),
    };
    let level = match warning {
        Warning::Port { .. } => FindingLevel::Attention,
        Warning::UnknownKey { .. } | Warning::Repeated { .. } | Warning::OtherInstance { .. } => FindingLevel::Info,
    };
    Finding { level, title, detail: warning.to_string() }
}
