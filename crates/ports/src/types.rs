//! What is known of a socket and of its holder.

use std::fmt;
use std::net::SocketAddr;

use rustix::process::geteuid;
use serde::Serialize;

/// Transport protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// A listening TCP socket.
    Tcp,
    /// A bound, unconnected UDP socket.
    Udp,
}

/// Who holds a port, as far as this user may know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Holder {
    /// Process id; `None` where only root may see it.
    pub pid: Option<u32>,
    /// Process name; `None` where only root may see it.
    pub process: Option<String>,
    /// Name of the owner, or the number of a user without a name.
    pub user: Option<String>,
    /// systemd unit of the process, or of the one that made the socket where the process is hidden. Not each can be
    /// stopped, for example `session-2.scope`; see [`Unit::can_be_stopped`](crate::Unit::can_be_stopped).
    pub unit: Option<String>,
    /// The address that is held.
    #[cfg_attr(feature = "wire", ts(type = "string"))]
    pub address: SocketAddr,
}

/// One row of the system's port table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ListenerRow {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Whether the socket belongs to this process.
    pub ours: bool,
    /// An IPv6 socket on `[::]` that leaves the port free for IPv4. Otherwise `[::]` takes both.
    pub v6only: bool,
    /// What usually uses the port, for example `System DNS resolver`.
    pub description: Option<String>,
    /// Who holds it.
    pub holder: Holder,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

impl fmt::Display for Holder {
    /// `node, pid 48213, user alice`; `root, unit cockpit.service; details need root` where the process is hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_deref().unwrap_or("an unknown user");
        match (&self.process, self.pid) {
            (Some(process), Some(pid)) => write!(f, "{process}, pid {pid}, user {user}"),
            (None, Some(pid)) => write!(f, "pid {pid}, user {user}"),
            (_, None) => {
                f.write_str(user)?;
                if let Some(unit) = &self.unit {
                    write!(f, ", unit {unit}")?;
                }
                write!(f, "; {}", what_is_missing())
            }
        }
    }
}

/// Why the process behind a socket is hidden.
fn what_is_missing() -> &'static str {
    if geteuid().is_root() { "its process is in the kernel or in another container" } else { "details need root" }
}
