//! What handlers take: each reads its part of a request, refuses what does not fit with problem details, and describes both.
//!
//! Queries and bodies are judged by the schema that the document shows, in the words that MCP uses too.

use std::any::Any;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use cwts_runtime::{Actor, Caller, Connection, Instance, Scope};
use rmcp::handler::server::tool::schema_for_type;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::document::{Operation, Schemas};
use crate::mcp::schema;
use crate::problem::ProblemDetails;

/// Largest body in bytes. An order has a few hundred.
pub(super) const MAX_BODY: usize = 64 << 10;
/// A body must have come within this time.
const BODY_TIME: Duration = Duration::from_secs(30);

/// A part of a request that describes itself.
pub(crate) trait Input {
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

impl Input for State<Instance> {
    fn describe(_operation: &mut Operation, _schemas: &mut Schemas) {}
}

/// The scope that a route asks for.
pub(crate) trait Needed {
    const SCOPE: Scope;
}

/// Marks routes that only read.
#[derive(Debug)]
pub(crate) struct Reads;
/// Marks routes that trade.
#[derive(Debug)]
pub(crate) struct Trades;
/// Marks routes for the owner.
#[derive(Debug)]
pub(crate) struct Owns;

impl Needed for Reads {
    const SCOPE: Scope = Scope::Read;
}

impl Needed for Trades {
    const SCOPE: Scope = Scope::Trade;
}

impl Needed for Owns {
    const SCOPE: Scope = Scope::Owner;
}

/// Whoever asks, who has shown the scope that the route needs.
#[derive(Debug)]
pub(crate) struct By<N> {
    pub(crate) caller: Caller,
    pub(crate) connection: Connection,
    needed: PhantomData<N>,
}

impl<N> By<N> {
    /// For the audit trail.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Rest { scope: self.caller.scope(), from: self.connection.peer().ip().to_canonical() }
    }
}

impl<N: Needed> Input for By<N> {
    fn describe(operation: &mut Operation, _schemas: &mut Schemas) {
        operation.needs(N::SCOPE);
    }
}

impl<N: Needed> FromRequestParts<Instance> for By<N> {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _instance: &Instance) -> Result<Self, ProblemDetails> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let known = caller.zip(parts.extensions.get::<Connection>().cloned());
        let held = known.as_ref().map_or("none", |(caller, _)| caller.scope().id());
        match known {
            Some((caller, connection)) if caller.scope().allows(N::SCOPE) => {
                Ok(Self { caller, connection, needed: PhantomData })
            }
            _ => {
                let needed = N::SCOPE;
                let detail = format!(
                    "{} {} needs a token of the scope {needed}, and this one's is {held}; `cwts-ultra token show --scope \
                     {needed}` prints one.",
                    parts.method,
                    parts.uri.path()
                );
                Err(ProblemDetails::new(StatusCode::FORBIDDEN, "scope_too_small", detail))
            }
        }
    }
}

/// The one segment of the path that the client fills in.
#[derive(Debug)]
pub(crate) struct Named(pub(crate) String);

impl Input for Named {
    fn describe(operation: &mut Operation, _schemas: &mut Schemas) {
        for name in operation.segments() {
            operation.takes("path", name, true, json!({ "type": "string", "minLength": 1 }));
        }
        operation.may_refuse(&[404, 422]);
    }
}

impl FromRequestParts<Instance> for Named {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, instance: &Instance) -> Result<Self, ProblemDetails> {
        let read = Path::<String>::from_request_parts(parts, instance).await;
        let Path(name) = read.map_err(|refused| {
            ProblemDetails::new(StatusCode::BAD_REQUEST, "invalid_path", format!("{}.", refused.body_text()))
        })?;
        Ok(Self(name))
    }
}

/// The query.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: JsonSchema + Any> Input for Asked<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        // For enumerations that have a name; the query itself stands in the operation.
        schemas.taken::<T>();
        let schema = schema_for_type::<T>();
        let required: Vec<&str> = required(&schema).collect();
        for (name, part) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            operation.takes("query", name, required.contains(&name.as_str()), without_null(part, &schema));
        }
        operation.may_refuse(&[404, 422]);
    }
}

impl<T: JsonSchema + Any + DeserializeOwned> FromRequestParts<Instance> for Asked<T> {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, instance: &Instance) -> Result<Self, ProblemDetails> {
        let refused = invalid_query;
        let read = Query::<Vec<(String, String)>>::from_request_parts(parts, instance).await;
        let Query(pairs) = read.map_err(|rejection| refused(format!("{}.", rejection.body_text())))?;
        let schema = schema_for_type::<T>();
        let mut given = BTreeMap::new();
        for (name, text) in pairs {
            if given.insert(name.clone(), text).is_some() {
                return Err(refused(format!("{name:.40} comes twice in the query; give it once.")));
            }
        }
        let fields: Map<String, Value> =
            given.into_iter().map(|(name, text)| (name.clone(), meant(&name, text, &schema))).collect();
        let mut query = Value::Object(fields);
        schema::fit(&schema, &mut query).map_err(|problem| refused(format!("In the query, {problem}.")))?;
        serde_json::from_value(query).map(Self).map_err(|error| refused(format!("In the query, {error}.")))
    }
}

/// Refuses any name in a query.
pub(super) fn refuse_query(uri: &Uri) -> Result<(), ProblemDetails> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
        return Err(invalid_query("It cannot be read, and this operation takes none.".to_owned()));
    };
    match pairs.first() {
        Some((name, _)) => {
            Err(invalid_query(format!("In the query, {name:.40} is not known; this operation takes none.")))
        }
        None => Ok(()),
    }
}

fn invalid_query(detail: String) -> ProblemDetails {
    ProblemDetails::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
}

/// A body of JSON. No body at all is the empty object.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: JsonSchema + Any> Input for Body<T> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas) {
        let required = required(&schema_for_type::<T>()).next().is_some();
        operation.takes_body(schemas.taken::<T>(), required);
        operation.may_refuse(&[404, 408, 413, 415, 422]);
    }
}

impl<T: JsonSchema + Any + DeserializeOwned> FromRequest<Instance> for Body<T> {
    type Rejection = ProblemDetails;

    async fn from_request(request: Request, _instance: &Instance) -> Result<Self, ProblemDetails> {
        let is_json = is_json(request.headers());
        let bytes = body_of(request.into_body()).await?;
        if !is_json && !bytes.is_empty() {
            let detail = "The body must be JSON: send the header Content-Type: application/json.";
            return Err(ProblemDetails::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        let mut body = match &*bytes {
            [] => json!({}),
            bytes => serde_json::from_slice(bytes).map_err(|error| {
                let detail = format!("The body is no JSON: {error}.");
                ProblemDetails::new(StatusCode::BAD_REQUEST, "invalid_json", detail)
            })?,
        };
        let refused = |detail: String| ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail);
        schema::fit(&schema_for_type::<T>(), &mut body)
            .map_err(|problem| refused(format!("In the body, {problem}.")))?;
        serde_json::from_value(body).map(Self).map_err(|error| refused(format!("In the body, {error}.")))
    }
}

/// The whole body, if it comes in time and is no larger than a request needs.
pub(super) async fn body_of(body: axum::body::Body) -> Result<axum::body::Bytes, ProblemDetails> {
    match tokio::time::timeout(BODY_TIME, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let detail = format!("The body is larger than {MAX_BODY} bytes, or was cut off.");
            Err(ProblemDetails::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail))
        }
        Err(_) => {
            let detail = format!("The body did not come within {} s.", BODY_TIME.as_secs());
            Err(ProblemDetails::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail))
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn required(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The schema of a parameter that may be left out: in a query nothing is null. A name is replaced by what it stands for.
fn without_null(part: &Value, root: &Map<String, Value>) -> Value {
    let resolved = |part: &Value| {
        let name = part.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"));
        name.and_then(|name| root.get("$defs")?.get(name)).unwrap_or(part).clone()
    };
    let mut part = resolved(part);
    let text = part.get("description").cloned();
    if let Some(one) = part.get("anyOf").and_then(Value::as_array).and_then(|all| all.first()) {
        part = resolved(one);
    }
    if let Some(fields) = part.as_object_mut() {
        if let Some(kind) = fields.get("type").and_then(Value::as_array).and_then(|kinds| kinds.first()).cloned() {
            fields.insert("type".to_owned(), kind);
        }
        fields.extend(text.map(|text| ("description".to_owned(), text)));
        fields.remove("default");
    }
    part
}

/// The text of a query as the JSON that it means there. What means nothing stays text, and is then refused with its name.
fn meant(name: &str, text: String, schema: &Map<String, Value>) -> Value {
    let part = schema.get("properties").and_then(|all| all.get(name));
    let kind =
        part.map(|part| without_null(part, schema)).and_then(|part| Some(part.get("type")?.as_str()?.to_owned()));
    match kind.as_deref() {
        Some("integer" | "number" | "boolean") => match serde_json::from_str::<Value>(&text) {
            Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
            _ => Value::String(text),
        },
        _ => Value::String(text),
    }
}
