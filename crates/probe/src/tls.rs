//! The encryption of a connection, with the certificate kept whatever becomes of it.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate::described;
use crate::{Fault, TlsFault};

/// Where Debian, Fedora and others keep the authorities that the system trusts; the first that is there counts.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"];

/// Whom a client trusts to vouch for a certificate.
#[derive(Clone)]
pub struct Trust(Option<Arc<WebPkiServerVerifier>>);

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust(..)")
    }
}

impl Trust {
    /// The authorities in PEM texts, and those that the system trusts. What is no certificate is left out.
    pub fn new(authorities: &[Vec<u8>]) -> Self {
        let system = SYSTEM.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
        let mut roots = RootCertStore::empty();
        for text in authorities.iter().chain([&system]) {
            roots.add_parsable_certificates(CertificateDer::pem_slice_iter(text).filter_map(Result::ok));
        }
        Self(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().ok())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Encrypts the connection as a client of `host` that trusts whom `trust` names.
pub(crate) async fn encrypt(
    stream: TcpStream,
    host: &str,
    trust: &Trust,
) -> Result<(TlsStream<TcpStream>, String), (Fault, String)> {
    let Ok(name) = ServerName::try_from(host.to_owned()) else {
        return Err((Fault::Tls(TlsFault::WrongName), format!("{host} is no name that a certificate can have")));
    };
    let verifier = Arc::new(Verifier { trust: trust.clone(), shown: Mutex::default() });
    let made = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let made = made.map_err(|error| (Fault::Tls(TlsFault::Other), error.to_string()))?;
    let mut config =
        made.dangerous().with_custom_certificate_verifier(Arc::clone(&verifier) as _).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let encrypted = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let certificate = verifier.shown();
    match encrypted {
        Ok(encrypted) => {
            let version = encrypted.get_ref().1.protocol_version();
            let version = if version == Some(rustls::ProtocolVersion::TLSv1_2) { "TLS 1.2" } else { "TLS 1.3" };
            Ok((encrypted, format!("{version}, {}", certificate.unwrap_or_default())))
        }
        Err(error) => {
            let shown = certificate.map(|text| format!("; {text}")).unwrap_or_default();
            Err((fault(&error), format!("{error}{shown}")))
        }
    }
}

/// Whether whoever is at the other end answers a greeting of TLS with TLS.
pub(crate) async fn is_spoken(stream: TcpStream, host: &str) -> bool {
    match encrypt(stream, host, &Trust(None)).await {
        Ok(_) => true,
        // Nobody is trusted, so that a certificate that was shown ends it.
        Err((fault, _)) => matches!(fault, Fault::Tls(TlsFault::UnknownIssuer | TlsFault::WrongName)),
    }
}

fn fault(error: &io::Error) -> Fault {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else { return Fault::Closed };
    Fault::Tls(match error {
        Error::InvalidMessage(_) => TlsFault::PlainText,
        Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => TlsFault::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFault::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsFault::WrongName,
            // webpki's own errors come through as texts only.
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => TlsFault::AuthorityAsServer,
            _ => TlsFault::Other,
        },
        _ => TlsFault::Other,
    })
}

/// Judges as any client of rustls does, and keeps what the certificate says.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    shown: Mutex<Option<CertificateDer<'static>>>,
}

impl Verifier {
    fn shown(&self) -> Option<String> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(described)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.clone().into_owned());
        let Some(verifier) = &self.trust.0 else { return Err(CertificateError::UnknownIssuer.into()) };
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &ring::default_provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &ring::default_provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
