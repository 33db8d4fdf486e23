//! 10,000 random bodies and frames against each listener of the real program: no panic, no leak, bounded memory.
//!
//! A tenth of them runs here; all of them with `CWTS_SOAK=1`, as `scripts/soak.sh` does.

use std::fs;
use std::sync::Arc;

use cwts_domain::Service;
use cwts_tests::{
    DEADLINE, Home, Ports, Random, Raw, Server, TRADE_TOKEN, bearer, frame, get, seeds, tell, tenth_of, until,
};
use futures_util::future::join_all;
use rustix::process::Signal;

const CASES: u64 = 10_000;
/// Clients at once.
const CLIENTS: u64 = 16;
/// What the server may grow by. 384 sessions of one source alone take 23 MiB.
const GROWTH: u64 = 64 << 20;
/// File descriptors that the server may open for itself after its first connections.
const SPARE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn random_bodies_and_frames_neither_break_nor_bloat_the_server() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let seeds = Arc::new(seeds("message"));
    let count = tenth_of(CASES);
    let files = files(server.pid());
    for service in Service::ALL {
        let port = server.url(service).rsplit_once(':').expect("a port").1;
        let port: u16 = port.split('/').next().and_then(|port| port.parse().ok()).expect("a port");
        send(service, port, 0..count / 10, &seeds).await;
        let before = memory(server.pid());
        send(service, port, count / 10..count, &seeds).await;
        let grown = memory(server.pid()).saturating_sub(before);
        assert!(grown < GROWTH, "{service}: {count} clients that went left {grown} bytes behind");
        let answer = get(port, service.path()).await;
        assert!(answer.status < 500, "{service} serves the next client: {answer:?}");
        until(&format!("the sockets of {service} to be closed"), async || {
            (self::files(server.pid()) <= files + SPARE).then_some(())
        })
        .await;
        tell(&format!("{service}: {count} random bodies and frames, {} KiB more", grown >> 10));
    }
    let exit = server.stop(Signal::TERM).await;
    assert_eq!(exit.status, Some(0), "it drains as ever: {}", exit.stderr);
    assert!(!exit.stderr.contains("panicked"), "no input may end a task: {}", exit.stderr);
}

/// The cases of one listener, by several clients at once. The number of a case is its seed.
async fn send(service: Service, port: u16, cases: std::ops::Range<u64>, seeds: &Arc<Vec<Vec<u8>>>) {
    let clients = (0..CLIENTS).map(|client| {
        let (seeds, cases) = (Arc::clone(seeds), cases.clone());
        tokio::spawn(async move {
            for case in cases.filter(|case| case % CLIENTS == client) {
                let ended = tokio::time::timeout(DEADLINE, one(service, port, &mut Random(case), &seeds)).await;
                ended.unwrap_or_else(|_| panic!("{service} never ends the connection of case {case}"));
            }
        })
    });
    for client in join_all(clients).await {
        client.expect("every connection ends");
    }
}

async fn one(service: Service, port: u16, random: &mut Random, seeds: &[Vec<u8>]) {
    let is_websocket = service == Service::McpWebsocket && random.below(4) > 0;
    let (mut raw, bytes) = if is_websocket {
        (Raw::upgrade(port).await, frames(random, seeds))
    } else {
        (Raw::connect(port).await, request(service, port, random, seeds))
    };
    // The server may close before it has taken all.
    if raw.send(&bytes).await.is_ok() {
        raw.half_close().await;
        raw.read_to_end().await;
    }
}

/// A head as it should be with a random body, or a random head.
fn request(service: Service, port: u16, random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    // Wrong tokens would make the server wait for this computer.
    let host = format!("Host: 127.0.0.1:{port}\r\n");
    let heads = [
        format!("GET {} HTTP/1.1\r\n{host}Accept: */*\r\n\r\n", service.path()),
        format!("POST /mcp HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        format!("GET /mcp?a=1 HTTP/1.0\r\n{host}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
    ];
    if random.below(4) == 0 {
        return random.like(&heads.map(String::into_bytes));
    }
    let method = random.of(&["GET", "POST", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]);
    let paths = [service.path(), "/mcp", "/api/v1/status", "/api/v1/trading/arm", "/health/live", "/%00?"];
    let path = random.of(&paths);
    let kind = random.of(&["application/json", "application/json; charset=utf-8", "text/plain", "*"]);
    let body = random.like(seeds);
    let length = body.len() + if random.below(8) == 0 { random.below(100) } else { 0 };
    let head = format!(
        "{method} {path} HTTP/1.1\r\n{host}Authorization: {}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Accept: application/json, text/event-stream\r\nConnection: close\r\n\r\n",
        bearer(TRADE_TOKEN)
    );
    [head.into_bytes(), body].concat()
}

/// Frames of any kind with random messages, and sometimes bytes that are no frames.
fn frames(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=random.below(6) {
        let opcode = if random.below(2) == 0 { 1 } else { random.bits().to_le_bytes()[0] & 0x0f };
        let frame = frame(opcode, &random.like(seeds));
        bytes.extend(if random.below(8) == 0 { random.like(&[frame]) } else { frame });
    }
    bytes
}

/// Bytes that the process holds in memory.
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("proc(5)");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

fn files(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("the server is ours").count()
}
