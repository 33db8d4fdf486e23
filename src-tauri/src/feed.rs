//! Carries the events of all instances to the page in the window.
//!
//! One page, one feed: a page that is loaded anew subscribes anew, and the feed of the old page ends, since a channel
//! does not notice that its page is gone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cwts_runtime::{Envelope, InstanceEvent, Snapshot, Supervisor};
use tauri::async_runtime::{self, JoinHandle};
use tauri::ipc::Channel;
use tokio::sync::broadcast::error::RecvError;

/// The feed of the page that the window shows, if it has asked for one.
#[derive(Debug, Default)]
pub(crate) struct Feed(Mutex<Option<JoinHandle<()>>>);

impl Feed {
    /// Sends the present pictures and every later event to `channel`, and no more to the channel before it.
    pub(crate) fn replace(&self, supervisor: &Supervisor, channel: Channel<Envelope>) {
        let task = async_runtime::spawn(forward(supervisor.clone(), channel));
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

/// Ends when the channel does, or with the last instance.
async fn forward(supervisor: Supervisor, channel: Channel<Envelope>) {
    // Listening before the first pictures: a change between the two arrives twice, never not at all.
    let mut events = supervisor.subscribe();
    let mut pending = pictures(&supervisor);
    loop {
        if pending.into_iter().any(|envelope| channel.send(envelope).is_err()) {
            return;
        }
        pending = match events.recv().await {
            Ok(envelope) => vec![envelope],
            Err(RecvError::Lagged(_)) => pictures(&supervisor),
            Err(RecvError::Closed) => return,
        };
    }
}

/// Every instance as it is now.
fn pictures(supervisor: &Supervisor) -> Vec<Envelope> {
    let envelope = |snapshot: Snapshot| Envelope {
        instance: snapshot.instance.clone(),
        event: InstanceEvent::Snapshot(Box::new(snapshot)),
    };
    supervisor.snapshots().into_iter().map(envelope).collect()
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

    fn supervisor(host: &Host, home: &tempfile::TempDir) -> Supervisor {
        let sources = Sources::new(home.path(), InstanceId::default(), None, Environment::empty()).unwrap();
        host.supervise(sources, cwts_server::services()).unwrap()
    }

    /// A page that notes what it is sent, and takes at most `limit` events.
    fn page(limit: usize) -> (Channel<Envelope>, Receiver<String>) {
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
        let (supervisor, feed) = (supervisor(&host, &home), Feed::default());
        let (channel, events) = page(16);
        feed.replace(&supervisor, channel);
        let first = events.recv_timeout(DEADLINE).expect("the picture must come without a change");
        let picture = r#"{"instance":"default","event":{"type":"snapshot""#;
        assert!(first.starts_with(picture), "a page that just loaded knows nothing yet: {first}");
        supervisor.instance("default").unwrap().record("a client came");
        let second = events.recv_timeout(DEADLINE).expect("an event must reach the page");
        assert!(second.contains("a client came"), "events follow in order: {second}");
    }

    #[test]
    fn a_page_that_loads_anew_takes_over_from_the_old_one() {
        let (host, home) = (Host::new().unwrap(), tempfile::tempdir().unwrap());
        let (supervisor, feed) = (supervisor(&host, &home), Feed::default());
        let (old, old_events) = page(16);
        feed.replace(&supervisor, old);
        old_events.recv_timeout(DEADLINE).expect("the old page was served");
        let (new, new_events) = page(16);
        feed.replace(&supervisor, new);
        new_events.recv_timeout(DEADLINE).expect("the new page is served");
        let ended = old_events.recv_timeout(DEADLINE);
        assert_eq!(ended, Err(mpsc::RecvTimeoutError::Disconnected), "a feed without a page must end, not pile up");
    }

    #[test]
    fn a_feed_ends_with_its_page_or_its_channel() {
        let (host, home) = (Host::new().unwrap(), tempfile::tempdir().unwrap());
        let (supervisor, feed) = (supervisor(&host, &home), Feed::default());
        assert!(!feed.is_alive(), "nobody has subscribed yet");
        let (channel, events) = page(16);
        feed.replace(&supervisor, channel);
        assert!(feed.is_alive(), "a subscribed page can be asked");
        feed.end();
        assert!(!feed.is_alive(), "a page that is being left cannot be asked");
        drop(events);

        let (broken, events) = page(1);
        feed.replace(&supervisor, broken);
        drop(events);
        let instance = supervisor.instance("default").unwrap();
        instance.record("nobody reads this");
        instance.record("nor this");
        let task = feed.task().take().expect("the page subscribed");
        let ended = async_runtime::block_on(async { tokio::time::timeout(DEADLINE, task).await });
        ended.expect("a broken channel must end the feed").expect("without a panic");
    }
}
