//! Carries the system's port table to the page that shows it, as long as it shows it.
//!
//! One page, one feed, as with the events of the instances. Without a page that looks, nothing is polled.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cwts_runtime::{PortNews, PortWatch, Supervisor};
use tauri::async_runtime::{self, JoinHandle};
use tauri::ipc::Channel;
use tokio::time::{MissedTickBehavior, interval};

/// How soon a person sees a change.
const PERIOD: Duration = Duration::from_secs(1);

/// The feed of the page that shows the table, if one does.
#[derive(Debug, Default)]
pub(crate) struct PortFeed(Mutex<Option<JoinHandle<()>>>);

impl PortFeed {
    /// Sends the table to the channel, and each change from then on. The feed that was there before ends.
    pub(crate) fn replace(&self, supervisor: &Supervisor, channel: Channel<PortNews>) {
        let task = async_runtime::spawn(forward(PortWatch::new(supervisor.clone()), channel));
        self.swap(Some(task));
    }

    /// Ends the feed: nobody looks any more.
    pub(crate) fn end(&self) {
        self.swap(None);
    }

    fn swap(&self, task: Option<JoinHandle<()>>) {
        let old = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), task);
        if let Some(old) = old {
            old.abort();
        }
    }
}

/// Ends with the channel.
async fn forward(mut watch: PortWatch, channel: Channel<PortNews>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let looked = async_runtime::spawn_blocking(move || {
            let news = watch.look();
            (watch, news)
        });
        let Ok((same, news)) = looked.await else { return };
        watch = same;
        if let Some(news) = news
            && channel.send(news).is_err()
        {
            return;
        }
    }
}
