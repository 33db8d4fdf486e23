//! The networks that this computer is in, and whether a person trusts them.
//!
//! The word of a person is remembered for each network, in `data/networks.json` of the home. What tells one network from
//! the next, what it is called and what the system says of it is up to a [`NetworkSource`]; where none knows an
//! interface, its subnet and its router's hardware address stand for the network, so that the trust in one home is not
//! the trust in every café with the same addresses.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use cwts_domain::{ErrorCode, Problem};
use cwts_firewall::Source;
use cwts_net::{InterfaceAddress, InterfaceKind};
use serde::{Deserialize, Serialize};

use crate::json_file;

/// The kernel's routes and neighbours (proc(5)).
const ROUTES: &str = "/proc/net/route";
const NEIGHBOURS: &str = "/proc/net/arp";

/// A network that an interface of this computer is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct Network {
    /// Under which the word of a person is remembered.
    pub id: String,
    /// What a person calls it: the name of the connection, or the subnet.
    pub name: String,
    /// The interface that leads to it.
    pub interface: String,
    /// What that is.
    pub kind: InterfaceKind,
    /// Whether it is trusted; `None` while neither the person nor the system has said so.
    pub trusted: Option<bool>,
    /// Whether that is the word of the person.
    pub by_person: bool,
    /// What the system says, for example `zone public`.
    pub system: Option<String>,
}

/// What a source knows of the network behind an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The same each time that this computer is in that network, and in no other one.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// Whether the system holds it for trusted; `None` where it says nothing of that.
    pub trusted: Option<bool>,
    /// How the system says so.
    pub system: Option<String>,
}

/// Who knows networks by name.
pub trait NetworkSource {
    /// What is known, by interface. Blocks. An interface that is left out is described by its subnet.
    fn networks(&self) -> BTreeMap<String, Described>;
}

/// Where no service of the system knows networks.
#[derive(Clone, Copy, Debug)]
pub struct NoSource;

impl NetworkSource for NoSource {
    fn networks(&self) -> BTreeMap<String, Described> {
        BTreeMap::new()
    }
}

/// What a person has said of the networks.
#[derive(Clone, Debug)]
pub struct NetworkTrust {
    file: PathBuf,
}

/// The file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Document {
    networks: BTreeMap<String, Word>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Word {
    /// For people who read the file.
    name: String,
    trusted: bool,
}

impl NetworkTrust {
    /// The words that are kept in a home. Touches nothing.
    pub fn new(home: &Path) -> Self {
        Self { file: home.join("data/networks.json") }
    }

    /// The networks behind the addresses, loopback left out. A file that cannot be read holds no word.
    pub fn networks(&self, addresses: &[InterfaceAddress], source: &dyn NetworkSource) -> Vec<Network> {
        let words = self.read().unwrap_or_default().networks;
        let described = source.networks();
        let mut networks: Vec<Network> = Vec::new();
        for address in addresses.iter().filter(|it| it.kind != InterfaceKind::Loopback) {
            if networks.iter().any(|known| known.interface == address.interface) {
                continue;
            }
            let Described { id, name, trusted, system } =
                described.get(&address.interface).cloned().unwrap_or_else(|| by_subnet(address));
            let word = words.get(&id).map(|word| word.trusted);
            networks.push(Network {
                id,
                name,
                interface: address.interface.clone(),
                kind: address.kind,
                trusted: word.or(trusted),
                by_person: word.is_some(),
                system,
            });
        }
        networks
    }

    /// Keeps the word of a person; `None` forgets it.
    ///
    /// # Errors
    /// The file cannot be read or written; it is as before.
    pub fn remember(&self, network: &Network, trusted: Option<bool>) -> Result<(), Problem> {
        let failed = |error: io::Error| {
            Problem::new(ErrorCode::SaveFailed, format!("{} was not saved: {error}.", self.file.display()))
        };
        let mut document = self.read().map_err(failed)?;
        match trusted {
            Some(trusted) => {
                document.networks.insert(network.id.clone(), Word { name: network.name.clone(), trusted });
            }
            None => {
                document.networks.remove(&network.id);
            }
        }
        fs::create_dir_all(self.file.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        json_file::replace(&self.file, &document).map_err(failed)
    }

    fn read(&self) -> io::Result<Document> {
        match fs::read(&self.file) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Document::default()),
            Err(error) => Err(error),
        }
    }
}

fn by_subnet(address: &InterfaceAddress) -> Described {
    let subnet = Source::subnet_of(address.address, address.prefix)
        .map_or_else(|| address.address.to_string(), |subnet| subnet.to_string());
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let router = router(&address.interface, &read(ROUTES), &read(NEIGHBOURS));
    let id = match &router {
        Some(router) => format!("{subnet} behind {router}"),
        None => format!("{subnet} on {}", address.interface),
    };
    Described { id, name: subnet, trusted: None, system: None }
}

/// The hardware address of the router that the default route of an interface leads to.
fn router(interface: &str, routes: &str, neighbours: &str) -> Option<String> {
    let gateway = routes.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (name, to, gateway) = (words.next()?, words.next()?, words.next()?);
        // In the byte order of this computer.
        let gateway = u32::from_str_radix(gateway, 16).ok().filter(|gateway| *gateway != 0)?;
        (name == interface && to == "00000000").then(|| Ipv4Addr::from(gateway.to_ne_bytes()))
    })?;
    neighbours.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_it = words.first()?.parse() == Ok(gateway) && words.last() == Some(&interface);
        words.get(3).filter(|hardware| is_it && **hardware != "00:00:00:00:00:00").map(|&hardware| hardware.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lan() -> Vec<InterfaceAddress> {
        let address = |interface: &str, kind, address: &str, prefix| InterfaceAddress {
            interface: interface.to_owned(),
            kind,
            address: address.parse().unwrap(),
            prefix,
        };
        vec![
            address("lo", InterfaceKind::Loopback, "127.0.0.1", 8),
            address("nowhere0", InterfaceKind::Wired, "192.168.1.20", 24),
            address("nowhere0", InterfaceKind::Wired, "fd00:1::20", 64),
        ]
    }

    struct Known;

    impl NetworkSource for Known {
        fn networks(&self) -> BTreeMap<String, Described> {
            let described = Described {
                id: "uuid-7".to_owned(),
                name: "Studio LAN".to_owned(),
                trusted: Some(false),
                system: Some("zone public".to_owned()),
            };
            BTreeMap::from([("nowhere0".to_owned(), described)])
        }
    }

    #[test]
    fn the_word_of_a_person_is_remembered_for_each_network() {
        let home = tempfile::tempdir().unwrap();
        let trust = NetworkTrust::new(home.path());
        let found = trust.networks(&lan(), &NoSource);
        let names: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.trusted)).collect();
        assert_eq!(names, [("192.168.1.0/24", None)], "one for each interface, none for this computer");
        trust.remember(&found[0], Some(true)).unwrap();
        let again = NetworkTrust::new(home.path()).networks(&lan(), &NoSource);
        assert_eq!((again[0].trusted, again[0].by_person), (Some(true), true), "also by the next start");
        let elsewhere = trust.networks(&lan(), &Known);
        assert_eq!(
            (elsewhere[0].trusted, elsewhere[0].by_person),
            (Some(false), false),
            "another network, another word"
        );
        trust.remember(&elsewhere[0], Some(true)).unwrap();
        assert_eq!(trust.networks(&lan(), &Known)[0].trusted, Some(true), "a person stands above the system");
        trust.remember(&elsewhere[0], None).unwrap();
        assert_eq!(trust.networks(&lan(), &Known)[0].trusted, Some(false), "until the word is taken back");
    }

    #[test]
    fn a_damaged_file_trusts_nobody_and_is_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let trust = NetworkTrust::new(home.path());
        let found = trust.networks(&lan(), &NoSource);
        trust.remember(&found[0], Some(true)).unwrap();
        fs::write(home.path().join("data/networks.json"), "{").unwrap();
        assert_eq!(trust.networks(&lan(), &NoSource)[0].trusted, None, "no word is no trust");
        let refused = trust.remember(&found[0], Some(true)).unwrap_err();
        assert!(refused.message.contains("data/networks.json"), "a person finds the file: {refused}");
    }

    #[test]
    fn a_network_is_told_by_its_router() {
        let routes =
            "Iface\tDestination\tGateway \tFlags\nwlp3s0\t00000000\tFE01A8C0\t0003\nwlp3s0\t0001A8C0\t00000000\t0001\n";
        let neighbours = "IP address HW type Flags HW address Mask Device\n\
                          192.168.1.254 0x1 0x2 aa:bb:cc:00:11:22 * wlp3s0\n192.168.1.254 0x1 0x2 00:00:00:00:00:00 * eth0\n";
        if cfg!(target_endian = "little") {
            assert_eq!(router("wlp3s0", routes, neighbours).as_deref(), Some("aa:bb:cc:00:11:22"), "the next hop");
        }
        assert_eq!(router("eth0", routes, neighbours), None, "an interface without a default route has none");
    }
}
