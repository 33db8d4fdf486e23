//! Who may reach an instance: what its services are exposed to, what protects them, and how a person changes either.
//!
//! [`Security`] is part of every snapshot; [`SecurityView`] costs a look at files and at the system, and is read when
//! somebody looks.

mod reach;
mod view;

use std::net::IpAddr;
use std::path::PathBuf;

use cwts_config::{AuthMode, HostNames, Settings, Sourced, TlsMode};
use cwts_credentials::{CertificateInfo, Imported, PemText, Scope, TlsStore};
use cwts_domain::{ErrorCode, Group, Problem};
use serde::{Deserialize, Serialize};

use crate::audit::{Actor, AuditEntry};
use crate::exposure::Exposure;
use crate::instance::Instance;
use crate::names::server_names;
use crate::network_manager::NetworkManager;
use crate::network_trust::NetworkTrust;
use crate::operation::Operation;
use crate::snapshot::Snapshot;

pub use reach::ReachEdit;
pub use view::{AuthorityView, CertificateView, FirewallSummary, SecurityView, TokenView};

/// How far the services reach, and what protects them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Security {
    /// How far the WebSocket and the HTTP API reach.
    pub mcp: Exposure,
    /// How far metrics and health reach.
    pub monitoring: Exposure,
    /// What clients of this computer present.
    pub auth: Sourced<AuthMode>,
    /// Whether the ports are to speak TLS.
    pub tls: Sourced<TlsMode>,
    /// Names that clients may use beside loopback, the addresses and those of the certificate.
    #[cfg_attr(feature = "schema", schemars(with = "Sourced<String>"))]
    pub allowed_hosts: Sourced<HostNames>,
    /// The certificate that the ports show; `None` where they speak plain text only.
    pub certificate: Option<CertificateInfo>,
    /// The address that MCP was bound to, which has left this computer: bound again when it is back.
    #[cfg_attr(feature = "wire", ts(type = "string | null"))]
    pub mcp_away: Option<IpAddr>,
    /// The same for monitoring.
    #[cfg_attr(feature = "wire", ts(type = "string | null"))]
    pub monitoring_away: Option<IpAddr>,
}

impl Security {
    /// How far a group of services reaches.
    pub fn exposure(&self, group: Group) -> Exposure {
        match group {
            Group::Mcp => self.mcp,
            Group::Monitoring => self.monitoring,
        }
    }

    /// The address that a group waits for.
    pub fn away(&self, group: Group) -> Option<IpAddr> {
        match group {
            Group::Mcp => self.mcp_away,
            Group::Monitoring => self.monitoring_away,
        }
    }
}

/// Where PEM text comes from.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(tag = "from", rename_all = "lowercase")]
pub enum PemSource {
    /// A file that this user can read.
    File {
        /// Its path.
        path: PathBuf,
    },
    /// What a person pasted.
    Text {
        /// It.
        text: String,
    },
}

impl PemSource {
    fn read(self, name: &str) -> Result<PemText, Problem> {
        match self {
            Self::File { path } => PemText::read(&path).map_err(|error| Problem::from(error).at(name)),
            Self::Text { text } => Ok(PemText { name: format!("the pasted {name}").into(), text: text.into() }),
        }
    }
}

impl Instance {
    /// Lets clients place orders, or not, while other computers are served. Ends with the exposure.
    ///
    /// # Errors
    /// MCP is not served to other computers, or another process runs the instance.
    pub async fn arm_trading(&self, armed: bool, by: Actor) -> Result<Snapshot, Problem> {
        self.refuse_elsewhere()?;
        self.run(Operation::Arm(armed, by)).await
    }

    /// A token in full.
    ///
    /// # Errors
    /// The tokens on disk cannot be used.
    pub async fn reveal_token(&self, scope: Scope) -> Result<String, Problem> {
        let store = self.access().store().clone();
        self.blocking(move || Ok(store.open_or_make()?.get(scope).secret.expose().to_owned())).await
    }

    /// Makes new tokens. What the old ones opened ends.
    ///
    /// # Errors
    /// The system refuses; tokens before the one that failed are new already.
    pub async fn rotate_tokens(&self, scopes: Vec<Scope>) -> Result<(), Problem> {
        let (store, instance) = (self.access().store().clone(), self.clone());
        self.blocking(move || {
            let before = store.open_or_make().ok();
            let rotated = store.rotate(&scopes);
            instance.audit_rotation(Actor::Panel, &scopes, before.as_ref(), &store.open_or_make()?);
            instance.refresh_tokens();
            Ok(rotated?)
        })
        .await
    }

    /// Makes a certificate for this computer's names and bound addresses, and for `names`. New connections see it at once
    /// where TLS is on.
    ///
    /// # Errors
    /// A name is none, the certificate was imported and is not to be replaced, or the system refuses.
    pub async fn make_certificate(&self, names: Vec<String>, replace_imported: bool) -> Result<(), Problem> {
        let (store, instance, settings) = (self.tls_store(), self.clone(), self.settings_shown());
        self.blocking(move || {
            let names = server_names(&settings, &names)?;
            let imported = if replace_imported { Imported::Replace } else { Imported::Keep };
            let before = store.fingerprint();
            let made = store.make(instance.id(), &names, instance.clock().now(), imported)?;
            instance.audit(AuditEntry::certificate_made(Actor::Panel, before, &made.certificate.info));
            instance.certificate_changed("made");
            Ok(())
        })
        .await
    }

    /// Takes over a certificate with its chain, and its key.
    ///
    /// # Errors
    /// What does not fit; the certificate before stands.
    pub async fn import_certificate(&self, certificate: PemSource, key: PemSource) -> Result<(), Problem> {
        let (store, instance) = (self.tls_store(), self.clone());
        self.blocking(move || {
            let before = store.fingerprint();
            let imported =
                store.import(&certificate.read("certificate")?, &key.read("key")?, instance.clock().now())?;
            instance.audit(AuditEntry::certificate_imported(Actor::Panel, before, &imported.info));
            instance.certificate_changed("imported");
            Ok(())
        })
        .await
    }

    /// Removes the certificate with its key. The authority that issued it stays.
    ///
    /// # Errors
    /// TLS is on and needs it, or the system refuses.
    pub async fn remove_certificate(&self) -> Result<(), Problem> {
        if self.settings_shown().tls.value == TlsMode::On {
            let problem = Problem::new(ErrorCode::WrongState, "TLS is on and needs the certificate.");
            return Err(problem.with_help("Turn TLS off first."));
        }
        let (store, instance) = (self.tls_store(), self.clone());
        self.blocking(move || {
            let before = store.fingerprint();
            store.remove()?;
            instance.audit(AuditEntry::certificate_removed(Actor::Panel, before));
            instance.certificate_changed("removed");
            Ok(())
        })
        .await
    }

    /// Keeps what a person says of a network that this computer is in; `None` takes it back.
    ///
    /// # Errors
    /// This computer is not in that network, or the word cannot be saved.
    pub async fn trust_network(&self, id: String, trusted: Option<bool>) -> Result<(), Problem> {
        let (trust, instance) = (NetworkTrust::new(self.shared().sources.home()), self.clone());
        self.blocking(move || {
            let addresses = cwts_net::interface_addresses().unwrap_or_default();
            let networks = trust.networks(&addresses, &NetworkManager);
            let network = networks.iter().find(|network| network.id == id).ok_or_else(|| {
                let problem = Problem::new(ErrorCode::InvalidInput, "This computer is no longer in that network.");
                problem.with_help("Look at the networks again.")
            })?;
            trust.remember(network, trusted)?;
            instance.audit(AuditEntry::network(Actor::Panel, &network.name, trusted));
            instance.record(match trusted {
                Some(true) => format!("Network {} is trusted", network.name),
                Some(false) => format!("Network {} is not trusted", network.name),
                None => format!("What was said of network {} is forgotten", network.name),
            });
            Ok(())
        })
        .await
    }

    /// What the picture says of addresses and TLS; nobody has to wait for a start or a stop to know it.
    fn settings_shown(&self) -> Settings {
        let (snapshot, mut settings) = (self.snapshot(), Settings::default());
        for service in &snapshot.services {
            match service.service.group() {
                Group::Mcp => settings.mcp_bind_addr = service.address.clone(),
                Group::Monitoring => settings.monitoring_bind_addr = service.address.clone(),
            }
        }
        let Security { auth, tls, allowed_hosts, .. } = snapshot.security;
        Settings { auth, tls, allowed_hosts, ..settings }
    }

    fn tls_store(&self) -> TlsStore {
        TlsStore::new(&self.shared().sources.data())
    }

    /// What a running instance shows is said when it is shown.
    fn certificate_changed(&self, what: &str) {
        if self.policy().certificate.is_none() {
            self.record(format!("Certificate {what}"));
        }
        self.renew_certificate();
    }
}
