//! The document at `/api/v1/openapi.json`, and a page at `/api/v1/docs` that shows it.
//!
//! The page is made here once: it needs no script, no font and no other computer. Nothing on it is secret, so that a browser,
//! which has no token, can open it on this computer.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::Value;

const DOCUMENT: &str = "/api/v1/openapi.json";
const PAGE: &str = "/api/v1/docs";
const STYLE: &str = "/api/v1/docs/style.css";

/// Nothing but the style sheet is loaded, and no page frames this one.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether a path shows the documentation.
pub(crate) fn is_open(path: &str) -> bool {
    [DOCUMENT, PAGE, STYLE].contains(&path)
}

pub(super) fn router(document: Value) -> Router {
    let page: Arc<str> = render(&document).into();
    let document: Arc<str> = document.to_string().into();
    Router::new()
        .route(DOCUMENT, get(async move || typed("application/json", document.to_string())))
        .route(PAGE, get(async move || typed("text/html; charset=utf-8", page.to_string())))
        .route(STYLE, get(async || typed("text/css; charset=utf-8", include_str!("page.css"))))
}

fn typed(kind: &'static str, text: impl Into<Cow<'static, str>>) -> impl IntoResponse {
    const NOSNIFF: HeaderName = header::X_CONTENT_TYPE_OPTIONS;
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY), (NOSNIFF, "nosniff")];
    (headers, text.into())
}

/// The page. Every text of the document is escaped.
fn render(document: &Value) -> String {
    let info = &document["info"];
    let (mut index, mut body) = (String::new(), String::new());
    for tag in document["tags"].as_array().into_iter().flatten() {
        let name = text(&tag["name"]);
        let id = name.replace(' ', "-").to_lowercase();
        push(&mut index, format_args!("<li><a href=\"#{id}\">{name}</a></li>"));
        push(&mut body, format_args!("<h2 id=\"{id}\">{name}</h2><p>{}</p>", prose(&tag["description"])));
        for (path, method, operation) in operations(document).filter(|(_, _, it)| it["tags"][0] == tag["name"]) {
            push_operation(&mut body, document, path, method, operation);
        }
    }
    push(&mut body, format_args!("<h2 id=\"schemas\">Schemas</h2>"));
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let shown = escaped(&format!("{schema:#}"));
        let name = escaped(name);
        push(
            &mut body,
            format_args!(
                "<details id=\"schema-{name}\"><summary><code>{name}</code></summary><pre tabindex=\"0\">{shown}</pre></details>"
            ),
        );
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} REST API</title><link rel=\"stylesheet\" href=\"{STYLE}\"></head><body>\
         <a class=\"skip\" href=\"#content\">Skip to the operations</a>\
         <nav aria-label=\"Sections\"><h1>{title} REST API {version}</h1><p>{description} {token} The same as a document: \
         <a href=\"{DOCUMENT}\">OpenAPI 3.1</a>.</p><ul>{index}<li><a href=\"#schemas\">Schemas</a></li></ul></nav>\
         <main id=\"content\">{body}</main></body></html>",
        title = text(&info["title"]),
        version = text(&info["version"]),
        description = prose(&info["description"]),
        token = prose(&document["components"]["securitySchemes"]["token"]["description"]),
    )
}

fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path, method, operation))
    })
}

fn push_operation(page: &mut String, document: &Value, path: &str, method: &str, operation: &Value) {
    let id = text(&operation["operationId"]);
    push(
        page,
        format_args!(
            "<details id=\"{id}\"><summary><span class=\"method\">{}</span> <code>{}</code> <span class=\"words\">{}</span>\
             </summary><p>{}</p>",
            escaped(&method.to_uppercase()),
            escaped(path),
            prose(&operation["summary"]),
            prose(&operation["description"]),
        ),
    );
    let scope = text(&operation["security"][0]["token"][0]);
    push(page, format_args!("<p>Scope of the token: <code>{scope}</code></p>"));
    push_parameters(page, operation);
    let content = &operation["requestBody"]["content"]["application/json"];
    if let Some(name) = schema_name(&content["schema"]) {
        push(page, format_args!("<h3>Body</h3><p>{}</p>", link(name)));
    }
    push(
        page,
        format_args!(
            "<h3>Answers</h3><table><tr><th scope=\"col\">Status</th><th scope=\"col\">Meaning</th><th scope=\"col\">Body</th></tr>"
        ),
    );
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let named = answer["$ref"].as_str().and_then(|name| document.pointer(name.trim_start_matches('#')));
        let answer = named.unwrap_or(answer);
        let schema =
            answer["content"].as_object().and_then(|all| all.values().next()).map(|content| &content["schema"]);
        let body = schema.and_then(schema_name).map_or(String::new(), link);
        push(
            page,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{body}</td></tr>",
                escaped(status),
                prose(&answer["description"])
            ),
        );
    }
    push(
        page,
        format_args!(
            "</table><h3>Example</h3><pre tabindex=\"0\">{}</pre></details>",
            escaped(&curl(path, method, &content["example"]))
        ),
    );
}

fn push_parameters(page: &mut String, operation: &Value) {
    let Some(parameters) = operation["parameters"].as_array() else { return };
    push(
        page,
        format_args!(
            "<h3>Parameters</h3><table><tr><th scope=\"col\">Name</th><th scope=\"col\">In</th><th scope=\"col\">Meaning</th></tr>"
        ),
    );
    for parameter in parameters {
        let needed = if parameter["required"] == true { ", required" } else { "" };
        push(
            page,
            format_args!(
                "<tr><td><code>{}</code></td><td>{}{needed}</td><td>{}</td></tr>",
                text(&parameter["name"]),
                text(&parameter["in"]),
                prose(&parameter["description"])
            ),
        );
    }
    push(page, format_args!("</table>"));
}

/// A command that does it, with the token in a variable.
fn curl(path: &str, method: &str, example: &Value) -> String {
    let mut command = "curl --fail-with-body -H \"Authorization: Bearer $TOKEN\"".to_owned();
    if method != "get" {
        push(&mut command, format_args!(" -X {}", method.to_uppercase()));
    }
    if !example.is_null() {
        push(&mut command, format_args!(" \\\n  -H 'Content-Type: application/json' -d '{example}'"));
    }
    push(&mut command, format_args!(" \\\n  \"$URL{path}\""));
    command
}

fn schema_name(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn link(name: &str) -> String {
    let name = escaped(name);
    format!("<a href=\"#schema-{name}\"><code>{name}</code></a>")
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

/// A sentence, in which words between backticks are code.
fn prose(value: &Value) -> String {
    let escaped = text(value);
    let parts = escaped.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

fn push(page: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    page.write_fmt(part).unwrap_or_default();
}
