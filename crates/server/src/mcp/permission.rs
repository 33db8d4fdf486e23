//! Whether a caller may use a tool.

use std::any::Any;

use cwts_runtime::{Caller, Scope};
use rmcp::model::{CallToolResult, Extensions, Tool};

use crate::mcp::error;

/// What a caller whose token is too small is told; the model reads it. `None` for those who may use the tool.
pub(crate) fn refusal(tool: &Tool, extensions: &Extensions) -> Option<CallToolResult> {
    let needed = needed(tool);
    let held = of_client::<Caller>(extensions).map(Caller::scope);
    if held.is_some_and(|held| held.allows(needed)) {
        return None;
    }
    let held = held.map_or("none", Scope::id);
    let text = format!(
        "{} needs a token of the scope {needed}, and this client's is {held}. The person can show one with \
         `cwts-ultra token show --scope {needed}`.",
        tool.name
    );
    Some(error::of_tool("scope_too_small", text, None))
}

/// What is known of who called: put there by the WebSocket, or on the HTTP request that rmcp hands on.
pub(crate) fn of_client<T: Any + Clone + Send + Sync>(extensions: &Extensions) -> Option<&T> {
    let of_request = || extensions.get::<http::request::Parts>().and_then(|parts| parts.extensions.get());
    extensions.get::<T>().or_else(of_request)
}

/// A tool that does not say that it only reads is taken to trade.
fn needed(tool: &Tool) -> Scope {
    let read_only = tool.annotations.as_ref().and_then(|annotations| annotations.read_only_hint);
    if read_only == Some(true) { Scope::Read } else { Scope::Trade }
}
