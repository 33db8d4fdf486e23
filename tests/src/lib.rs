//! Shared pieces of the suites: a home, free ports, the real program, an embedded instance, and clients on raw sockets.
//!
//! Holds no test. Everything panics with what was awaited or expected: a suite has nobody to hand an error to.

mod browser;
mod cable;
mod control_group;
mod deadline;
pub mod desktop;
mod embedded;
mod faults;
mod firewalls;
mod fleet;
mod home;
mod http;
mod http_session;
mod installation;
mod mcp;
mod namespace;
mod port_holder;
mod ports;
mod prometheus;
mod random;
mod raw;
mod reach;
mod sandbox;
mod sdk;
mod server;
mod skip;
mod systemd;
mod token;
mod websocket;

pub use browser::in_browser;
pub use cable::{
    OTHER_END, OTHER_END_V6, THIS_END, THIS_END_V6, lay_cable, lay_ipv6, remote, shell, shown_fingerprint,
};
pub use control_group::ControlGroup;
pub use deadline::{DEADLINE, until, within};
pub use embedded::Embedded;
pub use faults::Faults;
pub use fleet::Fleet;
pub use home::Home;
pub use http::{Reply, get, get_at, send, send_exactly};
pub use http_session::{EventStream, HttpSession};
pub use installation::Installation;
pub use mcp::{McpClient, ToolResult};
pub use namespace::{ALLOWED, Hosts, Reach};
pub use port_holder::PortHolder;
pub use ports::{Ports, absent_address, free_port, refuses, released};
pub use prometheus::{Exposition, Family};
pub use random::{Random, seeds, tell, tenth_of};
pub use raw::{Raw, frame};
pub use reach::answers;
pub use sandbox::sandboxed;
pub use sdk::{conformance, prometheus_program, python, python_2, schemathesis, typescript};
pub use server::{Exit, Server, command, finish};
pub use skip::{is_installed, skip, skip_also_in_ci};
pub use systemd::{Systemd, Units};
pub use token::{METRICS_TOKEN, OWNER_TOKEN, READ_TOKEN, TRADE_TOKEN, authorized, bearer, write_tokens};
pub use websocket::{Socket, initialize_request, modern};
