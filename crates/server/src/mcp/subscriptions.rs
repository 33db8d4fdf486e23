//! Tells a client that a resource has changed, in the form of its protocol: `resources/subscribe` with
//! `notifications/resources/updated` up to 2025-11-25, `subscriptions/listen` from 2026-07-28 on.
//!
//! A notification names the resource and the sequence number of its last change. The next one is sent when this one has
//! left, so that a client that reads slowly has one on its way and never a backlog: it reads the resource as it is by then.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cwts_runtime::{Caller, Connection, Instance};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use rmcp::model::{
    ErrorCode, GetMeta as _, ResourceUpdatedNotification, ResourceUpdatedNotificationParam, ServerNotification,
    SubscriptionFilter,
};
use rmcp::service::{Peer, SubscriptionContext};
use rmcp::{ErrorData, RoleServer};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::task::AbortHandle;

use crate::mcp::direct::Outlet;
use crate::mcp::error::{self, OneTooMany};
use crate::mcp::permission::of_client;
use crate::mcp::resources::TradingResource;

/// In `_meta` of a notification: the exchange's sequence number of the change.
const SEQUENCE: &str = "cwts-ultra/sequence";

/// Streams of `subscriptions/listen` that a client may have open on one connection. One can carry every resource.
const MAX_STREAMS: usize = 16;

/// What a client of the session has subscribed to. All end with the session.
#[derive(Clone, Debug)]
pub(crate) struct Subscriptions(Arc<Followers>);

#[derive(Debug)]
struct Followers {
    by_uri: Mutex<HashMap<String, AbortHandle>>,
    streams: Semaphore,
    /// Of a WebSocket. Through rmcp each notification would take two more tasks for each client.
    outlet: OnceLock<Outlet>,
}

impl Drop for Followers {
    fn drop(&mut self) {
        for (_, follower) in self.by_uri.get_mut().unwrap_or_else(PoisonError::into_inner).drain() {
            follower.abort();
        }
    }
}

impl Default for Subscriptions {
    fn default() -> Self {
        let (by_uri, streams) = (Mutex::default(), Semaphore::new(MAX_STREAMS));
        Self(Arc::new(Followers { by_uri, streams, outlet: OnceLock::new() }))
    }
}

impl Subscriptions {
    /// Tells the client of a WebSocket without rmcp.
    pub(crate) fn tell_through(&self, outlet: Outlet) {
        // A session has one socket.
        self.0.outlet.set(outlet).ok();
    }

    /// A place for a stream of `subscriptions/listen`, held for as long as it is open.
    ///
    /// # Errors
    /// The client has too many open.
    pub(crate) fn open_stream(&self) -> Result<SemaphorePermit<'_>, ErrorData> {
        self.0.streams.try_acquire().map_err(|_| {
            let problem = format!("overloaded: {MAX_STREAMS} streams of subscriptions/listen are open; end one first");
            ErrorData::new(ErrorCode(OneTooMany::CODE), problem, Some(error::described(error::OVERLOADED, None)))
        })
    }

    /// Begins to tell; a second subscription to the same resource is the first one.
    pub(crate) fn add(&self, uri: String, changes: watch::Receiver<u64>, peer: Peer<RoleServer>) {
        if let Entry::Vacant(place) = self.0.by_uri.lock().unwrap_or_else(PoisonError::into_inner).entry(uri) {
            let (uri, outlet) = (place.key().clone(), self.0.outlet.get().cloned());
            let follower = tokio::spawn(async move {
                match outlet {
                    Some(outlet) => follow(&uri, changes, |notification| outlet.tell(notification)).await,
                    None => {
                        let send = |notification| peer.send_notification(notification).map(|sent| sent.is_ok());
                        follow(&uri, changes, send).await;
                    }
                }
            });
            place.insert(follower.abort_handle());
        }
    }

    /// Ends a subscription. Ending one that there is not is no fault.
    pub(crate) fn remove(&self, uri: &str) {
        if let Some(follower) = self.0.by_uri.lock().unwrap_or_else(PoisonError::into_inner).remove(uri) {
            follower.abort();
        }
    }
}

/// The changes of the resource of a URI; `None` where nothing can be subscribed to.
pub(crate) fn changes(instance: &Instance, uri: &str) -> Option<watch::Receiver<u64>> {
    instance.exchange().watch(TradingResource::of(instance, uri)?.topic()?)
}

/// What of a wish can be had.
pub(crate) fn accepted(instance: &Instance, wish: &SubscriptionFilter) -> SubscriptionFilter {
    let uris = wish.resource_subscriptions.iter().flatten().filter(|uri| changes(instance, uri).is_some());
    SubscriptionFilter::builder().resource_subscriptions(uris).build()
}

/// Tells the changes of all resources that were accepted, until the client ends it or the server wants it to connect anew.
pub(crate) async fn listen(instance: &Instance, context: &SubscriptionContext) {
    let sink = context.sink();
    let uris = context.accepted().resource_subscriptions.iter().flatten();
    let followers = uris.filter_map(|uri| {
        let changes = changes(instance, uri)?;
        Some(follow(uri, changes, move |notification| sink.send(notification).map(|sent| sent.is_ok())))
    });
    let (followers, extensions) = (join_all(followers), &context.request_context().extensions);
    let told = async {
        // Who asked for nothing that there is waits like the others.
        if followers.await.is_empty() {
            std::future::pending().await
        }
    };
    tokio::select! {
        () = told => {}
        () = context.cancelled() => {}
        () = over(of_client::<Connection>(extensions), Connection::draining) => {}
        () = over(of_client::<Caller>(extensions), Caller::replaced) => {}
    }
}

/// Waits for the end of something that a stream may not outlive. A WebSocket, which knows no such thing, ends by itself.
async fn over<'a, T, F: Future<Output = ()> + 'a>(of: Option<&'a T>, end: impl Fn(&'a T) -> F) {
    match of {
        Some(of) => end(of).await,
        None => std::future::pending().await,
    }
}

/// Sends a notification for each change, or for several that came while the one before was being sent. Ends when the client
/// has gone or the exchange ends.
async fn follow<F: Future<Output = bool>>(
    uri: &str,
    mut changes: watch::Receiver<u64>,
    send: impl Fn(ServerNotification) -> F,
) {
    while changes.changed().await.is_ok() {
        let sequence = *changes.borrow_and_update();
        if !send(updated(uri, sequence)).await {
            return;
        }
    }
}

fn updated(uri: &str, sequence: u64) -> ServerNotification {
    let mut notification = ServerNotification::ResourceUpdatedNotification(ResourceUpdatedNotification::new(
        ResourceUpdatedNotificationParam::new(uri),
    ));
    notification.get_meta_mut().0.insert(SEQUENCE.to_owned(), sequence.into());
    notification
}
