//! Where a port stands for a service. One sentence for each case: the form, the conflict card, the command line and a
//! refused start say the same.

use std::net::{IpAddr, Ipv4Addr};

use cwts_config::PortConcern;
use cwts_domain::Service;
use cwts_ports::{DenyReason, Holder};

use crate::port_facts::PortCheckState;

/// Where a port stands for one service, on the address that it binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can be bound, and nothing speaks against it.
    Free,
    /// The service listens there already.
    Ours(Holder),
    /// It can be bound, with a drawback.
    Concern(PortConcern),
    /// It can be bound, but is meant for another instance of this home, which does not run now.
    Claimed {
        /// That instance.
        instance: String,
    },
    /// It can be bound, but clients of `localhost` reach somebody else on `[::1]` first.
    Shadowed(Holder),
    /// Another service of this instance is configured for it.
    Service(Service),
    /// Somebody holds it.
    Taken {
        /// `None` when no process is behind it.
        holder: Option<Holder>,
        /// The instance of this home that it is.
        instance: Option<String>,
    },
    /// The system refuses it.
    Denied(DenyReason),
    /// The address is none of this computer.
    NoAddress,
    /// The number 0.
    NoPort,
}

impl Standing {
    /// Whether a service could start there.
    pub fn is_bindable(&self) -> bool {
        matches!(self, Self::Free | Self::Concern(_) | Self::Claimed { .. } | Self::Shadowed(_))
    }

    /// The verdict for a form.
    pub fn state(&self) -> PortCheckState {
        match self {
            Self::Free => PortCheckState::Free,
            Self::Ours(_) => PortCheckState::Ours,
            Self::Concern(_) | Self::Claimed { .. } | Self::Shadowed(_) => PortCheckState::Warning,
            Self::Service(_) | Self::Taken { .. } | Self::Denied(_) | Self::NoAddress | Self::NoPort => {
                PortCheckState::Refused
            }
        }
    }

    /// Who is in the way.
    pub fn holder(&self) -> Option<&Holder> {
        match self {
            Self::Ours(holder) | Self::Shadowed(holder) => Some(holder),
            Self::Taken { holder, .. } => holder.as_ref(),
            _ => None,
        }
    }

    /// One sentence, or two with the remedy. `subject` names the port, for example `3000`, and `ip` is the address that
    /// would be bound.
    pub fn sentence(&self, subject: &str, ip: IpAddr) -> String {
        match self {
            // A listener on [::1] would have been found.
            Self::Free if ip == Ipv4Addr::LOCALHOST => format!("Free on {ip} and ::1."),
            Self::Free => format!("Free on {ip}."),
            Self::Ours(_) => "In use by this instance.".to_owned(),
            Self::Concern(concern) => format!("{subject} {concern}."),
            Self::Claimed { instance } => {
                format!("{subject} is set for instance {instance}; only one of the two can run.")
            }
            Self::Shadowed(holder) => {
                let address = holder.address;
                format!("{subject} is free, but clients of localhost reach {holder} on {address} first.")
            }
            Self::Service(service) => format!("{subject} is {service} here."),
            Self::Taken { holder: Some(holder), instance: Some(instance) } => {
                let pid = holder.pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
                format!("{subject} is held by instance {instance}{pid}.")
            }
            Self::Taken { holder: Some(holder), .. } => format!("{subject} is held by {holder}."),
            Self::Taken { holder: None, .. } => {
                format!(
                    "{subject} is taken, but by no process that can be seen; a closed connection holds it for a minute."
                )
            }
            Self::Denied(DenyReason::Privileged { first_free }) => {
                format!("{subject} needs root. Use {first_free} to 65535.")
            }
            Self::Denied(reason) => format!("{subject} {reason}."),
            Self::NoAddress => format!("{ip} is no address of this computer."),
            Self::NoPort => "0 is no port. Use 1 to 65535.".to_owned(),
        }
    }
}
