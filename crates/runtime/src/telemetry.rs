//! What the panel's charts and lists show: one sample a second for half an hour, and the latest activities.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cwts_domain::Timestamp;

use crate::desk::TradingSummary;
use crate::snapshot::{Activity, Sample};

/// Half an hour of seconds.
const SAMPLES: usize = 1800;
const ACTIVITIES: usize = 50;

/// Bounded history. The newest entries push out the oldest.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    samples: Mutex<VecDeque<Sample>>,
    activities: Mutex<VecDeque<Activity>>,
    trading: Mutex<Option<TradingSummary>>,
}

impl Telemetry {
    pub(crate) fn push_sample(&self, sample: Sample) {
        push_bounded(&mut lock(&self.samples), sample, SAMPLES);
    }

    pub(crate) fn push_activity(&self, at: Timestamp, text: String) -> Activity {
        let activity = Activity { at: at.millis(), text };
        push_bounded(&mut lock(&self.activities), activity.clone(), ACTIVITIES);
        activity
    }

    /// How the account stands by now.
    pub(crate) fn set_trading(&self, trading: Option<TradingSummary>) {
        *lock(&self.trading) = trading;
    }

    pub(crate) fn trading(&self) -> Option<TradingSummary> {
        lock(&self.trading).clone()
    }

    pub(crate) fn samples(&self) -> Vec<Sample> {
        lock(&self.samples).iter().copied().collect()
    }

    pub(crate) fn activities(&self) -> Vec<Activity> {
        lock(&self.activities).iter().cloned().collect()
    }
}

fn push_bounded<T>(items: &mut VecDeque<T>, item: T, most: usize) {
    if items.len() == most {
        items.pop_front();
    }
    items.push_back(item);
}

/// The history stays usable when a thread ended while it wrote: at worst the newest entry is missing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_is_bounded_and_keeps_the_newest() {
        let telemetry = Telemetry::default();
        for at in 0..60_i64 {
            telemetry.push_activity(Timestamp(at * 1_000_000), format!("number {at}"));
        }
        let activities = telemetry.activities();
        assert_eq!(activities.len(), ACTIVITIES, "a long run must not grow");
        assert_eq!(activities.last().map(|last| last.at), Some(59), "the newest is last");
    }
}
