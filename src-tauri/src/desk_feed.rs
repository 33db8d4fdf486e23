//! Carries one market and the paper account to the page that shows them, as long as it shows them.
//!
//! One page, one feed, as with the events of the instances. However much happens on the exchange, the page is told at most
//! once in [`PERIOD`], and only what is different then.

use std::time::Duration;

use cwts_runtime::{DeskMessage, DeskWatch};
use tauri::async_runtime;
use tauri::ipc::Channel;
use tokio::time::{MissedTickBehavior, interval};

use crate::page_task::PageTask;

/// Faster than anybody reads a figure, and slow enough that a page has painted the last news before the next.
const PERIOD: Duration = Duration::from_millis(50);

/// The feed of the page that shows the desk, if one does.
#[derive(Debug, Default)]
pub(crate) struct DeskFeed(PageTask);

impl DeskFeed {
    /// Sends everything to the channel, and what has changed from then on. The feed that was there before ends.
    pub(crate) fn replace(&self, watch: DeskWatch, channel: Channel<DeskMessage>) {
        self.0.replace(&async_runtime::spawn(forward(watch, channel)));
    }

    /// Ends the feed: nobody looks any more.
    pub(crate) fn end(&self) {
        self.0.end();
    }
}

/// Ends with the channel.
async fn forward(mut watch: DeskWatch, channel: Channel<DeskMessage>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let message = match watch.look().await {
            Ok(None) => continue,
            Ok(Some(news)) => DeskMessage::News(Box::new(news)),
            Err(problem) => DeskMessage::Problem(problem),
        };
        if channel.send(message).is_err() {
            return;
        }
    }
}
