//! Eight agents trade on one account for a while; then the books must balance to the last unit.
//!
//! `CWTS_LOAD_SECONDS` sets how long, 60 seconds otherwise. Only two answers of the exchange other than success are
//! expected: a cancel that comes too late because the order was filled meanwhile, or because an order of another agent
//! would have traded against it and self-trade prevention took it out.

use std::time::{Duration, Instant};

use cwts_domain::Service;
use cwts_tests::{Embedded, McpClient, authorized, until, within};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use rmcp::model::{CallToolRequestParams, ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};

const CLIENTS: u32 = 8;
const SECONDS_VARIABLE: &str = "CWTS_LOAD_SECONDS";
/// Cash in millionths of a dollar, quantity in ten-thousandths of a bitcoin: one tick times one lot, as the exchange has it.
const CASH: f64 = 1e6;
const LOTS: f64 = 1e4;

/// What the orders of one agent came to.
#[derive(Default)]
struct Tally {
    /// Bought less sold, in lots.
    position: i64,
    /// Received less paid, fees included.
    cash: i64,
    /// Quantity traded, in lots.
    volume: i64,
    orders: u64,
    /// Cancels that came too late.
    late: u64,
    /// Seconds of each call that placed or cancelled.
    latencies: Vec<f64>,
}

impl Tally {
    /// Counts what an order that has ended came to.
    fn ended(&mut self, order: &Value) {
        let ended = matches!(order["status"].as_str(), Some("filled" | "cancelled"));
        assert!(ended, "only the last state of an order may be counted: {order}");
        let quantity = order["filled_quantity"].as_f64().expect("a number");
        let lots = (quantity * LOTS).round() as i64;
        let paid = (order["average_price"].as_f64().unwrap_or_default() * quantity * CASH).round() as i64;
        let sign = if order["side"] == "buy" { 1 } else { -1 };
        self.position += sign * lots;
        let fees = (order["fees"].as_f64().expect("a number") * CASH).round() as i64;
        self.cash -= sign * paid + fees;
        self.volume += lots;
        self.orders += 1;
    }

    fn add(&mut self, other: Self) {
        self.position += other.position;
        self.cash += other.cash;
        self.volume += other.volume;
        self.orders += other.orders;
        self.late += other.late;
        self.latencies.extend(other.latencies);
    }

    fn percentile(&self, part: f64) -> f64 {
        let at = (self.latencies.len() as f64 * part) as usize;
        self.latencies.get(at.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or_default() * 1e3
    }
}

/// One agent, with the official Rust client.
struct Agent {
    service: RunningService<RoleClient, ()>,
    tally: Tally,
}

impl Agent {
    async fn connect(url: &str) -> Self {
        let (socket, _) = within("a WebSocket", connect_async(authorized(url))).await.expect("the server accepts");
        let service = within("a session", ().serve(transport(socket))).await.expect("the server answers");
        Self { service, tally: Tally::default() }
    }

    /// `Err` is the text of a tool error.
    async fn call(&mut self, tool: &'static str, arguments: Value) -> Result<Value, String> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let request = CallToolRequestParams::new(tool).with_arguments(arguments);
        let asked = Instant::now();
        let result = within(tool, self.service.call_tool(request)).await.expect("an answer of the protocol");
        if matches!(tool, "place_order" | "cancel_order") {
            self.tally.latencies.push(asked.elapsed().as_secs_f64());
        }
        match result.structured_content {
            Some(content) if result.is_error != Some(true) => Ok(content),
            _ => Err(serde_json::to_string(&result.content).expect("JSON")),
        }
    }

    async fn must(&mut self, tool: &'static str, arguments: Value) -> Value {
        match self.call(tool, arguments.clone()).await {
            Ok(content) => content,
            Err(problem) => panic!("{tool} {arguments} must succeed: {problem}"),
        }
    }

    /// Trades at once.
    async fn take(&mut self, side: &str, quantity: f64) {
        let order = json!({ "symbol": "BTCUSD", "side": side, "order_type": "market", "quantity": quantity });
        let order = self.must("place_order", order).await;
        self.tally.ended(&order);
    }

    /// Rests `distance` away from the best price of its own side, and is taken back.
    async fn rest(&mut self, side: &str, quantity: f64, distance: f64) {
        let market = self.must("get_market_data", json!({ "symbol": "BTCUSD", "depth": 1 })).await;
        let (best, away) = if side == "buy" { (&market["bid"], -distance) } else { (&market["ask"], distance) };
        let price = ((best.as_f64().expect("a quote") + away) * 100.0).round() / 100.0;
        let order = json!({
            "symbol": "BTCUSD", "side": side, "order_type": "limit", "quantity": quantity, "price": price
        });
        let order = self.must("place_order", order).await;
        if !matches!(order["status"].as_str(), Some("open" | "partially_filled")) {
            // The market came to it while it was on its way.
            return self.tally.ended(&order);
        }
        let id = json!({ "order_id": order["order_id"] });
        let order = match self.call("cancel_order", id.clone()).await {
            Ok(order) => order,
            Err(problem) => {
                let late = problem.contains("is already filled") || problem.contains("is already cancelled");
                assert!(late, "a cancel may only fail because it is late: {problem}");
                self.tally.late += 1;
                self.must("get_order_status", id).await
            }
        };
        self.tally.ended(&order);
    }

    /// Places and cancels until the time is over: half of it far from the market, the rest at it and across it.
    async fn trade(mut self, number: u32, end: Instant) -> Tally {
        let mut round = number;
        while Instant::now() < end {
            // Sides alternate, so that the account stays nearly flat and its exposure limit is never met.
            let side = if (round + number).is_multiple_of(2) { "buy" } else { "sell" };
            let quantity = f64::from(1 + round / 2 % 10) / LOTS;
            match round / 2 % 4 {
                0 | 1 => self.rest(side, quantity, 3_000.0).await,
                2 => self.rest(side, quantity, 0.0).await,
                _ => self.take(side, quantity).await,
            }
            round += 1;
        }
        self.service.cancel().await.expect("the session ends");
        self.tally
    }
}

/// A WebSocket as the pair that the official client takes.
fn transport<S>(
    socket: S,
) -> (impl Sink<ClientJsonRpcMessage, Error = Error>, impl Stream<Item = ServerJsonRpcMessage> + Unpin)
where
    S: Sink<Message, Error = Error> + Stream<Item = Result<Message, Error>> + Unpin + Send + 'static,
{
    let (sink, stream) = socket.split();
    let sink = Box::pin(sink.with(async |message: ClientJsonRpcMessage| {
        Ok::<_, Error>(Message::text(serde_json::to_string(&message).expect("JSON")))
    }));
    let stream = Box::pin(stream.filter_map(async |frame| match frame {
        Ok(Message::Text(text)) => Some(serde_json::from_str(&text).expect("a message of the protocol")),
        _ => None,
    }));
    (sink, stream)
}

/// Position in lots and cash in millionths of a dollar.
async fn holdings(client: &mut McpClient) -> (i64, i64) {
    let positions = client.call("get_positions", json!({ "symbol": "BTCUSD" })).await.ok();
    let position = &positions["positions"][0];
    let sign = if position["side"] == "sell" { -1.0 } else { 1.0 };
    let lots = sign * position["quantity"].as_f64().unwrap_or_default() * LOTS;
    let account = client.call("get_account", json!({})).await.ok();
    (lots.round() as i64, (account["cash"].as_f64().expect("a number") * CASH).round() as i64)
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_agents_leave_the_books_balanced() {
    let seconds = std::env::var(SECONDS_VARIABLE).map_or(60, |text| text.parse().expect("whole seconds"));
    let embedded = Embedded::start().await;
    let url = embedded.url(Service::McpWebsocket);
    let mut judge = McpClient::connect(&url).await;
    until("quotes on both sides", async || {
        let market = judge.call("get_market_data", json!({ "symbol": "BTCUSD" })).await.ok();
        (market["bid"].is_number() && market["ask"].is_number()).then_some(())
    })
    .await;
    let before = holdings(&mut judge).await;
    let started = Instant::now();
    let end = started + Duration::from_secs(seconds);
    let mut agents = Vec::new();
    for number in 0..CLIENTS {
        let agent = Agent::connect(&url).await;
        agents.push(tokio::spawn(agent.trade(number, end)));
    }
    let mut total = Tally::default();
    for agent in agents {
        total.add(agent.await.expect("no agent may meet an error"));
    }
    let took = started.elapsed().as_secs_f64();
    // The first connection was silent for longer than the server waits for a sign of life.
    let mut judge = McpClient::connect(&url).await;
    let after = holdings(&mut judge).await;
    assert!(total.volume > 0 && total.orders > u64::from(CLIENTS), "the agents traded: {} orders", total.orders);
    assert_eq!(after.0 - before.0, total.position, "the position is what the agents' orders were filled with");
    assert_eq!(after.1 - before.1, total.cash, "the cash is what they paid and received, to the last unit");
    let open = judge.call("list_orders", json!({})).await.ok();
    assert_eq!(open["orders"], json!([]), "every order was taken back or filled");
    let audit = embedded.instance().exchange().read(|exchange| exchange.audit()).await.expect("the exchange answers");
    assert_eq!(audit, Ok(()), "the exchange is consistent after the load");
    total.latencies.sort_by(f64::total_cmp);
    println!(
        "{} orders in {took:.1} s, {:.0} orders/s, {:.0} calls/s that place or cancel; p50 {:.3} ms, p99 {:.3} ms; \
         {:.4} BTC traded, {} cancels came late",
        total.orders,
        total.orders as f64 / took,
        total.latencies.len() as f64 / took,
        total.percentile(0.5),
        total.percentile(0.99),
        total.volume as f64 / LOTS,
        total.late
    );
}
