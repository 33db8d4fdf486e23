//! Who is connected. Names and addresses of others are the owner's to see.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cwts_runtime::{Connected, Instance};

use super::answer::NoContent;
use super::api::Api;
use super::document::About;
use super::input::{By, Named, Owns};
use crate::problem::ProblemDetails;

pub(super) fn routes(api: Api) -> Api {
    api.tag("Clients", "Who is connected. For the owner.")
        .get("/api/v1/clients", About::new("list_clients", "Who is connected, the longest first."), list)
        .delete(
            "/api/v1/clients/{id}",
            About::new("disconnect_client", "Ends the connection of a client, which may connect again."),
            disconnect,
        )
}

async fn list(_by: By<Owns>, State(instance): State<Instance>) -> Json<Connected> {
    Json(instance.connected().list())
}

async fn disconnect(
    _by: By<Owns>,
    State(instance): State<Instance>,
    Named(id): Named,
) -> Result<NoContent, ProblemDetails> {
    let unknown = |problem: cwts_domain::Problem| {
        ProblemDetails::new(StatusCode::NOT_FOUND, "client_unknown", problem.to_string())
    };
    instance.disconnect(&id).map_err(unknown)?;
    Ok(NoContent)
}
