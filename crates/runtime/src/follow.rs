//! Files that are edited by hand: picked up by the same transaction as a change of the panel, or reported.

use std::io;
use std::sync::Weak;
use std::time::Duration;

use cwts_config::{Key, Loaded, Settings, Watch};
use cwts_credentials::TlsStamp;
use cwts_domain::{ErrorCode, Problem};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio_util::sync::CancellationToken;

use crate::audit::AuditEntry;
use crate::core::Core;
use crate::instance::{Instance, Shared};
use crate::operation::Operation;
use crate::rules;
use crate::snapshot::Snapshot;

/// How often the files are read where the kernel does not tell of changes.
const POLL: Duration = Duration::from_secs(10);

/// How long a file has to be missing or blank before that counts: an editor may empty it, and write it then.
const EMPTIED: Duration = Duration::from_secs(4);

/// How often the certificate is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Follows the files until the instance is gone.
pub(crate) async fn run(shared: Weak<Shared>, gone: CancellationToken) {
    let mut emptied = Emptied::MayPass;
    loop {
        let Some(strong) = shared.upgrade() else { return };
        // Watched first and read then, so that no change falls between.
        let (watch, certificate) = (Watch::new(&strong.sources).and_then(registered), strong.tls.stamp());
        let followed = Instance::of(strong).follow(emptied).await;
        let changed = async {
            match &watch {
                Ok(watch) => settled(watch, if followed { None } else { Some(EMPTIED) }).await,
                Err(error) => {
                    tracing::warn!(%error, "edits of the configuration are noticed late: the files cannot be watched");
                    drop(tokio::time::timeout(POLL, std::future::pending::<()>()).await);
                    false
                }
            }
        };
        tokio::select! {
            () = gone.cancelled() => return,
            changed = changed => emptied = if followed || changed { Emptied::MayPass } else { Emptied::Stays },
            // What the files say may have waited for it.
            () = another_certificate(&shared, certificate) => {}
        }
    }
}

/// Returns when the certificate on disk is another one than before. Looks, since the journal writes to a folder above it.
async fn another_certificate(shared: &Weak<Shared>, before: TlsStamp) {
    let mut ticks = tokio::time::interval(LOOK);
    while shared.upgrade().is_some_and(|strong| strong.tls.stamp() == before) {
        ticks.tick().await;
    }
}

/// What a file means that is missing or blank and was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emptied {
    /// Its writer may not be done.
    MayPass,
    /// It is meant so.
    Stays,
}

#[expect(deprecated, reason = "its successor is unsafe for descriptors that do not stay open; a watch owns its own")]
fn registered(watch: Watch) -> io::Result<AsyncFd<Watch>> {
    AsyncFd::with_interest(watch, Interest::READABLE)
}

/// Returns true when something has changed and whoever changes it seems to be done; false when nothing does for as long as
/// `patience`.
async fn settled(watch: &AsyncFd<Watch>, patience: Option<Duration>) -> bool {
    let (mut quiet, mut changed) = (patience, false);
    loop {
        let event = async {
            match watch.readable().await {
                Ok(mut ready) => {
                    let read = watch.get_ref().read();
                    ready.clear_ready();
                    read
                }
                Err(error) => Err(error),
            }
        };
        let event = match quiet {
            None => event.await,
            Some(quiet) => match tokio::time::timeout(quiet, event).await {
                Ok(event) => event,
                Err(_) => return changed,
            },
        };
        match event {
            Ok(settle) => (quiet, changed) = (settle.or(quiet), changed || settle.is_some()),
            Err(error) => {
                tracing::warn!(%error, "the kernel's queue of changes cannot be read");
                return false;
            }
        }
    }
}

impl Instance {
    /// Puts the last good copy in place of a configuration file that is damaged, and into force. The damaged one is kept
    /// aside.
    ///
    /// # Errors
    /// No file is damaged, none has a copy that would help, or it cannot be written.
    pub async fn restore(&self) -> Result<Snapshot, Problem> {
        self.run(Operation::Restore).await
    }
}

impl Core {
    /// Puts into force what the files say by now. What cannot be is reported, and what runs stays. False when nothing was
    /// done because of a file that may be empty for a moment only.
    pub(crate) async fn follow(&mut self, instance: &Instance, emptied: Emptied) -> bool {
        let (sources, this_run) = (instance.shared().sources.clone(), self.this_run.clone());
        let read = crate::change::blocking(move || Self::read(&sources, &this_run).map_err(Problem::from)).await;
        let next = read.and_then(|read| read);
        if next.as_ref().ok().is_some_and(|next| self.loaded.as_ref() == Ok(next)) {
            self.report(instance, None);
            return true;
        }
        if let (Ok(next), Ok(before), Emptied::MayPass) = (&next, &self.loaded, emptied)
            && next.revision.is_emptied_since(&before.revision)
        {
            return false;
        }
        match next {
            Ok(next) => match self.put_in_force(instance, next).await {
                Ok(()) => {}
                Err(problem) => self.report(instance, Some(problem)),
            },
            Err(problem) if self.running.is_some() => self.report(instance, Some(problem)),
            Err(problem) => {
                if self.loaded.as_ref().err() != Some(&problem) {
                    self.loaded = Err(problem.clone());
                    self.fail(problem);
                    self.publish(instance);
                }
            }
        }
        true
    }

    pub(crate) async fn restore(&mut self, instance: &Instance) -> Result<(), Problem> {
        let sources = instance.shared().sources.clone();
        let restored = crate::change::blocking(move || cwts_config::restore(&sources, None)).await??;
        instance.audit(AuditEntry::restored(self.acting, &restored));
        let aside = restored.aside.map(|aside| format!("; the damaged one is {}", aside.display()));
        let file = restored.file.display();
        instance.record(format!("{file} is its last good copy again{}", aside.unwrap_or_default()));
        self.follow(instance, Emptied::Stays).await;
        Ok(())
    }

    async fn put_in_force(&mut self, instance: &Instance, next: Loaded) -> Result<(), Problem> {
        let before = self.loaded.clone().ok();
        if let Some(before) = before.as_ref().filter(|_| self.running.is_some()) {
            let tls = &instance.shared().tls;
            let ready = tls.prepare(next.settings.tls.value, instance.id())?;
            let prepared = self.bind_new(instance, before, &next).await?;
            self.switch(instance, before, &next, prepared).await?;
            tls.show(ready);
        }
        let before = before.map(|before| before.settings).unwrap_or_default();
        let after = next.settings.clone();
        self.loaded = Ok(next);
        self.pending = None;
        let changed: Vec<Key> = differing(&before, &after).collect();
        if !changed.is_empty() || self.problem_is(ErrorCode::ConfigInvalid) {
            self.clear_problem(instance);
        }
        self.keep_good_copies(instance).await;
        self.publish(instance);
        rules::tell(instance, self.acting, &before, &after, changed);
        Ok(())
    }

    /// What is in force is what to go back to when a file is damaged.
    pub(crate) async fn keep_good_copies(&self, instance: &Instance) {
        if let Ok(loaded) = &self.loaded {
            let (sources, good) = (instance.shared().sources.clone(), loaded.revision.clone());
            drop(crate::change::blocking(move || cwts_config::keep_good_copies(&sources, &good)).await);
        }
    }

    /// Says why what the files hold is not in force; `None` when it is.
    fn report(&mut self, instance: &Instance, problem: Option<Problem>) {
        if self.pending != problem {
            if let Some(problem) = &problem {
                tracing::warn!("the configuration was edited and is not in force: {problem}");
            }
            self.pending = problem;
            self.publish(instance);
        }
    }
}

/// The settings that are other ones.
pub(crate) fn differing<'a>(before: &'a Settings, after: &'a Settings) -> impl Iterator<Item = Key> + 'a {
    Key::ALL.into_iter().filter(|key| before.get(*key).value != after.get(*key).value)
}
