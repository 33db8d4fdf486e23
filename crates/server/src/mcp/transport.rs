//! A WebSocket as an rmcp transport. JSON-RPC faults that rmcp does not answer are answered here.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use cwts_domain::Service;
use cwts_runtime::{Caller, ConnectedClient, Connection, Instance};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, GetExtensions as _, JsonRpcNotification, JsonRpcRequest,
    RequestId,
};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::Value;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Error as WebSocketError;

use crate::clients;
use crate::limits::WebSocketLimits;
use crate::mcp::direct::{Direct, Outlet};
use crate::mcp::error::{MAX_UNDER_WAY, OneTooMany};
use crate::mcp::handler::TradingServer;
use crate::mcp::keepalive::{Due, Keepalive};
use crate::mcp::message::{self, Fault};
use crate::mcp::turn::Turns;

/// Close code 1012, "service restart": the client should connect again (IANA WebSocket close code registry).
pub const SERVICE_RESTART: u16 = close_code::RESTART;
/// The reason beside code 1008 where the token was replaced: a client that reads its token anew may connect again.
pub const REPLACED: &str = "the token was replaced";

/// The reason beside code 1008 where a person ended the connection.
const DISCONNECTED: &str = "disconnected by the owner";

/// Answers that may wait for one client to read. Above it the client's requests are not read either, so that TCP slows it
/// down.
const MAX_UNSENT: usize = 64;

/// How long what a client still sends is read after its end.
const LINGER: Duration = Duration::from_secs(1);

pub(crate) type Sink = Arc<Mutex<SplitSink<WebSocket, Message>>>;

/// One client's WebSocket.
pub(crate) struct WebSocketTransport {
    sink: Sink,
    stream: SplitStream<WebSocket>,
    /// Keeps the connection counted and drained for as long as the WebSocket lives.
    connection: Connection,
    /// Who is at the other end. Goes with every tool call.
    caller: Caller,
    /// Its row in the list of clients.
    client: ConnectedClient,
    introduced: bool,
    instance: Instance,
    keepalive: Keepalive,
    turns: Turns,
    direct: Direct,
    /// Places for requests under way.
    places: Arc<Semaphore>,
    /// The place of the next request.
    place: Option<OwnedSemaphorePermit>,
    unsent: watch::Sender<usize>,
}

/// Counts an answer until it is sent or given up.
pub(crate) struct Unsent(watch::Sender<usize>);

impl Unsent {
    pub(crate) fn count(unsent: &watch::Sender<usize>) -> Self {
        unsent.send_modify(|count| *count += 1);
        Self(unsent.clone())
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Ends the WebSocket after its session, also where rmcp gave up before there was one.
pub(crate) struct Ending {
    sink: Sink,
    connection: Connection,
}

impl Ending {
    /// Sends a close frame, unless one was sent before or the client is gone.
    pub(crate) async fn close(self, code: u16, reason: &'static str) {
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let sent = async { self.sink.lock().await.send(frame).await };
        tokio::select! {
            sent = sent => drop(sent),
            () = self.connection.aborted() => {}
        }
    }
}

impl WebSocketTransport {
    pub(crate) fn new(
        socket: WebSocket,
        connection: Connection,
        caller: Caller,
        client: ConnectedClient,
        server: TradingServer,
        limits: WebSocketLimits,
    ) -> Self {
        let (sink, stream) = socket.split();
        let (sink, unsent, instance) = (Arc::new(Mutex::new(sink)), watch::Sender::new(0), server.instance.clone());
        let sent = instance.metrics().websocket_messages.with_label_values(&["out"]);
        let outlet = Outlet { sink: Arc::clone(&sink), connection: connection.clone(), unsent: unsent.clone(), sent };
        Self {
            direct: Direct::new(server, caller.clone(), client.clone(), outlet),
            sink,
            stream,
            connection,
            caller,
            client,
            introduced: false,
            instance,
            keepalive: Keepalive::new(limits, Instant::now()),
            turns: Turns::default(),
            places: Arc::new(Semaphore::new(MAX_UNDER_WAY)),
            place: None,
            unsent,
        }
    }

    pub(crate) fn ending(&self) -> Ending {
        Ending { sink: Arc::clone(&self.sink), connection: self.connection.clone() }
    }

    fn count(&self) {
        self.instance.meter(Service::McpWebsocket).count(self.instance.clock().now());
        self.instance.metrics().websocket_messages.with_label_values(&["in"]).inc();
        self.client.count();
    }

    /// The message in a text frame; `None` where a fault was answered.
    fn parse(&self, text: &str) -> Option<RxJsonRpcMessage<RoleServer>> {
        message::read(text.as_bytes()).map_err(|fault| self.refuse(&fault)).ok()
    }

    /// Answers with a fault. By a task of its own: rmcp drops the future that reads whenever it has something else to do.
    fn refuse(&self, fault: &Fault) {
        self.client.refused(fault.text(), self.instance.clock().now());
        let text = Message::text(fault.to_json().to_string());
        let (sink, connection) = (Arc::clone(&self.sink), self.connection.clone());
        let unsent = Unsent::count(&self.unsent);
        tokio::spawn(async move {
            tokio::select! {
                // A client that has gone shows when the next frame is read.
                sent = async { sink.lock().await.send(text).await } => drop(sent),
                () = connection.aborted() => {}
            }
            drop(unsent);
        });
    }

    /// A place for the next request. False where as many are under way as may be.
    fn reserve_place(&mut self) -> bool {
        if self.place.is_none() {
            self.place = Arc::clone(&self.places).try_acquire_owned().ok();
        }
        self.place.is_some()
    }

    /// Gives a request its place, and a tool call its turn, so that orders keep their order.
    fn admit(&mut self, mut message: RxJsonRpcMessage<RoleServer>) -> Result<RxJsonRpcMessage<RoleServer>, Fault> {
        match &mut message {
            ClientJsonRpcMessage::Request(JsonRpcRequest { id, request, .. }) => self.admit_request(id, request)?,
            ClientJsonRpcMessage::Notification(JsonRpcNotification {
                notification: ClientNotification::CancelledNotification(cancelled),
                ..
            }) => {
                if let Some(id) = &cancelled.params.request_id {
                    self.direct.withdraw(id);
                }
            }
            _ => {}
        }
        Ok(message)
    }

    fn admit_request(&mut self, id: &RequestId, request: &mut ClientRequest) -> Result<(), Fault> {
        self.meet(request);
        match request {
            ClientRequest::CallToolRequest(call) => {
                if let Some(place) = self.place.take() {
                    call.extensions.insert(self.turns.next(Some(place)));
                } else {
                    call.extensions.insert(OneTooMany);
                }
                call.extensions.insert(self.caller.clone());
                call.extensions.insert(self.client.clone());
            }
            // Streams have a limit of their own, and whoever asks whether somebody is there is always answered.
            ClientRequest::SubscriptionsListenRequest(_)
            | ClientRequest::InitializeRequest(_)
            | ClientRequest::PingRequest(_) => {}
            other => {
                let place = self.place.take().ok_or_else(|| Fault::one_too_many(id))?;
                // Given back when the request is done.
                other.extensions_mut().insert(Arc::new(place));
            }
        }
        Ok(())
    }

    /// Notes the name of the client once it says it.
    fn meet(&mut self, request: &ClientRequest) {
        if let Some(info) = clients::introduction(request).filter(|_| !self.introduced) {
            self.introduced = true;
            self.client.introduce(&info.name, &info.version);
            // rmcp answers `initialize` by our handler, which says it itself.
            if !matches!(request, ClientRequest::InitializeRequest(_)) {
                clients::welcome(&self.instance, Service::McpWebsocket, &info.name);
            }
        }
    }

    /// Waits until the client has taken most of its answers. Ends early when the socket drains or the token is replaced.
    async fn is_heard(&mut self) {
        if *self.unsent.borrow() < MAX_UNSENT {
            return;
        }
        let (connection, caller, client) = (self.connection.clone(), self.caller.clone(), self.client.clone());
        let mut unsent = self.unsent.subscribe();
        self.keepalive.stop_listening();
        tokio::select! {
            // The sender lives as long as the transport.
            taken = unsent.wait_for(|count| *count < MAX_UNSENT) => drop(taken),
            () = connection.draining() => {}
            () = caller.replaced() => {}
            () = client.disconnected() => {}
        }
    }

    /// The next frame. Asks a silent client whether it is there, and gives it up when it does not answer.
    async fn next_frame(&mut self) -> Option<Message> {
        self.keepalive.listen(Instant::now());
        loop {
            let frame = tokio::select! {
                () = self.connection.draining() => {
                    self.ending().close(SERVICE_RESTART, "the service moves or stops").await;
                    return None;
                }
                () = self.caller.replaced() => {
                    self.ending().close(close_code::POLICY, REPLACED).await;
                    return None;
                }
                () = self.client.disconnected() => {
                    self.ending().close(close_code::POLICY, DISCONNECTED).await;
                    return None;
                }
                frame = tokio::time::timeout_at(self.keepalive.deadline(), self.stream.next()) => frame,
            };
            match frame {
                Ok(Some(Ok(frame))) => {
                    self.keepalive.heard(Instant::now());
                    return Some(frame);
                }
                Ok(Some(Err(error))) => {
                    tracing::debug!(peer = %self.connection.peer(), %error, "WebSocket failed");
                    if let Some((code, reason)) = fault_of_client(error) {
                        self.ending().close(code, reason).await;
                    }
                    return None;
                }
                Ok(None) => return None,
                Err(_) => match self.keepalive.due(Instant::now()) {
                    Due::Ping => self.ping().await,
                    Due::Close => {
                        tracing::debug!(peer = %self.connection.peer(), "a WebSocket's client answers no ping");
                        self.ending().close(close_code::POLICY, "no answer to pings").await;
                        return None;
                    }
                },
            }
        }
    }

    async fn ping(&self) {
        // While something is being sent, TCP already tells whether the client is there.
        let Ok(mut sink) = self.sink.try_lock() else { return };
        tokio::select! {
            // A failure shows when the next frame is read.
            sent = sink.send(Message::Ping(Default::default())) => drop(sent),
            () = self.connection.aborted() => {}
        }
    }

    /// Counts a frame that brought no message; `Err` when the client sends nothing else.
    async fn count_noise(&mut self) -> Result<(), ()> {
        if !self.keepalive.is_noisy(Instant::now()) {
            return Ok(());
        }
        self.ending().close(close_code::POLICY, "too many frames without a message").await;
        self.linger().await;
        Err(())
    }

    /// Takes what is still under way from a client that was just told the end: TCP answers what nobody reads with a reset
    /// (RFC 1122, section 4.2.2.13), and that would overtake the close frame.
    async fn linger(&mut self) {
        let rest = async { while let Some(Ok(_)) = self.stream.next().await {} };
        tokio::select! {
            // A client that goes on until then is cut off.
            rest = tokio::time::timeout(LINGER, rest) => drop(rest),
            () = self.connection.aborted() => {}
        }
    }
}

/// The close code (RFC 6455 section 7.4.1) for a fault that leaves the connection able to tell it.
fn fault_of_client(error: axum::Error) -> Option<(u16, &'static str)> {
    match error.into_inner().downcast_ref()? {
        WebSocketError::Capacity(_) => Some((close_code::SIZE, "a message may have 1 MiB")),
        WebSocketError::Utf8(_) => Some((close_code::INVALID, "text must be UTF-8")),
        WebSocketError::Protocol(_) => Some((close_code::PROTOCOL, "no WebSocket frame")),
        _ => None,
    }
}

impl Transport<RoleServer> for WebSocketTransport {
    type Error = axum::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), axum::Error>> + Send + 'static {
        self.direct.observe(&message);
        let sink = Arc::clone(&self.sink);
        let connection = self.connection.clone();
        let unsent = Unsent::count(&self.unsent);
        let sent = self.instance.metrics().websocket_messages.with_label_values(&["out"]);
        async move {
            let text = serde_json::to_string(&message).map_err(axum::Error::new)?;
            // A client that does not read must not outlive the drain's deadline.
            tokio::select! {
                done = async { sink.lock().await.send(Message::text(text)).await } => done?,
                () = connection.aborted() => {}
            }
            sent.inc();
            drop(unsent);
            Ok(())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            self.is_heard().await;
            let message = match self.next_frame().await? {
                Message::Text(text) => {
                    self.count();
                    if self.reserve_place() && self.direct.take(&text, || self.turns.next(self.place.take())) {
                        continue;
                    }
                    self.parse(&text)
                }
                Message::Binary(_) => {
                    self.refuse(&Fault::invalid_request("MCP uses text frames", Value::Null));
                    None
                }
                Message::Ping(_) | Message::Pong(_) => None,
                Message::Close(_) => return None,
            };
            match message.map(|message| self.admit(message)) {
                Some(Ok(message)) => return Some(message),
                Some(Err(fault)) => self.refuse(&fault),
                None => self.count_noise().await.ok()?,
            }
        }
    }

    async fn close(&mut self) -> Result<(), axum::Error> {
        // A client that has gone takes nothing any more, which is no failure of the session.
        tokio::select! {
            flushed = async { self.sink.lock().await.flush().await } => drop(flushed),
            () = self.connection.aborted() => {}
        }
        Ok(())
    }
}
