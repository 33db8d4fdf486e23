//! firewalld: it owns a name on the system bus for as long as it runs.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use zbus::blocking::{Connection, Proxy, connection::Builder, fdo::DBusProxy};
use zbus::names::BusName;

use super::{Incoming, ToolFinding, ToolState, is_installed};
use crate::Tool;

const NAME: &str = "org.fedoraproject.FirewallD1";
const PATH: &str = "/org/fedoraproject/FirewallD1";
const ZONES: &str = "org.fedoraproject.FirewallD1.zone";
/// Where the system bus listens.
const SOCKETS: [&str; 2] = ["/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket"];
/// The kernel's table of IPv4 routes.
const ROUTES: &str = "/proc/net/route";
/// What a connection opens: an event queue with its waker, a pair for signals, the socket; and as much for who comes between.
const DESCRIPTORS: usize = 16;
/// A bus that is well answers within 70 ms.
const DEADLINE: Duration = Duration::from_secs(2);

/// Whether firewalld runs, and the zone of the outside interface where that is another one than the default zone.
pub(super) fn detect() -> (ToolFinding, Option<String>) {
    let installed = is_installed(Tool::Firewalld.program());
    let finding =
        |state, evidence: String, incoming| ToolFinding { tool: Tool::Firewalld, installed, state, evidence, incoming };
    let bus = match system_bus() {
        Ok(bus) => bus,
        Err(_) if !has_bus() => return (finding(ToolState::Inactive, "There is no system bus".to_owned(), None), None),
        Err(error) if installed => {
            let evidence = format!("The system bus does not answer: {error}");
            return (finding(ToolState::Unknown, evidence, None), None);
        }
        Err(_) => return (finding(ToolState::Inactive, "firewall-cmd is not installed".to_owned(), None), None),
    };
    match is_on(&bus) {
        Ok(true) => {
            let (zone, incoming) = zones(&bus).unwrap_or_default();
            (finding(ToolState::Active, format!("{NAME} is on the system bus"), incoming), zone)
        }
        Ok(false) => (finding(ToolState::Inactive, format!("{NAME} is not on the system bus"), None), None),
        Err(error) => (finding(ToolState::Unknown, format!("The system bus does not answer: {error}"), None), None),
    }
}

/// Whether there is a bus that firewalld could be on. It ends when it finds none.
fn has_bus() -> bool {
    std::env::var_os("DBUS_SYSTEM_BUS_ADDRESS").is_some() || SOCKETS.iter().any(|path| Path::new(path).exists())
}

/// Connects to the system bus, whose answers are waited for 2 s at most. Blocks.
///
/// # Errors
/// There is no bus, or the process has no descriptors left for it.
pub fn system_bus() -> zbus::Result<Connection> {
    // The runtime of such a connection panics where it gets none (zbus 5, tokio 1).
    let room = (0..DESCRIPTORS).map(|_| File::open("/dev/null")).collect::<io::Result<Vec<_>>>()?;
    drop(room);
    Builder::system()?.method_timeout(DEADLINE).build()
}

fn is_on(bus: &Connection) -> zbus::Result<bool> {
    let name = BusName::try_from(NAME)?;
    Ok(DBusProxy::new(bus)?.name_has_owner(name)?)
}

/// The zone in which rules for the outside interface belong, unless it is the default zone, and whether it accepts
/// everything. An ordinary user may not be told: the default zone then has to do.
fn zones(bus: &Connection) -> zbus::Result<(Option<String>, Option<Incoming>)> {
    let main = Proxy::new(bus, NAME, PATH, NAME)?;
    let default: String = main.call("getDefaultZone", &())?;
    let active: HashMap<String, HashMap<String, Vec<String>>> =
        Proxy::new(bus, NAME, PATH, ZONES)?.call("getActiveZones", &())?;
    let outside = fs::read_to_string(ROUTES).ok().and_then(|text| default_interface(&text));
    let holds = |members: &HashMap<String, Vec<String>>| {
        members.get("interfaces").is_some_and(|names| names.iter().any(|name| Some(name) == outside.as_ref()))
    };
    let zone = active.into_iter().find(|(_, members)| holds(members)).map(|(name, _)| name);
    // The zone that firewalld ships for networks in which everything is accepted.
    let incoming = if zone.as_deref().unwrap_or(&default) == "trusted" { Incoming::Accepted } else { Incoming::Denied };
    Ok((zone.filter(|zone| *zone != default), Some(incoming)))
}

/// The interface whose route has no destination and no mask (proc_net(5), `/proc/net/route`).
fn default_interface(routes: &str) -> Option<String> {
    let routes = routes.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut default = routes.filter(|route| route.get(1) == Some(&"00000000") && route.get(7) == Some(&"00000000"));
    default.next()?.first().map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outside_interface_is_that_of_the_default_route() {
        let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
        let subnet = "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        let default = "enp5s0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
        assert_eq!(
            default_interface(&format!("{head}{subnet}{default}")).as_deref(),
            Some("enp5s0"),
            "its zone counts"
        );
        assert_eq!(default_interface(&format!("{head}{subnet}")), None, "no way out, no outside");
    }
}
