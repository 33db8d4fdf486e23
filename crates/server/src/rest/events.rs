//! `/api/v1/events`: what changes on the exchange, as server-sent events (HTML, section 9.2 "Server-sent events").
//!
//! Fills are told one by one, everything else as it stands: a client that reads slowly is told the newest state and never a
//! backlog. Nothing is kept for a client, so that a slow one costs nobody anything.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use cwts_domain::InstrumentId;
use cwts_runtime::{Exchange, Instance, Topic};
use futures_util::stream::unfold;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;

use super::answer::Answer;
use super::api::Api;
use super::document::{About, Operation, Schemas};
use super::input::{Asked, By, Input, Reads};
use crate::mcp::wire::{ACCOUNT, AccountView, Count, FillView, MarketData, OrderView, PositionView, TradingStateView};
use crate::problem::ProblemDetails;

/// A comment goes out after so much silence, so that proxies and clients know that the stream lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const DEPTH: usize = 10;
/// Fills that a resumed stream begins with; more are a gap.
const MOST_FILLS: usize = 1000;

pub(super) fn routes(api: Api) -> Api {
    api.tag("Events", "A stream instead of asking again and again.").get(
        "/api/v1/events",
        About::new(
            "stream_events",
            "What changes, as server-sent events. The first is `snapshot`: account, positions, open orders, trading state and \
             markets. Then come `account` and `market` with the new state, at most every 20 ms, and each `fill`. The id of an \
             event is the sequence number of the exchange; with it as Last-Event-ID the stream begins with the fills since then, \
             or with `gap` where they are not all kept. The stream ends when the server stops or moves the port, when the token is \
             replaced, and when the owner disconnects the client.",
        ),
        events,
    )
}

/// What to tell of.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// Only the market of this instrument; all when left out.
    #[serde(default)]
    symbol: Option<String>,
}

/// The id of the last event that the client has seen.
#[derive(Clone, Copy, Debug)]
struct LastEventId(Option<u64>);

impl Input for LastEventId {
    fn describe(operation: &mut Operation, _schemas: &mut Schemas) {
        let schema = json!({ "type": "string", "pattern": "^[0-9]+$", "description": "The id of the last event that was seen." });
        operation.takes("header", "Last-Event-ID", false, schema);
    }
}

impl FromRequestParts<Instance> for LastEventId {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _instance: &Instance) -> Result<Self, ProblemDetails> {
        let Some(given) = parts.headers.get("last-event-id") else { return Ok(Self(None)) };
        let id = given.to_str().ok().and_then(|text| text.parse().ok());
        id.map(|id| Self(Some(id))).ok_or_else(|| {
            let detail = "Last-Event-ID must be the id of an event of this stream, a whole number.";
            ProblemDetails::new(StatusCode::BAD_REQUEST, "invalid_last_event_id", detail)
        })
    }
}

/// A stream of events.
struct Stream(Response);

impl Answer for Stream {
    fn describe(operation: &mut Operation, _schemas: &mut Schemas) {
        let content = json!({ "text/event-stream": { "schema": { "type": "string" } } });
        operation.answers(200, json!({ "description": "Events, until one side ends the stream.", "content": content }));
    }
}

impl IntoResponse for Stream {
    fn into_response(self) -> Response {
        self.0
    }
}

async fn events(
    by: By<Reads>,
    State(instance): State<Instance>,
    Asked(EventsQuery { symbol }): Asked<EventsQuery>,
    LastEventId(seen): LastEventId,
) -> Result<Stream, ProblemDetails> {
    let exchange = instance.exchange();
    let ids = match symbol {
        Some(symbol) => vec![exchange.instrument(&symbol)?.0],
        None => (0..).map(InstrumentId).take(exchange.instruments().len()).collect(),
    };
    let watch = |topic| exchange.watch(topic).ok_or_else(gone);
    let any = watch(Topic::Exchange)?;
    let account = watch(Topic::Account)?;
    let markets =
        ids.into_iter().map(|id| Ok((id, watch(Topic::Market(id))?))).collect::<Result<_, ProblemDetails>>()?;
    let mut follower = Follower { instance, by, any, account, markets, told: 0, ready: VecDeque::new() };
    follower.begin(seen).await?;
    let stream = unfold(follower, async |mut follower| Some((Ok::<_, Infallible>(follower.next().await?), follower)));
    Ok(Stream(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()))
}

fn gone() -> ProblemDetails {
    ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", "The exchange has ended.")
}

/// One client and what it was told.
struct Follower {
    instance: Instance,
    by: By<Reads>,
    any: watch::Receiver<u64>,
    account: watch::Receiver<u64>,
    markets: Vec<(InstrumentId, watch::Receiver<u64>)>,
    /// Fills up to this sequence number were told.
    told: u64,
    /// Events of one reading that are not sent yet.
    ready: VecDeque<Event>,
}

/// Everything that does not belong to one market.
#[derive(Debug, Serialize)]
struct AccountState {
    account: AccountView,
    positions: Vec<PositionView>,
    /// The open ones, oldest first.
    orders: Vec<OrderView>,
    trading: TradingStateView,
    sequence: Count,
}

/// What one turn of the exchange tells.
struct Reading {
    sequence: u64,
    /// Oldest first.
    fills: Vec<FillView>,
    /// Whether there were more than these.
    gap: bool,
    account: Option<AccountState>,
    markets: Vec<MarketData>,
}

impl Follower {
    async fn begin(&mut self, seen: Option<u64>) -> Result<(), ProblemDetails> {
        let ids = self.markets.iter().map(|(id, _)| *id).collect();
        let reading = self.read(seen.unwrap_or(u64::MAX), true, ids).await?;
        let sequence = reading.sequence;
        // Numbers that this exchange has not come to are those of another journal.
        let is_foreign = seen.is_some_and(|seen| seen > sequence);
        if reading.gap || is_foreign {
            let first = reading.fills.first().map_or(Count(sequence), |fill| fill.sequence);
            self.push("gap", seen.unwrap_or_default().min(sequence), &json!({ "after": seen, "before": first }));
        }
        self.push_fills(reading.fills);
        let snapshot = json!({ "account": reading.account, "markets": reading.markets, "sequence": sequence });
        self.push("snapshot", sequence, &snapshot);
        self.told = sequence;
        Ok(())
    }

    /// The next event; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.by.caller.is_replaced() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            tokio::select! {
                biased;
                () = self.by.connection.draining() => return None,
                () = self.by.caller.replaced() => return None,
                changed = self.any.changed() => changed.ok()?,
            }
            self.look().await;
        }
    }

    /// Reads what changed since the last time, in one turn of the exchange: no event has a lower id than one before it.
    async fn look(&mut self) {
        self.any.mark_unchanged();
        let changed = |watched: &mut watch::Receiver<u64>| {
            let has_changed = watched.has_changed().unwrap_or_default();
            watched.mark_unchanged();
            has_changed
        };
        let account = changed(&mut self.account);
        let ids: Vec<_> = self.markets.iter_mut().filter_map(|(id, watched)| changed(watched).then_some(*id)).collect();
        if !account && ids.is_empty() {
            return;
        }
        // An exchange that has too much to do tells of a later change.
        let Ok(reading) = self.read(self.told, account, ids.clone()).await else {
            self.account.mark_changed();
            return self.markets.iter_mut().filter(|(id, _)| ids.contains(id)).for_each(|(_, it)| it.mark_changed());
        };
        if reading.gap {
            let first = reading.fills.first().map(|fill| fill.sequence);
            self.push("gap", self.told, &json!({ "after": self.told, "before": first }));
        }
        self.push_fills(reading.fills);
        if let Some(account) = &reading.account {
            self.push("account", reading.sequence, account);
        }
        for market in &reading.markets {
            self.push("market", reading.sequence, market);
        }
        self.told = reading.sequence;
    }

    async fn read(&self, after: u64, account: bool, ids: Vec<InstrumentId>) -> Result<Reading, ProblemDetails> {
        let fault = self.instance.exchange().journal_fault();
        let read = self.instance.exchange().read(move |exchange| {
            let newer = exchange.fills(ACCOUNT).rev().take_while(|fill| fill.sequence > after);
            let mut fills: Vec<_> = newer.take(MOST_FILLS + 1).collect();
            // The exchange keeps more than these.
            let gap = fills.len() > MOST_FILLS;
            fills.truncate(MOST_FILLS);
            let view =
                |fill: &cwts_runtime::Fill| Some(FillView::of(exchange.market(fill.instrument)?.instrument(), fill));
            Reading {
                sequence: exchange.sequence(),
                fills: fills.into_iter().rev().filter_map(view).collect(),
                gap,
                account: account.then(|| AccountState::of(exchange)).flatten(),
                markets: ids
                    .iter()
                    .filter_map(|id| Some(MarketData::of(exchange, exchange.market(*id)?, DEPTH, None)))
                    .collect(),
            }
        });
        let mut reading = read.await?;
        reading.account = reading.account.map(|it| AccountState { trading: it.trading.under(fault), ..it });
        Ok(reading)
    }

    fn push_fills(&mut self, fills: Vec<FillView>) {
        for fill in fills {
            self.push("fill", fill.sequence.0, &fill);
        }
    }

    fn push(&mut self, name: &str, id: u64, data: &impl Serialize) {
        match Event::default().event(name).id(id.to_string()).json_data(data) {
            Ok(event) => self.ready.push_back(event),
            Err(error) => tracing::error!(%error, "an event cannot be written"),
        }
    }
}

impl AccountState {
    fn of(exchange: &Exchange) -> Option<Self> {
        let account = exchange.account(ACCOUNT)?;
        Some(Self {
            account: AccountView::of(exchange, account),
            positions: PositionView::all(exchange, account, None, true),
            orders: exchange.open_orders(ACCOUNT).filter_map(|order| OrderView::of(exchange, order)).collect(),
            trading: TradingStateView::of(exchange, Vec::new()),
            sequence: Count(exchange.sequence()),
        })
    }
}
