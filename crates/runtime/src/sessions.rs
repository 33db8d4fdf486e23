//! Sessions that may outlive their connection: a stop waits for their end too.

use std::time::Duration;

use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::instance::Instance;

/// How long they may take.
const DEADLINE: Duration = Duration::from_secs(1);

impl Instance {
    /// To be held by a session for as long as it lives.
    pub fn session_token(&self) -> TaskTrackerToken {
        self.shared().sessions.token()
    }

    /// Waits until the sessions have ended, but not for one that hangs.
    pub(crate) async fn end_sessions(&self) {
        let sessions = &self.shared().sessions;
        sessions.close();
        if tokio::time::timeout(DEADLINE, sessions.wait()).await.is_err() {
            tracing::warn!(count = sessions.len(), "Sessions have not ended in time");
        }
        sessions.reopen();
    }
}
