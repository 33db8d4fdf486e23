//! The paper account: cash, positions, fills, limits.

use axum::Json;
use axum::extract::State;
use cwts_domain::AccountId;
use cwts_runtime::Instance;
use rmcp::handler::server::wrapper::Parameters;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::api::Api;
use super::document::About;
use super::input::{Asked, By, Named, Reads, Trades};
use super::tools;
use crate::mcp::wire::{
    AccountView, ClosePositionArgs, FillView, Flattened, LimitsView, OrderView, PositionList, PositionsArgs,
};
use crate::problem::ProblemDetails;

type Answer<T> = Result<Json<T>, ProblemDetails>;

const DEFAULT_PAGE: u16 = 100;

pub(super) fn routes(api: Api) -> Api {
    api.tag("Account", "The one paper account that all clients trade on.")
        .get("/api/v1/account", About::new("get_account", "Cash, equity, profit and fees."), account)
        .get("/api/v1/positions", About::new("list_positions", "Open positions, with profit and loss."), positions)
        .post(
            "/api/v1/positions/{symbol}/close",
            About::new("close_position", "Closes the position in one instrument with a reduce-only market order."),
            close,
        )
        .post(
            "/api/v1/positions/flatten",
            About::new("flatten_all", "Cancels every open order and closes every position at the market."),
            flatten,
        )
        .get("/api/v1/fills", About::new("list_fills", "Fills, newest first, page by page."), fills)
        .get("/api/v1/risk-limits", About::new("get_risk_limits", "The limits, and how far they are used."), limits)
}

async fn account(_by: By<Reads>, State(instance): State<Instance>) -> Answer<AccountView> {
    Ok(Json(tools(instance).get_account().await?.0))
}

async fn positions(
    _by: By<Reads>,
    State(instance): State<Instance>,
    Asked(query): Asked<PositionsArgs>,
) -> Answer<PositionList> {
    Ok(Json(tools(instance).get_positions(Parameters(query)).await?.0))
}

async fn close(_by: By<Trades>, State(instance): State<Instance>, Named(symbol): Named) -> Answer<OrderView> {
    Ok(Json(tools(instance).close_position(Parameters(ClosePositionArgs { symbol })).await?.0))
}

async fn flatten(_by: By<Trades>, State(instance): State<Instance>) -> Answer<Flattened> {
    Ok(Json(tools(instance).flatten_all().await?.0))
}

async fn limits(_by: By<Reads>, State(instance): State<Instance>) -> Answer<LimitsView> {
    Ok(Json(tools(instance).get_risk_limits().await?.0))
}

/// Which fills.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FillsQuery {
    /// Only of this instrument.
    #[serde(default)]
    symbol: Option<String>,
    /// At most this many, 1 to 500; 100 when left out.
    #[serde(default)]
    #[schemars(with = "Option<i32>", range(min = 1, max = 500))]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    // The largest integer that every client can hold.
    #[schemars(with = "Option<i64>", range(min = 0, max = 9_007_199_254_740_991_i64))]
    cursor: Option<u64>,
}

/// One page of fills.
#[derive(Debug, Serialize, JsonSchema)]
struct FillPage {
    /// Newest first.
    fills: Vec<FillView>,
    /// Cursor of the next page; null on the last.
    #[schemars(with = "Option<i64>")]
    next_cursor: Option<u64>,
}

async fn fills(_by: By<Reads>, State(instance): State<Instance>, Asked(query): Asked<FillsQuery>) -> Answer<FillPage> {
    let FillsQuery { symbol, limit, cursor } = query;
    let exchange = instance.exchange();
    let only = symbol.map(|symbol| exchange.instrument(&symbol)).transpose()?.map(|(id, _)| id);
    let most = usize::from(limit.unwrap_or(DEFAULT_PAGE));
    let read = exchange.read(move |exchange| {
        // A trade has one fill of an account: it never trades with itself.
        let older = exchange.fills(AccountId::PAPER).rev().filter(|fill| {
            cursor.is_none_or(|cursor| fill.sequence < cursor) && only.is_none_or(|only| fill.instrument == only)
        });
        let mut page: Vec<_> = older.take(most + 1).collect();
        let more = page.len() > most;
        page.truncate(most);
        let next_cursor = page.last().filter(|_| more).map(|last| last.sequence);
        let view = |fill: &cwts_runtime::Fill| Some(FillView::of(exchange.market(fill.instrument)?.instrument(), fill));
        FillPage { fills: page.into_iter().filter_map(view).collect(), next_cursor }
    });
    Ok(Json(read.await?))
}
