//! Tokens with scopes, certificates and keys: made, stored for their owner only, rotated, verified.
//!
//! Everything lies in the data folder of an instance, in files that nobody but their owner may read; a file that others
//! can read is refused, never repaired in silence. A [`Secret`] can be compared and exposed on purpose, but not printed.
//! Opens no socket and judges no request.

mod authority;
mod certificate;
mod import;
mod private;
mod scope;
mod secret;
mod throttle;
mod tls;
mod tokens;
mod trust;

pub use certificate::CertificateInfo;
pub use import::TlsError;
pub use private::StoreError;
pub use scope::Scope;
pub use secret::Secret;
pub use throttle::{Throttle, Verdict};
pub use tls::{Imported, Made, PemText, ServerCertificate, TlsBackup, TlsStamp, TlsStore};
pub use tokens::{Stamp, Token, TokenStore, Tokens};
pub use trust::{TrustStep, trust_steps};
