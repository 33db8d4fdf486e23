//! `/health`, `/health/live` and `/health/ready` as `application/health+json` (draft-inadarei-api-health-check-06).

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cwts_runtime::{Caller, Connection, Instance, RunState, missing_addresses};
use serde::Serialize;

use crate::guard::is_here;

/// A market that has stood still for so many seconds is worth a look: a replay that is paused does, too.
const MARKET_LAG: i64 = 10;
/// An exchange that does not answer within this time is not ready.
const EXCHANGE_DEADLINE: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    /// The instance id, so that an instance of ours is told from a stranger.
    service_id: String,
    /// New at every start of the program, so that an orphan is told from ours.
    nonce: String,
    /// Whether any service is served to other computers. Left out for a stranger, as the rest below.
    #[serde(skip_serializing_if = "Option::is_none")]
    exposed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Checks>,
}

/// In the order of how bad they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Pass,
    /// Works, but look at it.
    Warn,
    Fail,
}

#[derive(Debug, Serialize)]
struct Checks {
    #[serde(rename = "exchange:responseTime")]
    exchange: Vec<Check>,
    #[serde(rename = "journal:writable")]
    journal: Vec<Check>,
    #[serde(rename = "market:lag")]
    market: Vec<Check>,
    #[serde(rename = "services:running")]
    services: Vec<Check>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    component_type: &'static str,
    /// When this was looked at, in RFC 3339 and UTC.
    time: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_unit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Cow<'static, str>>,
}

pub(crate) fn router(instance: &Instance) -> Router {
    Router::new()
        .route("/health", get(ready))
        .route("/health/ready", get(ready))
        .route("/health/live", get(live))
        .with_state(instance.clone())
}

/// Whether the asker is on this computer or has presented a token.
struct Known(bool);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let here = parts.extensions.get::<Connection>().is_some_and(is_here);
        Ok(Self(here || parts.extensions.get::<Caller>().is_some()))
    }
}

/// The process answers.
async fn live(State(instance): State<Instance>, known: Known) -> Response {
    respond(&instance, known.0, Status::Pass, None)
}

/// The exchange answers in time, what happens can be written down, the market moves, and the services run.
async fn ready(State(instance): State<Instance>, known: Known) -> Response {
    let checks = Checks {
        exchange: vec![exchange(&instance).await],
        journal: vec![journal(&instance)],
        market: vec![market(&instance)],
        services: vec![services(&instance)],
    };
    let all = [&checks.exchange, &checks.journal, &checks.market, &checks.services];
    let worst = all.into_iter().flatten().map(|check| check.status).max().unwrap_or(Status::Fail);
    respond(&instance, known.0, worst, Some(checks))
}

impl Check {
    fn new(instance: &Instance, component_type: &'static str, status: Status) -> Self {
        let time = instance.clock().now().to_string();
        Self { component_type, time, status, observed_value: None, observed_unit: None, output: None }
    }

    fn observed(self, value: f64, unit: &'static str) -> Self {
        Self { observed_value: Some(value), observed_unit: Some(unit), ..self }
    }

    fn saying(self, output: Option<impl Into<Cow<'static, str>>>) -> Self {
        Self { output: output.map(Into::into), ..self }
    }
}

async fn exchange(instance: &Instance) -> Check {
    let asked = Instant::now();
    let answer = tokio::time::timeout(EXCHANGE_DEADLINE, instance.exchange().read(|exchange| exchange.sequence()));
    let (status, output) = match answer.await {
        Ok(Ok(_)) => (Status::Pass, None),
        Ok(Err(_)) => (Status::Fail, Some("The exchange is overloaded or has ended.")),
        Err(_) => (Status::Fail, Some("The exchange did not answer within 1 s.")),
    };
    Check::new(instance, "component", status).observed(asked.elapsed().as_secs_f64() * 1e3, "ms").saying(output)
}

/// A journal that cannot be written has halted trading.
fn journal(instance: &Instance) -> Check {
    let fault = instance.exchange().journal_fault();
    let status = if fault.is_some() { Status::Fail } else { Status::Pass };
    let output = fault.map(|fault| format!("Trading is halted: {fault}. {}", fault.help()));
    Check::new(instance, "datastore", status).saying(output)
}

/// A market that stands takes orders all the same.
fn market(instance: &Instance) -> Check {
    let lag = instance.metrics().market_lag.get();
    let stands = lag > MARKET_LAG;
    let output = stands.then(|| format!("The market has not moved for {lag} s; a replay that is paused stands, too."));
    let status = if stands { Status::Warn } else { Status::Pass };
    Check::new(instance, "component", status).observed(lag as f64, "s").saying(output)
}

fn services(instance: &Instance) -> Check {
    let snapshot = instance.snapshot();
    let missing = missing_addresses(&snapshot);
    let (status, output): (_, Option<Cow<'static, str>>) = match snapshot.state {
        RunState::Running if missing.is_empty() => (Status::Pass, None),
        RunState::Running => (Status::Warn, Some(missing.join(" ").into())),
        RunState::Starting => (Status::Fail, Some("starting".into())),
        RunState::Stopping => (Status::Fail, Some("draining: open connections end, new ones are refused".into())),
        RunState::Stopped => (Status::Fail, Some("stopped".into())),
    };
    Check::new(instance, "system", status).saying(output)
}

/// Another computer without a token learns no more than a load balancer needs.
fn respond(instance: &Instance, known: bool, status: Status, checks: Option<Checks>) -> Response {
    let code = match status {
        Status::Pass | Status::Warn => StatusCode::OK,
        Status::Fail => StatusCode::SERVICE_UNAVAILABLE,
    };
    let health = Health {
        status,
        version: known.then_some(env!("CARGO_PKG_VERSION")),
        service_id: instance.id().to_owned(),
        nonce: instance.nonce().to_owned(),
        exposed: known.then(|| instance.policy().is_exposed()),
        checks: checks.filter(|_| known),
    };
    let headers = [(header::CONTENT_TYPE, "application/health+json"), (header::CACHE_CONTROL, "no-store")];
    (code, headers, Json(health)).into_response()
}
