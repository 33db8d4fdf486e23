//! Writes the trail behind the back of everyone else. What cannot be written is kept and tried again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cwts_domain::{Problem, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{AuditEntry, Trail};

/// Entries that wait for the task or for the disk. The oldest of more are lost, and that is logged.
const WAITING: usize = 256;
/// How long after a change of a file whoever made it may still say so.
const CLAIM: Duration = Duration::from_secs(2);
/// When to try again after a failure.
const RETRY: Duration = Duration::from_secs(10);

/// The trail of an instance as the instance uses it: nothing here blocks.
#[derive(Debug)]
pub(crate) struct Audit {
    trail: Trail,
    jobs: mpsc::Sender<Job>,
    problem: Arc<Mutex<Option<Problem>>>,
}

enum Job {
    Tell(Waiting),
    /// Answered when everything before it was tried, with `true` also what may still be claimed.
    Flush(bool, oneshot::Sender<()>),
}

struct Waiting {
    entry: AuditEntry,
    at: Timestamp,
    /// Not told when somebody has told the same by then.
    unless_claimed_by: Option<Instant>,
}

impl Audit {
    /// Starts the task, which ends with this. Must be called within a tokio runtime.
    pub(crate) fn start(trail: Trail) -> Self {
        let (jobs, queue) = mpsc::channel(WAITING);
        let problem = Arc::default();
        let writer = Writer { trail: trail.clone(), problem: Arc::clone(&problem), waiting: VecDeque::new() };
        tokio::spawn(writer.run(queue));
        Self { trail, jobs, problem }
    }

    /// Puts an entry into the trail.
    pub(crate) fn tell(&self, entry: AuditEntry, at: Timestamp) {
        self.send(Waiting { entry, at, unless_claimed_by: None });
    }

    /// The same for what was found in a file: not when a part of this program says meanwhile that it wrote it.
    pub(crate) fn tell_found(&self, entry: AuditEntry, at: Timestamp) {
        self.send(Waiting { entry, at, unless_claimed_by: Some(Instant::now() + CLAIM) });
    }

    fn send(&self, waiting: Waiting) {
        if let Err(error) = self.jobs.try_send(Job::Tell(waiting)) {
            tracing::warn!(%error, "an entry of the audit trail is lost");
        }
    }

    /// Resolves when everything that was told before is written or has failed; `anyhow` also what was found in files and
    /// may still be claimed.
    pub(crate) async fn flush(&self, anyhow: bool) {
        let (done, flushed) = oneshot::channel();
        if self.jobs.send(Job::Flush(anyhow, done)).await.is_ok() {
            // The task may end first, and then nothing is left to wait for.
            drop(flushed.await);
        }
    }

    /// The file.
    pub(crate) fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Why the trail cannot be written at this moment.
    pub(crate) fn problem(&self) -> Option<Problem> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Writer {
    trail: Trail,
    problem: Arc<Mutex<Option<Problem>>>,
    waiting: VecDeque<Waiting>,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        loop {
            let job = match self.next_look() {
                None => queue.recv().await,
                Some(look) => match tokio::time::timeout_at(look, queue.recv()).await {
                    Ok(job) => job,
                    Err(_) => {
                        self.write(false).await;
                        continue;
                    }
                },
            };
            match job {
                None => return self.write(true).await,
                Some(Job::Flush(anyhow, done)) => {
                    self.write(anyhow).await;
                    // Who asked may have given up.
                    done.send(()).ok();
                }
                Some(Job::Tell(waiting)) => {
                    // Whoever did it says so after the file was found changed.
                    self.waiting.retain(|it| it.unless_claimed_by.is_none() || !it.entry.is_same_fact(&waiting.entry));
                    if self.waiting.len() >= WAITING {
                        self.waiting.pop_front();
                        tracing::warn!("an entry of the audit trail is lost: the trail cannot be written");
                    }
                    self.waiting.push_back(waiting);
                    self.write(false).await;
                }
            }
        }
    }

    fn is_failing(&self) -> bool {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn next_look(&self) -> Option<Instant> {
        let next = self.waiting.iter().map(|it| it.unless_claimed_by.unwrap_or_else(Instant::now)).min()?;
        Some(if self.is_failing() { Instant::now() + RETRY } else { next })
    }

    /// Writes what waits, apart from what may still be claimed; `anyhow` that too.
    async fn write(&mut self, anyhow: bool) {
        let is_due = |it: &Waiting| anyhow || it.unless_claimed_by.is_none_or(|until| Instant::now() >= until);
        while let Some(place) = self.waiting.iter().position(is_due) {
            let next = &self.waiting[place];
            let (trail, entry, at, found) =
                (self.trail.clone(), next.entry.clone(), next.at, next.unless_claimed_by.is_some());
            let written = crate::change::blocking(move || match found && trail.tells(&entry) {
                true => Ok(()),
                false => trail.append(&entry, at),
            });
            let failed = written.await.and_then(|written| written).err();
            let stops = failed.is_some();
            self.note(failed);
            if stops {
                return;
            }
            self.waiting.remove(place);
        }
    }

    fn note(&self, failed: Option<Problem>) {
        let mut problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failed) = failed.as_ref().filter(|_| problem.is_none()) {
            tracing::warn!("the audit trail: {failed}");
        }
        *problem = failed;
    }
}
