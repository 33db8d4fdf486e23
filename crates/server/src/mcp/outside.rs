//! Marks text that others wrote, for programs: where it stands, as JSONPath (RFC 9535), in `_meta` of a result.
//!
//! Beside what is said in words (instructions of the server, the sentence before the figures of a prompt), a host can keep
//! such text away from its model, or show it as a quotation.

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, MetaObject};
use serde_json::{Value, json};

/// The key in `_meta` of a result, and in `data` of an error.
pub(crate) const OUTSIDE_TEXT: &str = "cwts-ultra/outside-text";

/// The text of a result repeats its structured content, and the text of a failure may quote what a client sent.
const TEXT: &str = "$.content[0].text";

/// Where the result of a tool holds text that clients wrote; empty where all of it is the exchange's own.
pub(crate) fn of_tool(tool: &str) -> &'static [&'static str] {
    match tool {
        "place_order" | "modify_order" | "cancel_order" | "get_order_status" => {
            &[TEXT, "$.structuredContent.client_order_id"]
        }
        "list_orders" => &[TEXT, "$.structuredContent.orders[*].client_order_id"],
        _ => &[],
    }
}

/// Marks the result of a tool. A failed one is marked where it is made.
pub(crate) fn mark(tool: &str, result: &mut CallToolResult) {
    let places = of_tool(tool);
    if result.is_error != Some(true) && !places.is_empty() {
        result.meta.get_or_insert_default().insert(OUTSIDE_TEXT.to_owned(), json!(places));
    }
}

/// Marks the text of a failed tool.
pub(crate) fn mark_failure(meta: &mut MetaObject) {
    meta.insert(OUTSIDE_TEXT.to_owned(), json!([TEXT]));
}

/// Marks a prompt, which is one message.
pub(crate) fn of_prompt() -> MetaObject {
    let mut meta = MetaObject::new();
    meta.insert(OUTSIDE_TEXT.to_owned(), json!(["$.messages[0].content.text"]));
    meta
}

/// `data` of an error whose message quotes what a client sent.
pub(crate) fn quoted() -> Value {
    json!({ OUTSIDE_TEXT: ["$.message"] })
}

/// Parameters do not fit; the message quotes them.
pub(crate) fn invalid_params(message: impl Into<String>) -> ErrorData {
    ErrorData::invalid_params(message.into(), Some(quoted()))
}
