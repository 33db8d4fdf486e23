use rmcp::model::{CallToolResult, DiscoverResult, EmptyResult, InitializeResult, ServerCapabilities};
use serde_json::json;

use super::*;

fn call() -> Value {
    let params = json!({ "name": "place_order", "arguments": { "quantity": 1 } });
    json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params })
}

fn newest(capabilities: Value) -> Option<JsonObject> {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    meta.as_object().cloned()
}

#[test]
fn a_plain_call_is_read() {
    let text = call().to_string();
    let (id, params) = Frame::read(&text).expect("the most frequent message of all");
    assert_eq!((id, params.name), (RequestId::Number(7), "place_order"), "what the answer needs");
    assert_eq!(params.arguments, json!({ "quantity": 1 }).as_object().cloned(), "what the tool needs");
    let named =
        Value::Object(call().as_object().cloned().into_iter().flatten().chain([("id".into(), "a".into())]).collect());
    let text = named.to_string();
    assert_eq!(Frame::read(&text).map(|(id, _)| id), Some(RequestId::String("a".into())), "ids may be strings");
}

#[test]
fn what_is_unusual_is_left_to_rmcp() {
    let with = |pointer: &str, name: &str, value: Value| {
        let mut call = call();
        call.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object").insert(name.to_owned(), value);
        call.to_string()
    };
    for text in [
        with("", "method", json!("tools/list")),
        with("", "jsonrpc", json!("1.0")),
        with("", "id", Value::Null),
        with("", "id", json!(1.5)),
        with("", "id", json!(u64::MAX)),
        with("", "more", json!(1)),
        with("/params", "name", json!(5)),
        with("/params", "arguments", json!([])),
        with("/params", "requestState", json!("a")),
        with("/params", "_meta", json!(1)),
        call().to_string().replace("tools/call", "tools\\/call"),
        call().to_string().replacen("\"id\":7", "\"id\":7,\"id\":8", 1),
        format!("{} x", call()),
        "{\"tools/call\"".to_owned(),
    ] {
        assert!(Frame::read(&text).is_none(), "its answer, or its error, is rmcp's: {text}");
    }
}

#[test]
fn a_session_is_known_by_what_rmcp_answers() {
    let agreed = |version| {
        let capabilities = ServerCapabilities::default();
        ServerResult::InitializeResult(InitializeResult::new(capabilities).with_protocol_version(version))
    };
    let empty = ServerResult::EmptyResult(EmptyResult {});
    let called = ServerResult::CallToolResult(CallToolResult::success(Vec::new()));
    assert_eq!(Session::None.after(&empty), Session::None, "a ping may come first");
    assert_eq!(Session::None.after(&agreed(ProtocolVersion::V_2025_06_18)), Session::Initialized, "initialize");
    assert_eq!(Session::None.after(&agreed(ProtocolVersion::V_2026_07_28)), Session::Inline, "asks for more");
    assert_eq!(Session::None.after(&called), Session::Inline, "a call began the session");
    assert_eq!(Session::Initialized.after(&called), Session::Initialized, "it stays as it began");
    let discovered = ServerResult::DiscoverResult(DiscoverResult::new(Vec::new(), ServerCapabilities::default()));
    assert_eq!(Session::None.after(&discovered), Session::None, "server/discover begins no session");
}

#[test]
fn a_request_says_what_its_session_needs() {
    for session in [Session::Initialized, Session::Inline] {
        assert_eq!(session.says_complete(newest(json!({}))), Some(true), "2026-07-28 asks for a resultType");
        assert_eq!(session.says_complete(newest(json!("x"))), None, "capabilities are an object: rmcp tells it");
        let old = json!({ "io.modelcontextprotocol/protocolVersion": "1999-01-01" });
        assert_eq!(session.says_complete(old.as_object().cloned()), None, "rmcp tells which versions there are");
    }
    assert_eq!(Session::Initialized.says_complete(None), Some(false), "initialize has said it");
    let token = json!({ "progressToken": 5 });
    assert_eq!(Session::Initialized.says_complete(token.as_object().cloned()), Some(false), "no tool here reports it");
    assert_eq!(Session::Inline.says_complete(None), None, "each request brings its version");
    assert_eq!(Session::None.says_complete(newest(json!({}))), None, "the first request is rmcp's");
}
