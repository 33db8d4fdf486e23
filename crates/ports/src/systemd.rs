//! Asks systemd to stop a unit, and which socket unit has a port.
//!
//! Protocol: org.freedesktop.systemd1(5), on the system bus for the system's manager and on the session bus for that of
//! this user. Where a password is needed, polkit asks for it.

use std::net::SocketAddr;

use cwts_domain::{ErrorCode, Problem};
use futures_util::StreamExt as _;
use rustix::process::geteuid;
use zbus::Connection;
use zbus::zvariant::{ObjectPath, OwnedObjectPath};

use crate::{Manager, Unit};

/// The control group of systemd itself, which holds the sockets of socket units until somebody connects.
const INIT_SCOPE: &str = "init.scope";

/// Name, description, load state, active state, sub state, followed unit, object, job id, job type, job object.
type ListedUnit = (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Manager",
    default_service = "org.freedesktop.systemd1",
    default_path = "/org/freedesktop/systemd1",
    gen_blocking = false
)]
trait SystemdManager {
    fn subscribe(&self) -> zbus::Result<()>;

    #[zbus(allow_interactive_auth)]
    fn stop_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;

    fn get_unit(&self, name: &str) -> zbus::Result<OwnedObjectPath>;

    fn list_units_by_patterns(&self, states: &[&str], patterns: &[&str]) -> zbus::Result<Vec<ListedUnit>>;

    #[zbus(signal)]
    fn job_removed(&self, id: u32, job: ObjectPath<'_>, unit: &str, result: &str) -> zbus::Result<()>;
}

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Unit",
    default_service = "org.freedesktop.systemd1",
    gen_blocking = false
)]
trait SystemdUnit {
    #[zbus(property)]
    fn triggered_by(&self) -> zbus::Result<Vec<String>>;
}

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Socket",
    default_service = "org.freedesktop.systemd1",
    gen_blocking = false
)]
trait SystemdSocket {
    /// Kind and address, for example `("Stream", "[::]:9090")`.
    #[zbus(property)]
    fn listen(&self) -> zbus::Result<Vec<(String, String)>>;
}

/// Why a unit was not stopped.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// There is no systemd to ask, or the bus to it fails.
    #[error("systemd cannot be asked to stop {unit}: {source}")]
    Unreachable {
        /// The unit.
        unit: String,
        /// The reason.
        source: zbus::Error,
    },
    /// The password was not given, or the rules of polkit forbid it.
    #[error("stopping {unit} is not permitted to this user")]
    NotPermitted {
        /// The unit.
        unit: String,
    },
    /// systemd tried.
    #[error("systemd did not stop {unit}: {result}")]
    Failed {
        /// The unit.
        unit: String,
        /// In systemd's words, for example `timeout`.
        result: String,
    },
    /// The unit is a scope, or runs under the manager of another user.
    #[error("{unit} is nothing that this user can stop")]
    NotStoppable {
        /// The unit.
        unit: String,
    },
}

/// Stops the unit, and before it the socket units that would start it again, and returns when they have stopped. Takes as
/// long as a person takes for a password and the unit for its end. May be cancelled; systemd goes on then.
///
/// # Errors
/// The unit cannot be stopped, systemd cannot be reached, or it refuses.
pub async fn stop_unit(unit: &Unit) -> Result<(), StopError> {
    if !unit.can_be_stopped_by_this_user() {
        return Err(StopError::NotStoppable { unit: unit.name.clone() });
    }
    stop_in_order(unit).await.map_err(|error| error.into_stop_error(unit))?
}

async fn stop_in_order(unit: &Unit) -> Result<Result<(), StopError>, BusError> {
    let connection = connect(unit.manager).await?;
    let manager = SystemdManagerProxy::new(&connection).await?;
    manager.subscribe().await?;
    // Listening before asking: the job of a quick unit is over before the answer.
    let mut removed = manager.receive_job_removed().await?;
    let mut names = sockets_that_trigger(&connection, &manager, &unit.name).await?;
    names.push(unit.name.clone());
    for name in names {
        let job = match manager.stop_unit(&name, "replace").await {
            // What is not loaded does not run.
            Err(error) if is_error(&error, "org.freedesktop.systemd1.NoSuchUnit") => continue,
            asked => asked?,
        };
        let result = loop {
            let Some(signal) = removed.next().await else { return Err(zbus::Error::InterfaceNotFound.into()) };
            let ended = signal.args()?;
            if ended.job.as_str() == job.as_str() {
                break ended.result.to_owned();
            }
        };
        if !matches!(result.as_str(), "done" | "skipped") {
            return Ok(Err(StopError::Failed { unit: name, result }));
        }
    }
    Ok(Ok(()))
}

/// The socket units that start the service when somebody connects, and so hold its ports when it has stopped.
async fn sockets_that_trigger(
    connection: &Connection,
    manager: &SystemdManagerProxy<'_>,
    name: &str,
) -> zbus::Result<Vec<String>> {
    if !name.ends_with(".service") {
        return Ok(Vec::new());
    }
    let path = match manager.get_unit(name).await {
        Err(error) if is_error(&error, "org.freedesktop.systemd1.NoSuchUnit") => return Ok(Vec::new()),
        found => found?,
    };
    let unit = SystemdUnitProxy::builder(connection).path(path)?.build().await?;
    let mut triggers = unit.triggered_by().await?;
    triggers.retain(|name| name.ends_with(".socket"));
    Ok(triggers)
}

/// The unit behind a socket. systemd itself holds the sockets of socket units: then that unit, which it is asked for.
/// Anything else, and where systemd does not say, stays as it is.
pub async fn resolve_unit(unit: Option<Unit>, held: SocketAddr) -> Option<Unit> {
    let unit = unit?;
    if unit.name != INIT_SCOPE {
        return Some(unit);
    }
    let found = socket_unit(unit.manager, held.port()).await.ok().flatten();
    Some(found.map(|name| Unit { name, manager: unit.manager }).unwrap_or(unit))
}

/// The active socket unit that listens on the port.
async fn socket_unit(manager: Manager, port: u16) -> zbus::Result<Option<String>> {
    let connection = connect(manager).await?;
    let proxy = SystemdManagerProxy::new(&connection).await?;
    for (name, .., path, _, _, _) in proxy.list_units_by_patterns(&["active"], &["*.socket"]).await? {
        let socket = SystemdSocketProxy::builder(&connection).path(path)?.build().await?;
        let listens = socket.listen().await?;
        if listens.iter().any(|(kind, address)| kind == "Stream" && port_of(address) == Some(port)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// `[::]:9090`, `127.0.0.1:9090` and `9090` alike; `None` for the path of a Unix socket.
fn port_of(address: &str) -> Option<u16> {
    address.rsplit(':').next()?.parse().ok()
}

async fn connect(manager: Manager) -> zbus::Result<Connection> {
    match manager {
        Manager::System => Connection::system().await,
        Manager::User { .. } => Connection::session().await,
    }
}

fn is_error(error: &zbus::Error, name: &str) -> bool {
    matches!(error, zbus::Error::MethodError(found, ..) if found.as_str() == name)
}

impl Unit {
    /// Whether its manager takes orders from this user: that of the system asks polkit, that of another user does not.
    pub fn can_be_stopped_by_this_user(&self) -> bool {
        let reachable = match self.manager {
            Manager::System => true,
            Manager::User { uid } => uid == geteuid().as_raw(),
        };
        reachable && self.can_be_stopped()
    }
}

/// An error of the bus, on its way to a [`StopError`].
struct BusError(zbus::Error);

impl From<zbus::Error> for BusError {
    fn from(error: zbus::Error) -> Self {
        Self(error)
    }
}

impl BusError {
    fn into_stop_error(self, unit: &Unit) -> StopError {
        let unit = unit.name.clone();
        let Self(source) = self;
        let denials = [
            "org.freedesktop.DBus.Error.AccessDenied",
            "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
            "org.freedesktop.PolicyKit1.Error.NotAuthorized",
            "org.freedesktop.PolicyKit1.Error.Cancelled",
        ];
        if denials.iter().any(|name| is_error(&source, name)) {
            return StopError::NotPermitted { unit };
        }
        StopError::Unreachable { unit, source }
    }
}

impl From<StopError> for Problem {
    fn from(error: StopError) -> Self {
        let (code, help) = match &error {
            StopError::NotPermitted { unit } => {
                (ErrorCode::NotPermitted, format!("Run sudo systemctl stop {unit}, or use another port."))
            }
            StopError::Unreachable { .. } | StopError::Failed { .. } | StopError::NotStoppable { .. } => {
                (ErrorCode::Internal, "Use another port.".to_owned())
            }
        };
        Self::new(code, format!("{error}.")).with_help(help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_found_in_every_spelling_of_an_address() {
        let cases = [("[::]:9090", Some(9090)), ("127.0.0.1:9090", Some(9090)), ("9090", Some(9090)), ("/run/x", None)];
        for (address, expected) in cases {
            assert_eq!(port_of(address), expected, "{address}");
        }
    }

    #[test]
    fn a_unit_of_another_users_session_is_not_offered() {
        let unit = |uid| Unit { name: "syncthing.service".to_owned(), manager: Manager::User { uid } };
        let me = geteuid().as_raw();
        assert!(unit(me).can_be_stopped_by_this_user(), "this user's own systemd obeys");
        assert!(!unit(me + 1).can_be_stopped_by_this_user(), "another user's does not, and polkit is not asked");
    }
}
