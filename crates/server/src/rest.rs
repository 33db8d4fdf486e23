//! The REST control plane below `/api/v1`.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use cwts_runtime::{Caller, Instance, MarketSummary, Scope, Snapshot};

use crate::problem::ProblemDetails;

pub(crate) fn router(instance: &Instance) -> Router {
    Router::new()
        .route("/api/v1/status", get(status))
        .route("/api/v1/trading/arm", post(arm))
        .route("/api/v1/trading/disarm", post(disarm))
        .with_state(instance.clone())
}

/// The instance's snapshot with the market as it is now.
async fn status(State(instance): State<Instance>) -> Json<Snapshot> {
    let mut snapshot = instance.snapshot();
    snapshot.market = instance.exchange().read(MarketSummary::of).await.ok().flatten();
    Json(snapshot)
}

/// Lets clients place orders although other computers are served.
async fn arm(
    State(instance): State<Instance>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, ProblemDetails> {
    set_armed(&instance, &caller, true).await
}

/// Makes trading read-only again, where other computers are served. Whoever may trade may stop it.
async fn disarm(
    State(instance): State<Instance>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, ProblemDetails> {
    set_armed(&instance, &caller, false).await
}

async fn set_armed(instance: &Instance, caller: &Caller, armed: bool) -> Result<StatusCode, ProblemDetails> {
    let needed = if armed { Scope::Owner } else { Scope::Trade };
    if !caller.scope().allows(needed) {
        let detail = "Only the owner arms trading; `cwts-ultra token show --scope owner` prints the token.";
        return Err(ProblemDetails::new(StatusCode::FORBIDDEN, "scope_too_small", detail));
    }
    let done = instance.arm_trading(armed).await.map(|_| StatusCode::NO_CONTENT);
    done.map_err(|problem| ProblemDetails::new(StatusCode::CONFLICT, "wrong_state", problem.to_string()))
}
