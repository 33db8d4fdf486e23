//! What clients cost that only listen, against bare WebSockets of tokio-tungstenite in the same run: memory of an idle
//! connection, and the time until a change of a book has reached 1,000 subscribers.
//!
//! `scripts/bench/connections.sh [fan-out]`. The servers are processes of their own, started anew for each figure.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cwts_domain::Service;
use cwts_runtime::ConnectionLimits;
use cwts_server::{Limits, RequestLimits, SessionLimits};
use cwts_tests::{Embedded, HttpSession, McpClient, Socket};
use futures_util::future::join_all;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// Idle connections of a measurement.
const IDLE: [usize; 2] = [1_000, 5_000];
const SUBSCRIBERS: usize = 1_000;
/// Changes that are told, after as many again to warm up.
const ROUNDS: usize = 60;
const WARM_UP: usize = 10;
/// Connections that are opened side by side.
const AT_ONCE: usize = 50;
/// Longer than the server waits between two notices of one resource.
const PAUSE: Duration = Duration::from_millis(60);
const BOOK: &str = "trading://order_book/TESTUSD";

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    match std::env::args().nth(1).as_deref() {
        Some("serve") => runtime.block_on(serve()),
        Some("serve-bare") => runtime.block_on(serve_bare()),
        Some("fan-out") => runtime.block_on(measure_fan_out()),
        _ => runtime.block_on(measure()),
    }
}

/// The server under test, with room for all connections of a measurement. Ends with its standard input.
async fn serve() -> Result<(), Failure> {
    let most = 20_000;
    let limits = Limits {
        connections: ConnectionLimits { total: most, per_source: most, ..ConnectionLimits::default() },
        requests: RequestLimits { per_second: 100_000, burst: 100_000 },
        sessions: SessionLimits { total: most, per_source: most, ..SessionLimits::default() },
        ..Limits::default()
    };
    let embedded = Embedded::start_with(limits).await;
    println!("{} {}", embedded.url(Service::McpWebsocket), embedded.url(Service::McpHttp));
    tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await?;
    Ok(())
}

/// WebSockets without anything. What one client sends goes to all others.
async fn serve_bare() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ws://{} -", listener.local_addr()?);
    let all: Arc<Mutex<Vec<mpsc::UnboundedSender<Utf8Bytes>>>> = Arc::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (tell, mut told) = mpsc::unbounded_channel::<Utf8Bytes>();
        let all = Arc::clone(&all);
        tokio::spawn(async move {
            let socket = accept_async(stream).await?;
            let (mut sink, mut frames) = socket.split();
            all.lock().expect("never poisoned").push(tell);
            loop {
                tokio::select! {
                    Some(text) = told.recv() => sink.send(Message::Text(text)).await?,
                    frame = frames.next() => match frame {
                        Some(Ok(Message::Text(text))) => {
                            // The first one is who asks.
                            for tell in all.lock().expect("never poisoned").iter().skip(1) {
                                tell.send(text.clone()).ok();
                            }
                        }
                        Some(Ok(_)) => {}
                        _ => return Ok::<_, Failure>(()),
                    }
                }
            }
        });
    }
}

/// A server in a process of its own.
struct Server {
    process: Child,
    websocket: String,
    http: String,
    _output: BufReader<ChildStdout>,
}

impl Server {
    fn start(kind: &str) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.arg(kind).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(process.stdout.take().ok_or("a pipe")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let (websocket, http) = line.trim().split_once(' ').ok_or("the server did not start")?;
        Ok(Self { process, websocket: websocket.to_owned(), http: http.to_owned(), _output: output })
    }

    /// Resident memory in KiB.
    fn memory(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

async fn measure() -> Result<(), Failure> {
    for count in IDLE {
        let bare = idle("serve-bare", count, async |server| Ok(Socket::open(&server.websocket).await)).await?;
        let socket = idle("serve", count, async |server| Ok(McpClient::connect(&server.websocket).await)).await?;
        let http = idle("serve", count, async |server| Ok(HttpSession::connect(&server.http).await)).await?;
        println!(
            "{count} idle: bare WebSocket {bare:.1} KiB each; MCP WebSocket {socket:.1} KiB, ratio {:.2}; MCP session over \
             HTTP with its connection {http:.1} KiB, ratio {:.2}",
            socket / bare,
            http / bare
        );
        std::io::stdout().flush()?;
    }
    measure_fan_out().await
}

async fn measure_fan_out() -> Result<(), Failure> {
    let ours = fan_out_of_mcp().await?;
    let theirs = fan_out_of_bare(&ours.text).await?;
    for (name, told) in [("MCP", &ours), ("bare", &theirs)] {
        println!(
            "{SUBSCRIBERS} subscribers, {name}: {:.0} notices/s while a change is told; from the change to the client p50 {:.2} \
             ms, p99 {:.2} ms",
            told.per_second, told.p50, told.p99
        );
    }
    println!(
        "fan-out of {} bytes: ratio {:.2} of the bare WebSockets' notices/s (target at least 0.5); p99 ratio {:.2}",
        ours.text.len(),
        ours.per_second / theirs.per_second,
        ours.p99 / theirs.p99
    );
    Ok(())
}

/// KiB of the server for each of many connections that have said hello and are silent.
async fn idle<T>(kind: &str, count: usize, open: impl AsyncFn(&Server) -> Result<T, Failure>) -> Result<f64, Failure> {
    let server = Server::start(kind)?;
    // What the first connection brings into memory stays for all.
    let first = open(&server).await?;
    let before = server.memory()?;
    let mut opened = vec![first];
    while opened.len() <= count {
        let batch = join_all((0..AT_ONCE).map(|_| open(&server))).await;
        opened.extend(batch.into_iter().collect::<Result<Vec<_>, _>>()?);
    }
    tokio::time::interval_at(tokio::time::Instant::now() + PAUSE, PAUSE).tick().await;
    Ok((server.memory()? - before) / (opened.len() - 1) as f64)
}

struct Told {
    text: String,
    per_second: f64,
    /// Milliseconds.
    p50: f64,
    p99: f64,
}

async fn fan_out_of_mcp() -> Result<Told, Failure> {
    let server = Server::start("serve")?;
    let subscribe = async || {
        let mut client = McpClient::connect(&server.websocket).await;
        let answer = client.request("resources/subscribe", json!({ "uri": BOOK })).await;
        if answer.get("error").is_some() { Err(Failure::from(answer.to_string())) } else { Ok(client.into_socket()) }
    };
    let mut subscribers = Vec::new();
    while subscribers.len() < SUBSCRIBERS {
        let batch = join_all((0..AT_ONCE).map(|_| subscribe())).await;
        subscribers.extend(batch.into_iter().collect::<Result<Vec<_>, _>>()?);
    }
    // Last, since a client that reads nothing for a minute is taken for gone.
    let mut trader = McpClient::connect(&server.websocket).await;
    let order = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "limit", "quantity": 1, "price": 95 });
    // Each order changes the book.
    fan_out(subscribers, async || {
        let placed = trader.call("place_order", order.clone()).await.ok();
        placed["sequence"].as_u64().ok_or_else(|| Failure::from("an order without a sequence number"))
    })
    .await
}

async fn fan_out_of_bare(text: &str) -> Result<Told, Failure> {
    let server = Server::start("serve-bare")?;
    let mut teller = Socket::open(&server.websocket).await;
    let subscribers = join_all((0..SUBSCRIBERS).map(|_| Socket::open(&server.websocket))).await;
    fan_out(subscribers, async || {
        teller.send_text(text).await;
        Ok(0)
    })
    .await
}

/// Lets something change again and again, and times when each subscriber is told. `change` returns the sequence number from
/// which on a notice tells of it.
async fn fan_out(
    subscribers: Vec<Socket>,
    mut change: impl AsyncFnMut() -> Result<u64, Failure>,
) -> Result<Told, Failure> {
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    for (number, mut socket) in subscribers.into_iter().enumerate() {
        let arrived = arrived.clone();
        tokio::spawn(async move {
            while let Some(message) = socket.next_unless_ended().await {
                // The run may be over.
                arrived.send((number, Instant::now(), message)).ok();
            }
        });
    }
    let (mut latencies, mut rates, mut text) = (Vec::new(), Vec::new(), String::new());
    let mut ticks = tokio::time::interval(PAUSE);
    for round in 0..WARM_UP + ROUNDS {
        ticks.tick().await;
        let began = Instant::now();
        let sequence = change().await?;
        let (mut times, mut told) = (Vec::with_capacity(SUBSCRIBERS), vec![false; SUBSCRIBERS]);
        while times.len() < SUBSCRIBERS {
            let (number, at, message) = arrivals.recv().await.ok_or("the subscribers have ended")?;
            let of = message["params"]["_meta"]["cwts-ultra/sequence"].as_u64().unwrap_or_default();
            // An older notice may still have been under way.
            if (of >= sequence || sequence == 0) && !std::mem::replace(&mut told[number], true) {
                times.push(at.duration_since(began).as_secs_f64());
                text = message.to_string();
            }
        }
        if round >= WARM_UP {
            times.sort_unstable_by(f64::total_cmp);
            rates.push((SUBSCRIBERS - 1) as f64 / (times[SUBSCRIBERS - 1] - times[0]));
            latencies.extend(times);
        }
    }
    rates.sort_unstable_by(f64::total_cmp);
    latencies.sort_unstable_by(f64::total_cmp);
    let percentile = |percent: usize| latencies[(latencies.len() - 1) * percent / 100] * 1e3;
    Ok(Told { text, per_second: rates[rates.len() / 2], p50: percentile(50), p99: percentile(99) })
}
