//! Work for the page in the window, which ends when other work takes its place or the page goes away.

use std::sync::{Mutex, PoisonError};

use tauri::async_runtime::JoinHandle;
use tokio::task::AbortHandle;

/// The work that is under way, if there is some.
#[derive(Debug, Default)]
pub(crate) struct PageTask(Mutex<Option<AbortHandle>>);

impl PageTask {
    /// Ends what is under way, for `task`.
    pub(crate) fn replace<T>(&self, task: &JoinHandle<T>) {
        self.swap(Some(task.inner().abort_handle()));
    }

    /// Ends what is under way: nobody looks any more.
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
