//! Runs the connection test of the page that shows it, as long as it shows it.
//!
//! One page, one test: another one, and a page that goes away, end it with its connections.

use std::sync::{Mutex, PoisonError};

use cwts_domain::{ErrorCode, Problem};
use cwts_runtime::{Instance, Progress, ServiceTest, TestChoice};
use tauri::async_runtime;
use tauri::ipc::Channel;
use tokio::task::AbortHandle;

/// The test that runs, if one does.
#[derive(Debug, Default)]
pub(crate) struct TestFeed(Mutex<Option<AbortHandle>>);

impl TestFeed {
    /// Tests, and sends each rung to the channel. The test that ran before ends.
    ///
    /// # Errors
    /// The choice is none, or the test was ended.
    pub(crate) async fn run(
        &self,
        instance: Instance,
        choice: TestChoice,
        channel: Channel<Progress>,
    ) -> Result<Vec<ServiceTest>, Problem> {
        // A page that has gone ends the test by itself, so that a lost rung is nobody's.
        let tell = move |progress| drop(channel.send(progress));
        let task = async_runtime::spawn(async move { instance.test_connections(choice, tell).await });
        self.swap(Some(task.inner().abort_handle()));
        match task.await {
            Ok(tested) => tested,
            Err(_) => Err(Problem::new(ErrorCode::WrongState, "The test was ended before it was over.")),
        }
    }

    /// Ends the test: nobody looks any more.
    pub(crate) fn end(&self) {
        self.swap(None);
    }

    fn swap(&self, task: Option<AbortHandle>) {
        let old = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), task);
        if let Some(old) = old {
            old.abort();
        }
    }
}
