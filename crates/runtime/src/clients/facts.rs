//! What a snippet is made of: addresses, tokens, authority and programs of one instance at this moment.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use cwts_config::{AuthMode, Settings, Sources, TlsMode};
use cwts_credentials::{Scope, TlsStore, Token, TokenStore, Tokens};
use cwts_domain::{Problem, Service};
use cwts_net::InterfaceKind;
use serde::{Deserialize, Serialize};

use super::trial::{self, Trial};
use super::{ClientProgram, Issued, Snippet, Transport, path_text, snippet};
use crate::exposure::Exposure;
use crate::view;

/// Where the client runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// On this computer: plain text.
    Here,
    /// On another computer: TLS.
    Network,
}

/// Everything that snippets of an instance are made of.
#[derive(Clone)]
pub struct ClientFacts {
    instance: String,
    program: PathBuf,
    home: PathBuf,
    bound: BTreeMap<Service, SocketAddr>,
    /// How another computer calls this one, for each service that is served to it.
    reachable: BTreeMap<Service, String>,
    /// The authority's file with its fingerprint, where clients have to be told to trust it.
    authority: Option<(PathBuf, String)>,
    /// `None` where no token is asked for.
    tokens: Option<Tokens>,
}

/// The part of the facts that counts for a client in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) instance: String,
    pub(super) place: Place,
    /// `cwts-ultra`.
    pub(super) program: PathBuf,
    pub(super) home: PathBuf,
    /// Host and port of each service.
    pub(super) hosts: BTreeMap<Service, (String, u16)>,
    pub(super) tls: bool,
    pub(super) authority: Option<PathBuf>,
    /// Whole, or with its middle hidden.
    pub(super) token: Option<String>,
    pub(super) metrics_token: Option<String>,
}

impl ClientFacts {
    /// Reads tokens and certificate; makes tokens where there are none. `bound` says where the services listen, or would.
    /// Blocks.
    ///
    /// # Errors
    /// A token or the certificate cannot be read.
    pub fn gather(
        sources: &Sources,
        settings: &Settings,
        bound: impl Fn(Service) -> SocketAddr,
    ) -> Result<Self, Problem> {
        let bound: BTreeMap<_, _> = Service::ALL.into_iter().map(|service| (service, bound(service))).collect();
        let needs_token = settings.auth.value == AuthMode::Token;
        let tokens = TokenStore::new(&sources.data()).open_or_make().map_err(Problem::from)?;
        let store = TlsStore::new(&sources.data());
        let certificate = match settings.tls.value {
            TlsMode::On => store.load().map_err(Problem::from)?,
            TlsMode::Off => None,
        };
        let names = certificate.as_ref().map(|it| it.info.names.clone()).unwrap_or_default();
        let exposed =
            |address: &SocketAddr| Exposure::of(address.ip(), certificate.is_some(), needs_token, true).is_exposed();
        let reachable = bound.iter().filter(|(_, address)| exposed(address));
        let reachable = reachable.map(|(service, address)| (*service, host(address.ip(), &names))).collect();
        let authority = certificate.and_then(|it| it.authority);
        Ok(Self {
            instance: sources.instance().to_string(),
            program: program(sources.home()),
            home: sources.home().to_owned(),
            bound,
            reachable,
            authority: authority.map(|authority| (store.authority_file(), authority.fingerprint)),
            tokens: needs_token.then_some(tokens),
        })
    }

    /// The text for a client: in the usual way where `transport` is not offered, and for another computer where that is
    /// served and `place` is not given. `whole` puts the token in; without it, its middle is hidden.
    pub fn snippet(
        &self,
        client: ClientProgram,
        transport: Option<Transport>,
        place: Option<Place>,
        whole: bool,
    ) -> Snippet {
        let transport = client.transport(transport);
        let places = self.places(client, transport);
        let usual = places.last().copied().unwrap_or(Place::Here);
        let place = place.filter(|place| places.contains(place)).unwrap_or(usual);
        Snippet { places, ..snippet(client, transport, &self.at(place, whole)) }
    }

    /// Runs a client with its text as [`ClientFacts::snippet`] gives it, where it is on this computer. Blocks.
    ///
    /// # Errors
    /// The client is not here, or is none that can be run from here.
    pub fn try_out(
        &self,
        client: ClientProgram,
        transport: Option<Transport>,
        place: Option<Place>,
    ) -> Result<Trial, Problem> {
        let snippet = self.snippet(client, transport, place, true);
        trial::run(&snippet, &self.at(snippet.place, true))
    }

    /// Where a client that connects like this may run.
    pub fn places(&self, client: ClientProgram, transport: Transport) -> Vec<Place> {
        let is_reachable = transport != Transport::Stdio && self.reachable.contains_key(&client.service(transport));
        [Some(Place::Here), is_reachable.then_some(Place::Network)].into_iter().flatten().collect()
    }

    /// What was given out with the snippet, so that a later change shows.
    pub(super) fn issued(&self, snippet: &Snippet) -> Issued {
        let Snippet { client, transport, place, .. } = *snippet;
        let by_stdio = transport == Transport::Stdio;
        let service = client.service(transport);
        let scope = if service == Service::Prometheus { Scope::Metrics } else { Scope::Trade };
        // A scrape from this computer presents no token.
        let presents = !by_stdio && (service != Service::Prometheus || place == Place::Network);
        let token = self.tokens.as_ref().filter(|_| presents).map(|tokens| tokens.get(scope).made_at.0.to_string());
        let over_tls = place == Place::Network;
        Issued {
            client,
            transport,
            place,
            address: (!by_stdio).then(|| self.at(place, false).url(service)),
            token,
            authority: self.authority.as_ref().filter(|_| over_tls).map(|(_, fingerprint)| fingerprint.clone()),
        }
    }

    pub(super) fn at(&self, place: Place, whole: bool) -> Facts {
        let tls = place == Place::Network;
        let shown = |scope| {
            let token: &Token = self.tokens.as_ref()?.get(scope);
            let secret = &token.secret;
            Some(if whole {
                secret.expose().to_owned()
            } else {
                format!("cwts_{scope}_••••••••{}", secret.hint())
            })
        };
        let hosts = self.bound.iter().map(|(service, bound)| {
            let here = || view::reachable_here(*bound).ip().to_string();
            let host = self.reachable.get(service).filter(|_| tls).cloned();
            (*service, (host.unwrap_or_else(here), bound.port()))
        });
        Facts {
            instance: self.instance.clone(),
            place,
            program: self.program.clone(),
            home: self.home.clone(),
            hosts: hosts.collect(),
            tls,
            authority: self.authority.as_ref().filter(|_| tls).map(|(path, _)| path.clone()),
            token: shown(Scope::Trade),
            metrics_token: shown(Scope::Metrics),
        }
    }
}

impl Facts {
    /// `host:port` of a service.
    pub(super) fn address(&self, service: Service) -> String {
        let Some((host, port)) = self.hosts.get(&service) else { return String::new() };
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    pub(super) fn port(&self, service: Service) -> u16 {
        self.hosts.get(&service).map_or(0, |(_, port)| *port)
    }

    pub(super) fn url(&self, service: Service) -> String {
        let secure = if self.tls { "s" } else { "" };
        format!("{}{secure}://{}{}", service.scheme(), self.address(service), service.path())
    }

    pub(super) fn mcp_http_url(&self) -> String {
        self.url(Service::McpHttp)
    }

    pub(super) fn http_origin(&self) -> String {
        let secure = if self.tls { "s" } else { "" };
        format!("http{secure}://{}", self.address(Service::McpHttp))
    }

    pub(super) fn websocket_url_with_token(&self) -> String {
        let token = self.token.as_ref().map(|token| format!("?token={token}")).unwrap_or_default();
        format!("{}{token}", self.url(Service::McpWebsocket))
    }

    pub(super) fn copy_authority(&self) -> String {
        let path = self.authority.as_deref().map(path_text).unwrap_or_default();
        format!("On another computer, put a copy of {path} there and write its path in this place.")
    }
}

/// The program with the command `mcp-stdio`: this one, or the one beside the panel.
fn program(home: &Path) -> PathBuf {
    let name = "cwts-ultra";
    let beside = std::env::current_exe().ok().map(|path| path.with_file_name(name)).filter(|path| path.is_file());
    beside.unwrap_or_else(|| home.join("bin").join(name))
}

/// How another computer calls this one: by an address that is bound and that the certificate names, else by a name of the
/// certificate, else by the address all the same.
fn host(bound: IpAddr, names: &[String]) -> String {
    let addresses = if bound.to_canonical().is_unspecified() { own_addresses() } else { vec![bound.to_canonical()] };
    let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    let named = addresses.iter().find(|address| names.contains(address));
    let is_dns = |name: &&String| name.parse::<IpAddr>().is_err() && name.as_str() != "localhost";
    named.or_else(|| names.iter().find(is_dns)).or(addresses.first()).cloned().unwrap_or_else(|| bound.to_string())
}

/// The addresses of this computer that others may know, cables before the rest, IPv4 first.
fn own_addresses() -> Vec<IpAddr> {
    let mut all = cwts_net::interface_addresses().unwrap_or_default();
    all.retain(|each| !matches!(each.kind, InterfaceKind::Loopback | InterfaceKind::Container));
    let rank = |kind| match kind {
        InterfaceKind::Wired => 0,
        InterfaceKind::Wireless => 1,
        _ => 2,
    };
    all.sort_by_key(|each| (rank(each.kind), each.address.is_ipv6()));
    all.into_iter().map(|each| each.address).collect()
}
