//! Waiting with a deadline that names what was awaited.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

/// Long enough for a busy machine; whatever takes longer is a fault.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// How often [`until`] looks.
const TICK: Duration = Duration::from_millis(10);

/// Awaits an event.
///
/// # Panics
/// It did not come within [`DEADLINE`]; the message names `what`.
pub async fn within<F: Future>(what: &str, event: F) -> F::Output {
    match tokio::time::timeout(DEADLINE, event).await {
        Ok(output) => output,
        Err(_) => panic!("waited {} s in vain for {what}", DEADLINE.as_secs()),
    }
}

/// Looks again and again until `probe` finds something, for conditions that tell nobody when they come true.
///
/// # Panics
/// It found nothing within [`DEADLINE`]; the message names `what`.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    within(what, async {
        loop {
            ticks.tick().await;
            if let Some(found) = probe().await {
                return found;
            }
        }
    })
    .await
}
