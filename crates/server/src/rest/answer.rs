//! What handlers answer, and how it is described.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::document::{Operation, Schemas};
use crate::problem::ProblemDetails;

/// An answer that describes itself.
pub(crate) trait Answer {
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

impl<T: JsonSchema> Answer for Json<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        let schema = schemas.given::<T>();
        let content = json!({ "application/json": { "schema": schema } });
        operation.answers(200, json!({ "description": "Done.", "content": content }));
    }
}

/// 201 with where it is.
#[derive(Debug)]
pub(crate) struct Created<T> {
    pub(crate) location: String,
    pub(crate) body: T,
}

impl<T: JsonSchema> Answer for Created<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        let schema = schemas.given::<T>();
        let location = json!({ "description": "Where it is.", "schema": { "type": "string" } });
        let content = json!({ "application/json": { "schema": schema } });
        let created = json!({ "description": "Made.", "headers": { "Location": location }, "content": content });
        operation.answers(201, created);
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(header::LOCATION, self.location)], Json(self.body)).into_response()
    }
}

/// 204.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoContent;

impl Answer for NoContent {
    fn describe(operation: &mut Operation, _schemas: &mut Schemas) {
        operation.answers(204, json!({ "description": "Done; there is nothing to tell." }));
    }
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl<A: Answer, E: Into<ProblemDetails>> Answer for Result<A, E> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        A::describe(operation, schemas);
    }
}
