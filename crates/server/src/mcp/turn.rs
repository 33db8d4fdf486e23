//! The calls of one connection run one after the other, in the order in which they came.
//!
//! rmcp gives each request a task of its own, so a cancel could overtake its order. Turns are handed out while messages
//! are read; reading itself never waits, so pings and cancellations still get through.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Hands out the turns of one connection.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    last: Option<oneshot::Receiver<()>>,
}

/// The right of one call to run after the one before it. Travels in the extensions of the request.
#[derive(Clone, Debug)]
pub(crate) struct Turn(Arc<Mutex<Option<Place>>>);

#[derive(Debug)]
struct Place {
    before: Option<oneshot::Receiver<()>>,
    running: Running,
}

/// Held while the call runs. Dropping it lets the next call run, also when this one is cancelled, and gives back the
/// permit that the call was read with.
#[derive(Debug)]
#[expect(dead_code, reason = "dropping them tells the next call and the reader")]
pub(crate) struct Running(oneshot::Sender<()>, Option<OwnedSemaphorePermit>);

impl Turns {
    pub(crate) fn next(&mut self, permit: Option<OwnedSemaphorePermit>) -> Turn {
        let (sender, ended) = oneshot::channel();
        let before = self.last.replace(ended);
        Turn(Arc::new(Mutex::new(Some(Place { before, running: Running(sender, permit) }))))
    }
}

impl Turn {
    /// Waits for the calls before this one. `None` for a turn that was already taken.
    pub(crate) async fn come(&self) -> Option<Running> {
        let Place { before, running } = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        if let Some(before) = before {
            // Nothing is ever sent: the call before has ended when its sender is gone.
            drop(before.await);
        }
        Some(running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_waits_for_the_one_before_it_and_for_no_other() {
        let mut turns = Turns::default();
        let (first, second, third) = (turns.next(None), turns.next(None), turns.next(None));
        let running = first.come().await.expect("nobody is before the first");
        let mut waiting = tokio::spawn(async move { second.come().await });
        let still = tokio::time::timeout(std::time::Duration::from_millis(20), &mut waiting).await;
        assert!(still.is_err(), "a cancel must not overtake its order");
        drop(running);
        let running = waiting.await.expect("the task ends");
        assert!(running.is_some(), "the second call runs when the first has ended");
        drop(running);
        assert!(third.come().await.is_some(), "a call that was given up does not block the next");
    }
}
