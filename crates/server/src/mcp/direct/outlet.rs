//! What reaches the client of a WebSocket without rmcp. Answers of calls go at once where the socket takes them, else by a task
//! that writes what is ready in one go.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::extract::ws::Message;
use cwts_runtime::Connection;
use futures_util::SinkExt as _;
use prometheus::IntCounter;
use rmcp::model::{ServerJsonRpcMessage, ServerNotification};
use tokio::sync::{mpsc, watch};

use super::Desk;
use super::errand::Errand;
use crate::mcp::transport::{Sink, Unsent};

/// Answers that are written in one go.
const BATCH: usize = 64;

/// The socket, for whoever has something for the client.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    pub(crate) sink: Sink,
    pub(crate) connection: Connection,
    pub(crate) unsent: watch::Sender<usize>,
    pub(crate) sent: IntCounter,
}

/// For the task.
pub(super) enum Work {
    /// One of several calls has news; several answers are written in one go.
    GoOn(Arc<Errand<Desk>>),
    Write(String, Unsent),
    /// Handed to the socket, which has not taken all of it.
    Flush(Unsent),
}

impl Outlet {
    /// Writes an answer without waiting. What the socket does not take is left to the task.
    pub(super) fn write_now(&self, answer: String, task: &mpsc::UnboundedSender<Work>) {
        let unsent = Unsent::count(&self.unsent);
        // The task lives as long as the desk.
        let leave = |work| drop(task.send(work));
        let Ok(mut sink) = self.sink.try_lock() else { return leave(Work::Write(answer, unsent)) };
        // The task asks again, and is then woken.
        let mut context = Context::from_waker(Waker::noop());
        match sink.poll_ready_unpin(&mut context) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return,
            Poll::Pending => return leave(Work::Write(answer, unsent)),
        }
        if sink.start_send_unpin(Message::text(answer)).is_err() {
            return;
        }
        match sink.poll_flush_unpin(&mut context) {
            Poll::Ready(Ok(())) => self.sent.inc(),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => leave(Work::Flush(unsent)),
        }
    }

    /// Sends a notification, and waits until it has left. `false` when the client is gone.
    pub(crate) async fn tell(&self, notification: ServerNotification) -> bool {
        let _unsent = Unsent::count(&self.unsent);
        let Ok(text) = serde_json::to_string(&ServerJsonRpcMessage::notification(notification)) else { return false };
        let told = tokio::select! {
            written = self.write_all(vec![text]) => written.is_ok(),
            () = self.connection.aborted() => false,
        };
        self.sent.inc_by(u64::from(told));
        told
    }

    /// Ends when no more can come. Calls of a client that is gone go on too: it has asked for what they do.
    pub(super) async fn write(self, mut work: mpsc::UnboundedReceiver<Work>) {
        let (mut batch, mut gone) = (Vec::with_capacity(BATCH), false);
        while work.recv_many(&mut batch, BATCH).await > 0 {
            let (mut answers, mut counted) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
            for work in batch.drain(..) {
                let (answer, unsent) = match work {
                    Work::GoOn(errand) => match errand.go_on() {
                        Some(answer) => (Some(answer), Unsent::count(&self.unsent)),
                        None => continue,
                    },
                    Work::Write(answer, unsent) => (Some(answer), unsent),
                    Work::Flush(unsent) => (None, unsent),
                };
                answers.extend(answer);
                counted.push(unsent);
            }
            if counted.is_empty() || gone {
                continue;
            }
            tokio::select! {
                written = self.write_all(answers) => gone = written.is_err(),
                // A client that does not read must not outlive the drain's deadline.
                () = self.connection.aborted() => gone = true,
            }
            if !gone {
                self.sent.inc_by(counted.len() as u64);
            }
        }
    }

    async fn write_all(&self, answers: Vec<String>) -> Result<(), axum::Error> {
        let mut sink = self.sink.lock().await;
        for answer in answers {
            sink.feed(Message::text(answer)).await?;
        }
        sink.flush().await
    }
}
