//! Carries the events of the instance to the page in the window.
//!
//! One page, one feed: a page that is loaded anew subscribes anew, and the feed of the old page ends, since a channel
//! does not notice that its page is gone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cwts_runtime::{Instance, InstanceEvent};
use tauri::async_runtime::{self, JoinHandle};
use tauri::ipc::Channel;
use tokio::sync::broadcast::error::RecvError;

/// The feed of the page that the window shows, if it has asked for one.
#[derive(Debug, Default)]
pub(crate) struct Feed(Mutex<Option<JoinHandle<()>>>);

impl Feed {
    /// Sends the present picture and every later event to `channel`, and no more to the channel before it.
    pub(crate) fn replace(&self, instance: &Instance, channel: Channel<InstanceEvent>) {
        let task = async_runtime::spawn(forward(instance.clone(), channel));
        if let Some(old) = self.task().replace(task) {
            old.abort();
        }
    }

    /// Ends the feed: its page is being left.
    pub(crate) fn end(&self) {
        if let Some(old) = self.task().take() {
            old.abort();
        }
    }

    /// Whether a page listens, so that it can be asked something.
    pub(crate) fn is_alive(&self) -> bool {
        self.task().as_ref().is_some_and(|task| !task.inner().is_finished())
    }

    fn task(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends when the instance or the channel does.
async fn forward(instance: Instance, channel: Channel<InstanceEvent>) {
    // Listening before the first picture: a change between the two arrives twice, never not at all.
    let mut events = instance.subscribe();
    let mut event = InstanceEvent::Snapshot(instance.snapshot());
    while channel.send(event).is_ok() {
        event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => InstanceEvent::Snapshot(instance.snapshot()),
            Err(RecvError::Closed) => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver};
    use std::time::Duration;

    use cwts_config::{Environment, InstanceId, Sources};
    use cwts_runtime::Host;
    use tauri::ipc::InvokeResponseBody;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    fn instance(host: &Host, home: &tempfile::TempDir) -> Instance {
        let sources = Sources::new(home.path(), InstanceId::default(), None, Environment::empty()).unwrap();
        host.open(sources, cwts_server::services()).unwrap()
    }

    /// A page that notes what it is sent, and takes at most `limit` events.
    fn page(limit: usize) -> (Channel<InstanceEvent>, Receiver<String>) {
        let (sender, receiver) = mpsc::sync_channel(limit);
        let channel = Channel::new(move |body| {
            let InvokeResponseBody::Json(text) = body else { panic!("events go to the page as JSON") };
            sender.try_send(text).map_err(|error| std::io::Error::other(error).into())
        });
        (channel, receiver)
    }

    #[test]
    fn a_page_gets_the_present_picture_first_and_then_every_event() {
        let (host, home) = (Host::new().unwrap(), tempfile::tempdir().unwrap());
        let (instance, feed) = (instance(&host, &home), Feed::default());
        let (channel, events) = page(16);
        feed.replace(&instance, channel);
        let first = events.recv_timeout(DEADLINE).expect("the picture must come without a change");
        assert!(first.starts_with(r#"{"type":"snapshot""#), "a page that just loaded knows nothing yet: {first}");
        instance.record("a client came");
        let second = events.recv_timeout(DEADLINE).expect("an event must reach the page");
        assert!(second.contains("a client came"), "events follow in order: {second}");
    }

    #[test]
    fn a_page_that_loads_anew_takes_over_from_the_old_one() {
        let (host, home) = (Host::new().unwrap(), tempfile::tempdir().unwrap());
        let (instance, feed) = (instance(&host, &home), Feed::default());
        let (old, old_events) = page(16);
        feed.replace(&instance, old);
        old_events.recv_timeout(DEADLINE).expect("the old page was served");
        let (new, new_events) = page(16);
        feed.replace(&instance, new);
        new_events.recv_timeout(DEADLINE).expect("the new page is served");
        let ended = old_events.recv_timeout(DEADLINE);
        assert_eq!(ended, Err(mpsc::RecvTimeoutError::Disconnected), "a feed without a page must end, not pile up");
    }

    #[test]
    fn a_feed_ends_with_its_page_or_its_channel() {
        let (host, home) = (Host::new().unwrap(), tempfile::tempdir().unwrap());
        let (instance, feed) = (instance(&host, &home), Feed::default());
        assert!(!feed.is_alive(), "nobody has subscribed yet");
        let (channel, events) = page(16);
        feed.replace(&instance, channel);
        assert!(feed.is_alive(), "a subscribed page can be asked");
        feed.end();
        assert!(!feed.is_alive(), "a page that is being left cannot be asked");
        drop(events);

        let (broken, events) = page(1);
        feed.replace(&instance, broken);
        drop(events);
        instance.record("nobody reads this");
        instance.record("nor this");
        let task = feed.task().take().expect("the page subscribed");
        let ended = async_runtime::block_on(async { tokio::time::timeout(DEADLINE, task).await });
        ended.expect("a broken channel must end the feed").expect("without a panic");
    }
}
