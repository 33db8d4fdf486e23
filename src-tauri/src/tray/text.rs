//! What the tray says of the instances: one state for all, one line for each.
//!
//! Pure: from snapshots to words. Knows no bus and no pixels.

use cwts_domain::{Service, TradingState};
use cwts_runtime::{RunState, ServiceSnapshot, ServiceState, Snapshot};

use super::account;

/// The state that the icon shows. The worst wins; declared from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Not all services answer, on purpose or for the moment.
    Stopped,
    /// All services answer, on this computer only.
    Running,
    /// All services answer, at least one to other computers.
    Exposed,
    /// A service is blocked, the last start failed, or the journal cannot be written.
    Attention,
    /// Trading was halted.
    Halted,
}

/// What the tray shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// The icon: the worst state of all instances.
    pub(crate) state: State,
    /// In the order in which they are listed.
    pub(crate) instances: Vec<InstanceView>,
}

/// What the tray says of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstanceView {
    /// Its id.
    pub(crate) id: String,
    /// Its state in one line of plain text.
    pub(crate) line: String,
    /// Decides between Start and Stop.
    pub(crate) run: RunState,
    /// Whether another process runs it, so that it can be neither started nor stopped here.
    pub(crate) elsewhere: bool,
    /// Whether orders are taken, and how the account stands; `None` while nothing is traded here.
    pub(crate) trading: Option<String>,
    /// Whether trading can be resumed.
    pub(crate) held_back: bool,
    state: State,
}

impl View {
    /// What the tray shows of the instances.
    pub(crate) fn of(snapshots: &[Snapshot]) -> Self {
        let instances: Vec<_> = snapshots.iter().map(InstanceView::of).collect();
        let state = instances.iter().map(|instance| instance.state).max().unwrap_or(State::Stopped);
        Self { state, instances }
    }

    /// The tooltip: a line for each instance, with its name where there are several.
    pub(crate) fn text(&self) -> String {
        let lines: Vec<String> = match &self.instances[..] {
            [only] => std::iter::once(&only.line).chain(&only.trading).cloned().collect(),
            several => several.iter().map(InstanceView::named).collect(),
        };
        lines.join("\n")
    }
}

impl InstanceView {
    fn of(snapshot: &Snapshot) -> Self {
        let state = state(snapshot);
        Self {
            id: snapshot.instance.clone(),
            line: line(snapshot, state),
            run: snapshot.state,
            elsewhere: snapshot.elsewhere.is_some(),
            trading: snapshot.trading.as_ref().map(account::line),
            held_back: snapshot.trading.as_ref().is_some_and(|trading| trading.state != TradingState::Active),
            state,
        }
    }

    /// `desk: Running: 5010, 5011, 9190, 8180 on 127.0.0.1. Trading active, equity 100,000.00 USD, today 0.00`.
    pub(crate) fn named(&self) -> String {
        let trading = self.trading.as_ref().map(|trading| format!(". {trading}")).unwrap_or_default();
        format!("{}: {}{trading}", self.id, self.line)
    }
}

fn state(snapshot: &Snapshot) -> State {
    let blocked = snapshot.services.iter().any(|service| service.state == ServiceState::Blocked);
    if blocked || snapshot.problem.is_some() {
        State::Attention
    } else if let Some(trading) = snapshot.trading.as_ref().filter(|it| it.state == TradingState::Halted) {
        if trading.problem.is_some() { State::Attention } else { State::Halted }
    } else if snapshot.state != RunState::Running {
        State::Stopped
    } else if snapshot.services.iter().any(|service| is_exposed(snapshot, service)) {
        State::Exposed
    } else {
        State::Running
    }
}

fn line(snapshot: &Snapshot, state: State) -> String {
    if let Some(elsewhere) = snapshot.elsewhere.as_ref().filter(|it| !it.attached) {
        let process = elsewhere.process.as_deref().unwrap_or("another process");
        return format!("Runs in {process}, pid {}", elsewhere.pid);
    }
    match state {
        State::Attention => trouble(snapshot),
        State::Halted => format!("Halted: {}", places(snapshot.services.iter())),
        State::Exposed => {
            format!("Exposed: {}", places(snapshot.services.iter().filter(|service| is_exposed(snapshot, service))))
        }
        State::Running => format!("Running: {}", places(snapshot.services.iter())),
        State::Stopped => match snapshot.state {
            RunState::Starting => "Starting".to_owned(),
            RunState::Stopping => "Stopping".to_owned(),
            RunState::Stopped | RunState::Running => "Stopped".to_owned(),
        },
    }
}

/// Whether other computers are served. One that listens beyond loopback and refuses them is not exposed.
fn is_exposed(snapshot: &Snapshot, service: &ServiceSnapshot) -> bool {
    snapshot.security.exposure(service.service.group()).is_exposed()
}

/// The first fact that keeps the instance from running well.
fn trouble(snapshot: &Snapshot) -> String {
    let blocked = snapshot.services.iter().find(|service| service.state == ServiceState::Blocked);
    blocked
        .and_then(|service| held(service).or_else(|| service.problem.as_ref().map(|problem| problem.message.clone())))
        .or_else(|| snapshot.problem.as_ref().map(|problem| problem.message.clone()))
        .or_else(|| snapshot.trading.as_ref().and_then(|trading| trading.problem.clone()))
        .or_else(|| blocked.map(|service| format!("{} is blocked on port {}", service.name, service.port.value)))
        .unwrap_or_default()
}

/// `Port 3000 is held by node, pid 48213`; `None` when another process is not why.
fn held(service: &ServiceSnapshot) -> Option<String> {
    let conflict = service.conflict.as_ref()?;
    let port = service.port.value;
    let Some(holder) = &conflict.holder else {
        return Some(format!("Port {port} is held by another process"));
    };
    Some(match (&holder.process, holder.pid, &holder.user) {
        (Some(process), Some(pid), _) => format!("Port {port} is held by {process}, pid {pid}"),
        (None, Some(pid), _) => format!("Port {port} is held by pid {pid}"),
        (_, None, Some(user)) => format!("Port {port} is held by {user}; details need root"),
        (_, None, None) => format!("Port {port} is held by another user; details need root"),
    })
}

/// `3000, 3001 on 127.0.0.1; 9090, 8080 on 192.168.1.20`: each address once, in the order of the services.
fn places<'a>(services: impl Iterator<Item = &'a ServiceSnapshot>) -> String {
    let mut groups: Vec<(_, Vec<String>)> = Vec::with_capacity(Service::ALL.len());
    for service in services {
        let (address, port) = (service.address.value, service.port.value.to_string());
        match groups.iter_mut().find(|(known, _)| *known == address) {
            Some((_, ports)) => ports.push(port),
            None => groups.push((address, vec![port])),
        }
    }
    let groups: Vec<_> = groups.iter().map(|(address, ports)| format!("{} on {address}", ports.join(", "))).collect();
    groups.join("; ")
}

/// Views that a test asks for.
#[cfg(test)]
pub(crate) mod fixture {
    use super::*;

    /// Instances by id, with nothing to say but whether they run.
    pub(crate) fn view(runs: &[(&str, RunState)]) -> View {
        let instance = |&(id, run): &(&str, RunState)| InstanceView {
            id: id.to_owned(),
            line: "Stopped".to_owned(),
            run,
            elsewhere: false,
            trading: None,
            held_back: false,
            state: State::Stopped,
        };
        View { state: State::Stopped, instances: runs.iter().map(instance).collect() }
    }

    /// One instance in a state, with a line.
    pub(crate) fn said(state: State, line: &str) -> View {
        let mut view = view(&[("default", RunState::Running)]);
        view.state = state;
        view.instances[0].line = line.to_owned();
        view
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use cwts_config::{AuthMode, HostNames, Origin, Sourced, TlsMode};
    use cwts_domain::{ErrorCode, Problem};
    use cwts_ports::Holder;
    use cwts_runtime::{Conflict, Elsewhere, Exposure, FailedLogins, Security, TradingSummary};

    use super::*;

    fn sourced<T>(value: T) -> Sourced<T> {
        Sourced { value, origin: Origin::built_in(), shadowed: Vec::new() }
    }

    fn service(service: Service, state: ServiceState) -> ServiceSnapshot {
        ServiceSnapshot {
            service,
            name: service.name().to_owned(),
            state,
            port: sourced(service.default_port()),
            address: sourced(IpAddr::from([127, 0, 0, 1])),
            url: String::new(),
            variable: service.port_variable().to_owned(),
            alternatives: Vec::new(),
            range: [10_000, 10_100],
            clients: 0,
            rate: 0.0,
            requests: 0,
            idle_seconds: None,
            problem: None,
            conflict: None,
        }
    }

    fn snapshot(run: RunState, services: ServiceState) -> Snapshot {
        Snapshot {
            revision: 1,
            instance: "default".to_owned(),
            version: "0.1.0".to_owned(),
            state: run,
            started_at: None,
            services: Service::ALL.map(|id| service(id, services)).into(),
            findings: Vec::new(),
            security: Security {
                mcp: Exposure::Local,
                monitoring: Exposure::Local,
                auth: sourced(AuthMode::Token),
                tls: sourced(TlsMode::Off),
                allowed_hosts: sourced(HostNames::default()),
                certificate: None,
                mcp_away: None,
                monitoring_away: None,
            },
            stale_clients: Vec::new(),
            market: None,
            trading: None,
            failed_logins: FailedLogins::default(),
            problem: None,
            damaged_file: None,
            elsewhere: None,
            env_file: String::new(),
            toml_file: String::new(),
        }
    }

    fn running() -> Snapshot {
        snapshot(RunState::Running, ServiceState::Running)
    }

    fn blocked(holder: Option<Holder>) -> Snapshot {
        let mut snapshot = snapshot(RunState::Stopped, ServiceState::Stopped);
        snapshot.services[0].state = ServiceState::Blocked;
        snapshot.services[0].conflict = Some(Conflict { holder, ..Conflict::default() });
        snapshot
    }

    fn holder(process: Option<&str>, pid: Option<u32>, user: Option<&str>) -> Holder {
        let address = "127.0.0.1:3000".parse().unwrap();
        Holder { pid, process: process.map(str::to_owned), user: user.map(str::to_owned), unit: None, address }
    }

    #[track_caller]
    fn shows(snapshot: &Snapshot, state: State, line: &str) {
        let view = View::of(std::slice::from_ref(snapshot));
        assert_eq!((view.state, view.text().as_str()), (state, line), "the tray must say what is true now");
    }

    #[test]
    fn an_instance_of_another_process_is_told_from_one_that_is_stopped() {
        let mut headless = snapshot(RunState::Stopped, ServiceState::Stopped);
        headless.elsewhere = Some(Elsewhere {
            pid: 4711,
            process: Some("cwts-ultra".to_owned()),
            others: Vec::new(),
            attached: false,
            problem: None,
        });
        shows(&headless, State::Stopped, "Runs in cwts-ultra, pid 4711");
    }

    #[test]
    fn several_instances_are_named_and_the_worst_decides_the_icon() {
        let mut desk = snapshot(RunState::Stopped, ServiceState::Stopped);
        desk.instance = "desk".to_owned();
        let view = View::of(&[running(), desk.clone()]);
        assert_eq!(view.state, State::Running, "one that is stopped on purpose is no trouble");
        let lines = "default: Running: 3000, 3001, 9090, 8080 on 127.0.0.1\ndesk: Stopped";
        assert_eq!(view.text(), lines, "a person must see which one runs where");
        desk.problem = Some(Problem::new(ErrorCode::ConfigInvalid, "desk.env:3: MCP_SERVER_PORT is 99999"));
        assert_eq!(View::of(&[running(), desk]).state, State::Attention, "trouble of one must not hide behind another");
    }

    #[test]
    fn a_running_instance_lists_its_ports_once_per_address() {
        shows(&running(), State::Running, "Running: 3000, 3001, 9090, 8080 on 127.0.0.1");
        let mut split = running();
        split.services[2].address = sourced("::1".parse().unwrap());
        shows(&split, State::Running, "Running: 3000, 3001, 8080 on 127.0.0.1; 9090 on ::1");
    }

    #[test]
    fn an_instance_without_sockets_is_stopped() {
        shows(&snapshot(RunState::Stopped, ServiceState::Stopped), State::Stopped, "Stopped");
        shows(&snapshot(RunState::Starting, ServiceState::Starting), State::Stopped, "Starting");
        shows(&snapshot(RunState::Stopping, ServiceState::Running), State::Stopped, "Stopping");
    }

    #[test]
    fn a_service_that_other_computers_reach_is_named_with_its_address() {
        let mut exposed = running();
        exposed.security.mcp = Exposure::ReadOnly;
        for index in [0, 1] {
            exposed.services[index].address = sourced(IpAddr::from([192, 168, 1, 20]));
        }
        shows(&exposed, State::Exposed, "Exposed: 3000, 3001 on 192.168.1.20");
        exposed.services[0].address = sourced(IpAddr::from([0, 0, 0, 0]));
        shows(&exposed, State::Exposed, "Exposed: 3000 on 0.0.0.0; 3001 on 192.168.1.20");
        exposed.security.mcp = Exposure::Refused { tls: false, token: true };
        let line = "Running: 3000 on 0.0.0.0; 3001 on 192.168.1.20; 9090, 8080 on 127.0.0.1";
        shows(&exposed, State::Running, line);
    }

    #[test]
    fn a_configured_address_exposes_nothing_until_it_is_bound() {
        let mut stopped = snapshot(RunState::Stopped, ServiceState::Stopped);
        stopped.services[0].address = sourced(IpAddr::from([0, 0, 0, 0]));
        stopped.security.mcp = Exposure::ReadOnly;
        shows(&stopped, State::Stopped, "Stopped");
    }

    #[test]
    fn a_taken_port_names_its_holder_as_far_as_it_may_be_known() {
        let node = holder(Some("node"), Some(48213), Some("alice"));
        shows(&blocked(Some(node)), State::Attention, "Port 3000 is held by node, pid 48213");
        let hidden = holder(None, None, Some("root"));
        shows(&blocked(Some(hidden)), State::Attention, "Port 3000 is held by root; details need root");
        shows(&blocked(None), State::Attention, "Port 3000 is held by another process");
    }

    #[test]
    fn a_halt_is_the_worst_state_and_the_account_is_a_line() {
        let mut halted = running();
        let trading = TradingSummary {
            state: TradingState::Halted,
            problem: None,
            equity: 1_100_412.884,
            unrealized: 0.0,
            today: -374.48,
            open_orders: 3,
        };
        halted.trading = Some(trading.clone());
        halted.security.mcp = Exposure::Armed;
        let lines =
            "Halted: 3000, 3001, 9090, 8080 on 127.0.0.1\nTrading halted, equity 1,100,412.88 USD, today -374.48";
        shows(&halted, State::Halted, lines);
        let problem = Some("The journal cannot be written. Free some space.".to_owned());
        halted.trading = Some(TradingSummary { problem, ..trading.clone() });
        assert_eq!(View::of(&[halted.clone()]).state, State::Attention, "a fault of the disk is no wish of a person");
        halted.trading = Some(TradingSummary { state: TradingState::Active, today: 0.5, ..trading });
        let text = View::of(&[halted]).text();
        assert!(text.ends_with("Trading active, equity 1,100,412.88 USD, today +0.50"), "{text}");
    }

    #[test]
    fn a_failed_start_says_why() {
        let mut failed = snapshot(RunState::Stopped, ServiceState::Stopped);
        failed.problem = Some(Problem::new(ErrorCode::ConfigInvalid, "ports.env:3: MCP_SERVER_PORT is 99999"));
        shows(&failed, State::Attention, "ports.env:3: MCP_SERVER_PORT is 99999");
    }

    #[test]
    fn trouble_hides_exposure() {
        let mut both = running();
        both.security.mcp = Exposure::Armed;
        both.services[3].state = ServiceState::Blocked;
        both.services[3].problem = Some(Problem::new(ErrorCode::NotPermitted, "80 needs root"));
        shows(&both, State::Attention, "80 needs root");
    }
}
