//! A system that refuses what a test wants refused.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use cwts_domain::{Checkpoints, Step};

/// Refuses chosen steps of a change. Refuses nothing at first.
#[derive(Debug, Default)]
pub struct Faults(Mutex<BTreeMap<Step, u32>>);

impl Faults {
    /// From now on these steps are refused every time, and no others.
    pub fn refuse(&self, steps: &[Step]) {
        self.set(steps.iter().map(|step| (*step, 0)));
    }

    /// From now on the step is refused, after it was passed `passes` times.
    pub fn refuse_after(&self, passes: u32, step: Step) {
        self.set([(step, passes)]);
    }

    /// From now on every step passes.
    pub fn end(&self) {
        self.set([]);
    }

    fn set(&self, steps: impl IntoIterator<Item = (Step, u32)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = steps.into_iter().collect();
    }
}

impl Checkpoints for Faults {
    fn pass(&self, step: Step) -> io::Result<()> {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match refused.get_mut(&step) {
            None => Ok(()),
            Some(0) => Err(error(step)),
            Some(passes) => {
                *passes -= 1;
                Ok(())
            }
        }
    }
}

/// What the system says when it refuses the step.
fn error(step: Step) -> io::Error {
    match step {
        Step::Bind | Step::Listen | Step::ListenAgain => io::ErrorKind::AddrInUse.into(),
        Step::Save | Step::SaveWritten | Step::SaveRenamed | Step::PutBack => io::ErrorKind::StorageFull.into(),
        Step::Switch => io::ErrorKind::OutOfMemory.into(),
    }
}
