//! The addresses of this computer, with the interfaces that have them and what kind of network each one leads to.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use serde::Serialize;
use socket2::{Domain, Socket, Type};

/// Where the kernel describes its interfaces (sysfs-class-net).
const SYSFS: &str = "/sys/class/net";
/// How the usual tools name the bridges and ends of their virtual networks.
const CONTAINERS: [&str; 12] =
    ["docker", "br-", "veth", "podman", "cni", "lxc", "lxd", "incus", "virbr", "vnet", "flannel", "cali"];
/// VPNs whose interfaces the kernel cannot tell from others.
const VPNS: [&str; 6] = ["tailscale", "wg", "tun", "zt", "ppp", "nordlynx"];

/// What an interface leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum InterfaceKind {
    /// This computer itself.
    Loopback,
    /// A cable.
    Wired,
    /// A wireless network.
    Wireless,
    /// A VPN: whoever is in it, wherever they are.
    Vpn,
    /// Containers and virtual machines on this computer.
    Container,
    /// Anything else.
    Other,
}

impl InterfaceKind {
    /// What it is, for a person.
    pub fn word(self) -> &'static str {
        match self {
            Self::Loopback => "this computer",
            Self::Wired => "wired network",
            Self::Wireless => "wireless network",
            Self::Vpn => "VPN",
            Self::Container => "containers",
            Self::Other => "network",
        }
    }
}

/// One address of one interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct InterfaceAddress {
    /// The interface, for example `enp5s0`.
    pub interface: String,
    /// What it leads to.
    pub kind: InterfaceKind,
    /// The address.
    #[cfg_attr(feature = "wire", ts(type = "string"))]
    pub address: IpAddr,
    /// Bits of its network.
    pub prefix: u8,
}

/// Every address that a service can be bound to, as the kernel lists them. Link-local IPv6 addresses are left out: they
/// need a zone, which neither a setting nor a URL carries.
///
/// # Errors
/// The system does not tell.
pub fn interface_addresses() -> io::Result<Vec<InterfaceAddress>> {
    let found = if_addrs::get_if_addrs()?.into_iter();
    let usable = found.filter(|each| !matches!(each.ip(), IpAddr::V6(ip) if ip.is_unicast_link_local()));
    let described = usable.map(|each| InterfaceAddress {
        kind: if each.is_loopback() { InterfaceKind::Loopback } else { kind(Path::new(SYSFS), &each.name) },
        address: each.ip(),
        prefix: match &each.addr {
            if_addrs::IfAddr::V4(v4) => v4.prefixlen,
            if_addrs::IfAddr::V6(v6) => v6.prefixlen,
        },
        interface: each.name,
    });
    Ok(described.collect())
}

/// The address that stands for every one of this computer: `::`, which takes IPv4 too, and `0.0.0.0` where the kernel
/// knows no IPv6.
pub fn everywhere() -> IpAddr {
    match Socket::new(Domain::IPV6, Type::STREAM, None) {
        Ok(_) => Ipv6Addr::UNSPECIFIED.into(),
        Err(_) => Ipv4Addr::UNSPECIFIED.into(),
    }
}

fn kind(sysfs: &Path, name: &str) -> InterfaceKind {
    let folder = sysfs.join(name);
    let has = |entry: &str| folder.join(entry).exists();
    let uevent = fs::read_to_string(folder.join("uevent")).unwrap_or_default();
    let is_type = |wanted: &str| uevent.lines().any(|line| line.strip_prefix("DEVTYPE=") == Some(wanted));
    let named = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if is_type("wireguard") {
        InterfaceKind::Vpn
    } else if named(&CONTAINERS) {
        InterfaceKind::Container
    } else if has("tun_flags") || named(&VPNS) {
        InterfaceKind::Vpn
    } else if is_type("wlan") || has("wireless") {
        InterfaceKind::Wireless
    } else if has("device") {
        InterfaceKind::Wired
    } else {
        InterfaceKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_among_the_addresses() {
        let found = interface_addresses().expect("the kernel tells");
        let lo = found.iter().find(|each| each.address.is_loopback()).expect("every Linux has it");
        assert_eq!((lo.kind, lo.prefix), (InterfaceKind::Loopback, 8), "127.0.0.1/8 on lo: {lo:?}");
    }

    #[test]
    fn an_interface_is_named_for_what_it_leads_to() {
        let sysfs = std::env::temp_dir().join(format!("cwts-sysfs-{}", std::process::id()));
        let make = |name: &str, entry: &str, uevent: &str| {
            let folder = sysfs.join(name);
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join("uevent"), uevent).expect("a file");
            fs::write(folder.join(entry), "").expect("a file");
        };
        let cases = [
            ("enp5s0", "device", "INTERFACE=enp5s0\n", InterfaceKind::Wired),
            ("wlp3s0", "device", "DEVTYPE=wlan\nINTERFACE=wlp3s0\n", InterfaceKind::Wireless),
            ("office", "mtu", "DEVTYPE=wireguard\n", InterfaceKind::Vpn),
            ("tailscale0", "tun_flags", "INTERFACE=tailscale0\n", InterfaceKind::Vpn),
            ("vnet3", "tun_flags", "INTERFACE=vnet3\n", InterfaceKind::Container),
            ("docker0", "bridge", "DEVTYPE=bridge\n", InterfaceKind::Container),
            ("br0", "bridge", "DEVTYPE=bridge\n", InterfaceKind::Other),
        ];
        for (name, entry, uevent, expected) in cases {
            make(name, entry, uevent);
            assert_eq!(kind(&sysfs, name), expected, "{name}: a person must know whom an address reaches");
        }
        fs::remove_dir_all(&sysfs).expect("the folder of this test");
    }
}
