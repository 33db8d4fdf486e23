//! The certificate of an instance in `tls/`: made, imported, read, and turned into what a server needs.
//!
//! `server.pem` holds the certificate, its chain and its key in one file, so that a renewal is one step and never leaves a
//! key without its certificate. `ca.pem` is the authority that clients are told to trust, `ca-key.pem` its key.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cwts_domain::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::{CryptoProvider, ring};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use zeroize::Zeroizing;

use crate::TlsError;
use crate::authority::{Authority, LEAF_DAYS};
use crate::certificate::CertificateInfo;
use crate::import::{Pem, check_time, pair};
use crate::private::{self, FileStamp};

/// Where the certificate of an instance lies.
#[derive(Clone, Debug)]
pub struct TlsStore {
    folder: PathBuf,
}

/// A certificate that a server can use.
#[derive(Clone, Debug)]
pub struct ServerCertificate {
    certified: Arc<CertifiedKey>,
    /// What it says.
    pub info: CertificateInfo,
    /// The authority that it was issued by, when that is ours.
    pub authority: Option<CertificateInfo>,
}

/// What [`TlsStore::make`] has made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The new certificate.
    pub certificate: ServerCertificate,
    /// Whether its authority is new too: clients that trusted the old one must be told.
    pub new_authority: bool,
}

/// What becomes of a certificate that came from elsewhere when another one is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It stays, and nothing is made.
    Keep,
    /// It is replaced. Its key is lost.
    Replace,
}

/// PEM text with the name that messages give it: a file, or what a person pasted.
pub struct PemText {
    /// For example `/etc/ssl/studio.pem`.
    pub name: PathBuf,
    /// What it holds.
    pub text: Zeroizing<String>,
}

/// The files of a store as they were, to go back to.
pub struct TlsBackup(Vec<(PathBuf, Option<Zeroizing<String>>)>);

/// Tells whether the certificate has changed, without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TlsStamp(Option<FileStamp>);

impl TlsStore {
    /// The certificate below `data`, the data folder of the instance. Touches nothing.
    pub fn new(data: &Path) -> Self {
        Self { folder: data.join("tls") }
    }

    /// The certificate with its key.
    pub fn server_file(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    /// The authority's certificate, which clients are told to trust.
    pub fn authority_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    fn authority_key_file(&self) -> PathBuf {
        self.folder.join("ca-key.pem")
    }

    /// What tells one certificate from the next.
    pub fn stamp(&self) -> TlsStamp {
        TlsStamp(FileStamp::of(&self.server_file()))
    }

    /// The certificate in use; `None` when there is none.
    ///
    /// # Errors
    /// Others can read the file, or what it holds does not fit together.
    pub fn load(&self) -> Result<Option<ServerCertificate>, TlsError> {
        let path = self.server_file();
        let Some((text, _)) = private::read(&path)? else { return Ok(None) };
        let pem = Pem::parse(&path, &text)?;
        let pair = pair(&pem, &pem)?;
        let authority = self.authority_certificate()?.and_then(|(_, der)| CertificateInfo::of(&der).ok());
        let authority = authority.filter(|authority| authority.subject == pair.info.issuer);
        Ok(Some(ServerCertificate { certified: pair.certified, info: pair.info, authority }))
    }

    /// The fingerprint of the certificate in use; `None` where there is none that can be used.
    pub fn fingerprint(&self) -> Option<String> {
        self.load().ok().flatten().map(|found| found.info.fingerprint)
    }

    /// Makes a certificate for `names`, and an authority for it where there is none that can vouch for them.
    ///
    /// # Errors
    /// The certificate in use was imported and is to be kept, or the system refuses; the old certificate stands.
    pub fn make(
        &self,
        instance: &str,
        names: &[ServerName<'_>],
        now: Timestamp,
        imported: Imported,
    ) -> Result<Made, TlsError> {
        let _lock = private::lock(&self.folder)?;
        if imported == Imported::Keep {
            self.refuse_imported()?;
        }
        let stored = self.stored_authority(now)?;
        if let Some(authority) = stored {
            let server = authority.issue(names, now)?;
            if vouches(&authority.certificate, &server, names, now) {
                return Ok(Made { certificate: self.keep(&server)?, new_authority: false });
            }
        }
        let authority = Authority::make(instance, names, now)?;
        let server = authority.issue(names, now)?;
        if !vouches(&authority.certificate, &server, names, now) {
            return Err(TlsError::make("the new authority does not vouch for the new certificate"));
        }
        // Without its certificate a key is of no use, and without its key the certificate would be replaced.
        private::replace(&self.authority_key_file(), &authority.key)?;
        private::replace(&self.authority_file(), &authority.certificate)?;
        Ok(Made { certificate: self.keep(&server)?, new_authority: true })
    }

    /// Takes over a certificate with its chain, and its key, from PEM text.
    ///
    /// # Errors
    /// What does not fit, by name; the old certificate stands.
    pub fn import(&self, certificate: &PemText, key: &PemText, now: Timestamp) -> Result<ServerCertificate, TlsError> {
        let (certificates, keys) =
            (Pem::parse(&certificate.name, &certificate.text)?, Pem::parse(&key.name, &key.text)?);
        check_time(&pair(&certificates, &keys)?.info, now)?;
        let _lock = private::lock(&self.folder)?;
        let chain = sections(&certificate.text, |label| label == "CERTIFICATE");
        let own = sections(&key.text, |label| label.ends_with("PRIVATE KEY"));
        self.keep(&Zeroizing::new(format!("{}{}", *chain, *own)))
    }

    /// Removes the certificate with its key; the authority stays, so that clients go on trusting the next one.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remove(&self) -> Result<(), TlsError> {
        Ok(private::remove(&self.server_file())?)
    }

    /// The certificate and its authority as they are.
    ///
    /// # Errors
    /// A file cannot be read, or others can.
    pub fn backup(&self) -> Result<TlsBackup, TlsError> {
        let files = [self.authority_key_file(), self.authority_file(), self.server_file()];
        let read = |path: PathBuf| Ok((path.clone(), private::read(&path)?.map(|(text, _)| text)));
        Ok(TlsBackup(files.into_iter().map(read).collect::<Result<_, TlsError>>()?))
    }

    /// Puts back what was there before.
    ///
    /// # Errors
    /// The system refuses.
    pub fn restore(&self, backup: TlsBackup) -> Result<(), TlsError> {
        let _lock = private::lock(&self.folder)?;
        for (path, text) in backup.0 {
            match text {
                Some(text) => private::replace(&path, &text)?,
                None => private::remove(&path)?,
            }
        }
        Ok(())
    }

    /// # Errors
    /// The certificate in use is none that our authority issued. One that cannot be read counts as such, unless it can
    /// only be ours.
    fn refuse_imported(&self) -> Result<(), TlsError> {
        match self.load() {
            Ok(None) => Ok(()),
            Ok(Some(ServerCertificate { authority: Some(_), .. })) => Ok(()),
            Ok(Some(ServerCertificate { info, .. })) => Err(TlsError::Imported { subject: info.subject }),
            Err(_) if self.authority_file().exists() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn keep(&self, server: &str) -> Result<ServerCertificate, TlsError> {
        private::replace(&self.server_file(), server)?;
        self.load()?.ok_or_else(|| TlsError::make("the file has just been removed"))
    }

    fn authority_certificate(&self) -> Result<Option<(String, CertificateDer<'static>)>, TlsError> {
        let Some((text, _)) = private::read(&self.authority_file())? else { return Ok(None) };
        let der = CertificateDer::from_pem_slice(text.as_bytes()).ok();
        Ok(der.map(|der| (text.to_string(), der)))
    }

    /// The authority that was made before, if its certificate and key fit together and it outlives what it issues.
    fn stored_authority(&self, now: Timestamp) -> Result<Option<Authority>, TlsError> {
        let Some((certificate, der)) = self.authority_certificate()? else { return Ok(None) };
        let Some((key, _)) = private::read(&self.authority_key_file())? else { return Ok(None) };
        let (path, key_path) = (self.authority_file(), self.authority_key_file());
        let fits = pair(&Pem::parse(&path, &certificate)?, &Pem::parse(&key_path, &key)?).is_ok();
        let info = CertificateInfo::of(&der).ok();
        // A client looks at the end of the authority too.
        let usable = info.filter(|info| fits && info.days_left(now) >= LEAF_DAYS);
        Ok(usable.map(|info| Authority::stored(certificate, key, info.subject)))
    }
}

impl PemText {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is no text.
    pub fn read(path: &Path) -> Result<Self, TlsError> {
        let text = fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })?;
        Ok(Self { name: path.to_owned(), text })
    }
}

impl ServerCertificate {
    /// What a server needs: TLS 1.2 and 1.3, HTTP/1.1, no certificates of clients.
    ///
    /// # Errors
    /// The cryptography of this build lacks a protocol version, which the tests rule out.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let versions = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13, &TLS12]);
        let resolver = Arc::new(SingleCertAndKey::from(Arc::clone(&self.certified)));
        let mut config = versions.map_err(TlsError::make)?.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Whether a client that trusts `authority` accepts the first certificate of `server` under all `names`. The same check
/// that a client makes, so an authority that is too old or too narrow shows here and not at the client.
fn vouches(authority: &str, server: &str, names: &[ServerName<'_>], now: Timestamp) -> bool {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(authority.as_bytes()).ok();
    let leaf = CertificateDer::from_pem_slice(server.as_bytes()).ok();
    let Some((authority, leaf)) = authority.zip(leaf) else { return false };
    let verifier = roots
        .add(authority)
        .ok()
        .and_then(|()| WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().ok());
    let seconds = u64::try_from(now.millis().div_euclid(1000)).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let accepts = |name| verifier.as_ref().is_some_and(|it| it.verify_server_cert(&leaf, &[], name, &[], now).is_ok());
    names.iter().all(accepts)
}

/// The PEM sections whose label is wanted, as they stand; what people write between them is left out.
fn sections(text: &str, wanted: impl Fn(&str) -> bool) -> Zeroizing<String> {
    let mut kept = Zeroizing::new(String::with_capacity(text.len() + 1));
    let mut inside = false;
    for line in text.lines().map(str::trim_end) {
        let label = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
        inside = label.map_or(inside, &wanted);
        if inside {
            kept.push_str(line);
            kept.push('\n');
        }
        inside &= !line.starts_with("-----END ");
    }
    kept
}

#[cfg(test)]
mod tests;
