//! The calls of one connection run one after the other, in the order in which they came.
//!
//! rmcp gives each request a task of its own, so a cancel could overtake its order. Turns are handed out while messages
//! are read; reading itself never waits, so pings and cancellations still get through. A call that asks the exchange once
//! hands its turn on when it has asked: the exchange answers in the order in which it was asked, and the orders of one
//! connection share a commit of the journal.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

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
pub(crate) struct Running {
    next: Option<oneshot::Sender<()>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Running {
    /// Lets the next call run although this one has not ended.
    pub(crate) fn hand_on(&mut self) {
        self.next = None;
    }
}

impl Turns {
    pub(crate) fn next(&mut self, permit: Option<OwnedSemaphorePermit>) -> Turn {
        let (sender, ended) = oneshot::channel();
        let before = self.last.replace(ended);
        let running = Running { next: Some(sender), _permit: permit };
        Turn(Arc::new(Mutex::new(Some(Place { before, running }))))
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

/// Runs a call to its end. One that asks the exchange only once hands its turn on as soon as it waits for the answer.
pub(crate) async fn run<T>(call: impl Future<Output = T>, mut running: Option<Running>, asks_once: bool) -> T {
    let mut call = pin!(call);
    let first = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
    if let Poll::Ready(answer) = first {
        return answer;
    }
    if let Some(running) = running.as_mut().filter(|_| asks_once) {
        running.hand_on();
    }
    call.await
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
    #[tokio::test]
    async fn a_call_that_has_asked_lets_the_next_one_ask() {
        for asks_once in [true, false] {
            let mut turns = Turns::default();
            let (first, second) = (turns.next(None), turns.next(None));
            let (answer, asked) = oneshot::channel::<u8>();
            let first = first.come().await;
            let mut first = tokio::spawn(run(asked, first, asks_once));
            let next = tokio::time::timeout(std::time::Duration::from_millis(50), second.come()).await;
            assert_eq!(next.is_ok(), asks_once, "only a call that asks once may be followed before its answer");
            assert!(!first.is_finished(), "it still waits for its answer");
            answer.send(7).expect("the call waits");
            assert_eq!((&mut first).await.expect("the task ends"), Ok(7), "and gets it");
        }
    }
}
