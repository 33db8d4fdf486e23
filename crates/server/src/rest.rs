//! The REST control plane below `/api/v1`.

mod trading;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use cwts_runtime::{Actor, AuditPage, Caller, Connected, Connection, Instance, MarketSummary, Scope, Snapshot};
use serde::Deserialize;

use crate::problem::ProblemDetails;

pub(crate) fn router(instance: &Instance) -> Router {
    Router::new()
        .route("/api/v1/status", get(status))
        .route("/api/v1/audit", get(audit))
        .route("/api/v1/clients", get(clients))
        .route("/api/v1/clients/{id}", delete(disconnect))
        .route("/api/v1/trading/arm", post(arm))
        .route("/api/v1/trading/disarm", post(disarm))
        .merge(trading::router())
        .with_state(instance.clone())
}

/// The instance's snapshot with the market as it is now.
async fn status(State(instance): State<Instance>) -> Json<Snapshot> {
    let mut snapshot = instance.snapshot();
    snapshot.market = instance.exchange().read(MarketSummary::of).await.ok().flatten();
    Json(snapshot)
}

/// Which part of the audit trail.
#[derive(Debug, Deserialize)]
struct AuditQuery {
    /// At most 500.
    #[serde(default = "hundred")]
    limit: usize,
    /// The `next_cursor` of the page before.
    cursor: Option<u64>,
}

fn hundred() -> usize {
    100
}

/// Who did what to credentials, exposure, firewall and settings, the newest first. For the owner alone: it tells whoever
/// holds a smaller token how they are watched.
async fn audit(
    State(instance): State<Instance>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<AuditPage>, ProblemDetails> {
    only_owner(&caller, "reads the audit trail")?;
    let Query(AuditQuery { limit, cursor }) = query.map_err(|refused| {
        let detail = format!("{}. Use limit=1 to 500, and as cursor the next_cursor of a page.", refused.body_text());
        ProblemDetails::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
    })?;
    if !(1..=500).contains(&limit) {
        let detail = format!("limit is {limit}. Use 1 to 500.");
        return Err(ProblemDetails::new(StatusCode::BAD_REQUEST, "invalid_query", detail));
    }
    let page = instance.audit_page(cursor, limit).await;
    page.map(Json).map_err(|problem| {
        ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, "audit_unreadable", problem.to_string())
    })
}

/// Who is connected. Names and addresses of others are the owner's to see.
async fn clients(
    State(instance): State<Instance>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Connected>, ProblemDetails> {
    only_owner(&caller, "sees the clients")?;
    Ok(Json(instance.connected().list()))
}

/// Ends the connection of a client, which may connect again.
async fn disconnect(
    State(instance): State<Instance>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, ProblemDetails> {
    only_owner(&caller, "disconnects clients")?;
    let ended = instance.disconnect(&id).map(|_| StatusCode::NO_CONTENT);
    ended.map_err(|problem| ProblemDetails::new(StatusCode::NOT_FOUND, "client_unknown", problem.to_string()))
}

fn only_owner(caller: &Caller, act: &str) -> Result<(), ProblemDetails> {
    if caller.scope().allows(Scope::Owner) {
        return Ok(());
    }
    let detail = format!("Only the owner {act}; `cwts-ultra token show --scope owner` prints the token.");
    Err(ProblemDetails::new(StatusCode::FORBIDDEN, "scope_too_small", detail))
}

/// Lets clients place orders although other computers are served.
async fn arm(
    State(instance): State<Instance>,
    Extension(caller): Extension<Caller>,
    Extension(connection): Extension<Connection>,
) -> Result<StatusCode, ProblemDetails> {
    set_armed(&instance, &caller, &connection, true).await
}

/// Makes trading read-only again, where other computers are served. Whoever may trade may stop it.
async fn disarm(
    State(instance): State<Instance>,
    Extension(caller): Extension<Caller>,
    Extension(connection): Extension<Connection>,
) -> Result<StatusCode, ProblemDetails> {
    set_armed(&instance, &caller, &connection, false).await
}

async fn set_armed(
    instance: &Instance,
    caller: &Caller,
    connection: &Connection,
    armed: bool,
) -> Result<StatusCode, ProblemDetails> {
    // Without the trade scope nobody gets here.
    if armed {
        only_owner(caller, "arms trading")?;
    }
    let by = Actor::Rest { scope: caller.scope(), from: connection.peer().ip().to_canonical() };
    let done = instance.arm_trading(armed, by).await.map(|_| StatusCode::NO_CONTENT);
    done.map_err(|problem| ProblemDetails::new(StatusCode::CONFLICT, "wrong_state", problem.to_string()))
}
