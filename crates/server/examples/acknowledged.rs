//! What a durable acknowledgement costs: `place_order` over the MCP WebSocket of a running server, against a bare echo of
//! the same text by tungstenite with one `fdatasync`, and with 64 orders in flight against the bare echo alone. Takes turns
//! in one run: `scripts/bench/acknowledged.sh`, or with the URL of a server and a folder on the disk of its journal.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, accept_async, connect_async};

const ROUNDS: usize = 7;
/// One after the other, in each round, in blocks that take turns: so both meet the same noise of the disk.
const SINGLE: usize = 500;
const BLOCK: usize = 10;
/// With [`IN_FLIGHT`] under way, in each round.
const STREAMED: usize = 10_000;
const IN_FLIGHT: usize = 64;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: acknowledged WEBSOCKET-URL FOLDER";
    let url = arguments.next().ok_or(usage)?;
    let folder = PathBuf::from(arguments.next().ok_or(usage)?);
    let [synced, bare] = [Some(folder), None].map(echo);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(compare(&url, &format!("ws://{}", synced?), &format!("ws://{}", bare?)))
}

/// An echo in a thread of its own, which writes each text to a file and synchronises it first where there is a folder.
fn echo(folder: Option<PathBuf>) -> Result<SocketAddr, Failure> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || runtime.block_on(serve_echo(listener, folder)));
    Ok(address)
}

async fn serve_echo(listener: std::net::TcpListener, folder: Option<PathBuf>) -> Result<(), Failure> {
    let file = folder.map(|folder| File::create(folder.join("echo"))).transpose()?;
    if let Some(file) = &file {
        // As a log that is used again: no commit changes its size.
        file.write_all_at(&vec![0; 1 << 20], 0)?;
        file.sync_all()?;
    }
    let (stream, _) = TcpListener::from_std(listener)?.accept().await?;
    stream.set_nodelay(true)?;
    let mut socket = accept_async(stream).await?;
    let mut at = 0;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        if let Some(file) = &file {
            file.write_all_at(text.as_bytes(), at)?;
            file.sync_data()?;
            at = (at + text.len() as u64) % (1 << 19);
        }
        socket.send(Message::Text(text)).await?;
    }
    Ok(())
}

/// A market order of the test symbol, to buy and to sell in turn, so that the position stays.
fn order(number: usize) -> String {
    let side = if number.is_multiple_of(2) { "buy" } else { "sell" };
    let arguments = json!({ "symbol": "TESTUSD", "side": side, "order_type": "market", "quantity": 1 });
    let params = json!({ "name": "place_order", "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params }).to_string()
}

async fn open(url: &str) -> Result<Socket, Failure> {
    let (socket, _) = connect_async(url).await?;
    if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
        stream.set_nodelay(true)?;
    }
    Ok(socket)
}

async fn answer(socket: &mut Socket) -> Result<String, Failure> {
    loop {
        if let Message::Text(text) = socket.next().await.ok_or("the connection has ended")?? {
            return Ok(text.as_str().to_owned());
        }
    }
}

async fn one_by_one(socket: &mut Socket) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::with_capacity(BLOCK);
    for number in 0..BLOCK {
        let text = order(number);
        let start = Instant::now();
        socket.send(Message::text(text)).await?;
        let answer = answer(socket).await?;
        times.push(start.elapsed());
        check(&answer)?;
    }
    Ok(times)
}

/// Orders per second.
async fn streamed(socket: &mut Socket) -> Result<f64, Failure> {
    let texts: Vec<String> = (0..STREAMED).map(order).collect();
    let start = Instant::now();
    let mut sent = texts.into_iter();
    for text in sent.by_ref().take(IN_FLIGHT) {
        socket.feed(Message::text(text)).await?;
    }
    socket.flush().await?;
    for _ in 0..STREAMED {
        check(&answer(socket).await?)?;
        if let Some(text) = sent.next() {
            socket.send(Message::text(text)).await?;
        }
    }
    Ok(STREAMED as f64 / start.elapsed().as_secs_f64())
}

/// An order that was refused is no order.
fn check(answer: &str) -> Result<(), Failure> {
    if answer.contains("\"isError\":true") || answer.contains("\"error\"") { Err(answer.into()) } else { Ok(()) }
}

async fn initialize(socket: &mut Socket) -> Result<(), Failure> {
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" } });
    let request = json!({ "jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params });
    socket.send(Message::text(request.to_string())).await?;
    let told: Value = serde_json::from_str(&answer(socket).await?)?;
    if told["result"]["serverInfo"].is_null() {
        return Err(format!("not an MCP server: {told}").into());
    }
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    Ok(socket.send(Message::text(ready.to_string())).await?)
}

async fn compare(url: &str, synced: &str, bare: &str) -> Result<(), Failure> {
    let (mut server, mut synced, mut bare) = (open(url).await?, open(synced).await?, open(bare).await?);
    initialize(&mut server).await?;
    let (mut ours, mut theirs, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for _ in 0..SINGLE / BLOCK {
            ours.extend(one_by_one(&mut server).await?);
            theirs.extend(one_by_one(&mut synced).await?);
        }
        rates.push((streamed(&mut server).await?, streamed(&mut bare).await?));
        if round == 0 {
            // It warms up.
            ours.clear();
            theirs.clear();
            rates.clear();
        }
    }
    for (name, percent) in [("p50", 50), ("p99", 99)] {
        let [ours, theirs] = [&mut ours, &mut theirs].map(|times| percentile(times, percent));
        println!(
            "place_order, durable: {name} {:.0} us; echo with one fdatasync {:.0} us; ratio {:.2}",
            ours * 1e6,
            theirs * 1e6,
            ours / theirs
        );
    }
    rates.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
    let (ours, theirs) = rates[rates.len() / 2];
    println!(
        "{IN_FLIGHT} in flight: {ours:.0} durable orders/s; bare echo {theirs:.0}/s; ratio {:.2} (median of {ROUNDS} rounds)",
        ours / theirs
    );
    Ok(())
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100].as_secs_f64()
}
