//! What a person looks at before others connect: tokens, certificate, interfaces, networks and firewall. Changes nothing.

use std::net::IpAddr;
use std::path::PathBuf;

use cwts_config::Settings;
use cwts_credentials::{CertificateInfo, Scope, ServerCertificate, TlsStore, TrustStep, trust_steps};
use cwts_domain::{Group, Problem, Timestamp};
use cwts_firewall::{Incoming, Memory, Tool};
use cwts_net::{InterfaceAddress, InterfaceKind, everywhere, interface_addresses};
use rustls_pki_types::ServerName;
use serde::Serialize;

use crate::access::Access;
use crate::instance::Instance;
use crate::network_manager::NetworkManager;
use crate::network_trust::{Network, NetworkTrust};
use crate::refusals::Refused;

/// Ends of a token that may be shown: enough to tell two apart, nothing to guess from.
const SHOWN: usize = 4;

/// What is known when somebody looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct SecurityView {
    /// When that was, in milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub at: i64,
    /// Every address that services can be bound to.
    pub interfaces: Vec<InterfaceAddress>,
    /// The networks behind them.
    pub networks: Vec<Network>,
    /// All four, the mightiest first. Empty where they cannot be used.
    pub tokens: Vec<TokenView>,
    /// Why the tokens on disk cannot be used.
    pub token_problem: Option<Problem>,
    /// The certificate on disk, whether TLS is on or off.
    pub certificate: Option<CertificateView>,
    /// Why it cannot be used.
    pub certificate_problem: Option<Problem>,
    /// What is known of the firewall.
    pub firewall: FirewallSummary,
    /// What to bind for every address of this computer: `::` takes IPv4 too, `0.0.0.0` stands where IPv6 is switched off.
    #[cfg_attr(feature = "wire", ts(type = "string"))]
    pub everywhere: IpAddr,
    /// What the guards refused since the program started, the latest first; at most 128 rows.
    pub refused: Vec<Refused>,
}

/// A token without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct TokenView {
    /// What it allows.
    pub scope: Scope,
    /// Its last four characters.
    pub ending: String,
    /// When it was made, in milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub made_at: i64,
    /// When it was last presented to this process, in milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub used_at: Option<i64>,
    /// From where.
    #[cfg_attr(feature = "wire", ts(type = "string | null"))]
    pub used_from: Option<IpAddr>,
    /// Where it lies, with mode 0600.
    pub file: PathBuf,
}

/// A certificate with what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct CertificateView {
    /// What it says.
    pub info: CertificateInfo,
    /// Whole days until its end, negative after it.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub days_left: i64,
    /// What clients may object to.
    pub warnings: Vec<String>,
    /// Addresses that services are bound to and that it is not valid for.
    pub missing: Vec<String>,
    /// The file with the certificate and its key.
    pub file: PathBuf,
    /// The authority that issued it; `None` where it was imported.
    pub authority: Option<AuthorityView>,
}

/// The authority that clients are told to trust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct AuthorityView {
    /// What its certificate says.
    pub info: CertificateInfo,
    /// The file to copy to clients.
    pub file: PathBuf,
    /// How systems and programs are told to trust it.
    pub trust: Vec<TrustStep>,
}

/// The firewall as far as an ordinary user can know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct FirewallSummary {
    /// The tool that is active.
    pub active: Option<Tool>,
    /// Whether it is known that none is.
    pub none: bool,
    /// What becomes of connections that no rule names; `None` where that is not known.
    pub incoming: Option<Incoming>,
    /// How many changes of this panel are in it, as far as remembered.
    pub remembered: usize,
}

impl Instance {
    /// Looks at everything.
    ///
    /// # Errors
    /// The services' runtime is ending.
    pub async fn security(&self) -> Result<SecurityView, Problem> {
        let (settings, instance) = (self.settings_shown(), self.clone());
        self.blocking(move || Ok(look(&instance, &settings))).await
    }
}

fn look(instance: &Instance, settings: &Settings) -> SecurityView {
    let (sources, now) = (&instance.shared().sources, instance.clock().now());
    let interfaces = interface_addresses().unwrap_or_default();
    let networks = NetworkTrust::new(sources.home()).networks(&interfaces, &NetworkManager);
    let (tokens, token_problem) = or_problem(tokens(instance.access()));
    let store = TlsStore::new(&sources.data());
    let loaded = store.load().map_err(Problem::from);
    let wanted = wanted(settings, &interfaces);
    let described = loaded.map(|found| found.map(|found| certificate(&store, found, &wanted, instance.id(), now)));
    let (certificate, certificate_problem) = or_problem(described);
    let detection = cwts_firewall::detect();
    let incoming = detection.active.and_then(|tool| detection.of(tool)).and_then(|finding| finding.incoming);
    SecurityView {
        at: now.millis(),
        networks,
        tokens,
        token_problem,
        certificate,
        certificate_problem,
        firewall: FirewallSummary {
            active: detection.active,
            none: detection.none_is_active(),
            incoming,
            remembered: Memory::load(&sources.data()).map_or(0, |memory| memory.changes().len()),
        },
        interfaces,
        everywhere: everywhere(),
        refused: instance.shared().refusals.rows(),
    }
}

/// A problem and nothing, or what was found.
fn or_problem<T: Default>(found: Result<T, Problem>) -> (T, Option<Problem>) {
    found.map_or_else(|problem| (T::default(), Some(problem)), |found| (found, None))
}

fn tokens(access: &Access) -> Result<Vec<TokenView>, Problem> {
    let tokens = access.store().open_or_make()?;
    let view = |scope| {
        let (token, used) = (tokens.get(scope), access.last_use(scope));
        let secret = token.secret.expose();
        TokenView {
            scope,
            ending: secret.get(secret.len().saturating_sub(SHOWN)..).unwrap_or_default().to_owned(),
            made_at: token.made_at.millis(),
            used_at: used.map(|used| used.at.millis()),
            used_from: used.map(|used| used.source),
            file: access.store().file(scope),
        }
    };
    Ok(Scope::ALL.map(view).into())
}

fn certificate(
    store: &TlsStore,
    found: ServerCertificate,
    wanted: &[ServerName<'_>],
    instance: &str,
    now: Timestamp,
) -> CertificateView {
    let ServerCertificate { info, authority, .. } = found;
    CertificateView {
        days_left: info.days_left(now),
        warnings: info.warnings(now),
        missing: wanted.iter().filter(|name| !info.covers(name)).map(|name| name.to_str().into_owned()).collect(),
        file: store.server_file(),
        authority: authority.map(|info| AuthorityView {
            info,
            file: store.authority_file(),
            trust: trust_steps(&store.authority_file(), instance),
        }),
        info,
    }
}

/// The addresses that clients of other computers use.
fn wanted(settings: &Settings, interfaces: &[InterfaceAddress]) -> Vec<ServerName<'static>> {
    let bound = [Group::Mcp, Group::Monitoring].map(|group| settings.bind_addr(group).value.to_canonical());
    let any = bound.iter().any(IpAddr::is_unspecified);
    let own = interfaces
        .iter()
        .filter(|it| any && matches!(it.kind, InterfaceKind::Wired | InterfaceKind::Wireless | InterfaceKind::Vpn));
    let named = bound.into_iter().filter(|address| !address.is_unspecified() && !address.is_loopback());
    let mut addresses: Vec<IpAddr> = named.chain(own.map(|it| it.address)).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.into_iter().map(ServerName::from).collect()
}
