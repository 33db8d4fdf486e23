//! Instances as they lie in a home: four free ports for a new one, making, cloning and removing.
//!
//! Starts and stops nothing. What runs is only asked about: an instance that runs is not removed.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use cwts_config::{Environment, InstanceId, NewProfile, PortTable, Settings, Sources};
use cwts_domain::{ErrorCode, Problem, Service};

use serde::{Deserialize, Serialize};

use crate::instance::Instance;
use crate::lock::{self, InstanceLock};
use crate::port_facts::PortCheck;
use crate::standing::Standing;
use crate::survey::PortSurvey;

/// An instance that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct NewInstance {
    /// Its id: 1 to 32 letters, digits, `-` or `_`.
    pub id: String,
    /// Its ports in the fixed order of the services; `None` takes the first free set.
    pub ports: Option<[u16; 4]>,
    /// The instance whose settings are copied; `None` starts with the defaults.
    pub from: Option<String>,
    /// Whether the data of `from` is copied too, without its tokens and certificates.
    pub with_data: bool,
}

/// Four ports for a new instance, each tested on the address that it will be bound on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct PortSet {
    /// In the fixed order of the services.
    pub ports: [u16; 4],
    /// What was tested, in one sentence.
    pub message: String,
}

/// What is known of an instance without running it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct ProfileInfo {
    /// Its id.
    pub instance: String,
    /// Where its orders, tokens and keys lie.
    pub data_folder: String,
    /// What the folder holds.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub data_bytes: u64,
    /// Milliseconds since the epoch at which its token was made; `None` before its first start.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub token_made_at: Option<i64>,
    /// Whether it starts when the panel opens.
    pub starts_with_panel: bool,
}

/// Sets of four free ports for a new instance, best first; none when the ranges of ports.conf are full. `from` is the
/// instance that it will be a clone of, whose addresses it will bind.
///
/// # Errors
/// There is no instance `from`, or its configuration is invalid.
pub fn free_port_sets(home: &Path, from: Option<&str>) -> Result<Vec<PortSet>, Problem> {
    let prospect = Prospect::of(home, from)?;
    let sets = [prospect.listed(), prospect.block()];
    let mut offers: Vec<PortSet> = Vec::new();
    for ports in sets.into_iter().flatten() {
        if offers.iter().all(|offer| offer.ports != ports) {
            offers.push(PortSet { ports, message: prospect.message() });
        }
    }
    Ok(offers)
}

/// Whether a service of a new instance could have the port.
///
/// # Errors
/// As for [`free_port_sets`].
pub fn check_new_port(home: &Path, from: Option<&str>, service: Service, port: u16) -> Result<PortCheck, Problem> {
    Ok(Prospect::of(home, from)?.survey().check(service, port))
}

/// Makes an instance that is ready to start. Without ports in `new` it gets the first free set.
///
/// # Errors
/// The id is unusable or taken; a port is in use or set for another instance; or a file cannot be written. Nothing was
/// made.
pub fn create_instance(home: &Path, new: &NewInstance) -> Result<[u16; 4], Problem> {
    let id: InstanceId = new.id.parse()?;
    let from = new.from.as_deref();
    let ports = match new.ports {
        Some(ports) => ports,
        None => free_port_sets(home, from)?.first().map(|set| set.ports).ok_or_else(no_free_set)?,
    };
    refuse_unusable(&Prospect::of(home, from)?, ports)?;
    let from: Option<InstanceId> = from.map(str::parse).transpose()?;
    // What runs writes its data, and a copy of half a file is none.
    let _kept_still = match &from {
        Some(from) if new.with_data => Some(lock_of(&Sources::new(home, from.clone(), None, Environment::empty())?)?),
        _ => None,
    };
    cwts_config::create_profile(home, &NewProfile { id, ports, from, with_data: new.with_data })?;
    Ok(ports)
}

/// Removes an instance that does not run: its settings, and its data where that is asked for.
///
/// # Errors
/// It is `default`, there is none, it runs, or the system refuses.
pub fn remove_instance(home: &Path, id: &str, with_data: bool) -> Result<(), Problem> {
    let id: InstanceId = id.parse()?;
    if id == InstanceId::default() || !cwts_config::profiles(home).contains(&id) {
        return Ok(cwts_config::remove_profile(home, &id, with_data)?);
    }
    let sources = Sources::new(home, id.clone(), None, Environment::empty())?;
    let lock = lock_of(&sources)?;
    cwts_config::remove_profile(home, &id, with_data)?;
    lock.discard(&sources);
    Ok(())
}

impl Instance {
    /// Where its orders, tokens and keys lie. Made at the first start.
    pub fn data_folder(&self) -> PathBuf {
        self.shared().sources.data()
    }

    /// What lies on the disk of the instance. Blocks.
    pub(crate) fn profile_info(&self) -> ProfileInfo {
        let sources = &self.shared().sources;
        let (id, data) = (sources.instance(), sources.data());
        let made = fs::metadata(data.join("tokens/owner")).and_then(|found| found.modified()).ok();
        let made = made.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        ProfileInfo {
            instance: id.to_string(),
            data_bytes: cwts_config::data_bytes(sources.home(), id),
            data_folder: data.display().to_string(),
            token_made_at: made.and_then(|time| i64::try_from(time.as_millis()).ok()),
            starts_with_panel: self.starts_with_panel(),
        }
    }

    /// Whether the configuration wants the instance started with the panel. An invalid one is tried, so that the window
    /// shows why it does not start.
    pub(crate) fn starts_with_panel(&self) -> bool {
        cwts_config::load(&self.shared().sources).map_or(true, |loaded| loaded.settings.start_servers.value)
    }
}

/// Keeps an instance from being started.
fn lock_of(sources: &Sources) -> Result<InstanceLock, Problem> {
    InstanceLock::acquire(sources).map_err(|error| match lock::problem(&error, sources) {
        problem if problem.code == ErrorCode::InstanceRunning => problem.at("instance").with_help("Stop it first."),
        problem => problem,
    })
}

fn no_free_set() -> Problem {
    let message = "There are no four free ports among the alternatives and ranges of ports.conf.";
    Problem::new(ErrorCode::PortTaken, message).with_help("Widen a range there, or name four ports.")
}

/// Free now, and meant for nobody else.
fn refuse_unusable(prospect: &Prospect, ports: [u16; 4]) -> Result<(), Problem> {
    let survey = prospect.survey();
    for (service, port) in Service::ALL.into_iter().zip(ports) {
        let standing = survey.standing(service, port);
        let code = match &standing {
            Standing::Claimed { .. } | Standing::NoPort => ErrorCode::InvalidInput,
            standing if standing.is_bindable() => continue,
            Standing::Denied(_) => ErrorCode::NotPermitted,
            Standing::NoAddress => ErrorCode::AddressUnavailable,
            _ => ErrorCode::PortTaken,
        };
        let ip = prospect.plan[&service].ip();
        let message = standing.sentence(&format!("Port {port} of {service}"), ip);
        return Err(Problem::new(code, message).at(service.id()).with_help("Choose another port."));
    }
    Ok(())
}

/// An instance that does not exist yet: where it would listen, and which ports are meant for it.
struct Prospect {
    sources: Sources,
    table: PortTable,
    /// The addresses, each with port 0.
    plan: BTreeMap<Service, SocketAddr>,
}

impl Prospect {
    fn of(home: &Path, from: Option<&str>) -> Result<Self, Problem> {
        let original: InstanceId = from.unwrap_or(InstanceId::DEFAULT).parse()?;
        if !cwts_config::profiles(home).contains(&original) {
            return Err(cwts_config::ProfileError::Missing { id: original }.into());
        }
        let sources = Sources::new(home, original, None, Environment::empty())?;
        let loaded = cwts_config::load(&sources)?;
        // One that starts with the defaults does not bind what the default instance was told to.
        let settings = if from.is_some() { loaded.settings } else { Settings::default() };
        let address = |service: Service| SocketAddr::new(settings.bind_addr(service.group()).value, 0);
        let plan = Service::ALL.map(|service| (service, address(service))).into();
        Ok(Self { sources, table: loaded.port_table, plan })
    }

    fn survey(&self) -> PortSurvey {
        PortSurvey::for_newcomer(&self.sources, &self.plan, &self.table)
    }

    /// The first free port of each service's row of ports.conf.
    fn listed(&self) -> Option<[u16; 4]> {
        let mut survey = self.survey();
        let mut ports = [0; 4];
        for (port, service) in ports.iter_mut().zip(Service::ALL) {
            let mut candidates = self.table.get(service).candidates();
            *port = candidates.find(|port| survey.standing(service, *port) == Standing::Free)?;
            survey.promise(service, *port);
        }
        Some(ports)
    }

    /// Four free ports in a row, in the range of the first service.
    fn block(&self) -> Option<[u16; 4]> {
        let survey = self.survey();
        let range = self.table.get(Service::McpWebsocket).range.clone();
        let block = |first: u16| Some([first, first.checked_add(1)?, first.checked_add(2)?, first.checked_add(3)?]);
        let fits = |ports: &[u16; 4]| {
            let mut each = Service::ALL.into_iter().zip(ports);
            ports.iter().all(|port| range.contains(port))
                && each.all(|(service, port)| survey.standing(service, *port) == Standing::Free)
        };
        range.clone().step_by(10).filter_map(block).find(fits)
    }

    /// What a person reads below a free set.
    fn message(&self) -> String {
        let address = |ip| Standing::Free.sentence("All four", ip).replacen("Free", "All four are free", 1);
        let mut sentences: Vec<String> = self.plan.values().map(|it| address(it.ip())).collect();
        sentences.dedup();
        sentences.join(" ")
    }
}
