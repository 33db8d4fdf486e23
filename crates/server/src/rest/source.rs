//! Where prices come from: the simulated market, or a file that is played in its place.

use axum::Json;
use axum::extract::State;
use cwts_domain::{ErrorCode, Problem, Timestamp};
use cwts_runtime::{
    AccountLimits, Instance, LimitsChange, MarketStatus, ReplayRequest, SimulatorView, Speed, TradingStatus,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::document::About;
use super::input::{Body, By, Owns, Reads};
use crate::problem::ProblemDetails;

type Answer<T> = Result<Json<T>, ProblemDetails>;

pub(super) fn routes(api: Api) -> Api {
    let file = json!({ "file": "/home/me/BTCUSDT-trades-2021-01-08.csv", "speed": 10, "loop": true });
    api.tag("Market source", "Where prices come from: simulated, or played from a file. Changes are for the owner.")
        .get("/api/v1/market", About::new("get_market_source", "Where prices come from, and how far a file is played."), status)
        .patch(
            "/api/v1/market",
            About::new("change_replay", "Changes the speed of the file that is played, and whether it begins again at its end."),
            change,
        )
        .post(
            "/api/v1/market/replay",
            About::new(
                "replay_market",
                "Plays a file of trades, best bid and ask, or bars in place of the simulated prices of its symbol. Open orders \
                 in the symbol are cancelled: they belong to other prices.",
            )
            .with_example(file),
            replay,
        )
        .post("/api/v1/market/simulate", About::new("simulate_market", "Simulates all prices, from the last ones on."), simulate)
        .post("/api/v1/market/pause", About::new("pause_market", "No price moves from then on."), pause)
        .post("/api/v1/market/resume", About::new("resume_market", "Prices move again."), resume)
        .post(
            "/api/v1/market/seek",
            About::new("seek_market", "Goes to a moment of the file. Open orders in its symbol are cancelled.")
                .with_example(json!({ "to": "2021-01-08T00:01:00Z" })),
            seek,
        )
        .patch(
            "/api/v1/risk-limits",
            About::new("set_risk_limits", "Changes limits of the paper account: all that are named, or none. For the owner.")
                .with_example(json!({ "leverage": 2 })),
            set_limits,
        )
        .post(
            "/api/v1/account/reset",
            About::new(
                "reset_account",
                "Gives the paper account its opening cash back; its orders are cancelled, its positions and history forgotten. \
                 For the owner.",
            ),
            reset,
        )
}

async fn status(_by: By<Reads>, State(instance): State<Instance>) -> Json<MarketStatus> {
    Json(instance.market_status())
}

async fn replay(
    _by: By<Owns>,
    State(instance): State<Instance>,
    Body(request): Body<ReplayRequest>,
) -> Answer<MarketStatus> {
    Ok(Json(instance.replay_market(request).await?))
}

/// What is left out is as usual.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SimulatorArgs {
    /// The same seed gives the same flow of orders.
    #[serde(default)]
    seed: Option<u64>,
    /// How many times the usual the distance of the quotes is, 0.1 to 10.
    #[serde(default)]
    spread: Option<f64>,
    /// How many times the usual their quantity is, 0.1 to 10.
    #[serde(default)]
    depth: Option<f64>,
    /// How many times as far as usual prices move, 0.1 to 10.
    #[serde(default)]
    volatility: Option<f64>,
}

async fn simulate(
    _by: By<Owns>,
    State(instance): State<Instance>,
    Body(args): Body<SimulatorArgs>,
) -> Answer<MarketStatus> {
    let usual = SimulatorView::default();
    let settings = SimulatorView {
        seed: args.seed.unwrap_or(usual.seed),
        spread: args.spread.unwrap_or(usual.spread),
        depth: args.depth.unwrap_or(usual.depth),
        volatility: args.volatility.unwrap_or(usual.volatility),
    };
    Ok(Json(instance.simulate_market(settings).await?))
}

async fn pause(_by: By<Owns>, State(instance): State<Instance>) -> Answer<MarketStatus> {
    Ok(Json(instance.pause_market().await?))
}

async fn resume(_by: By<Owns>, State(instance): State<Instance>) -> Answer<MarketStatus> {
    Ok(Json(instance.resume_market().await?))
}

/// A moment of the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Moment {
    /// In RFC 3339, for example 2021-01-08T00:01:00Z.
    to: String,
}

async fn seek(_by: By<Owns>, State(instance): State<Instance>, Body(moment): Body<Moment>) -> Answer<MarketStatus> {
    let to: Timestamp = moment.to.parse().map_err(|_| {
        let message = format!("{:?} is no time such as 2021-01-08T00:01:00Z.", moment.to);
        Problem::new(ErrorCode::InvalidInput, message).at("to")
    })?;
    Ok(Json(instance.seek_market(to).await?))
}

/// What is left out stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplayChange {
    /// A number from 0.1 to 10000, or "max".
    #[serde(default)]
    speed: Option<Speed>,
    /// Whether the file begins again at its end.
    #[serde(default, rename = "loop")]
    looping: Option<bool>,
}

async fn change(
    _by: By<Owns>,
    State(instance): State<Instance>,
    Body(change): Body<ReplayChange>,
) -> Answer<MarketStatus> {
    if let Some(speed) = change.speed {
        instance.set_market_speed(speed).await?;
    }
    if let Some(looping) = change.looping {
        instance.set_market_loop(looping).await?;
    }
    Ok(Json(instance.market_status()))
}

async fn set_limits(
    by: By<Owns>,
    State(instance): State<Instance>,
    Body(change): Body<LimitsChange>,
) -> Answer<AccountLimits> {
    Ok(Json(instance.set_limits(change, by.actor()).await?))
}

async fn reset(by: By<Owns>, State(instance): State<Instance>) -> Answer<TradingStatus> {
    Ok(Json(instance.reset_account(by.actor()).await?))
}
