//! Free ports for the four services.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cwts_domain::Service;

/// Above the guide's range. Up to the ephemeral ports, which the kernel may give to a client at any moment and which the
/// server warns about.
const FIRST: u16 = 20_000;

/// Longer than a child takes from its start to its program.
const STARTING: Duration = Duration::from_secs(1);

/// Ports handed out by this process, so that two tests of a suite never get the same one.
static HANDED_OUT: AtomicU32 = AtomicU32::new(0);

/// A port of 127.0.0.1 that nobody listens on: it was bound and released. No other call gets it.
///
/// # Panics
/// None is free.
pub fn free_port() -> u16 {
    let last = ephemeral_start().saturating_sub(1).max(FIRST + 1);
    let span = u32::from(last - FIRST);
    // Suites run in processes of their own: each starts elsewhere.
    let start = std::process::id().wrapping_mul(389) % span;
    for _ in 0..span {
        let step = HANDED_OUT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + u16::try_from((start + step) % span).unwrap_or_default();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port from {FIRST} to {last} is free")
}

/// An address that this computer does not have. Of those for documentation (RFC 5737), which lead nowhere; virtual
/// machines are given some all the same.
///
/// # Panics
/// It has them all.
pub fn absent_address() -> IpAddr {
    let mut all = (1..=254).map(|host| IpAddr::from([203, 0, 113, host]));
    all.find(|ip| UdpSocket::bind((*ip, 0)).is_err()).expect("a computer has few addresses")
}

/// Whether nobody listens on the port of 127.0.0.1.
pub fn refuses(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err()
}

/// Whether a socket of this very process is closed.
///
/// It may live on for a moment in a child that another test is starting: until the child runs its program, it has a copy
/// of every socket.
pub async fn released(port: u16) -> bool {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let refused = async {
        while !refuses(port) {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(STARTING, refused).await.is_ok()
}

fn ephemeral_start() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range.split_whitespace().next().and_then(|low| low.parse().ok()).unwrap_or(32_768)
}

/// One port for each service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports([u16; 4]);

impl Ports {
    /// Four different free ports.
    pub fn free() -> Self {
        Self(Service::ALL.map(|_| free_port()))
    }

    /// The port of a service.
    pub fn of(&self, service: Service) -> u16 {
        let [websocket, http, metrics, health] = self.0;
        match service {
            Service::McpWebsocket => websocket,
            Service::McpHttp => http,
            Service::Prometheus => metrics,
            Service::Health => health,
        }
    }

    /// The same, with another port for one service.
    #[must_use]
    pub fn with(self, service: Service, port: u16) -> Self {
        Self(Service::ALL.map(|each| if each == service { port } else { self.of(each) }))
    }

    /// All four.
    pub fn all(&self) -> [u16; 4] {
        self.0
    }

    /// The loopback address of a service.
    pub fn address(&self, service: Service) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.of(service)).into()
    }

    /// `ports.conf` with these ports as defaults. Its alternatives are free, and offered in no other test.
    pub fn table(&self) -> String {
        let row = |service: Service| {
            let alternatives = [(); 4].map(|()| free_port());
            let (id, default, last) = (service.id(), self.of(service), alternatives[3]);
            format!("[{id}]\ndefault = {default}\nalternatives = {alternatives:?}\nrange = [{last}, {last}]\n")
        };
        Service::ALL.map(row).concat()
    }

    /// `production.toml` with these ports, and a comment at each.
    pub fn toml(&self) -> String {
        let [websocket, http, metrics, health] = self.0;
        format!(
            "# Written by a person.\n[mcp]\nmcp_port = {websocket} # of the agents\nmcp_http_port = {http}\n\n\
             [monitoring]\nmetrics_port = {metrics} # scraped every 15 s\nhealth_check_port = {health}\n"
        )
    }
}
