//! What is traded, and at which prices.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cwts_runtime::Instance;
use rmcp::handler::server::wrapper::Parameters;
use schemars::JsonSchema;
use serde::Deserialize;

use super::api::Api;
use super::document::About;
use super::input::{Asked, By, Named, Reads};
use super::tools;
use crate::mcp::wire::{InstrumentList, MarketData, MarketDataArgs, OrderBook};
use crate::problem::ProblemDetails;

/// Price levels per side where nobody asks for more.
const DEPTH: usize = 10;

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

async fn book(
    _by: By<Reads>,
    State(instance): State<Instance>,
    Named(symbol): Named,
    Asked(BookQuery { depth }): Asked<BookQuery>,
) -> Answer<OrderBook> {
    let exchange = instance.exchange();
    let (id, _) = exchange.instrument(&symbol)?;
    let depth = depth.map_or(DEPTH, usize::from);
    let read = exchange.read(move |exchange| exchange.market(id).map(|it| OrderBook::of(exchange, it, depth))).await?;
    let unknown =
        || ProblemDetails::new(StatusCode::NOT_FOUND, "unknown_symbol", format!("{symbol} is not traded here."));
    read.map(Json).ok_or_else(unknown)
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
    let asked = MarketDataArgs { symbol, depth, include_trades };
    Ok(Json(tools(instance).get_market_data(Parameters(asked)).await?.0))
}
