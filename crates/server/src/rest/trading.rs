//! Who may trade: `/api/v1/trading`. Whoever may trade may stop it; only the owner lets it go on.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use cwts_domain::{Actor, ErrorCode, Problem};
use cwts_runtime::{Caller, Instance, Scope, TradingStatus};

use crate::problem::ProblemDetails;

type Answer = Result<Json<TradingStatus>, ProblemDetails>;

pub(super) fn router() -> Router<Instance> {
    Router::new()
        .route("/api/v1/trading", get(status))
        .route("/api/v1/trading/halt", post(halt))
        .route("/api/v1/trading/resume", post(resume))
        .route("/api/v1/trading/cancel-all", post(cancel_all))
}

async fn status(State(instance): State<Instance>, Extension(caller): Extension<Caller>) -> Answer {
    allowed(&caller, Scope::Read, "Reading the trading state")?;
    Ok(Json(instance.trading_status().await.map_err(refused)?))
}

async fn halt(State(instance): State<Instance>, Extension(caller): Extension<Caller>) -> Answer {
    allowed(&caller, Scope::Trade, "Halting trading")?;
    let by = if caller.scope().allows(Scope::Owner) { Actor::Person } else { Actor::Agent };
    Ok(Json(instance.halt_trading(by).await.map_err(refused)?))
}

async fn resume(State(instance): State<Instance>, Extension(caller): Extension<Caller>) -> Answer {
    allowed(&caller, Scope::Owner, "Resuming trading")?;
    Ok(Json(instance.resume_trading().await.map_err(refused)?))
}

async fn cancel_all(State(instance): State<Instance>, Extension(caller): Extension<Caller>) -> Answer {
    allowed(&caller, Scope::Trade, "Cancelling orders")?;
    Ok(Json(instance.cancel_all_orders().await.map_err(refused)?))
}

fn allowed(caller: &Caller, needed: Scope, what: &str) -> Result<(), ProblemDetails> {
    if caller.scope().allows(needed) {
        return Ok(());
    }
    let detail =
        format!("{what} needs a token of the scope {needed}; `cwts-ultra token show --scope {needed}` prints one.");
    Err(ProblemDetails::new(StatusCode::FORBIDDEN, "scope_too_small", detail))
}

fn refused(problem: Problem) -> ProblemDetails {
    let (status, code) = match problem.code {
        ErrorCode::SaveFailed => (StatusCode::SERVICE_UNAVAILABLE, "journal_failed"),
        ErrorCode::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
        ErrorCode::WrongState => (StatusCode::CONFLICT, "wrong_state"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    };
    ProblemDetails::new(status, code, problem.to_string())
}
