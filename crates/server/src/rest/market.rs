//! What is traded, and at which prices.

use axum::Json;
use axum::extract::State;
use cwts_runtime::Instance;
use rmcp::handler::server::wrapper::Parameters;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::api::Api;
use super::document::About;
use super::input::{Asked, By, Named, Reads};
use super::tools;
use crate::mcp::wire::{Count, InstrumentList, MarketData, MarketDataArgs};
use crate::problem::ProblemDetails;

type Answer<T> = Result<Json<T>, ProblemDetails>;

pub(super) fn routes(api: Api) -> Api {
    api.tag("Market", "Instruments, order books and prices.")
        .get("/api/v1/instruments", About::new("list_instruments", "Everything that is traded, with its steps."), list)
        .get("/api/v1/book/{symbol}", About::new("get_book", "The order book of an instrument."), book)
        .get(
            "/api/v1/market-data/{symbol}",
            About::new("get_market_data", "Best prices, last price, volume and the order book of an instrument."),
            data,
        )
}

async fn list(_by: By<Reads>, State(instance): State<Instance>) -> Answer<InstrumentList> {
    Ok(Json(tools(instance).list_instruments().await?.0))
}

/// How much of a book.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BookQuery {
    /// Price levels per side, 1 to 100; 10 when left out.
    #[serde(default)]
    #[schemars(with = "Option<i32>", range(min = 1, max = 100))]
    depth: Option<u16>,
}

/// An order book.
#[derive(Debug, Serialize, JsonSchema)]
struct Book {
    symbol: String,
    /// [price, quantity], highest price first.
    bids: Vec<[f64; 2]>,
    /// [price, quantity], lowest price first.
    asks: Vec<[f64; 2]>,
    /// The exchange's sequence number when this was read.
    sequence: Count,
}

async fn book(
    _by: By<Reads>,
    State(instance): State<Instance>,
    Named(symbol): Named,
    Asked(BookQuery { depth }): Asked<BookQuery>,
) -> Answer<Book> {
    let MarketData { symbol, bids, asks, sequence, .. } = market_data(instance, symbol, depth, None).await?;
    Ok(Json(Book { symbol, bids, asks, sequence }))
}

/// How much of the market.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MarketQuery {
    /// Price levels per side, 1 to 100; 10 when left out.
    #[serde(default)]
    #[schemars(with = "Option<i32>", range(min = 1, max = 100))]
    depth: Option<u16>,
    /// Whether to add the latest trades.
    #[serde(default)]
    include_trades: Option<bool>,
}

async fn data(
    _by: By<Reads>,
    State(instance): State<Instance>,
    Named(symbol): Named,
    Asked(MarketQuery { depth, include_trades }): Asked<MarketQuery>,
) -> Answer<MarketData> {
    Ok(Json(market_data(instance, symbol, depth, include_trades).await?))
}

async fn market_data(
    instance: Instance,
    symbol: String,
    depth: Option<u16>,
    include_trades: Option<bool>,
) -> Result<MarketData, ProblemDetails> {
    Ok(tools(instance).get_market_data(Parameters(MarketDataArgs { symbol, depth, include_trades })).await?.0)
}
