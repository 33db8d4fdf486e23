//! `instances`: the instances of the home, made, cloned, removed and stopped.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cwts_config::{Environment, InstanceId, Sources};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_runtime::{NewInstance, create_instance, end_instance, remove_instance, running_addresses, running_instances};
use serde::Serialize;

use crate::args::InstancesCommand;
use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(home: &Path, command: InstancesCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        InstancesCommand::List => list(home, as_json)?,
        InstancesCommand::Create { id, ports } => {
            create(home, &NewInstance { id, ports: four(ports)?, from: None, with_data: false }, as_json)?;
        }
        InstancesCommand::Clone { from, id, ports, with_data } => {
            create(home, &NewInstance { id, ports: four(ports)?, from: Some(from), with_data }, as_json)?;
        }
        InstancesCommand::Remove { id, data } => remove(home, &id, data, as_json)?,
        InstancesCommand::Stop { id } => stop(home, &id, as_json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// One instance as the list shows it.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    state: &'static str,
    /// The process that runs it.
    pid: Option<u32>,
    /// While it runs where it listens, else where it would. Empty when its configuration is invalid.
    services: Vec<ServiceRow>,
    toml_file: PathBuf,
    env_file: PathBuf,
    data_folder: PathBuf,
    data_bytes: u64,
    /// Why it cannot start.
    problem: Option<Problem>,
}

#[derive(Debug, Serialize)]
struct ServiceRow {
    service: Service,
    port: u16,
    address: IpAddr,
}

impl Row {
    fn of(home: &Path, id: &InstanceId, pid: Option<u32>) -> Result<Self, Failure> {
        let sources = Sources::new(home, id.clone(), None, Environment::empty())?;
        let (configured, problem) = match cwts_config::load(&sources) {
            Ok(loaded) => {
                let row = |service| (service, loaded.settings.socket_addr(service));
                (Service::ALL.map(row).to_vec(), None)
            }
            Err(error) => (Vec::new(), Some(Problem::from(error))),
        };
        let live = pid.and_then(|pid| running_addresses(&sources, pid));
        let services = live.unwrap_or(configured).into_iter();
        Ok(Self {
            id: id.to_string(),
            state: if pid.is_some() { "running" } else { "stopped" },
            pid,
            services: services.map(ServiceRow::from).collect(),
            toml_file: sources.toml_file().to_owned(),
            env_file: sources.env_file().to_owned(),
            data_folder: sources.data(),
            data_bytes: cwts_config::data_bytes(home, id),
            problem,
        })
    }

    fn line(&self) -> String {
        let state = match (self.pid, &self.problem) {
            (Some(pid), _) => format!("running, pid {pid}"),
            (None, Some(_)) => "invalid".to_owned(),
            (None, None) => "stopped".to_owned(),
        };
        let ports: Vec<String> = self.services.iter().map(|it| it.port.to_string()).collect();
        let addresses: BTreeSet<String> = self.services.iter().map(|it| it.address.to_string()).collect();
        let addresses = addresses.into_iter().collect::<Vec<_>>().join(", ");
        let line = format!("{:<16} {state:<20} {:<24} {addresses}", self.id, ports.join(" "));
        match &self.problem {
            Some(problem) => format!("{}\n{:<16} {problem}", line.trim_end(), ""),
            None => line,
        }
    }
}

impl From<(Service, SocketAddr)> for ServiceRow {
    fn from((service, address): (Service, SocketAddr)) -> Self {
        Self { service, port: address.port(), address: address.ip() }
    }
}

fn list(home: &Path, as_json: bool) -> Result<(), Failure> {
    let running = running_instances(home);
    let pid_of = |id: &InstanceId| running.iter().find(|it| it.id == id.as_str()).map(|it| it.pid);
    let mut ids = cwts_config::profiles(home);
    // One that runs on a file of its own has no profile.
    let others: Vec<InstanceId> = running.iter().filter_map(|it| it.id.parse().ok()).collect();
    ids.extend(others.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
    let rows = ids.iter().map(|id| Row::of(home, id, pid_of(id))).collect::<Result<Vec<_>, _>>()?;
    if as_json {
        return print_json(&rows);
    }
    let head = format!("{:<16} {:<20} {:<24} ADDRESS", "INSTANCE", "STATE", "PORTS");
    let lines: Vec<String> = std::iter::once(head).chain(rows.iter().map(Row::line)).collect();
    print(lines.join("\n"))
}

fn create(home: &Path, new: &NewInstance, as_json: bool) -> Result<(), Failure> {
    create_instance(home, new)?;
    let row = Row::of(home, &new.id.parse()?, None)?;
    if as_json {
        return print_json(&row);
    }
    let lines = row.services.iter().map(|it| format!("{:<14} {}", it.service.name(), it.port));
    let lines: Vec<String> = lines.collect();
    print(format!(
        "Instance {} is in {}.\n{}\nStart it with: cwts-ultra --instance {} run",
        row.id,
        row.toml_file.display(),
        lines.join("\n"),
        row.id
    ))
}

fn remove(home: &Path, id: &str, with_data: bool, as_json: bool) -> Result<(), Failure> {
    remove_instance(home, id, with_data)?;
    let data = home.join("data").join(id);
    let kept = data.exists().then_some(data);
    match (as_json, kept) {
        (true, kept) => print_json(&serde_json::json!({ "id": id, "data_kept": kept })),
        (false, Some(data)) => print(format!("Instance {id} is removed. Its data stays in {}.", data.display())),
        (false, None) => print(format!("Instance {id} is removed.")),
    }
}

fn stop(home: &Path, id: &str, as_json: bool) -> Result<(), Failure> {
    let pid = end_instance(home, id)?;
    match as_json {
        true => print_json(&serde_json::json!({ "id": id, "pid": pid })),
        false => print(format!("Instance {id} has stopped; pid {pid} has ended.")),
    }
}

/// The ports of the four services, in their order.
fn four(ports: Option<Vec<u16>>) -> Result<Option<[u16; 4]>, Failure> {
    let Some(ports) = ports else { return Ok(None) };
    let found = ports.len();
    let four = ports.try_into().map_err(|_| {
        let message = format!("--ports names {found} ports, not four.");
        let order = Service::ALL.map(Service::name).join(", ");
        Problem::new(ErrorCode::InvalidInput, message).with_help(format!("Give them in this order: {order}."))
    })?;
    Ok(Some(four))
}
