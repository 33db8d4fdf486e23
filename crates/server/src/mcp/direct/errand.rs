//! A call under way. It goes on where its news come from: the exchange answers on its own thread, and waking a task of tokio
//! there, only to write what is known, takes longer than writing it.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::FutureExt as _;

/// What a call does when it can go on.
pub(crate) trait GoOn: Send + Sync + 'static {
    /// Told on any thread, also in the middle of [`Errand::go_on`].
    fn can_go_on(&self, errand: Arc<Errand<Self>>)
    where
        Self: Sized;
}

/// The call. `None` when it has ended.
type Work = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

pub(crate) struct Errand<D> {
    work: Mutex<Option<Work>>,
    /// Something has happened since it was looked at last.
    woken: AtomicBool,
    desk: Arc<D>,
}

impl<D: GoOn> Errand<D> {
    /// A call that nobody has begun yet. Its output is its answer, if somebody wants it.
    pub(crate) fn new(desk: Arc<D>, work: impl Future<Output = Option<String>> + Send + 'static) -> Arc<Self> {
        // A call that panics must end neither the thread of the exchange nor that of others.
        let work = AssertUnwindSafe(work).catch_unwind().map(Result::unwrap_or_default);
        // On a thread of tokio, a call that has used up its budget would ask for another turn again and again.
        let work: Work = Box::pin(tokio::task::unconstrained(work));
        Arc::new(Self { work: Mutex::new(Some(work)), woken: AtomicBool::new(false), desk })
    }

    /// Goes on as far as possible. Returns the answer when this was the last step.
    pub(crate) fn go_on(self: &Arc<Self>) -> Option<String> {
        let waker = Waker::from(Arc::clone(self));
        let mut context = Context::from_waker(&waker);
        let mut answer = None;
        self.woken.store(true, Ordering::SeqCst);
        // Whoever finds it locked leaves the news to whoever holds the lock.
        while self.woken.load(Ordering::SeqCst) {
            let mut work = match self.work.try_lock() {
                Ok(work) => work,
                Err(TryLockError::WouldBlock) => return answer,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            };
            while self.woken.swap(false, Ordering::SeqCst) {
                if let Some(Poll::Ready(output)) = work.as_mut().map(|work| work.as_mut().poll(&mut context)) {
                    *work = None;
                    answer = output;
                }
            }
        }
        answer
    }
}

impl<D: GoOn> Wake for Errand<D> {
    fn wake(self: Arc<Self>) {
        let desk = Arc::clone(&self.desk);
        desk.can_go_on(self);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::thread::{self, ThreadId};

    use tokio::sync::oneshot;

    use super::*;

    /// Goes on at once, and notes where.
    #[derive(Default)]
    struct Answers(Mutex<Vec<(ThreadId, String)>>);

    impl GoOn for Answers {
        fn can_go_on(&self, errand: Arc<Errand<Self>>) {
            let answer = errand.go_on().map(|answer| (thread::current().id(), answer));
            self.0.lock().expect("never poisoned").extend(answer);
        }
    }

    #[test]
    fn a_call_is_answered_on_the_thread_that_has_its_news() {
        let (desk, (tell, news)) = (Arc::<Answers>::default(), oneshot::channel());
        let errand = Errand::new(Arc::clone(&desk), async { news.await.ok() });
        assert_eq!(errand.go_on(), None, "there are no news yet");
        let teller = thread::spawn(move || tell.send("filled".to_owned()));
        let there = teller.thread().id();
        teller.join().expect("the thread ends").expect("the call waits");
        assert_eq!(*desk.0.lock().unwrap(), [(there, "filled".to_owned())], "no other thread has to wake up for it");
    }

    #[test]
    fn news_in_the_middle_of_a_step_are_not_lost() {
        let mut steps = 0;
        let work = poll_fn(move |context| {
            steps += 1;
            context.waker().wake_by_ref();
            if steps == 5 { Poll::Ready(Some("done".to_owned())) } else { Poll::Pending }
        });
        let errand = Errand::new(Arc::<Answers>::default(), work);
        assert_eq!(errand.go_on(), Some("done".to_owned()), "each step was told that there is more");
        assert_eq!(errand.go_on(), None, "and a call has one answer");
    }

    #[test]
    fn news_from_two_threads_give_one_answer() {
        for _ in 0..1000 {
            let (desk, (tell, news)) = (Arc::<Answers>::default(), oneshot::channel());
            let errand = Errand::new(Arc::clone(&desk), async { news.await.ok() });
            let teller = thread::spawn(move || tell.send("filled".to_owned()));
            let here = errand.go_on();
            teller.join().expect("the thread ends").expect("the call waits");
            let answers = usize::from(here.is_some()) + desk.0.lock().unwrap().len();
            assert_eq!(answers, 1, "whoever looks second leaves it to the first");
        }
    }

    #[test]
    fn a_call_that_panics_ends_only_itself() {
        let errand = Errand::new(Arc::<Answers>::default(), async { panic!("in the thread of the exchange") });
        assert_eq!(errand.go_on(), None, "it has no answer");
        assert_eq!(errand.go_on(), None, "and is over");
    }
}
