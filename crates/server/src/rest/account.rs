//! The paper account: cash, positions, fills, limits.

use axum::Json;
use axum::extract::State;
use cwts_runtime::Instance;
use rmcp::handler::server::wrapper::Parameters;

use super::api::Api;
use super::document::About;
use super::input::{Asked, By, Named, Reads, Trades};
use super::tools;
use crate::mcp::wire::{
    AccountView, ClosePositionArgs, FillList, FillsArgs, Flattened, LimitsView, OrderView, PositionList, PositionsArgs,
    RiskAnalysis, RiskArgs,
};
use crate::problem::ProblemDetails;

type Answer<T> = Result<Json<T>, ProblemDetails>;

pub(super) fn routes(api: Api) -> Api {
    api.tag("Account", "The one paper account that all clients trade on.")
        .get("/api/v1/account", About::new("get_account", "Cash, equity, profit and fees."), account)
        .get("/api/v1/positions", About::new("list_positions", "Open positions, with profit and loss."), positions)
        .post_once(
            "/api/v1/positions/{symbol}/close",
            About::new("close_position", "Closes the position in one instrument with a reduce-only market order."),
            close,
        )
        .post_once(
            "/api/v1/positions/flatten",
            About::new("flatten_all", "Cancels every open order and closes every position at the market."),
            flatten,
        )
        .get("/api/v1/fills", About::new("list_fills", "Fills, newest first, page by page."), fills)
        .get(
            "/api/v1/risk",
            About::new("analyze_risk", "Exposure, value at risk, expected shortfall, volatility and drawdown."),
            risk,
        )
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

async fn risk(_by: By<Reads>, State(instance): State<Instance>, Asked(query): Asked<RiskArgs>) -> Answer<RiskAnalysis> {
    Ok(Json(tools(instance).analyze_risk(Parameters(query)).await?.0))
}

async fn limits(_by: By<Reads>, State(instance): State<Instance>) -> Answer<LimitsView> {
    Ok(Json(tools(instance).get_risk_limits().await?.0))
}

async fn fills(_by: By<Reads>, State(instance): State<Instance>, Asked(query): Asked<FillsArgs>) -> Answer<FillList> {
    Ok(Json(tools(instance).get_fills(Parameters(query)).await?.0))
}
