//! An instance that another process runs: what is known of it, and how it is read, followed and ended.
//!
//! The lock says that it runs and by whom; its own status, asked over loopback, says the rest. From here
//! its process can be asked to end, and its trading be armed.

mod arm;
mod end;
mod order;
mod status;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use cwts_domain::{ErrorCode, Problem};
use tokio::time::MissedTickBehavior;

use crate::instance::{Instance, Shared};
use crate::lock;
use crate::snapshot::{Elsewhere, InstanceEvent, Snapshot};
pub use arm::{arm_running, tell_owner};
pub use end::end_instance;
pub use order::{TradingOrder, order_trading};
pub use status::running_addresses;
pub(crate) use status::running_places;
use status::{Reader, Status};

/// How often an attached process is asked.
const PERIOD: Duration = Duration::from_secs(1);

/// The other process, while there is one.
#[derive(Debug, Default)]
pub(crate) struct ElsewhereCell(RwLock<Option<Other>>);

#[derive(Clone, Debug)]
struct Other {
    elsewhere: Elsewhere,
    /// The last answer, while attached.
    status: Option<Arc<Status>>,
}

impl ElsewhereCell {
    fn get(&self) -> Option<Other> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what is known of the process `pid`. False when it is another one by now.
    fn update(&self, pid: u32, change: impl FnOnce(&mut Other)) -> bool {
        let mut cell = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let found = cell.as_mut().filter(|other| other.elsewhere.pid == pid);
        found.map(change).is_some()
    }

    /// The picture of this process, with what is known of the other one laid over it.
    pub(crate) fn laid_over(&self, mut snapshot: Snapshot) -> Snapshot {
        let Some(Other { elsewhere, status }) = self.get() else { return snapshot };
        // A start that failed for that reason needs no second explanation.
        snapshot.problem = snapshot.problem.filter(|problem| problem.code != ErrorCode::InstanceRunning);
        snapshot.elsewhere = Some(elsewhere);
        match status {
            Some(status) => status.laid_over(snapshot),
            None => snapshot,
        }
    }
}

/// A process that runs an instance, found by its lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runner {
    pub(crate) pid: u32,
    /// The other instances that the same process runs.
    pub(crate) others: Vec<String>,
}

impl Instance {
    /// Takes note of who runs the instance, if it is another process.
    pub(crate) async fn note_runner(&self, runner: Option<Runner>) {
        let shared = self.shared();
        // Who was seen a moment ago may have ended since, and the instance may have been started here.
        let runner = runner.filter(|it| lock::holder(&lock::path(&shared.sources)) == Some(it.pid));
        let known = shared.elsewhere.get().map(|other| (other.elsewhere.pid, other.elsewhere.others));
        if known == runner.clone().map(|runner| (runner.pid, runner.others)) {
            return;
        }
        let other = runner.map(|Runner { pid, others }| Other {
            elsewhere: Elsewhere { pid, process: process_name(pid), others, attached: false, problem: None },
            status: None,
        });
        *shared.elsewhere.0.write().unwrap_or_else(PoisonError::into_inner) = other;
        self.show_again().await;
    }

    /// Shows the instance as the process that runs it says it is, from now on until that process ends.
    ///
    /// # Errors
    /// No other process runs it, or that one does not answer. Nothing has changed.
    pub async fn attach(&self) -> Result<Snapshot, Problem> {
        let pid = self.runner()?.pid;
        let reader = Reader::new(&self.shared().sources, pid);
        let (reader, answer) = self.ask(reader).await?;
        let status = Arc::new(answer?);
        let attach = |other: &mut Other| {
            other.elsewhere.attached = true;
            other.status = Some(status);
        };
        if !self.shared().elsewhere.update(pid, attach) {
            return Err(not_elsewhere(self));
        }
        self.record(format!("Attached to pid {pid}"));
        self.show_again().await;
        self.tokio().spawn(follow(Arc::downgrade(self.shared()), pid, reader));
        Ok(self.snapshot())
    }

    /// Asks the process that runs the instance to end, and waits until it has. Every instance that it runs ends with it.
    ///
    /// # Errors
    /// No other process runs the instance; it belongs to another user; or it has not ended in time.
    pub async fn end_elsewhere(&self) -> Result<Snapshot, Problem> {
        let (pid, lock) = (self.runner()?.pid, lock::path(&self.shared().sources));
        let ended = self.tokio().spawn_blocking(move || end::end_holder(&lock, pid)).await;
        ended.map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()))??;
        self.note_runner(None).await;
        self.record(format!("pid {pid} was asked to end, and has ended"));
        Ok(self.snapshot())
    }

    /// What another process runs is not changed from here: it would not notice.
    pub(crate) fn refuse_elsewhere(&self) -> Result<(), Problem> {
        let Ok(runner) = self.runner() else { return Ok(()) };
        let message = format!("Instance {} runs as pid {}, which would not notice the change.", self.id(), runner.pid);
        Err(Problem::new(ErrorCode::WrongState, message).with_help("Stop it there and start it here."))
    }

    fn runner(&self) -> Result<Elsewhere, Problem> {
        self.shared().elsewhere.get().map(|other| other.elsewhere).ok_or_else(|| not_elsewhere(self))
    }

    /// Reading a status blocks.
    async fn ask(&self, mut reader: Reader) -> Result<(Reader, Result<Status, Problem>), Problem> {
        let asked = self.tokio().spawn_blocking(move || {
            let answer = reader.read();
            (reader, answer)
        });
        asked.await.map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()))
    }

    /// Tells what an attached process answered: figures every second, a picture where more than figures changed.
    async fn heard(&self, pid: u32, answer: Result<Status, Problem>) {
        let shared = self.shared();
        let figures = answer.as_ref().ok().and_then(|status| status.figures(shared.surroundings.clock.now()));
        let mut differs = false;
        shared.elsewhere.update(pid, |other| {
            let (status, problem) = match answer {
                Ok(status) => (Some(Arc::new(status)), None),
                Err(problem) => (other.status.take(), Some(problem)),
            };
            let same = status.iter().zip(&other.status).all(|(new, old)| new.same_picture(old));
            differs = !same || problem != other.elsewhere.problem;
            other.status = status;
            other.elsewhere.problem = problem;
        });
        if differs {
            self.show_again().await;
        }
        if let Some(event) = figures {
            if let InstanceEvent::Sample { sample, .. } = &event {
                shared.telemetry.push_sample(*sample);
            }
            shared.send(event);
        }
    }
}

fn not_elsewhere(instance: &Instance) -> Problem {
    Problem::new(ErrorCode::WrongState, format!("No other process runs instance {}.", instance.id()))
}

/// Asks every second until another process runs the instance, or none, or the instance is gone.
async fn follow(shared: Weak<Shared>, pid: u32, mut reader: Reader) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(instance) = shared.upgrade().map(Instance::of) else { return };
        if instance.runner().is_ok_and(|runner| runner.pid == pid && runner.attached)
            && let Ok((same, answer)) = instance.ask(reader).await
        {
            instance.heard(pid, answer).await;
            reader = same;
        } else {
            return;
        }
    }
}

/// As the kernel has it, for example `cwts-ultra`.
fn process_name(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// Who runs which instance of the home, but for this process.
pub(crate) fn runners(home: &Path) -> Vec<(String, Runner)> {
    let me = std::process::id();
    let running = lock::running_instances(home);
    let elsewhere = running.iter().filter(|one| one.pid != me);
    elsewhere
        .map(|one| {
            let same = running.iter().filter(|other| other.pid == one.pid && other.id != one.id);
            (one.id.clone(), Runner { pid: one.pid, others: same.map(|other| other.id.clone()).collect() })
        })
        .collect()
}
