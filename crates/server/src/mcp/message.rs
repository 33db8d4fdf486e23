//! Reads one JSON-RPC message of a client, or says what is wrong with it (JSON-RPC 2.0 section 5.1).
//!
//! The same for both transports. rmcp would take a known method with wrong parameters for an unknown method.

use std::sync::LazyLock;

use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcRequest, ProtocolVersion, RequestId};
use serde_json::{Map, Value, json};

use crate::mcp::error::OneTooMany;
use crate::mcp::outside;
use crate::mcp::schema;

/// The error that answers a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) code: i32,
    message: String,
    /// Of the request; null where it has none that can be read.
    id: Value,
    data: Option<Value>,
}

pub(crate) const PARSE_ERROR: i32 = -32700;
pub(crate) const INVALID_REQUEST: i32 = -32600;
pub(crate) const INVALID_PARAMS: i32 = -32602;

impl Fault {
    pub(crate) fn invalid_request(what: &str, id: Value) -> Self {
        Self { code: INVALID_REQUEST, message: format!("Invalid request: {what}"), id, data: None }
    }

    fn invalid_params(what: &str, id: Value) -> Self {
        Self { code: INVALID_PARAMS, message: format!("Invalid params: {what}"), id, data: Some(outside::quoted()) }
    }

    pub(crate) fn one_too_many(id: &RequestId) -> Self {
        let (code, message) = (OneTooMany::CODE, OneTooMany.to_string());
        Self { code, message, id: json!(id), data: Some(OneTooMany.data()) }
    }

    /// What is wrong, in words.
    pub(crate) fn text(&self) -> &str {
        &self.message
    }

    /// As it goes to the client.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = &self.data {
            error["data"] = data.clone();
        }
        json!({ "jsonrpc": "2.0", "id": self.id, "error": error })
    }
}

/// Reads a message.
///
/// # Errors
/// It is no JSON, no message of JSON-RPC 2.0 as MCP uses it, or its parameters do not fit its method.
pub(crate) fn read(text: &[u8]) -> Result<ClientJsonRpcMessage, Fault> {
    let mut value: Value = serde_json::from_slice(text).map_err(|error| Fault {
        code: PARSE_ERROR,
        message: format!("Parse error: {error}"),
        id: Value::Null,
        data: None,
    })?;
    let id = value.get("id").filter(|id| is_id(id)).cloned().unwrap_or(Value::Null);
    if let Some(what) = shape_fault(&value) {
        return Err(Fault::invalid_request(what, id));
    }
    let method = value["method"].as_str().filter(|_| !id.is_null()).map(str::to_owned);
    // A method that the client's own revision has taken out does not exist for it, whatever its parameters.
    let known = |method: &&str| !(REMOVED.contains(method) && is_modern(&value));
    let params_schema = method.as_deref().filter(known).and_then(params_schema);
    if let Some(schema) = params_schema {
        check_params(schema, &mut value).map_err(|what| Fault::invalid_params(&what, id.clone()))?;
    }
    match serde_json::from_value(value) {
        Ok(ClientJsonRpcMessage::Request(JsonRpcRequest { request: ClientRequest::CustomRequest(_), .. }))
            if params_schema.is_some() =>
        {
            let what = format!("they do not fit {}", method.unwrap_or_default());
            Err(Fault::invalid_params(&what, id))
        }
        Ok(message) => Ok(message),
        Err(_) if method.is_some() => Err(Fault::invalid_params("they are no parameters of MCP", id)),
        Err(_) => Err(Fault::invalid_request("this is no message of MCP", id)),
    }
}

/// Methods that MCP 2026-07-28 has taken out.
const REMOVED: [&str; 4] = ["initialize", "ping", "resources/subscribe", "resources/unsubscribe"];

/// Whether the message declares 2026-07-28 or later, as every request does from then on.
fn is_modern(message: &Value) -> bool {
    let version = message.pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion").and_then(Value::as_str);
    version.is_some_and(|version| version >= ProtocolVersion::V_2026_07_28.as_str())
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_i64()
}

/// What keeps the value from being a message at all.
fn shape_fault(value: &Value) -> Option<&'static str> {
    let Some(message) = value.as_object() else {
        return Some(match value {
            Value::Array(_) => "one message at a time; MCP has no batches since 2025-06-18",
            _ => "a message is a JSON object",
        });
    };
    let method = message.get("method");
    if message.get("jsonrpc") != Some(&json!("2.0")) {
        Some("jsonrpc must be \"2.0\"")
    } else if message.get("id").is_some_and(|id| !is_id(id)) && method.is_some() {
        Some("id must be a string or a whole number")
    } else if method.is_some_and(|method| !method.is_string()) {
        Some("method must be a string")
    } else if method.is_none() && !message.contains_key("result") && !message.contains_key("error") {
        Some("a message has a method, a result or an error")
    } else {
        None
    }
}

fn check_params(schema: &Map<String, Value>, message: &mut Value) -> Result<(), String> {
    match message.get_mut("params") {
        Some(params) if !params.is_null() => {
            schema::fit(schema, params).map_err(|what| what.replacen("it is", "params is", 1))
        }
        // Without parameters only the required ones can be missing.
        _ => schema::fit(schema, &mut json!({})),
    }
}

/// What the parameters of the methods that we serve must be, as far as a client can get it wrong.
fn params_schema(method: &str) -> Option<&'static Map<String, Value>> {
    static SCHEMAS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
        let text = json!({ "type": "string" });
        let object = json!({ "type": "object" });
        let params = |properties: Value, required: &[&str]| {
            let mut properties = properties;
            properties["_meta"] = json!({ "type": "object" });
            json!({ "type": "object", "properties": properties, "required": required })
        };
        let client = json!({
            "type": "object", "properties": { "name": text, "version": text }, "required": ["name", "version"]
        });
        let cursor = params(json!({ "cursor": { "type": ["string", "null"] } }), &[]);
        let uri = params(json!({ "uri": text }), &["uri"]);
        let uris = json!({ "type": ["array", "null"], "items": text });
        let notifications = json!({ "type": "object", "properties": { "resourceSubscriptions": uris } });
        let reference = json!({
            "type": "object",
            "properties": { "type": { "type": "string", "enum": ["ref/resource", "ref/prompt"] }, "uri": text, "name": text },
            "required": ["type"]
        });
        let argument = json!({
            "type": "object", "properties": { "name": text, "value": text }, "required": ["name", "value"]
        });
        let completion = json!({ "ref": reference, "argument": argument });
        let initialize = json!({ "protocolVersion": text, "capabilities": object, "clientInfo": client });
        let methods = [
            ("initialize", params(initialize, &["protocolVersion", "capabilities", "clientInfo"])),
            ("ping", params(json!({}), &[])),
            ("tools/list", cursor.clone()),
            ("prompts/list", cursor.clone()),
            ("prompts/get", params(json!({ "name": text, "arguments": { "type": ["object", "null"] } }), &["name"])),
            ("resources/list", cursor.clone()),
            ("resources/templates/list", cursor),
            ("resources/read", uri.clone()),
            ("resources/subscribe", uri.clone()),
            ("resources/unsubscribe", uri),
            ("subscriptions/listen", params(json!({ "notifications": notifications }), &["notifications"])),
            ("completion/complete", params(completion, &["ref", "argument"])),
            ("tools/call", params(json!({ "name": text, "arguments": { "type": ["object", "null"] } }), &["name"])),
        ];
        methods.into_iter().map(|(method, schema)| (method.to_owned(), schema)).collect()
    });
    SCHEMAS.get(method).and_then(Value::as_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(message: Value) -> (i32, String, Value) {
        let fault = read(message.to_string().as_bytes()).expect_err("not a message");
        (fault.code, fault.message, fault.id)
    }

    #[test]
    fn wrong_parameters_of_a_known_method_are_invalid_params() {
        let call =
            |method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let cases = [
            (call("tools/call", json!({})), "name is missing; it must be a string"),
            (call("tools/call", json!({ "name": 5 })), "name is 5; it must be a string"),
            (call("tools/call", json!([])), "params is a list; it must be an object"),
            (
                call("tools/call", json!({ "name": "a", "arguments": "b" })),
                "arguments is \"b\", a string; it must be an object, or be left out",
            ),
            (call("tools/list", json!({ "cursor": 1 })), "cursor is 1; it must be a string, or be left out"),
            (call("tools/list", json!({ "_meta": 1 })), "_meta is 1; it must be an object"),
            (call("initialize", Value::Null), "protocolVersion is missing; it must be a string"),
            (
                call("initialize", json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {} })),
                "clientInfo.name is missing; it must be a string",
            ),
            (call("ping", json!("x")), "params is \"x\", a string; it must be an object"),
        ];
        for (message, what) in cases {
            let expected = (INVALID_PARAMS, format!("Invalid params: {what}"), json!(7));
            assert_eq!(fault(message.clone()), expected, "the method exists: {message}");
        }
    }

    #[test]
    fn what_is_no_message_is_told_why() {
        let cases = [
            (json!([]), "batches", Value::Null),
            (json!(42), "object", Value::Null),
            (json!({}), "jsonrpc", Value::Null),
            (json!({ "jsonrpc": "1.0", "id": "a", "method": "ping" }), "jsonrpc", json!("a")),
            (json!({ "jsonrpc": "2.0", "id": 7, "method": 5 }), "method", json!(7)),
            (json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }), "id", Value::Null),
            (json!({ "jsonrpc": "2.0", "id": 1.5, "method": "ping" }), "id", Value::Null),
            (json!({ "jsonrpc": "2.0", "id": 7 }), "a method, a result or an error", json!(7)),
        ];
        for (message, named, id) in cases {
            let (code, said, of) = fault(message.clone());
            assert_eq!((code, of), (INVALID_REQUEST, id), "JSON-RPC 2.0, section 5.1: {message}");
            assert!(said.contains(named), "{message} must be told about {named}: {said}");
        }
    }

    #[test]
    fn every_kind_of_message_is_read() {
        for message in [
            json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }),
            json!({ "jsonrpc": "2.0", "id": "a", "method": "tools/list", "params": { "cursor": null } }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "x", "arguments": { "a": 1 } } }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": "unknown/method", "params": { "a": [] } }),
            json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
            json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
            json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32601, "message": "no" } }),
        ] {
            assert!(read(message.to_string().as_bytes()).is_ok(), "{message} is a message of MCP");
        }
    }
}
