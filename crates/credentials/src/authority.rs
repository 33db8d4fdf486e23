//! The certificate authority of an instance, and the certificates that it issues.
//!
//! A person makes their system trust the authority once; certificates can then be renewed without touching a client.
//! The authority can vouch for private addresses and local names only, and for what it was made for: who steals its key
//! cannot impersonate a bank.

use cwts_domain::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls_pki_types::ServerName;
use zeroize::Zeroizing;

use crate::TlsError;

const DAY: i64 = 86_400;
/// Clocks of clients may be a little behind.
const LEEWAY: i64 = DAY;
const AUTHORITY_DAYS: i64 = 3650;
/// Browsers refuse more than 398 (CA/Browser Forum Baseline Requirements, section 6.3.2).
pub(crate) const LEAF_DAYS: i64 = 397;

/// Suffixes that no one can own: RFC 6761, RFC 6762, RFC 8375, and what routers and ICANN set aside.
const LOCAL_SUFFIXES: [&str; 5] = ["localhost", "local", "lan", "home.arpa", "internal"];
/// Loopback, private and link-local networks: RFC 1122, 1918, 3927, 4193, 4291, 6598.
const LOCAL_NETWORKS: [(&str, u8); 9] = [
    ("127.0.0.0", 8),
    ("10.0.0.0", 8),
    ("172.16.0.0", 12),
    ("192.168.0.0", 16),
    ("169.254.0.0", 16),
    ("100.64.0.0", 10),
    ("::1", 128),
    ("fc00::", 7),
    ("fe80::", 10),
];

/// PEM text that holds a key. Wiped when dropped.
pub(crate) type SecretPem = Zeroizing<String>;

/// An authority: its certificate, and its key.
pub(crate) struct Authority {
    pub(crate) certificate: String,
    pub(crate) key: SecretPem,
    name: String,
}

impl Authority {
    /// A new authority with a name of its own, so that a system that trusts several tells them apart.
    pub(crate) fn make(instance: &str, names: &[ServerName<'_>], now: Timestamp) -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(TlsError::make)?;
        let number = getrandom::u32().map_err(|error| TlsError::Make { reason: error.to_string() })?;
        let name = format!("CWTS Ultra {instance} {number:08x}");
        let mut params = params_of(&name);
        params.name_constraints = Some(constraints(names));
        (params.not_before, params.not_after) = validity(now, AUTHORITY_DAYS)?;
        let certificate = params.self_signed(&key).map_err(TlsError::make)?.pem();
        Ok(Self { certificate, key: Zeroizing::new(key.serialize_pem()), name })
    }

    /// An authority that was made before.
    pub(crate) fn stored(certificate: String, key: SecretPem, name: String) -> Self {
        Self { certificate, key, name }
    }

    /// A certificate for `names` that is none of an authority, and its key. PEM, the certificate first.
    pub(crate) fn issue(&self, names: &[ServerName<'_>], now: Timestamp) -> Result<SecretPem, TlsError> {
        let key = KeyPair::from_pem(&self.key).map_err(TlsError::make)?;
        let issuer = Issuer::new(params_of(&self.name), key);
        let leaf_key = KeyPair::generate().map_err(TlsError::make)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let common = names.first().map(|name| name.to_str().into_owned()).unwrap_or_default();
        params.distinguished_name.push(DnType::CommonName, common);
        params.subject_alt_names = names.iter().map(alternative).collect::<Result<_, _>>()?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = validity(now, LEAF_DAYS)?;
        let leaf = params.signed_by(&leaf_key, &issuer).map_err(TlsError::make)?;
        let key = Zeroizing::new(leaf_key.serialize_pem());
        Ok(Zeroizing::new(format!("{}{}", leaf.pem(), *key)))
    }
}

/// What an issuer needs of its own certificate.
fn params_of(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn constraints(names: &[ServerName<'_>]) -> NameConstraints {
    let suffixes = LOCAL_SUFFIXES.map(|suffix| GeneralSubtree::DnsName(suffix.to_owned()));
    let networks = LOCAL_NETWORKS.into_iter().filter_map(|(base, prefix)| {
        Some(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(base.parse().ok()?, prefix)))
    });
    let chosen = names.iter().filter_map(|name| match name {
        ServerName::DnsName(name) => Some(GeneralSubtree::DnsName(name.as_ref().to_owned())),
        ServerName::IpAddress(ip) => {
            let ip = std::net::IpAddr::from(*ip);
            let whole = if ip.is_ipv4() { 32 } else { 128 };
            Some(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, whole)))
        }
        _ => None,
    });
    NameConstraints {
        permitted_subtrees: suffixes.into_iter().chain(networks).chain(chosen).collect(),
        excluded_subtrees: Vec::new(),
    }
}

fn alternative(name: &ServerName<'_>) -> Result<SanType, TlsError> {
    match name {
        ServerName::IpAddress(ip) => Ok(SanType::IpAddress((*ip).into())),
        name => name.to_str().as_ref().try_into().map(SanType::DnsName).map_err(TlsError::make),
    }
}

type Moment = time::OffsetDateTime;

fn validity(now: Timestamp, days: i64) -> Result<(Moment, Moment), TlsError> {
    let seconds = now.millis().div_euclid(1000);
    let at = |seconds| Moment::from_unix_timestamp(seconds).map_err(TlsError::make);
    Ok((at(seconds - LEEWAY)?, at(seconds + days * DAY)?))
}
