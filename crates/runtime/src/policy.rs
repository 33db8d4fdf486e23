//! The rules that the guards of all ports go by, as they follow from the configuration in force.

use cwts_config::{AuthMode, HostNames, Settings};
use cwts_credentials::CertificateInfo;
use cwts_domain::Group;

use crate::exposure::Exposure;
use crate::tls::Tls;

/// What the guards ask on every request. Replaced as a whole with every change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether this computer needs a token on the MCP ports. Other computers always need one.
    pub needs_token: bool,
    /// Names that a person allows in any case.
    pub allowed: HostNames,
    /// Names of this computer that clients may use over TLS: those of the certificate. Without TLS a name proves nothing,
    /// since a page can make it resolve to anything.
    pub names: Vec<String>,
    /// The certificate that the ports show; `None` where they speak plain text only.
    pub certificate: Option<CertificateInfo>,
    /// The value of an order in US dollars above which a person confirms it; 0 for none.
    pub confirm_above: u32,
    mcp: Exposure,
    monitoring: Exposure,
}

impl Policy {
    /// What follows from `settings` and from whether the ports speak TLS at this moment.
    pub(crate) fn of(settings: &Settings, certificate: &Tls, armed: bool) -> Self {
        let tls = certificate.is_on();
        let needs_token = settings.auth.value == AuthMode::Token;
        let address = |group| settings.bind_addr(group).value;
        Self {
            needs_token,
            allowed: settings.allowed_hosts.value.clone(),
            names: certificate.info().map(|info| info.names).unwrap_or_default(),
            certificate: certificate.info(),
            confirm_above: settings.confirm_above.value,
            mcp: Exposure::of(address(Group::Mcp), tls, needs_token, armed),
            // Nothing there takes an order.
            monitoring: Exposure::of(address(Group::Monitoring), tls, needs_token, true),
        }
    }

    /// How far a group of services reaches.
    pub fn exposure(&self, group: Group) -> Exposure {
        match group {
            Group::Mcp => self.mcp,
            Group::Monitoring => self.monitoring,
        }
    }

    /// Whether any service is served to other computers.
    pub fn is_exposed(&self) -> bool {
        self.mcp.is_exposed() || self.monitoring.is_exposed()
    }
}

impl Default for Policy {
    /// The strictest: nothing beyond loopback, and a token.
    fn default() -> Self {
        Self {
            needs_token: true,
            allowed: HostNames::default(),
            names: Vec::new(),
            certificate: None,
            confirm_above: 0,
            mcp: Exposure::Local,
            monitoring: Exposure::Local,
        }
    }
}
