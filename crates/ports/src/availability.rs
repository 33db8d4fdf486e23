//! Whether an address can be bound, and if not, why.
//!
//! The kernel decides: the probe binds and listens exactly as std and tokio do, and closes at once. A list of listeners
//! alone misses sockets that are only bound, accepted connections and clients on the port.

use std::fmt;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};

use rustix::io::Errno;

use crate::Holder;
use crate::lookup::{holder, shadow_of};

/// What binding an address would give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It can be bound.
    Free {
        /// A listener of another process that clients of `localhost` reach first, on `[::1]` while ours is on IPv4.
        shadowed_by: Option<Holder>,
    },
    /// Another socket is in the way.
    Taken {
        /// `None` when no process is behind it, or the system does not say.
        holder: Option<Holder>,
    },
    /// The system refuses it to this user.
    Denied {
        /// The rule behind it.
        reason: DenyReason,
    },
    /// The address is none of this computer.
    AddressUnavailable,
}

impl Availability {
    /// Whether a service can start there.
    pub fn is_bindable(&self) -> bool {
        matches!(self, Self::Free { .. })
    }
}

/// Why the system refuses a port. Displays as what follows the port in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// The port is reserved for root and for programs with `CAP_NET_BIND_SERVICE`.
    Privileged {
        /// The first port that everyone may use, `net.ipv4.ip_unprivileged_port_start`.
        first_free: u16,
    },
    /// A security module, or a filter of the sandbox, refuses it.
    SecurityPolicy {
        /// The modules that enforce rules, for example `SELinux`; empty when none is known.
        modules: Vec<&'static str>,
    },
    /// Something else, in the system's words.
    Other {
        /// The system's message.
        message: String,
    },
}

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Privileged { .. } => f.write_str("needs root"),
            Self::SecurityPolicy { modules } if modules.is_empty() => f.write_str("is refused by a security policy"),
            Self::SecurityPolicy { modules } => write!(f, "is refused by a security policy ({})", modules.join(", ")),
            Self::Other { message } => write!(f, "is refused by the system: {message}"),
        }
    }
}

/// Tests the address by binding it for a moment. A socket of this process counts as taken, by this process.
pub fn availability(address: SocketAddr) -> Availability {
    match probe(address) {
        // Who else listens is an addition: without the kernel's list the verdict stands.
        Ok(()) => Availability::Free { shadowed_by: shadow_of(address).unwrap_or_default() },
        Err(error) => verdict(&error, address),
    }
}

/// Whether the address can be bound at this moment. Asks for no reason, which costs more.
pub fn is_bindable(address: SocketAddr) -> bool {
    probe(address).is_ok()
}

/// Binds and closes.
fn probe(address: SocketAddr) -> io::Result<()> {
    TcpListener::bind(address).map(drop)
}

fn verdict(error: &io::Error, address: SocketAddr) -> Availability {
    match Errno::from_io_error(error) {
        Some(Errno::ADDRINUSE) => Availability::Taken { holder: holder(address).unwrap_or_default() },
        // AFNOSUPPORT: IPv6 is switched off.
        Some(Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT) => Availability::AddressUnavailable,
        Some(Errno::ACCESS | Errno::PERM) => Availability::Denied { reason: DenyReason::of(address.port()) },
        _ => Availability::Denied { reason: DenyReason::Other { message: error.to_string() } },
    }
}

impl DenyReason {
    /// Why the kernel refused the port, which it did.
    pub fn of(port: u16) -> Self {
        let first_free = first_unprivileged_port();
        if port < first_free { Self::Privileged { first_free } } else { Self::SecurityPolicy { modules: enforcing() } }
    }
}

fn first_unprivileged_port() -> u16 {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1024)
}

/// The security modules that enforce rules on this system.
pub fn enforcing() -> Vec<&'static str> {
    let says = |path: &str, expected: &str| fs::read_to_string(path).is_ok_and(|text| text.trim() == expected);
    let mut modules = Vec::new();
    if says("/sys/fs/selinux/enforce", "1") {
        modules.push("SELinux");
    }
    if says("/sys/module/apparmor/parameters/enabled", "Y") {
        modules.push("AppArmor");
    }
    let listed = fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
    if listed.trim().split(',').any(|module| module == "landlock") {
        modules.push("Landlock");
    }
    modules
}

#[cfg(test)]
mod tests;
