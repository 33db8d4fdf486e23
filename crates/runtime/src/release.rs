//! The ways to free a taken port that end something, and taking one of them.
//!
//! A way says in words what it does and what that costs; one that is not open stays in the list with the reason. Nothing
//! is ended that was not looked at again at that moment.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use cwts_domain::{ErrorCode, Problem};
use cwts_ports::{Ended, Ending, Occupant, StopError, Unit, protected};
use serde::{Deserialize, Serialize};

use crate::change::blocking;
use crate::elevated;

/// How long a process may take to end after SIGTERM, before a person is asked again.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long a unit may take to stop, the password included.
const UNIT_DEADLINE: Duration = Duration::from_secs(180);

/// A way to free a port that ends something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WayOut {
    /// What is ended, for example `End node, pid 48213`.
    pub title: String,
    /// The same for a button, for example `End node`.
    pub action: String,
    /// What that means, or why it is not offered.
    pub detail: String,
    /// What to ask for; `None` when the way is not offered.
    pub release: Option<Release>,
    /// What does the same in a terminal.
    pub command: Option<String>,
}

/// What is to be ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Release {
    /// A systemd unit.
    Unit {
        /// Its name with its type.
        name: String,
    },
    /// A process.
    Process {
        /// Its id.
        pid: u32,
        /// SIGKILL instead of SIGTERM, after a second confirmation.
        force: bool,
    },
    /// The process of another user, which only root sees: through polkit.
    Hidden {
        /// Whose it has to be.
        user: String,
        /// SIGKILL instead of SIGTERM, after a second confirmation.
        force: bool,
    },
}

impl fmt::Display for Release {
    /// `cockpit.service`, `pid 48213`, `the process of root`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit { name } => f.write_str(name),
            Self::Process { pid, .. } => write!(f, "pid {pid}"),
            Self::Hidden { user, .. } => write!(f, "the process of {user}"),
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Released {
    /// It has ended.
    Ended,
    /// The process ignores SIGTERM.
    StillRunning,
}

/// The ways to end the occupant of an address, the gentlest first. The unit of the occupant has to be
/// [resolved](cwts_ports::resolve_unit).
pub fn ways_out(address: SocketAddr, occupant: &Occupant) -> Vec<WayOut> {
    vec![unit_way(address, occupant), process_way(address, occupant)]
}

fn unit_way(address: SocketAddr, occupant: &Occupant) -> WayOut {
    let refused = |detail: String| WayOut::refused("Stop the systemd unit", detail);
    let Some(unit) = &occupant.unit else {
        return refused(match occupant.holder.pid {
            Some(pid) => format!("pid {pid} belongs to no unit."),
            None => "no unit is known; details need root.".to_owned(),
        });
    };
    let Unit { name, .. } = unit;
    if !unit.can_be_stopped() {
        return refused(format!("{name} is more than this program."));
    }
    if !unit.can_be_stopped_by_this_user() {
        return refused(format!("{name} runs in the session of another user."));
    }
    WayOut {
        title: format!("Stop {name}"),
        action: format!("Stop {name}"),
        detail: format!("Asks systemd to stop the unit, with a password where that is needed. {}", losses(occupant)),
        release: Some(Release::Unit { name: name.clone() }),
        command: Some(format!("{} ports free {} --unit", elevated::program_name(), place(address))),
    }
}

fn process_way(address: SocketAddr, occupant: &Occupant) -> WayOut {
    let holder = &occupant.holder;
    let Some(pid) = holder.pid else { return hidden_way(address, occupant) };
    let command = format!("{} ports free {} --kill", elevated::program_name(), place(address));
    let name = holder.process.clone().unwrap_or_else(|| "the process".to_owned());
    let (title, action) = (format!("End {name}, pid {pid}"), format!("End {name}"));
    if !occupant.listens {
        return WayOut::refused(&title, "it is a client on that port, not its listener.".to_owned());
    }
    if let Some(whom) = protected(pid) {
        return WayOut::refused(&title, format!("it is {whom}."));
    }
    let again = match &occupant.unit {
        Some(unit) if unit.can_be_stopped() => format!(" systemd may start it again: {} runs it.", unit.name),
        _ => String::new(),
    };
    let seconds = PATIENCE.as_secs();
    let detail = format!("Sends SIGTERM and waits {seconds} s. {}{again}", losses(occupant));
    WayOut { title, action, detail, release: Some(Release::Process { pid, force: false }), command: Some(command) }
}

/// The process of another user. Only root sees and ends it.
fn hidden_way(address: SocketAddr, occupant: &Occupant) -> WayOut {
    let user = occupant.holder.user.as_deref().unwrap_or("another user");
    let title = format!("End the process of {user}");
    let command = format!("sudo {} ports free {} --kill", elevated::program().display(), place(address));
    if !occupant.listens {
        return WayOut::refused(&title, "it is a client on that port, not its listener.".to_owned());
    }
    if !elevated::is_possible() {
        return WayOut { command: Some(command), ..WayOut::refused(&title, "it needs root.".to_owned()) };
    }
    WayOut {
        action: title.clone(),
        title,
        detail: format!(
            "Asks for the administrator's password, sends SIGTERM and waits {} s. {}",
            PATIENCE.as_secs(),
            losses(occupant)
        ),
        release: Some(Release::Hidden { user: user.to_owned(), force: false }),
        command: Some(command),
    }
}

/// On which further addresses a holder has a port, as a sentence; `None` for the one that is in the way alone.
pub fn further_addresses(addresses: &[SocketAddr]) -> Option<String> {
    let further: Vec<String> = addresses.iter().skip(1).map(|address| address.to_string()).collect();
    (!further.is_empty()).then(|| format!("It also listens on {}.", further.join(", ")))
}

/// An address as a shell takes it: the brackets of IPv6 are a pattern there.
fn place(address: SocketAddr) -> String {
    if address.is_ipv6() { format!("'{address}'") } else { address.to_string() }
}

/// What the clients of the port lose.
fn losses(occupant: &Occupant) -> String {
    match occupant.clients.total {
        0 => "Nobody is connected to it.".to_owned(),
        1 => "Its client loses its connection and is not ended.".to_owned(),
        clients => format!("Its {clients} clients lose their connection and are not ended."),
    }
}

impl WayOut {
    fn refused(title: &str, reason: String) -> Self {
        Self { title: title.to_owned(), action: title.to_owned(), detail: reason, release: None, command: None }
    }
}

/// Ends what keeps the address from being bound, if that is still what was to be ended. Returns when it has ended, or
/// when a process has not within [`PATIENCE`].
///
/// # Errors
/// Nothing was ended: something else holds the address by now, or the system does not permit it.
pub async fn release(address: SocketAddr, way: Release) -> Result<Released, Problem> {
    match way {
        Release::Unit { name } => stop_unit(address, &name).await.map(|()| Released::Ended),
        Release::Process { pid, force } => {
            let how = if force { Ending::Force } else { Ending::Ask };
            let ended = blocking(move || cwts_ports::end_listener(address, pid, how, PATIENCE)).await??;
            Ok(match ended {
                Ended::Gone => Released::Ended,
                Ended::StillRunning => Released::StillRunning,
            })
        }
        Release::Hidden { user, force } => blocking(move || elevated::end(address, &user, force)).await?,
    }
}

async fn stop_unit(address: SocketAddr, name: &str) -> Result<(), Problem> {
    let occupant = look(address, Vec::new()).await?;
    let unit = occupant.and_then(|occupant| occupant.unit).filter(|unit| unit.name == name);
    let Some(unit) = unit else {
        let message = format!("{name} does not hold {address}.");
        return Err(Problem::new(ErrorCode::WrongState, message).with_help("Check the port again."));
    };
    match tokio::time::timeout(UNIT_DEADLINE, cwts_ports::stop_unit(&unit)).await {
        Ok(stopped) => Ok(stopped?),
        Err(_) => {
            let result = format!("not within {} s", UNIT_DEADLINE.as_secs());
            Err(StopError::Failed { unit: name.to_owned(), result }.into())
        }
    }
}

/// Who keeps the address from being bound, with the unit that systemd names. Sockets on the addresses `beside` are not
/// meant.
///
/// # Errors
/// The kernel does not list its sockets.
pub async fn look(address: SocketAddr, beside: Vec<SocketAddr>) -> Result<Option<Occupant>, Problem> {
    let Some(mut occupant) = blocking(move || cwts_ports::occupant(address, &beside)).await?? else { return Ok(None) };
    occupant.unit = cwts_ports::resolve_unit(occupant.unit, occupant.holder.address).await;
    Ok(Some(occupant))
}
