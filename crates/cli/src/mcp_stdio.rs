//! `mcp-stdio`: MCP on standard input and output, for clients that start their servers themselves. Every line goes to the
//! running instance, and every message of the instance becomes a line.
//!
//! The client has one session for as long as this program runs. The connection behind it may change: when the instance
//! moves to another port, starts again, or its token is replaced, this connects anew and opens the session again, with what
//! the client had subscribed to ([`session`]).

mod session;

use std::io::{self, BufRead as _, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use cwts_config::Sources;
use cwts_credentials::{Scope, TokenStore, Tokens};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_server::{REPLACED, SERVICE_RESTART};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use session::{Session, answer_id};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::failure::Failure;
use crate::wait::block_on;

/// How long an instance that moves or starts again may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is looked for meanwhile.
const LOOK: Duration = Duration::from_millis(250);
/// Lines that may wait for the connection.
const QUEUE: usize = 64;
/// Of JSON-RPC: an error of the server's own.
const SERVER_ERROR: i32 = -32000;

type Socket = WebSocketStream<TcpStream>;

pub(crate) fn execute(sources: &Sources) -> Result<ExitCode, Failure> {
    block_on(async { Relay::open(sources).await?.run(read_lines()).await })??;
    Ok(ExitCode::SUCCESS)
}

/// Standard input cannot be awaited: a thread reads it until its end.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(QUEUE);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// One client's session, whatever carries it at the moment.
struct Relay<'a> {
    sources: &'a Sources,
    socket: Socket,
    session: Session,
}

/// Why the connection ended.
enum Ended {
    /// The client has closed its end.
    ByClient,
    /// Connecting anew is worthwhile.
    Lost,
    /// The server does not want the client.
    Refused(String),
}

impl<'a> Relay<'a> {
    async fn open(sources: &'a Sources) -> Result<Self, Problem> {
        let socket = connect(sources).await?;
        Ok(Self { sources, socket, session: Session::default() })
    }

    async fn run(mut self, mut lines: mpsc::Receiver<String>) -> Result<(), Problem> {
        loop {
            match self.carry(&mut lines).await {
                Ended::ByClient => {
                    // The server has seen everything already, and a connection that ends says the same.
                    self.socket.close(None).await.ok();
                    return Ok(());
                }
                Ended::Lost => {
                    self.answer_pending();
                    self.reconnect().await?;
                }
                Ended::Refused(reason) => {
                    let message = format!("Instance {} ended the connection: {reason}.", self.sources.instance());
                    return Err(Problem::new(ErrorCode::NotPermitted, message));
                }
            }
        }
    }

    /// Carries messages both ways until one end is gone.
    async fn carry(&mut self, lines: &mut mpsc::Receiver<String>) -> Ended {
        loop {
            tokio::select! {
                line = lines.recv() => {
                    let Some(line) = line else { return Ended::ByClient };
                    if line.trim().is_empty() {
                        continue;
                    }
                    self.session.note(&line);
                    if self.socket.send(Message::text(line)).await.is_err() {
                        return Ended::Lost;
                    }
                }
                frame = self.socket.next() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        if self.session.hears(&text) && write_line(&text).is_err() {
                            return Ended::ByClient;
                        }
                    }
                    Some(Ok(Message::Close(frame))) => return ended(frame),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Ended::Lost,
                },
            }
        }
    }

    /// Tells the client that nobody knows what became of its requests.
    fn answer_pending(&mut self) {
        for id in self.session.give_up() {
            let message =
                "The connection to the instance ended before the answer came. Look at what was done, then repeat.";
            let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": SERVER_ERROR, "message": message } });
            // A client that has gone shows when its lines end.
            write_line(&error.to_string()).ok();
        }
    }

    /// Connects anew, wherever the instance is by now, and opens the session as the client did.
    async fn reconnect(&mut self) -> Result<(), Problem> {
        let mut why = not_running(self.sources);
        let again = async {
            let mut ticks = tokio::time::interval(LOOK);
            loop {
                ticks.tick().await;
                match connect(self.sources).await {
                    Ok(mut socket) => {
                        if resume(&mut socket, &self.session).await {
                            return socket;
                        }
                    }
                    Err(problem) => why = problem,
                }
            }
        };
        let Ok(socket) = tokio::time::timeout(PATIENCE, again).await else { return Err(why) };
        self.socket = socket;
        // What changed meanwhile nobody has told.
        for notification in self.session.restored() {
            write_line(&notification.to_string()).ok();
        }
        Ok(())
    }
}

/// Repeats the client's first messages and its subscriptions; it has their answers already. False when the connection ends
/// meanwhile.
async fn resume(socket: &mut Socket, session: &Session) -> bool {
    for (line, id) in session.opening() {
        if socket.send(Message::text(line)).await.is_err() {
            return false;
        }
        while let Some(id) = id {
            match socket.next().await {
                Some(Ok(Message::Text(text))) if answer_id(&text).as_ref() == Some(id) => break,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
                Some(Ok(_)) => {}
            }
        }
    }
    for line in session.streams() {
        if socket.send(Message::text(line)).await.is_err() {
            return false;
        }
    }
    true
}

fn ended(frame: Option<CloseFrame>) -> Ended {
    match frame {
        Some(frame) if u16::from(frame.code) == SERVICE_RESTART || frame.reason == REPLACED => Ended::Lost,
        Some(frame) if !frame.reason.is_empty() => Ended::Refused(frame.reason.to_string()),
        _ => Ended::Lost,
    }
}

fn write_line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Opens a WebSocket to the instance where it listens at this moment, with the token of this moment.
async fn connect(sources: &Sources) -> Result<Socket, Problem> {
    let looked = sources.clone();
    let found = tokio::task::spawn_blocking(move || find(&looked)).await;
    let (address, tokens) = found.unwrap_or_else(|_| Err(not_running(sources)))?;
    let failed = |error: &dyn std::fmt::Display| {
        Problem::new(ErrorCode::WrongState, format!("Instance {} at {address}: {error}.", sources.instance()))
    };
    let mut request = format!("ws://{address}/mcp").into_client_request().map_err(|error| failed(&error))?;
    let bearer = format!("Bearer {}", tokens.get(Scope::Trade).secret.expose());
    let bearer = HeaderValue::from_str(&bearer).map_err(|error| failed(&error))?;
    request.headers_mut().insert("authorization", bearer);
    let stream = TcpStream::connect(address).await.map_err(|error| failed(&error))?;
    let opened = client_async(request, stream).await;
    opened.map(|(socket, _)| socket).map_err(|error| match error {
        Error::Http(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
            failed(&"it does not take the token in its folder")
                .with_help("Make new ones with `cwts-ultra token rotate`.")
        }
        Error::Http(answer) => failed(&format!("it answers {}", answer.status())),
        error => failed(&error),
    })
}

/// Where the running instance serves MCP over WebSocket to this computer, and its tokens. Blocks.
fn find(sources: &Sources) -> Result<(SocketAddr, Tokens), Problem> {
    let running = cwts_runtime::running_instances(sources.home());
    let running = running.into_iter().find(|one| one.id == sources.instance().as_str());
    let pid = running.ok_or_else(|| not_running(sources))?.pid;
    // Without them the instance does not say where it listens.
    let tokens = TokenStore::new(&sources.data()).open_or_make().map_err(Problem::from)?;
    let addresses = cwts_runtime::running_addresses(sources, pid).ok_or_else(|| not_running(sources))?;
    let bound = addresses.into_iter().find(|(service, _)| *service == Service::McpWebsocket);
    let (_, bound) = bound.ok_or_else(|| not_running(sources))?;
    Ok((cwts_runtime::reachable_here(bound), tokens))
}

fn not_running(sources: &Sources) -> Problem {
    Problem::new(ErrorCode::WrongState, format!("Instance {} does not run.", sources.instance()))
        .with_help("Start it in the panel or with `cwts-ultra run`, then start the client again.")
}
