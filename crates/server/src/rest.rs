//! The REST control plane below `/api/v1`.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use cwts_runtime::{Instance, MarketSummary, Snapshot};

pub(crate) fn router(instance: &Instance) -> Router {
    Router::new().route("/api/v1/status", get(status)).with_state(instance.clone())
}

/// The instance's snapshot with the market as it is now.
async fn status(State(instance): State<Instance>) -> Json<Snapshot> {
    let mut snapshot = instance.snapshot();
    snapshot.market = instance.exchange().read(MarketSummary::of).await.ok().flatten();
    Json(snapshot)
}
