//! Runs the connection test of the page that shows it, as long as it shows it.
//!
//! One page, one test: another one, and a page that goes away, end it with its connections.

use cwts_domain::{ErrorCode, Problem};
use cwts_runtime::{Instance, Progress, ServiceTest, TestChoice};
use tauri::async_runtime;
use tauri::ipc::Channel;

use crate::page_task::PageTask;

/// The test that runs, if one does.
#[derive(Debug, Default)]
pub(crate) struct TestFeed(PageTask);

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
        self.0.replace(&task);
        match task.await {
            Ok(tested) => tested,
            Err(_) => Err(Problem::new(ErrorCode::WrongState, "The test was ended before it was over.")),
        }
    }

    /// Ends the test: nobody looks any more.
    pub(crate) fn end(&self) {
        self.0.end();
    }
}
