//! Who may trade: `/api/v1/trading`. Whoever may trade may stop it; only the owner lets it go on.

use axum::Json;
use axum::extract::State;
use cwts_domain::{ErrorCode, Problem};
use cwts_runtime::{Instance, TradingStatus};

use super::answer::NoContent;
use super::api::Api;
use super::document::About;
use super::input::{By, Owns, Reads, Trades};
use crate::problem::ProblemDetails;

type Answer = Result<Json<TradingStatus>, ProblemDetails>;

pub(super) fn routes(api: Api) -> Api {
    api.tag("Trading state", "Who may trade. A trade token may tighten, only the owner lets trading go on.")
        .get("/api/v1/trading", About::new("get_trading_state", "Whether trading is active, reducing or halted."), status)
        .post(
            "/api/v1/trading/halt",
            About::new(
                "halt_trading",
                "Halts trading: orders can only be cancelled from then on, also after a restart. What is open stays open \
                 and may fill.",
            ),
            halt,
        )
        .post(
            "/api/v1/trading/reduce",
            About::new("reduce_trading", "Takes only orders that make a position smaller from then on."),
            reduce,
        )
        .post("/api/v1/trading/resume", About::new("resume_trading", "Lets clients trade again. For the owner."), resume)
        .post(
            "/api/v1/trading/cancel-all",
            About::new("cancel_everything", "Cancels every open order, and answers the trading state."),
            cancel_all,
        )
        .post(
            "/api/v1/trading/arm",
            About::new("arm_trading", "Takes orders although other computers are served. For the owner."),
            arm,
        )
        .post(
            "/api/v1/trading/disarm",
            About::new("disarm_trading", "Refuses orders again while other computers are served."),
            disarm,
        )
}

async fn status(_by: By<Reads>, State(instance): State<Instance>) -> Answer {
    Ok(Json(instance.trading_status().await.map_err(refused)?))
}

async fn halt(by: By<Trades>, State(instance): State<Instance>) -> Answer {
    Ok(Json(instance.halt_trading(by.actor()).await.map_err(refused)?))
}

async fn reduce(by: By<Trades>, State(instance): State<Instance>) -> Answer {
    Ok(Json(instance.reduce_trading(by.actor()).await.map_err(refused)?))
}

async fn resume(by: By<Owns>, State(instance): State<Instance>) -> Answer {
    Ok(Json(instance.resume_trading(by.actor()).await.map_err(refused)?))
}

async fn cancel_all(_by: By<Trades>, State(instance): State<Instance>) -> Answer {
    Ok(Json(instance.cancel_all_orders().await.map_err(refused)?))
}

async fn arm(by: By<Owns>, State(instance): State<Instance>) -> Result<NoContent, ProblemDetails> {
    instance.arm_trading(true, by.actor()).await?;
    Ok(NoContent)
}

async fn disarm(by: By<Trades>, State(instance): State<Instance>) -> Result<NoContent, ProblemDetails> {
    instance.arm_trading(false, by.actor()).await?;
    Ok(NoContent)
}

/// What the exchange cannot save is its journal.
fn refused(problem: Problem) -> ProblemDetails {
    let is_journal = problem.code == ErrorCode::SaveFailed;
    let refused = ProblemDetails::from(problem);
    if is_journal { ProblemDetails { code: "journal_failed", ..refused } } else { refused }
}
