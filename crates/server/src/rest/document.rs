//! The OpenAPI 3.1 document, gathered while the routes are added.
//!
//! A schema of OpenAPI 3.1 is one of JSON Schema 2020-12 (OpenAPI 3.1.1, section 4.8.24), which the wire types have already for
//! MCP. What a route takes and answers is said by the types of its handler, so that the two cannot differ.

use cwts_runtime::Scope;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::problem::ProblemDetails;

/// Where schemas that have a name stand.
const SCHEMAS: &str = "/components/schemas";

/// What every operation may answer: the guards of the port, the token, and an exchange that cannot answer now.
const ALWAYS: [u16; 6] = [400, 401, 403, 429, 500, 503];

/// The words of an operation, and what its types do not say.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// `operationId`.
    id: &'static str,
    /// One sentence, and more where it needs more.
    text: &'static str,
    example: Option<Value>,
    /// A field of the answer, and the operations whose path takes it.
    next: Option<(&'static str, &'static [&'static str])>,
}

impl About {
    pub(crate) fn new(id: &'static str, text: &'static str) -> Self {
        Self { id, text, example: None, next: None }
    }

    /// A body to try it with.
    pub(crate) fn with_example(mut self, body: Value) -> Self {
        self.example = Some(body);
        self
    }

    /// A field of what is made names it in the path of these operations (OpenAPI 3.1.1 section 4.8.20).
    pub(crate) fn leads_to(mut self, field: &'static str, operations: &'static [&'static str]) -> Self {
        self.next = Some((field, operations));
        self
    }
}

/// The schemas of what comes in and of what goes out: they differ in which fields must be there.
#[derive(Debug)]
pub(crate) struct Schemas {
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|it| it.definitions_path = SCHEMAS.into());
        Self {
            taken: settings().for_deserialize().into_generator(),
            given: settings().for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    /// Of what a client sends.
    pub(crate) fn taken<T: JsonSchema>(&mut self) -> Schema {
        self.taken.subschema_for::<T>()
    }

    /// Of what a client gets.
    pub(crate) fn given<T: JsonSchema>(&mut self) -> Schema {
        self.given.subschema_for::<T>()
    }
}

/// One operation, as the types of its handler describe it.
#[derive(Debug)]
pub(crate) struct Operation {
    about: About,
    path: &'static str,
    scope: Option<Scope>,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: Map<String, Value>,
}

impl Operation {
    pub(crate) fn new(about: About, path: &'static str) -> Self {
        let mut operation = Self { about, path, scope: None, parameters: Vec::new(), body: None, answers: Map::new() };
        operation.may_refuse(&ALWAYS);
        operation
    }

    /// The parts of the path that a client fills in.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// The least scope of the token.
    pub(crate) fn needs(&mut self, scope: Scope) {
        self.scope = Some(scope);
    }

    /// A parameter in `place`: path, query or header.
    pub(crate) fn takes(&mut self, place: &str, name: &str, required: bool, mut schema: Value) {
        let text = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut parameter = json!({ "name": name, "in": place, "required": required, "schema": schema });
        parameter.as_object_mut().zip(text).map(|(parameter, text)| parameter.insert("description".to_owned(), text));
        self.parameters.push(parameter);
    }

    /// Whether there is a parameter in the query.
    pub(crate) fn takes_query(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter["in"] == "query")
    }

    /// The body is JSON.
    pub(crate) fn takes_body(&mut self, schema: Schema, required: bool) {
        let mut content = json!({ "schema": schema });
        if let Some(example) = self.about.example.take() {
            content["example"] = example;
        }
        self.body = Some(json!({ "required": required, "content": { "application/json": content } }));
    }

    pub(crate) fn answers(&mut self, status: u16, answer: Value) {
        self.answers.insert(status.to_string(), answer);
    }

    /// Problem details with one of these statuses.
    pub(crate) fn may_refuse(&mut self, statuses: &[u16]) {
        for status in statuses {
            self.answers(*status, json!({ "$ref": format!("#/components/responses/{status}") }));
        }
    }

    fn into_json(mut self, tag: &str) -> Value {
        if let Some((field, operations)) = self.about.next
            && let Some(made) = self.answers.get_mut("201")
        {
            let parameters = json!({ format!("path.{field}"): format!("$response.body#/{field}") });
            let links = operations.iter().map(|id| {
                let link = json!({ "operationId": id, "parameters": parameters });
                ((*id).to_owned(), link)
            });
            made["links"] = Value::Object(links.collect());
        }
        let text: String = self.about.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let summary = text.split_once(". ").map_or(text.as_str(), |(first, _)| first).trim_end_matches('.').to_owned();
        let mut operation = json!({
            "operationId": self.about.id,
            "summary": summary,
            "description": text,
            "tags": [tag],
            "responses": self.answers,
        });
        // OpenAPI 3.1.1 section 4.8.30: other schemes than OAuth name roles, which are the scopes here.
        operation["security"] = match self.scope {
            Some(scope) => json!([{ "token": [scope.id()] }]),
            None => json!([]),
        };
        if !self.parameters.is_empty() {
            operation["parameters"] = self.parameters.into();
        }
        if let Some(body) = self.body {
            operation["requestBody"] = body;
        }
        operation
    }
}

/// The document as far as it is gathered.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) schemas: Schemas,
    paths: Map<String, Value>,
    tags: Vec<Value>,
}

impl Document {
    /// What follows belongs together.
    pub(crate) fn tag(&mut self, name: &str, text: &str) {
        self.tags.push(json!({ "name": name, "description": text }));
    }

    pub(crate) fn add(&mut self, method: &str, operation: Operation) {
        let tag = self.tags.last().and_then(|tag| tag["name"].as_str()).unwrap_or_default().to_owned();
        let item = self.paths.entry(operation.path).or_insert_with(|| json!({}));
        item[method.to_lowercase()] = operation.into_json(&tag);
    }

    pub(crate) fn into_json(mut self) -> Value {
        let problem = self.schemas.given::<ProblemDetails>();
        let mut schemas = self.schemas.taken.take_definitions(true);
        schemas.append(&mut self.schemas.given.take_definitions(true));
        json!({
            "openapi": "3.1.1",
            "info": {
                "title": "CWTS Ultra",
                "summary": "Control plane of a paper-trading server",
                "description": INTRODUCTION,
                "version": env!("CARGO_PKG_VERSION"),
                "license": { "name": "MIT", "identifier": "MIT" },
            },
            "tags": self.tags,
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "responses": refusals(&problem),
                "securitySchemes": { "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`cwts-ultra token show --scope owner|trade|read` prints one. `owner` may do everything, \
                        `trade` trade and read, `read` read.",
                } },
            },
        })
    }
}

const INTRODUCTION: &str = "No order reaches a real market. All clients trade on one paper account. Prices and quantities are \
    decimal numbers, times RFC 3339 in UTC. Every error is a problem detail (RFC 9457) with a `code` to branch on.";

/// The refusals by status, to be referred to.
fn refusals(problem: &Schema) -> Value {
    let seconds = |text: &str| json!({ "description": text, "schema": { "type": "integer", "minimum": 0 } });
    let refusal = |(status, text): (u16, &str)| {
        let mut response = json!({
            "description": text,
            "content": { "application/problem+json": { "schema": problem } },
        });
        match status {
            401 => response["headers"] = json!({ "WWW-Authenticate": { "schema": { "type": "string" } } }),
            429 | 503 => {
                response["headers"] = json!({ "Retry-After": seconds("Seconds to wait, where that is known.") })
            }
            _ => {}
        }
        (status.to_string(), response)
    };
    Value::Object(REFUSALS.into_iter().map(refusal).collect())
}

const REFUSALS: [(u16, &str); 12] = [
    (400, "The request cannot be read: Host, query, header, or a body that is no JSON."),
    (401, "The token is missing, or is none of this instance."),
    (403, "The token's scope is too small, or the request comes from a page or computer that is not let in."),
    (404, "There is nothing of that name."),
    (408, "The body did not come in time."),
    (409, "The state of the server does not allow it now."),
    (413, "The body is too large."),
    (415, "The body is not application/json."),
    (422, "The request can be read and cannot be done as it stands. Nothing has changed."),
    (429, "Too many requests, orders or wrong tokens. Nothing has changed."),
    (500, "A fault of the program or of the system."),
    (503, "The exchange has too much to do, is stopped, or cannot write its journal. Nothing has changed."),
];
