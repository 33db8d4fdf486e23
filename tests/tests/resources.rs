//! The resources of MCP and their subscriptions, in both forms of the protocol, on both transports.

use cwts_domain::Service;
use cwts_tests::{Embedded, HttpSession, McpClient, Socket, modern, within};
use serde_json::{Value, json};

const BOOK: &str = "trading://order_book/TESTUSD";
const POSITIONS: &str = "trading://positions";

async fn client(embedded: &Embedded) -> McpClient {
    McpClient::connect(&embedded.url(Service::McpWebsocket)).await
}

async fn read(client: &mut McpClient, uri: &str) -> Value {
    let answer = client.request("resources/read", json!({ "uri": uri })).await;
    let contents = &answer["result"]["contents"][0];
    assert_eq!((&contents["uri"], &contents["mimeType"]), (&json!(uri), &json!("application/json")), "{answer}");
    serde_json::from_str(contents["text"].as_str().expect("text")).expect("JSON")
}

/// A limit order that waits, so that the book of TESTUSD has one level more.
fn resting(price: f64) -> Value {
    json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "limit", "quantity": 1, "price": price })
}

/// The next notification, for the resource and with the sequence number of its change.
async fn updated(socket: &mut Socket) -> (String, u64) {
    loop {
        let message = socket.next().await;
        if message["method"] == "notifications/resources/updated" {
            let params = &message["params"];
            let sequence = params["_meta"]["cwts-ultra/sequence"].as_u64();
            return (params["uri"].as_str().expect("a URI").to_owned(), sequence.expect("a sequence number"));
        }
    }
}

#[tokio::test]
async fn every_resource_that_is_listed_can_be_read() {
    let embedded = Embedded::start().await;
    let mut client = client(&embedded).await;
    let listed = client.request("resources/list", json!({})).await;
    let listed = listed["result"]["resources"].as_array().expect("resources").clone();
    assert_eq!(listed.len(), 5 + 2 * 3, "five, and two for each of three instruments: {listed:?}");
    for resource in &listed {
        let value = read(&mut client, resource["uri"].as_str().expect("a URI")).await;
        assert!(value["sequence"].is_u64(), "who reads knows of which moment it is: {resource} is {value}");
    }
    let book = read(&mut client, BOOK).await;
    assert_eq!((&book["bids"], &book["asks"]), (&json!([[99.99, 1000.0]]), &json!([[100.01, 1000.0]])), "{book}");
    let templates = client.request("resources/templates/list", json!({})).await;
    let templates = templates["result"]["resourceTemplates"].as_array().expect("templates").clone();
    let uris: Vec<_> = templates.iter().filter_map(|template| template["uriTemplate"].as_str()).collect();
    assert_eq!(uris, ["trading://order_book/{symbol}", "trading://market_data/{symbol}"]);
    for uri in uris {
        let completed = client.request(
            "completion/complete",
            json!({
                "ref": { "type": "ref/resource", "uri": uri }, "argument": { "name": "symbol", "value": "b" }
            }),
        );
        assert_eq!(completed.await["result"]["completion"]["values"], json!(["BTCUSD"]), "what begins with it");
    }
}

#[tokio::test]
async fn what_cannot_be_read_or_watched_is_told() {
    let embedded = Embedded::start().await;
    let mut client = client(&embedded).await;
    let cases = [
        ("resources/read", json!({ "uri": "trading://order_book/DOGEUSD" }), -32002, "BTCUSD, ETHUSD, TESTUSD"),
        ("resources/read", json!({ "uri": 7 }), -32602, "uri is 7"),
        ("resources/subscribe", json!({ "uri": "file:///etc/passwd" }), -32002, "no resource here"),
        ("resources/subscribe", json!({ "uri": "trading://trades/history" }), -32602, "cannot be subscribed to"),
        ("resources/list", json!({ "cursor": "99" }), -32602, "nextCursor"),
        ("subscriptions/listen", json!({ "notifications": {} }), -32601, ""),
    ];
    for (method, params, code, named) in cases {
        let answer = client.request(method, params.clone()).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!(answer["error"]["code"], code, "{method} {params}: {answer}");
        assert!(message.contains(named), "{method} {params} must be told about {named}: {message}");
    }
}

#[tokio::test]
async fn a_subscriber_of_2025_is_told_what_changed_until_it_unsubscribes() {
    let embedded = Embedded::start().await;
    let (mut watching, mut trading) = (client(&embedded).await, client(&embedded).await);
    for uri in [BOOK, POSITIONS] {
        for _ in 0..2 {
            let answer = watching.request("resources/subscribe", json!({ "uri": uri })).await;
            assert_eq!(answer["result"], json!({}), "a second time is the first: {answer}");
        }
    }
    let placed = trading.call("place_order", resting(99.0)).await.ok();
    let told = updated(watching.socket()).await;
    let other = updated(watching.socket()).await;
    let mut uris = [told.0.as_str(), other.0.as_str()];
    uris.sort_unstable();
    assert_eq!(uris, [BOOK, POSITIONS], "each once");
    assert!(told.1 >= placed["sequence"].as_u64().expect("a number"), "the change is in what is read from now on");
    let book = read(&mut watching, BOOK).await;
    assert!(book["bids"].as_array().expect("bids").contains(&json!([99.0, 1.0])), "the snapshot: {book}");
    let ended = watching.request("resources/unsubscribe", json!({ "uri": BOOK })).await;
    assert_eq!(ended["result"], json!({}), "{ended}");
    trading.call("place_order", resting(98.0)).await.ok();
    assert_eq!(updated(watching.socket()).await.0, POSITIONS, "the other subscription goes on, this one has ended");
}

#[tokio::test]
async fn a_subscriber_over_http_is_told_on_the_stream_of_events() {
    let embedded = Embedded::start().await;
    let session = HttpSession::connect(&embedded.url(Service::McpHttp)).await;
    let mut events = session.listen().await;
    session.request("resources/subscribe", json!({ "uri": BOOK })).await;
    session.call("place_order", resting(99.0)).await.ok();
    let event = within("a notification", events.next_message()).await;
    assert_eq!((&event["method"], &event["params"]["uri"]), (&json!("notifications/resources/updated"), &json!(BOOK)));
}

#[tokio::test]
async fn a_subscriber_of_2026_is_told_on_its_own_stream() {
    let embedded = Embedded::start().await;
    let mut trading = client(&embedded).await;
    let mut socket = Socket::open(&embedded.url(Service::McpWebsocket)).await;
    socket.send_text(modern(1, "server/discover", json!({})).to_string()).await;
    let discovered = socket.next().await;
    let versions = discovered["result"]["supportedVersions"].as_array().expect("versions");
    assert!(versions.contains(&json!("2026-07-28")) && versions.contains(&json!("2024-11-05")), "{discovered}");
    let wish = json!({ "notifications": { "resourceSubscriptions": [BOOK, "trading://trades/history", "x:y"] } });
    socket.send_text(modern("books", "subscriptions/listen", wish).to_string()).await;
    let acknowledged = socket.next().await;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged", "{acknowledged}");
    let accepted = &acknowledged["params"]["notifications"]["resourceSubscriptions"];
    assert_eq!(accepted, &json!([BOOK]), "what there is and can change: {acknowledged}");
    trading.call("place_order", resting(99.0)).await.ok();
    let told = socket.next().await;
    let meta = &told["params"]["_meta"];
    assert_eq!(
        (&told["params"]["uri"], &meta["io.modelcontextprotocol/subscriptionId"]),
        (&json!(BOOK), &json!("books"))
    );
    assert!(meta["cwts-ultra/sequence"].is_u64(), "{told}");
    let cancelled =
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "books" } });
    socket.send_text(cancelled.to_string()).await;
    trading.call("place_order", resting(98.0)).await.ok();
    socket.send_text(modern(2, "resources/read", json!({ "uri": BOOK })).to_string()).await;
    let answer = socket.next().await;
    assert_eq!(answer["id"], 2, "nothing is told any more: {answer}");
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    assert!(answer["result"]["ttlMs"].is_u64() && answer["result"]["cacheScope"].is_string(), "{answer}");
    socket.send_text(modern(3, "resources/read", json!({ "uri": "trading://x" })).to_string()).await;
    assert_eq!(socket.next().await["error"]["code"], -32602, "from 2026-07-28 on");
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_gets_no_backlog() {
    let embedded = Embedded::start().await;
    let (mut slow, mut trading) = (client(&embedded).await, client(&embedded).await);
    slow.request("resources/subscribe", json!({ "uri": BOOK })).await;
    for step in 0..300 {
        trading.call("place_order", resting(90.0 + f64::from(step) / 100.0)).await.ok();
    }
    let last = read(&mut trading, BOOK).await["sequence"].as_u64().expect("a number");
    let mut count = 1;
    while updated(slow.socket()).await.1 < last {
        count += 1;
    }
    assert!(count < 300, "300 changes come as fewer notifications, the newest last: {count}");
}
