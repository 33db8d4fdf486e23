//! Carries the system's port table to the page that shows it, as long as it shows it.
//!
//! One page, one feed, as with the events of the instances. Without a page that looks, nothing is polled.

use std::time::Duration;

use cwts_runtime::{PortNews, PortWatch, Supervisor};
use tauri::async_runtime;
use tauri::ipc::Channel;
use tokio::time::{MissedTickBehavior, interval};

use crate::page_task::PageTask;

/// How soon a person sees a change.
const PERIOD: Duration = Duration::from_secs(1);

/// The feed of the page that shows the table, if one does.
#[derive(Debug, Default)]
pub(crate) struct PortFeed(PageTask);

impl PortFeed {
    /// Sends the table to the channel, and each change from then on. The feed that was there before ends.
    pub(crate) fn replace(&self, supervisor: &Supervisor, channel: Channel<PortNews>) {
        self.0.replace(&async_runtime::spawn(forward(PortWatch::new(supervisor.clone()), channel)));
    }

    /// Ends the feed: nobody looks any more.
    pub(crate) fn end(&self) {
        self.0.end();
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
