//! What is tested, as a client that was given it would go about it.

use std::fmt;
use std::net::IpAddr;

use cwts_domain::Service;

use crate::Trust;

/// One service at one place.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which of the four is expected there.
    pub service: Service,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is trusted; `None` to speak plain text.
    pub tls: Option<Trust>,
    /// What is presented where a token is asked for. Never sent to what does not ask as this server does.
    pub token: Option<Secret>,
    /// The own address to connect from; `None` to let the system choose.
    pub from: Option<IpAddr>,
    /// The Origin of the page that the client claims to be; programs send none.
    pub origin: Option<String>,
    /// Who is to answer.
    pub expected: Expected,
}

/// Whom the answers are compared with. What is `None` is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The id of the instance.
    pub instance: Option<String>,
    /// The nonce of its process.
    pub nonce: Option<String>,
    /// Whether it is known that the instance does not listen there: whoever answers is another one.
    pub is_absent: bool,
}

/// A token. Not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Target {
    /// `host:port`, with brackets around an IPv6 address.
    pub fn authority(&self) -> String {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(ip)) => format!("[{ip}]:{}", self.port),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    /// The URL that a client is given.
    pub fn url(&self) -> String {
        let secure = if self.tls.is_some() { "s" } else { "" };
        format!("{}{secure}://{}{}", self.service.scheme(), self.authority(), self.service.path())
    }

    /// What the first request asks for.
    pub(crate) fn path(&self) -> &'static str {
        match self.service {
            Service::McpHttp => "/api/v1/status",
            other => other.path(),
        }
    }
}
