//! What an instance tells its trail, and what it lets others read of it.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use cwts_config::{Key, Settings};
use cwts_credentials::{Scope, Tokens};
use cwts_domain::Problem;

use super::{Action, Actor, AuditEntry, AuditPage};
use crate::access::TokenNews;
use crate::instance::{Instance, Shared};
use crate::refusals::RefusalReason;

/// How long anybody waits for the disk.
const PATIENCE: Duration = Duration::from_secs(1);

impl Instance {
    /// Part of the audit trail, the newest first: at most `limit` records, with a cursor only what is older.
    ///
    /// # Errors
    /// The trail cannot be read.
    pub async fn audit_page(&self, cursor: Option<u64>, limit: usize) -> Result<AuditPage, Problem> {
        let shared = std::sync::Arc::clone(self.shared());
        self.on_runtime(async move {
            drop(tokio::time::timeout(PATIENCE, shared.audit.flush(false)).await);
            let trail = shared.audit.trail().clone();
            crate::change::blocking(move || trail.page(cursor, limit)).await?
        })
        .await
    }

    /// Puts an entry into the audit trail. Never waits.
    pub(crate) fn audit(&self, entry: AuditEntry) {
        self.shared().audit.tell(entry, self.clock().now());
    }

    /// The same for what a file holds by now, unless whoever wrote it says so.
    pub(crate) fn audit_found(&self, entry: AuditEntry) {
        self.shared().audit.tell_found(entry, self.clock().now());
    }

    /// What was found about the tokens.
    pub(crate) fn audit_tokens(&self, news: &TokenNews) {
        for &(scope, made_at) in &news.made {
            self.audit_found(AuditEntry::token_made(Actor::Program, scope, made_at));
        }
        for &(scope, before, made_at) in &news.replaced {
            self.audit_found(AuditEntry::token_replaced(Actor::HandEdit, scope, Some(before), made_at));
        }
    }

    /// Tokens that somebody replaced on purpose.
    pub(crate) fn audit_rotation(&self, by: Actor, scopes: &[Scope], before: Option<&Tokens>, after: &Tokens) {
        for &scope in scopes {
            let before = before.map(|tokens| tokens.get(scope).made_at);
            let made_at = after.get(scope).made_at;
            if before != Some(made_at) {
                self.audit(AuditEntry::token_replaced(by, scope, before, made_at));
            }
        }
    }

    /// Settings that have another value.
    pub(crate) fn audit_settings(&self, by: Actor, before: &Settings, after: &Settings, changed: &[Key]) {
        for key in changed {
            let entry = AuditEntry::setting(by, *key, before.get(*key).value, after.get(*key).value);
            if by == Actor::HandEdit { self.audit_found(entry) } else { self.audit(entry) }
        }
    }

    /// A guard refused a request.
    pub fn note_refused(&self, source: IpAddr, reason: RefusalReason) {
        self.shared().refusals.add(source, reason, self.clock().now());
        if reason == RefusalReason::Remote {
            self.shared().remote_refused.add(source);
        }
    }

    /// Waits until what was told is written, but not for a disk that hangs: the program may end after this.
    pub(crate) async fn finish_audit(&self) {
        self.shared().audit_strangers(true);
        drop(tokio::time::timeout(PATIENCE, self.shared().audit.flush(true)).await);
    }
}

impl Shared {
    /// Tells of what strangers have tried; `anyhow` also where it was told a moment ago.
    pub(crate) fn audit_strangers(&self, anyhow: bool) {
        let tallies = [(Action::RemoteRefused, &self.remote_refused), (Action::LoginFailed, &self.access.untold)];
        for (action, tally) in tallies {
            if let Some((count, latest)) = tally.take(Instant::now(), anyhow) {
                self.audit.tell(AuditEntry::strangers(action, count, latest), self.surroundings.clock.now());
            }
        }
    }
}
