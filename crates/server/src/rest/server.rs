//! The server itself: its state, services, settings, ports, its neighbours and the audit trail.

use axum::Json;
use axum::extract::State;
use cwts_domain::Service;
use cwts_runtime::{
    AuditPage, Instance, InstanceRow, ListenerRow, MarketSummary, PortCheck, ServiceSnapshot, SettingsEdit,
    SettingsView, Snapshot,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::api::Api;
use super::document::About;
use super::input::{Asked, Body, By, Owns, Reads};
use crate::problem::ProblemDetails;

type Answer<T> = Result<Json<T>, ProblemDetails>;

const CONFIG: &str = "/api/v1/config";
const DEFAULT_PAGE: u16 = 100;

pub(super) fn routes(api: Api) -> Api {
    let edit = json!({
        "expected_revision": 3,
        "changes": [{ "key": "log.level", "value": "debug" }],
        "save": "toml",
    });
    api.tag("Server", "State, services, settings and ports.")
        .get("/api/v1/status", About::new("get_status", "Everything about the instance at this moment."), status)
        .get("/api/v1/services", About::new("list_services", "The four services: where they listen, who uses them."), services)
        .get(
            CONFIG,
            About::new("get_config", "Every setting, where it came from and what it hides, with the revision to name in a change."),
            config,
        )
        .patch(
            CONFIG,
            About::new(
                "change_config",
                "Changes settings: all of them or none. New sockets are bound first, then the file is saved, then old sockets \
                 drain. Refused with 409 where somebody else has changed the settings since the expected revision. For the \
                 owner.",
            )
            .with_example(edit),
            change_config,
        )
        .get("/api/v1/ports", About::new("list_ports", "Every listening port of this computer, and who holds it."), ports)
        .get("/api/v1/ports/check", About::new("check_port", "Whether a service could move to a port."), check_port)
        .get("/api/v1/instances", About::new("list_instances", "The instances of the home."), instances)
        .get(
            "/api/v1/audit",
            About::new(
                "list_audit_records",
                "Who did what to credentials, exposure, firewall and settings, the newest first, page by page. For the owner: \
                 it tells whoever holds a smaller token how they are watched.",
            ),
            audit,
        )
}

/// The instance's snapshot with the market as it is now.
async fn status(_by: By<Reads>, State(instance): State<Instance>) -> Json<Snapshot> {
    let mut snapshot = instance.snapshot();
    snapshot.market = instance.exchange().read(MarketSummary::of).await.ok().flatten();
    Json(snapshot)
}

/// The four services.
#[derive(Debug, Serialize, JsonSchema)]
struct ServiceList {
    /// Always all four, in the fixed order.
    services: Vec<ServiceSnapshot>,
}

async fn services(_by: By<Reads>, State(instance): State<Instance>) -> Json<ServiceList> {
    Json(ServiceList { services: instance.snapshot().services })
}

async fn config(_by: By<Reads>, State(instance): State<Instance>) -> Answer<SettingsView> {
    Ok(Json(instance.settings().await?))
}

async fn change_config(
    by: By<Owns>,
    State(instance): State<Instance>,
    Body(edit): Body<SettingsEdit>,
) -> Answer<SettingsView> {
    instance.change_by(edit, by.actor()).await?;
    Ok(Json(instance.settings().await?))
}

/// The port table.
#[derive(Debug, Serialize, JsonSchema)]
struct PortList {
    /// By port, then protocol, then address.
    ports: Vec<ListenerRow>,
}

async fn ports(_by: By<Reads>, State(instance): State<Instance>) -> Answer<PortList> {
    Ok(Json(PortList { ports: instance.port_table().await? }))
}

/// A port for a service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PortQuery {
    service: Service,
    #[schemars(range(min = 1, max = 65535))]
    port: u16,
}

async fn check_port(
    _by: By<Reads>,
    State(instance): State<Instance>,
    Asked(PortQuery { service, port }): Asked<PortQuery>,
) -> Json<PortCheck> {
    Json(instance.check_port(service, port).await)
}

/// The instances of a home.
#[derive(Debug, Serialize, JsonSchema)]
struct InstanceList {
    instances: Vec<InstanceRow>,
}

async fn instances(_by: By<Reads>, State(instance): State<Instance>) -> Answer<InstanceList> {
    Ok(Json(InstanceList { instances: instance.neighbours().await? }))
}

/// Which part of the audit trail.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
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

async fn audit(
    _by: By<Owns>,
    State(instance): State<Instance>,
    Asked(AuditQuery { limit, cursor }): Asked<AuditQuery>,
) -> Answer<AuditPage> {
    let most = usize::from(limit.unwrap_or(DEFAULT_PAGE));
    Ok(Json(instance.audit_page(cursor, most).await?))
}
