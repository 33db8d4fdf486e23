//! What this computer knows beside the ladder. Filled in by whoever holds the configuration and may look at processes.

use std::net::{IpAddr, SocketAddr};

use cwts_domain::Service;

/// The facts for one ladder. What is not known is left at its default and counts for nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The addresses of this computer, loopback among them.
    pub own_addresses: Vec<IpAddr>,
    /// The instance whose service was tested; `None` for a test of another computer.
    pub instance: Option<InstanceFacts>,
    /// Whether the service is bound to the address that was tried, and this computer does not have it.
    pub is_away: bool,
    /// Who listens on the address that was tried.
    pub holder: Option<HolderFacts>,
    /// The firewall of this computer, in words; `None` where none is active.
    pub firewall: Option<String>,
    /// Security modules that enforce rules here.
    pub policies: Vec<String>,
    /// The other instance of the home whose token was presented.
    pub token_of: Option<String>,
    /// Variables of the environment by which clients would send the request to a proxy, for example
    /// `HTTP_PROXY=http://proxy:3128`.
    pub proxy: Option<String>,
}

/// What is known of the instance.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceFacts {
    /// Its id.
    pub id: String,
    /// The process that runs it; `None` when it is stopped.
    pub pid: Option<u32>,
    /// Where its services listen, with where each port came from. Empty when it is stopped or does not say.
    pub listens: Vec<(Service, SocketAddr, String)>,
    /// Where the configuration at hand says the port came from.
    pub configured_by: String,
}

/// A program that listens.
#[derive(Clone, Debug, PartialEq)]
pub struct HolderFacts {
    /// Who that is, in words: `node, pid 48213, user alice`.
    pub text: String,
    /// Whose it is.
    pub whose: Owned,
    /// The address of its socket.
    pub address: SocketAddr,
    /// Connections that wait to be accepted.
    pub queue: Queue,
    /// Whether its process is stopped by a signal or a debugger (`T` or `t` of proc_pid_status(5)).
    pub suspended: bool,
    /// Files that it has open, and how many it may have; `None` where this user may not see.
    pub descriptors: Option<(u64, u64)>,
}

/// The accept queue of a listening socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Connections that wait.
    pub waiting: u32,
    /// How many may wait before the kernel drops the next; 0 when that is not known.
    pub limit: u32,
}

/// Whose a listener is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owned {
    /// Of the instance that was tested.
    Ours,
    /// Of another instance; without its id where it is one of another home.
    OtherInstance(Option<String>),
    /// Of another program.
    Foreign,
}

impl Facts {
    /// Whether an address is one of this computer.
    pub fn is_own(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_loopback() || self.own_addresses.contains(&ip)
    }
}

impl Queue {
    /// Whether the kernel lets nobody else in. It takes one more than the limit (`sk_acceptq_is_full`).
    pub fn is_full(&self) -> bool {
        self.limit > 0 && self.waiting > self.limit
    }
}

impl HolderFacts {
    /// Whether its process can open no other file, so that it cannot accept. A few are kept back by some programs.
    pub fn is_out_of_descriptors(&self) -> bool {
        self.descriptors.is_some_and(|(open, limit)| open >= limit)
    }
}
