//! The certificate that the ports show, and its renewal while connections live.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use cwts_config::TlsMode;
use cwts_credentials::{CertificateInfo, ServerCertificate, TlsStamp, TlsStore};
use cwts_domain::{ErrorCode, Problem};
use cwts_net::{ServerConfig, TlsSwitch};
use tokio::sync::watch;

/// Whether the ports speak TLS, and with what.
pub(crate) struct Tls {
    store: TlsStore,
    switch: watch::Sender<Option<Arc<ServerConfig>>>,
    shown: Mutex<Option<Shown>>,
}

/// A certificate in use.
struct Shown {
    stamp: TlsStamp,
    info: CertificateInfo,
}

/// A certificate that has been read and can be shown, or none where TLS is off.
pub(crate) struct Ready(Option<(TlsStamp, ServerCertificate, Arc<ServerConfig>)>);

impl Tls {
    /// The certificate below the instance's data folder. Reads nothing yet.
    pub(crate) fn new(data: &Path) -> Self {
        Self { store: TlsStore::new(data), switch: watch::Sender::default(), shown: Mutex::default() }
    }

    /// What tells the certificate on disk from the next.
    pub(crate) fn stamp(&self) -> TlsStamp {
        self.store.stamp()
    }

    /// What the listeners look at.
    pub(crate) fn switch(&self) -> TlsSwitch {
        self.switch.subscribe()
    }

    /// Reads what `mode` needs. Changes nothing.
    ///
    /// # Errors
    /// There is no certificate, or it cannot be used.
    pub(crate) fn prepare(&self, mode: TlsMode, instance: &str) -> Result<Ready, Problem> {
        if mode == TlsMode::Off {
            return Ok(Ready(None));
        }
        let stamp = self.store.stamp();
        let Some(certificate) = self.store.load().map_err(Problem::from)? else {
            let message = format!("security.tls is on, but instance {instance} has no certificate.");
            return Err(Problem::new(ErrorCode::ConfigInvalid, message).with_help(
                "Make one with `cwts-ultra tls make`, or take one over with `cwts-ultra tls import CERT KEY`.",
            ));
        };
        let config = certificate.server_config().map_err(Problem::from)?;
        Ok(Ready(Some((stamp, certificate, config))))
    }

    /// Shows what was read to every client that connects from now on. Cannot fail.
    pub(crate) fn show(&self, ready: Ready) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let Ready(ready) = ready;
        let (now_shown, config) = match ready {
            Some((stamp, certificate, config)) => (Some(Shown { stamp, info: certificate.info }), Some(config)),
            None => (None, None),
        };
        *shown = now_shown;
        self.switch.send_replace(config);
    }

    /// Whether the ports speak TLS.
    pub(crate) fn is_on(&self) -> bool {
        self.switch.borrow().is_some()
    }

    /// What the certificate says that is shown.
    pub(crate) fn info(&self) -> Option<CertificateInfo> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.as_ref().map(|shown| shown.info.clone())
    }

    /// Takes over a certificate that was replaced on disk. `None` when there is nothing new.
    pub(crate) fn renew(&self, instance: &str) -> Option<Result<(), Problem>> {
        let stamp = self.store.stamp();
        {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            let shown = shown.as_mut().filter(|shown| shown.stamp != stamp)?;
            // Said once: a certificate that cannot be used leaves the one before in place.
            shown.stamp = stamp;
        }
        Some(self.prepare(TlsMode::On, instance).map(|ready| self.show(ready)))
    }
}
