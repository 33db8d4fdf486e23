//! Several services at once, again and again.

use cwts_domain::Service;
use futures_util::future::join_all;
use serde::Serialize;

use crate::{Ladder, Repetitions, Step, Target, Timeouts, climb};

/// A rung of some service that was just tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS), ts(rename = "TestProgress"))]
pub struct Progress {
    /// Which service.
    pub service: Service,
    /// Which repetition, counted from 1.
    pub attempt: u32,
    /// What became of it.
    pub step: Step,
}

/// What the repetitions for one service came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// The first climb that did not hold, else the last one.
    pub ladder: Ladder,
    /// All of them.
    pub repetitions: Repetitions,
}

/// Climbs each target `count` times, all targets at the same time, and tells each rung as soon as it is known. Ends, with
/// all connections, when it is dropped.
pub async fn run(targets: &[Target], timeouts: &Timeouts, count: u32, tell: &(dyn Fn(Progress) + Sync)) -> Vec<Tested> {
    join_all(targets.iter().map(|target| repeat(target, timeouts, count.max(1), tell))).await
}

async fn repeat(target: &Target, timeouts: &Timeouts, count: u32, tell: &(dyn Fn(Progress) + Sync)) -> Tested {
    let mut times = Vec::new();
    let mut shown = None::<Ladder>;
    for attempt in 1..=count {
        let told = |step: &Step| tell(Progress { service: target.service, attempt, step: step.clone() });
        let ladder = climb(target, timeouts, &told).await;
        times.extend(ladder.is_ok().then(|| ladder.millis()));
        if shown.as_ref().is_none_or(Ladder::is_ok) {
            shown = Some(ladder);
        }
    }
    Tested { ladder: shown.unwrap_or_else(|| Ladder::of(target)), repetitions: Repetitions::of(count, times) }
}
