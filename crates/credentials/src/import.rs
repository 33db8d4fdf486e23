//! Takes a certificate and its key from PEM text, and says exactly what does not fit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cwts_domain::{ErrorCode, Problem, Timestamp};
use rustls::InconsistentKeys;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::{self, PemObject as _, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::certificate::CertificateInfo;
use crate::private::StoreError;

/// Why there is no usable certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of ours cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A certificate could not be made.
    #[error("the certificate could not be made: {reason}")]
    Make {
        /// What failed.
        reason: String,
    },
    /// The certificate in use came from elsewhere, and would be lost.
    #[error("the certificate of {subject} was imported")]
    Imported {
        /// Whom it names.
        subject: String,
    },
    /// A file that a person named cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file has no certificate in it.
    #[error("{} holds no certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// Whether there is a key in it: the files may have been swapped.
        has_key: bool,
    },
    /// The file has no private key in it.
    #[error("{} holds no private key", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// Whether there is a certificate in it.
        has_certificate: bool,
    },
    /// The key asks for a password.
    #[error("the key in {} is encrypted", path.display())]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// A section of the file cannot be understood.
    #[error("{what} in {} cannot be read: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Which section.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key is of another certificate.
    #[error("the key does not belong to the certificate of {subject}")]
    Mismatch {
        /// Whom the first certificate names.
        subject: String,
        /// The place, from 1, of the certificate that the key does belong to.
        belongs_to: Option<usize>,
    },
    /// A certificate of the chain does not vouch for the one before it.
    #[error("certificate {place} is of {subject}, but the one before it was issued by {issuer}")]
    ChainOrder {
        /// Its place, from 1.
        place: usize,
        /// Whom it names.
        subject: String,
        /// Whose certificate belongs in its place.
        issuer: String,
    },
    /// Its time is over.
    #[error("the certificate of {subject} ended at {at}")]
    Expired {
        /// Whom it names.
        subject: String,
        /// When.
        at: Timestamp,
    },
    /// Its time has not come.
    #[error("the certificate of {subject} starts at {at}")]
    NotYetValid {
        /// Whom it names.
        subject: String,
        /// When.
        at: Timestamp,
    },
}

impl TlsError {
    pub(crate) fn make(error: impl std::fmt::Display) -> Self {
        Self::Make { reason: error.to_string() }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Store(_) | Self::Make { .. } => return None,
            Self::Imported { .. } => "Its key would be lost. Replace it with `cwts-ultra tls make --force`, or import \
                                      another one."
                .to_owned(),
            Self::Unreadable { .. } => "Name a PEM file that this user may read.".to_owned(),
            Self::NoCertificate { has_key: true, .. } => {
                "It holds a private key: name the certificate first, then the key.".to_owned()
            }
            Self::NoKey { has_certificate: true, .. } => {
                "It holds a certificate: name the certificate first, then the key.".to_owned()
            }
            Self::NoCertificate { .. } => "A PEM file has a line -----BEGIN CERTIFICATE-----. Convert DER with \
                                           `openssl x509 -inform der -in FILE -out cert.pem`."
                .to_owned(),
            Self::NoKey { .. } => "A PEM file has a line -----BEGIN PRIVATE KEY-----.".to_owned(),
            Self::EncryptedKey { path } => {
                format!("Decrypt it with `openssl pkey -in {} -out key.pem`.", path.display())
            }
            Self::Malformed { .. } => "Export it again as PEM: RSA with 2048 to 8192 bits, ECDSA with P-256 or P-384, \
                                       or Ed25519."
                .to_owned(),
            Self::Mismatch { belongs_to: Some(place), .. } => {
                format!("It belongs to certificate {place} of the file: put that one first.")
            }
            Self::Mismatch { .. } => "Compare `openssl x509 -pubkey -noout -in CERT` with `openssl pkey -pubout -in \
                                      KEY`: both must print the same."
                .to_owned(),
            Self::ChainOrder { .. } => "Put the server's own certificate first, then the one that issued it, and so \
                                        on; leave out what does not belong to the chain."
                .to_owned(),
            Self::Expired { .. } => "Renew it where it came from, or make one with `cwts-ultra tls make`.".to_owned(),
            Self::NotYetValid { .. } => "Check the clock of this computer with `timedatectl`.".to_owned(),
        })
    }
}

impl From<TlsError> for Problem {
    fn from(error: TlsError) -> Self {
        let (code, help) = (ErrorCode::InvalidInput, error.help());
        let text = error.to_string();
        let mut problem = match error {
            TlsError::Store(error) => return error.into(),
            TlsError::Make { .. } => Problem::new(ErrorCode::Internal, text),
            TlsError::Imported { .. } => Problem::new(ErrorCode::WrongState, text),
            _ => Problem::new(code, text),
        };
        // A path may begin with a lower-case letter, a sentence may not.
        let is_prose = ["the ", "certificate "].iter().any(|word| problem.message.starts_with(word));
        if let Some(first) = problem.message.get(..1).filter(|_| is_prose).map(str::to_uppercase) {
            problem.message.replace_range(..1, &first);
        }
        problem.message.push('.');
        problem.help = help;
        problem
    }
}

/// A key with its certificates, the server's own first.
pub(crate) struct Pair {
    pub(crate) certified: Arc<CertifiedKey>,
    pub(crate) info: CertificateInfo,
}

/// What a PEM text holds.
pub(crate) struct Pem {
    path: PathBuf,
    certificates: Vec<CertificateDer<'static>>,
    keys: Vec<PrivateKeyDer<'static>>,
    has_encrypted_key: bool,
}

impl Pem {
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, TlsError> {
        let mut pem = Self { path: path.into(), certificates: vec![], keys: vec![], has_encrypted_key: false };
        // The older form of encryption (RFC 1421 section 4.6.1.1) has a head that no reader of PEM takes.
        if text.contains("\nProc-Type: 4,ENCRYPTED") {
            return Err(TlsError::EncryptedKey { path: pem.path });
        }
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()) {
            let (kind, der) = section.map_err(|error| pem.malformed("A section".to_owned(), &why(&error)))?;
            if kind == SectionKind::Certificate {
                pem.certificates.push(der.into());
            } else if let Some(key) = PrivateKeyDer::from_pem(kind, der) {
                pem.keys.push(key);
            }
        }
        pem.has_encrypted_key = text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----");
        Ok(pem)
    }

    fn malformed(&self, what: String, reason: &impl ToString) -> TlsError {
        TlsError::Malformed { path: self.path.clone(), what, reason: reason.to_string() }
    }

    fn infos(&self) -> Result<Vec<CertificateInfo>, TlsError> {
        let described = self.certificates.iter().enumerate();
        described
            .map(|(at, der)| {
                let malformed = |reason| self.malformed(format!("Certificate {}", at + 1), &reason);
                CertificateInfo::of(der).map_err(malformed)
            })
            .collect()
    }
}

/// Puts the certificates of one text and the key of another together. Both may be the same text.
///
/// # Errors
/// The first thing that does not fit. A certificate whose time is over is no error here.
pub(crate) fn pair(certificates: &Pem, keys: &Pem) -> Result<Pair, TlsError> {
    let infos = certificates.infos()?;
    let Some(info) = infos.first().cloned() else {
        let has_key = !certificates.keys.is_empty() || certificates.has_encrypted_key;
        return Err(TlsError::NoCertificate { path: certificates.path.clone(), has_key });
    };
    let Some(key) = keys.keys.first() else {
        let path = keys.path.clone();
        return Err(match keys.has_encrypted_key {
            true => TlsError::EncryptedKey { path },
            false => TlsError::NoKey { path, has_certificate: !keys.certificates.is_empty() },
        });
    };
    let provider = rustls::crypto::ring::default_provider();
    let signing = provider.key_provider.load_private_key(key.clone_key());
    let signing = signing.map_err(|error| keys.malformed("The key".to_owned(), &error))?;
    let chain = certificates.certificates.clone();
    let certified = CertifiedKey::new(chain, Arc::clone(&signing));
    if certified.keys_match() == Err(InconsistentKeys::KeyMismatch.into()) {
        let others = certificates.certificates.iter();
        let belongs_to = others.map(|der| CertifiedKey::new(vec![der.clone()], Arc::clone(&signing)));
        let belongs_to = belongs_to.enumerate().find(|(_, each)| each.keys_match().is_ok()).map(|(at, _)| at + 1);
        return Err(TlsError::Mismatch { subject: info.subject, belongs_to });
    }
    for (at, each) in infos.windows(2).enumerate() {
        if let [before, after] = each
            && before.issuer != after.subject
        {
            let (subject, issuer) = (after.subject.clone(), before.issuer.clone());
            return Err(TlsError::ChainOrder { place: at + 2, subject, issuer });
        }
    }
    Ok(Pair { certified: Arc::new(certified), info })
}

/// # Errors
/// The certificate is not valid at this moment.
pub(crate) fn check_time(info: &CertificateInfo, now: Timestamp) -> Result<(), TlsError> {
    let subject = info.subject.clone();
    let at = |millis: i64| Timestamp(millis.saturating_mul(1_000_000));
    if now.millis() > info.not_after {
        return Err(TlsError::Expired { subject, at: at(info.not_after) });
    }
    if now.millis() < info.not_before {
        return Err(TlsError::NotYetValid { subject, at: at(info.not_before) });
    }
    Ok(())
}

fn why(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "its -----END line is missing".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "its -----BEGIN line is no valid one".to_owned(),
        pem::Error::Base64Decode(reason) => format!("it is no base64 ({reason})"),
        other => other.to_string(),
    }
}
