//! What a certificate says, for the line of its rung.

use std::net::IpAddr;

use cwts_domain::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// `for 127.0.0.1, localhost; from 2026-01-01 to 2027-01-01; issued by CN=...`.
pub(crate) fn described(der: &CertificateDer<'_>) -> String {
    let Ok(parsed) = Certificate::from_der(der) else { return "a certificate that cannot be read".to_owned() };
    let content = parsed.tbs_certificate();
    let alternative = content.get_extension::<SubjectAltName>().ok().flatten();
    let names: Vec<String> =
        alternative.map(|(_, names)| names.0.iter().filter_map(name).collect()).unwrap_or_default();
    let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
    let [from, to] = [content.validity().not_before, content.validity().not_after].map(day);
    format!("certificate for {names}; from {from} to {to}; issued by {}", content.issuer())
}

fn day(time: x509_cert::time::Time) -> String {
    let nanos = i64::try_from(time.to_unix_duration().as_nanos()).unwrap_or(i64::MAX);
    Timestamp(nanos).to_string()
}

fn name(name: &GeneralName) -> Option<String> {
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
