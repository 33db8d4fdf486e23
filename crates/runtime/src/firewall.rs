//! The firewall as the window sees it: rules for the services of one instance, made and taken back with exactly what was
//! shown.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use cwts_config::Sources;
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_firewall::{
    Change, Detection, Listener, Memory, Name, Outcome, Plan, Privilege, Request, Source, Task, Tool, undo_lines,
};
use cwts_net::{InterfaceAddress, InterfaceKind, interface_addresses};
use serde::{Deserialize, Serialize};

use crate::audit::{Actor, AuditEntry};
use crate::instance::Instance;
use crate::snapshot::Snapshot;

/// What a person chooses. What is not chosen is suggested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct FirewallChoice {
    /// The tool; `null` for the one that is active.
    pub tool: Option<Tool>,
    /// The services; `null` for those that are reached from outside, or all where none is.
    pub services: Option<Vec<Service>>,
    /// Subnets or addresses; `null` for the subnets that this computer is in.
    pub sources: Option<Vec<String>>,
    /// Whether everyone else is to be denied by rules of their own.
    pub restrict: bool,
}

/// A service that rules can be for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct FirewallService {
    /// The service.
    pub service: Service,
    /// Its port.
    pub port: u16,
    /// What it binds.
    #[cfg_attr(feature = "wire", ts(type = "string"))]
    pub address: IpAddr,
    /// Whether rules are written for it.
    pub chosen: bool,
}

/// A subnet that this computer is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct OwnSubnet {
    /// For example `192.168.1.0/24`.
    pub source: String,
    /// The interface that leads to it.
    pub interface: String,
}

/// The rules for a choice, and what is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct FirewallView {
    /// What is known of the firewall.
    pub detection: Detection,
    /// The tool that the lines are for.
    pub tool: Tool,
    /// Whether a chosen service is reached from outside.
    pub needed: bool,
    /// All four.
    pub services: Vec<FirewallService>,
    /// Who is let in, as the tools spell it.
    pub sources: Vec<String>,
    /// Subnets to offer.
    pub subnets: Vec<OwnSubnet>,
    /// The lines to copy, in order.
    pub commands: Vec<String>,
    /// The lines that take them back.
    pub undo: Vec<String>,
    /// What is to be known about them.
    pub notes: Vec<String>,
    /// What was added and not taken back, as lines.
    pub remembered: Vec<String>,
    /// The lines that take that back.
    pub remembered_undo: Vec<String>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum FirewallTask {
    /// Make the changes of the choice.
    Apply,
    /// Take back all that is remembered.
    Undo,
    /// Compare what is remembered with the rules in force.
    Check,
}

/// How it ended with one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct FirewallResult {
    /// The line that makes the change.
    pub command: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// The chosen services; without a choice those that are reached from outside, and all where none is.
pub fn listeners(all: [Listener; 4], chosen: Option<&[Service]>) -> Vec<Listener> {
    let outside: Vec<_> = all.into_iter().filter(|listener| !listener.is_local()).collect();
    match chosen {
        Some(chosen) => all.into_iter().filter(|listener| chosen.contains(&listener.service)).collect(),
        None if outside.is_empty() => all.to_vec(),
        None => outside,
    }
}

/// The subnets that this computer is in, with their interfaces: neither those of containers nor those of a VPN, which a
/// person must name.
pub fn own_subnets() -> Vec<(Source, String)> {
    let is_own = |it: &InterfaceAddress| {
        matches!(it.kind, InterfaceKind::Wired | InterfaceKind::Wireless | InterfaceKind::Other)
    };
    let addresses = interface_addresses().unwrap_or_default().into_iter().filter(is_own);
    let mut subnets: Vec<_> =
        addresses.filter_map(|it| Some((Source::subnet_of(it.address, it.prefix)?, it.interface))).collect();
    subnets.dedup();
    subnets
}

impl Instance {
    /// The rules for a choice.
    ///
    /// # Errors
    /// A source is no subnet, or what was added cannot be read.
    pub async fn firewall(&self, choice: FirewallChoice) -> Result<FirewallView, Problem> {
        let (snapshot, sources) = (self.snapshot(), self.shared().sources.clone());
        self.blocking(move || Desk::open(&snapshot, &sources, &choice).map(Desk::into_view)).await
    }

    /// Does the task. `shown` is what the person saw: the lines of the view, or those that take back.
    ///
    /// # Errors
    /// The rules would now be other ones, the person or polkit refused, or a command failed: what was made before it was
    /// taken back.
    pub async fn run_firewall(
        &self,
        task: FirewallTask,
        choice: FirewallChoice,
        shown: Vec<String>,
        program: PathBuf,
    ) -> Result<Vec<FirewallResult>, Problem> {
        let (snapshot, sources, instance) = (self.snapshot(), self.shared().sources.clone(), self.clone());
        self.blocking(move || {
            let desk = Desk::open(&snapshot, &sources, &choice)?;
            let results = desk.run(&instance, task, &shown, program)?;
            let done = results.iter().filter(|result| result.outcome == Outcome::Done).count();
            match task {
                FirewallTask::Apply => instance.record(format!("Firewall rules added: {done}")),
                FirewallTask::Undo => instance.record(format!("Firewall rules taken back: {done}")),
                FirewallTask::Check => {}
            }
            Ok(results)
        })
        .await
    }

    /// Writes the rules for a choice, with their undo, to a script below the home, and says where.
    ///
    /// # Errors
    /// As [`Instance::firewall`], or the file cannot be written.
    pub async fn save_firewall_script(&self, choice: FirewallChoice) -> Result<PathBuf, Problem> {
        let (snapshot, sources) = (self.snapshot(), self.shared().sources.clone());
        self.blocking(move || {
            let script = Desk::open(&snapshot, &sources, &choice)?.plan.script();
            let folder = sources.home().join("scripts");
            let path = folder.join(format!("firewall-{}.sh", sources.instance()));
            let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, script));
            let written = written.and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)));
            written.map_err(|error| {
                Problem::new(ErrorCode::SaveFailed, format!("{} was not written: {error}.", path.display()))
            })?;
            Ok(path)
        })
        .await
    }

    /// Runs what reads and writes files away from the tasks of the services.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = self.tokio().spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err(Problem::new(ErrorCode::Internal, error.to_string())))
    }
}

/// Everything that a view or a task needs.
struct Desk {
    detection: Detection,
    listeners: [Listener; 4],
    request: Request,
    plan: Plan,
    memory: Memory,
}

impl Desk {
    fn open(snapshot: &Snapshot, sources: &Sources, choice: &FirewallChoice) -> Result<Self, Problem> {
        let detection = cwts_firewall::detect();
        let all = Service::ALL.map(|service| {
            let entry = snapshot.services.iter().find(|entry| entry.service == service);
            let address = entry.map(|entry| (entry.address.value, entry.port.value).into());
            Listener { service, address: address.unwrap_or(([127, 0, 0, 1], service.default_port()).into()) }
        });
        let networks = match &choice.sources {
            Some(texts) => texts.iter().map(|text| text.trim().parse()).collect::<Result<Vec<Source>, _>>()?,
            None => own_subnets().into_iter().map(|(source, _)| source).collect(),
        };
        let request = Request {
            tool: choice.tool.unwrap_or_else(|| detection.suggested()),
            instance: sources.instance().as_str().parse::<Name>()?,
            listeners: listeners(all, choice.services.as_deref()),
            sources: networks,
            restrict: choice.restrict,
            chain: None,
        };
        let plan = Plan::new(&request, &detection);
        let memory = Memory::load(&sources.data())?;
        Ok(Self { detection, listeners: all, request, plan, memory })
    }

    fn into_view(self) -> FirewallView {
        let is_chosen = |service| self.request.listeners.iter().any(|listener| listener.service == service);
        let services = self.listeners.map(|Listener { service, address }| FirewallService {
            service,
            port: address.port(),
            address: address.ip(),
            chosen: is_chosen(service),
        });
        let subnets = own_subnets().into_iter();
        FirewallView {
            tool: self.plan.tool,
            needed: self.plan.needed,
            services: services.into(),
            sources: self.request.sources.iter().map(Source::to_string).collect(),
            subnets: subnets.map(|(source, interface)| OwnSubnet { source: source.to_string(), interface }).collect(),
            commands: self.plan.commands(SUDO),
            undo: self.plan.undo(SUDO),
            remembered: self.memory.changes().iter().map(|change| change.shell_line(SUDO)).collect(),
            remembered_undo: undo_lines(self.memory.changes(), SUDO),
            notes: self.plan.notes,
            detection: self.detection,
        }
    }

    fn run(
        mut self,
        instance: &Instance,
        task: FirewallTask,
        shown: &[String],
        program: PathBuf,
    ) -> Result<Vec<FirewallResult>, Problem> {
        let remembered = self.memory.changes().to_vec();
        let (task, changes, lines) = match task {
            FirewallTask::Apply => (Task::Apply, self.plan.changes.clone(), self.plan.commands(SUDO)),
            FirewallTask::Undo => (Task::Undo, remembered.clone(), undo_lines(&remembered, SUDO)),
            FirewallTask::Check => (Task::Check, remembered.clone(), shown.to_vec()),
        };
        if lines != shown {
            let message = "The rules are other ones than those shown: the settings or the firewall changed meanwhile.";
            let problem = Problem::new(ErrorCode::RevisionConflict, message);
            return Err(problem.with_help("Look at the new ones and apply again."));
        }
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let report = cwts_firewall::run(task, &changes, &Privilege::of_this_process(program))?;
        let recorded = self.memory.record(task, &changes, &report);
        if let Some(entry) = AuditEntry::firewall(Actor::Panel, task, &changes, &report) {
            instance.audit(entry);
        }
        let report = report.into_result(&changes)?;
        recorded?;
        Ok(results(&changes, &report.outcomes))
    }
}

/// Stands before the commands in lines to copy. The window runs as an ordinary user.
const SUDO: &str = "sudo ";

fn results(changes: &[Change], outcomes: &[Outcome]) -> Vec<FirewallResult> {
    let both = changes.iter().zip(outcomes);
    both.map(|(change, outcome)| FirewallResult { command: change.shell_line(SUDO), outcome: *outcome }).collect()
}
