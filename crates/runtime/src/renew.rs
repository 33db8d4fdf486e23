//! Credentials that were replaced on disk while the services run: taken over without dropping anybody who may stay.

use crate::audit::{Actor, AuditEntry};
use crate::instance::Instance;

impl Instance {
    /// Takes over a certificate that was replaced. Connections go on with the one that they know.
    pub(crate) fn renew_certificate(&self) {
        let before = self.shared().tls.info().map(|info| info.fingerprint);
        match self.shared().tls.renew(self.id()) {
            None => return,
            Some(Ok(())) => {
                self.record("Certificate replaced; new connections see it");
                if let Some(now) = self.shared().tls.info() {
                    self.audit_found(AuditEntry::certificate_made(Actor::HandEdit, before, &now));
                }
            }
            Some(Err(problem)) => self.record(format!("The certificate on disk cannot be used: {problem}")),
        }
        self.publish_again();
    }

    /// Takes over tokens that were replaced or made elsewhere.
    pub(crate) fn refresh_tokens(&self) {
        match self.shared().access.read() {
            Ok(news) => {
                self.audit_tokens(&news);
                let names: Vec<&str> = news.replaced.iter().map(|(scope, ..)| scope.id()).collect();
                if names.is_empty() {
                    return self.publish_again();
                }
                self.record(format!("Token replaced: {}. Its old connections ended", names.join(", ")));
            }
            Err(problem) => self.record(format!("The tokens were not read again: {problem}")),
        }
        self.publish_again();
    }
}
