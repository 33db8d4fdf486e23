//! The networks as NetworkManager knows them: the name of the connection, its zone, and whether it is metered.
//!
//! Interfaces: org.freedesktop.NetworkManager, its Connection.Active, Device and Settings.Connection (NetworkManager
//! D-Bus reference); org.fedoraproject.FirewallD1 for the zone where the connection names none. An ordinary user may read
//! all of it. Where NetworkManager is not on the bus, or says less than expected, that is left out.

use std::collections::{BTreeMap, HashMap};

use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use crate::network_trust::{Described, NetworkSource};

const NAME: &str = "org.freedesktop.NetworkManager";
const PATH: &str = "/org/freedesktop/NetworkManager";
const FIREWALLD: &str = "org.fedoraproject.FirewallD1";
const FIREWALLD_PATH: &str = "/org/fedoraproject/FirewallD1";
/// NMMetered: it is, and it probably is.
const METERED: [u32; 2] = [1, 3];
/// What firewalld ships for networks whose computers are trusted (firewalld.zones(5)).
const TRUSTED: [&str; 4] = ["trusted", "home", "internal", "work"];
/// And for those whose computers are not.
const FOREIGN: [&str; 5] = ["public", "external", "dmz", "block", "drop"];

/// What the service says of the networks that this computer is in.
#[derive(Clone, Copy, Debug)]
pub struct NetworkManager;

impl NetworkSource for NetworkManager {
    fn networks(&self) -> BTreeMap<String, Described> {
        read().unwrap_or_else(|error| {
            tracing::debug!(%error, "NetworkManager does not say which networks these are");
            BTreeMap::new()
        })
    }
}

fn read() -> zbus::Result<BTreeMap<String, Described>> {
    let bus = cwts_firewall::system_bus()?;
    let active: Vec<OwnedObjectPath> = Proxy::new(&bus, NAME, PATH, NAME)?.get_property("ActiveConnections")?;
    let mut networks = BTreeMap::new();
    for path in active {
        // One that ended meanwhile takes nothing away from the others.
        networks.extend(described(&bus, &path).unwrap_or_default());
    }
    Ok(networks)
}

/// The network behind each interface of an active connection.
fn described(bus: &Connection, path: &OwnedObjectPath) -> zbus::Result<Vec<(String, Described)>> {
    let active = Proxy::new(bus, NAME, path, "org.freedesktop.NetworkManager.Connection.Active")?;
    let (name, id): (String, String) = (active.get_property("Id")?, active.get_property("Uuid")?);
    let devices: Vec<OwnedObjectPath> = active.get_property("Devices")?;
    let own_zone = active.get_property("Connection").and_then(|path| zone_of(bus, &path)).ok().flatten();
    let mut networks = Vec::new();
    for path in devices {
        let device = Proxy::new(bus, NAME, path, "org.freedesktop.NetworkManager.Device")?;
        let interface: String = device.get_property("Interface")?;
        let is_metered = device.get_property("Metered").is_ok_and(|metered: u32| METERED.contains(&metered));
        let zone = own_zone.clone().or_else(|| firewalld_zone(bus, &interface).ok());
        let said = [zone.as_ref().map(|zone| format!("zone {zone}")), is_metered.then(|| "metered".to_owned())];
        let said: Vec<String> = said.into_iter().flatten().collect();
        let trusted = zone.as_deref().and_then(judged);
        let system = (!said.is_empty()).then(|| said.join(", "));
        let described = Described { id: format!("connection {id}"), name: name.clone(), trusted, system };
        networks.push((interface, described));
    }
    Ok(networks)
}

/// The zone that the settings of a connection name.
fn zone_of(bus: &Connection, connection: &OwnedObjectPath) -> zbus::Result<Option<String>> {
    let settings = Proxy::new(bus, NAME, connection, "org.freedesktop.NetworkManager.Settings.Connection")?;
    let settings: HashMap<String, HashMap<String, OwnedValue>> = settings.call("GetSettings", &())?;
    let zone = settings.get("connection").and_then(|group| group.get("zone"));
    let zone = zone.and_then(|zone| String::try_from(zone.clone()).ok());
    Ok(zone.filter(|zone| !zone.is_empty()))
}

/// The zone that firewalld has an interface in, or its default zone.
fn firewalld_zone(bus: &Connection, interface: &str) -> zbus::Result<String> {
    let zones = Proxy::new(bus, FIREWALLD, FIREWALLD_PATH, "org.fedoraproject.FirewallD1.zone")?;
    let zone: String = zones.call("getZoneOfInterface", &(interface,)).unwrap_or_default();
    if !zone.is_empty() {
        return Ok(zone);
    }
    Proxy::new(bus, FIREWALLD, FIREWALLD_PATH, FIREWALLD)?.call("getDefaultZone", &())
}

/// Whether a zone stands for trust; `None` for one that a person made.
fn judged(zone: &str) -> Option<bool> {
    if TRUSTED.contains(&zone) {
        return Some(true);
    }
    FOREIGN.contains(&zone).then_some(false)
}
