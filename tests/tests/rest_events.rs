//! The stream of events over REST: first everything, then what changes; resumed where it broke off; ended in order.

use cwts_domain::Service;
use cwts_tests::{Embedded, OWNER_TOKEN, READ_TOKEN, TRADE_TOKEN, bearer, get, send, send_exactly, within};
use futures_util::StreamExt as _;
use reqwest::{Client, Response};
use serde_json::{Value, json};

/// One event.
#[derive(Debug)]
struct Event {
    name: String,
    id: u64,
    data: Value,
}

/// A client that reads the stream.
struct Reader {
    body: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<Vec<u8>>> + Send>>,
    text: String,
}

impl Reader {
    async fn open(embedded: &Embedded, query: &str, seen: Option<u64>) -> Self {
        let answer = Self::ask(embedded, READ_TOKEN, query, seen.map(|seen| seen.to_string())).await;
        assert_eq!(answer.status(), 200, "the stream opens");
        let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
        assert!(kind.starts_with("text/event-stream"), "HTML section 9.2.1: {kind}");
        Self { body: Box::pin(answer.bytes_stream().map(|part| part.map(|bytes| bytes.to_vec()))), text: String::new() }
    }

    async fn ask(embedded: &Embedded, token: &str, query: &str, seen: Option<String>) -> Response {
        let url = format!("http://127.0.0.1:{}/api/v1/events{query}", embedded.port(Service::McpHttp));
        let mut request = Client::new().get(url).header("Authorization", bearer(token));
        if let Some(seen) = seen {
            request = request.header("Last-Event-ID", seen);
        }
        within("the answer", request.send()).await.expect("the server answers")
    }

    /// `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let data = field("data:").map(|data| serde_json::from_str(data).expect("JSON"));
                let event = data.map(|data| Event {
                    name: field("event:").expect("a name").to_owned(),
                    id: field("id:").and_then(|id| id.parse().ok()).expect("a number"),
                    data,
                });
                self.text = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    // A comment that keeps the stream alive.
                    None => continue,
                }
            }
            let part = within("an event", self.body.next()).await?.expect("an orderly end");
            self.text.push_str(&String::from_utf8_lossy(&part));
        }
    }

    async fn named(&mut self, name: &str) -> Event {
        let mut last = 0;
        loop {
            let event = self.next().await.expect("the stream is open");
            assert!(event.id >= last, "ids never go back: {event:?} after {last}");
            last = event.id;
            if event.name == name {
                return event;
            }
        }
    }

    async fn ends(&mut self) {
        while self.next().await.is_some() {}
    }
}

async fn buy(embedded: &Embedded) -> Value {
    let body = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": 1 }).to_string();
    let headers = [("Host", "localhost"), ("Content-Type", "application/json")];
    let reply = send(embedded.port(Service::McpHttp), "POST", "/api/v1/orders", &headers, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.json()
}

#[tokio::test]
async fn a_stream_begins_with_everything_and_goes_on_with_what_changes() {
    let embedded = Embedded::start().await;
    let mut reader = Reader::open(&embedded, "", None).await;
    let snapshot = reader.next().await.expect("an event");
    assert_eq!(snapshot.name, "snapshot", "who comes in knows nothing: {snapshot:?}");
    assert_eq!(snapshot.data["account"]["account"]["cash"], json!(100_000.0), "{snapshot:?}");
    assert_eq!(snapshot.data["markets"].as_array().map(Vec::len), Some(3), "every market");
    let order = buy(&embedded).await;
    let fill = reader.named("fill").await;
    assert_eq!(fill.data["order_id"], order["order_id"], "each fill is told: {fill:?}");
    assert_eq!(fill.data["sequence"], json!(fill.id), "with its own number");
    let account = reader.named("account").await;
    assert_eq!(account.data["positions"][0]["symbol"], "TESTUSD", "{account:?}");
    assert!(account.id >= fill.id, "and then what it came to");
}

#[tokio::test]
async fn a_client_that_was_away_is_told_the_fills_that_it_missed_and_no_other() {
    let embedded = Embedded::start().await;
    let mut reader = Reader::open(&embedded, "?symbol=TESTUSD", None).await;
    buy(&embedded).await;
    let seen = reader.named("fill").await;
    drop(reader);
    let missed = [buy(&embedded).await, buy(&embedded).await];
    let mut back = Reader::open(&embedded, "?symbol=TESTUSD", Some(seen.id)).await;
    for order in &missed {
        let fill = back.next().await.expect("an event");
        assert_eq!((&*fill.name, &fill.data["order_id"]), ("fill", &order["order_id"]), "in order, none twice");
    }
    let snapshot = back.next().await.expect("an event");
    assert_eq!(snapshot.name, "snapshot", "and then how it stands: {snapshot:?}");
    assert_eq!(snapshot.data["markets"].as_array().map(Vec::len), Some(1), "of the market that was asked for");
    let mut foreign = Reader::open(&embedded, "", Some(u64::MAX - 1)).await;
    let gap = foreign.next().await.expect("an event");
    assert_eq!(gap.name, "gap", "a number of another journal is no place to go on from: {gap:?}");
    assert_eq!(foreign.next().await.expect("an event").name, "snapshot", "so it begins anew");
}

#[tokio::test]
async fn a_stream_ends_with_its_token_with_its_port_and_when_the_owner_says_so() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpHttp);
    let mut disconnected = Reader::open(&embedded, "", None).await;
    disconnected.next().await.expect("a snapshot");
    let owner = bearer(OWNER_TOKEN);
    let headers = [("Host", "localhost"), ("Authorization", &*owner)];
    let listed = send_exactly(port, "GET", "/api/v1/clients", &headers, "").await.json();
    let rows = listed["clients"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["scope"] == "read").expect("the reader is listed");
    let path = format!("/api/v1/clients/{}", row["id"].as_str().expect("an id"));
    assert_eq!(send_exactly(port, "DELETE", &path, &headers, "").await.status, 204, "{row}");
    disconnected.ends().await;
    let mut rotated = Reader::open(&embedded, "", None).await;
    rotated.next().await.expect("a snapshot");
    embedded.instance().rotate_tokens(vec![cwts_runtime::Scope::Read]).await.expect("new tokens");
    rotated.ends().await;
    let other = Embedded::start().await;
    let mut drained = Reader::open(&other, "", None).await;
    drained.next().await.expect("a snapshot");
    let (stopped, ()) = tokio::join!(other.instance().stop(), drained.ends());
    stopped.expect("the instance stops, and no stream holds it up");
    assert_eq!(get(port, "/api/v1/account").await.status, 200, "nobody else is disturbed");
}

#[tokio::test]
async fn a_stream_that_cannot_be_says_why() {
    let embedded = Embedded::start().await;
    let cases = [("?symbol=EURUSD", None, 404), ("?topic=x", None, 400), ("", Some("x".to_owned()), 400)];
    for (query, seen, status) in cases {
        let answer = Reader::ask(&embedded, TRADE_TOKEN, query, seen).await;
        assert_eq!(answer.status(), status, "{query}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{query}");
    }
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_by_a_comment() {
    let embedded = Embedded::start().await;
    embedded.instance().pause_market().await.expect("a person may");
    let mut reader = Reader::open(&embedded, "?symbol=TESTUSD", None).await;
    reader.next().await.expect("a snapshot");
    let quiet = async {
        let mut text = reader.text;
        while !text.lines().any(|line| line.starts_with(':')) {
            let part = reader.body.next().await.expect("the stream is open").expect("an orderly stream");
            text.push_str(&String::from_utf8_lossy(&part));
        }
    };
    let patience = std::time::Duration::from_secs(60);
    tokio::time::timeout(patience, quiet).await.expect("a proxy ends what says nothing for long");
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_nobody_up_and_misses_no_fill() {
    let embedded = Embedded::start().await;
    let mut slow = Reader::open(&embedded, "?symbol=TESTUSD", None).await;
    let mut placed = Vec::new();
    for _ in 0..200 {
        placed.push(buy(&embedded).await["order_id"].clone());
    }
    let (mut filled, mut states) = (Vec::new(), 0);
    while filled.len() < placed.len() {
        let event = slow.next().await.expect("the stream is open");
        match &*event.name {
            "fill" => filled.push(event.data["order_id"].clone()),
            "account" => states += 1,
            _ => {}
        }
    }
    assert_eq!(filled, placed, "each fill once and in order");
    assert!(states <= placed.len() + 1, "what only stands is told as it stands, not once for each change: {states}");
}
