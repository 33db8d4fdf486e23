//! What a certificate says, for people and for checks.

use std::net::IpAddr;

use cwts_domain::Timestamp;
use ring::digest::{SHA256, digest};
use rustls_pki_types::{CertificateDer, ServerName};
use serde::{Deserialize, Serialize};
use x509_cert::Certificate as Parsed;
use x509_cert::der::Decode as _;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

/// RFC 5480 section 2.1.1 and RFC 8017 appendix A.1, as far as servers use them.
const KEYS: [(ObjectIdentifier, &str); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.2.1"), "ECDSA"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"), "RSA"),
    (ObjectIdentifier::new_unwrap("1.3.101.112"), "Ed25519"),
];

/// Days before its end from which a certificate deserves a look.
const SOON: i64 = 30;

/// What a certificate says. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CertificateInfo {
    /// Whom it names.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// DNS names and addresses that it is valid for.
    pub names: Vec<String>,
    /// Start of its validity, in milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub not_before: i64,
    /// End of its validity, in milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub not_after: i64,
    /// Kind of its key, for example `ECDSA`.
    pub key: String,
    /// SHA-256 of its DER encoding: upper-case hexadecimal pairs with colons, as browsers and openssl show it.
    pub fingerprint: String,
    /// Whether it may vouch for others. Several clients refuse such a certificate as a server's own.
    pub is_authority: bool,
}

impl CertificateInfo {
    /// Reads a certificate.
    ///
    /// # Errors
    /// It is no X.509 certificate; the text says what is wrong with it.
    pub fn of(der: &CertificateDer<'_>) -> Result<Self, String> {
        let parsed = Parsed::from_der(der).map_err(|error| error.to_string())?;
        let content = parsed.tbs_certificate();
        let constraints = content.get_extension::<BasicConstraints>().map_err(|error| error.to_string())?;
        let alternative = content.get_extension::<SubjectAltName>().map_err(|error| error.to_string())?;
        let names = alternative.map(|(_, names)| names.0).unwrap_or_default();
        let algorithm = content.subject_public_key_info().algorithm.oid;
        let known = KEYS.iter().find(|(oid, _)| *oid == algorithm);
        let millis = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_millis());
        let validity = content.validity();
        Ok(Self {
            subject: name(content.subject()),
            issuer: name(content.issuer()),
            names: names.iter().filter_map(general_name).collect(),
            not_before: millis(validity.not_before).unwrap_or(i64::MAX),
            not_after: millis(validity.not_after).unwrap_or(i64::MAX),
            key: known.map_or_else(|| algorithm.to_string(), |(_, name)| (*name).to_owned()),
            fingerprint: fingerprint(der),
            is_authority: constraints.is_some_and(|(_, constraints)| constraints.ca),
        })
    }

    /// Whole days until its end, negative after it.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.not_after - now.millis()).div_euclid(86_400_000)
    }

    /// What clients may object to although the certificate can be served.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let days = self.days_left(now);
        let ended = (days < 0).then(|| format!("The certificate ended {} days ago: clients refuse it.", -days));
        let ends = (0..SOON).contains(&days).then(|| format!("The certificate ends in {days} days."));
        let authority = self.is_authority.then(|| {
            "The certificate is one of an authority (CA:TRUE): rustls and Go clients refuse it for a server.".to_owned()
        });
        let nameless = self.names.is_empty().then(|| {
            "The certificate has no subjectAltName: no current client accepts it, whatever its common name.".to_owned()
        });
        [ended, ends, authority, nameless].into_iter().flatten().collect()
    }

    /// Whether it is valid for a DNS name or an address. A wildcard stands for one label (RFC 9525 section 6.3).
    pub fn covers(&self, name: &ServerName<'_>) -> bool {
        let wanted = name.to_str();
        self.names.iter().any(|each| match (each.strip_prefix("*."), name) {
            (Some(parent), ServerName::DnsName(_)) => {
                wanted.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
            }
            _ => each.eq_ignore_ascii_case(&wanted),
        })
    }
}

/// The common name, or the whole name where it has none.
fn name(name: &x509_cert::name::Name) -> String {
    match name.common_name() {
        Ok(Some(common)) => common.value().into_owned(),
        _ => name.to_string(),
    }
}

fn general_name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(bytes) => {
            let v4 = || <[u8; 4]>::try_from(bytes.as_bytes()).ok().map(IpAddr::from);
            let v6 = || <[u8; 16]>::try_from(bytes.as_bytes()).ok().map(IpAddr::from);
            v4().or_else(v6).map(|ip| ip.to_string())
        }
        _ => None,
    }
}

fn fingerprint(der: &CertificateDer<'_>) -> String {
    let pairs = digest(&SHA256, der).as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>();
    pairs.join(":")
}
