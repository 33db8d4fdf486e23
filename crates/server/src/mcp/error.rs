//! Errors as programs read them: a code beside the words, the one that REST gives, and when to try again.

use cwts_runtime::ExchangeError;
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock, ErrorCode, MetaObject};
use serde_json::{Value, json};

use crate::mcp::outside;
use crate::problem::ProblemDetails;

/// In `_meta` of a failed tool call: `code`, and `retry_after` in seconds where trying again may help.
pub(crate) const ERROR: &str = "cwts-ultra/error";

/// Requests of one connection that may be under way. Far more than an agent has, and few enough that a connection which is
/// fed faster than the journal writes hears of it, not its neighbours.
pub(crate) const MAX_UNDER_WAY: usize = 128;

pub(crate) const OVERLOADED: &str = "overloaded";
/// Seconds. A commit of the journal takes far less.
const RETRY_AFTER: u64 = 1;

/// Marks a request that came while [`MAX_UNDER_WAY`] others had no answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneTooMany;

impl OneTooMany {
    /// The answer to a tool call.
    pub(crate) fn of_tool(self) -> CallToolResult {
        of_tool(OVERLOADED, self.to_string(), Some(RETRY_AFTER))
    }

    /// `data` of the answer to any other request.
    pub(crate) fn data(self) -> Value {
        described(OVERLOADED, Some(RETRY_AFTER))
    }

    /// The code of the answer to any other request, of those that JSON-RPC leaves to the server. MCP has none of its own.
    pub(crate) const CODE: i32 = -32005;
}

impl std::fmt::Display for OneTooMany {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "overloaded: {MAX_UNDER_WAY} requests of this connection have no answer yet. Nothing was done; send this one \
             again when one of them is answered"
        )
    }
}

/// The result of a tool that did not do what was asked; the model reads the text.
pub(crate) fn of_tool(code: &str, text: impl Into<String>, retry_after: Option<u64>) -> CallToolResult {
    let mut meta = MetaObject::new();
    meta.insert(ERROR.to_owned(), described(code, retry_after));
    outside::mark_failure(&mut meta);
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.meta = Some(meta);
    result
}

/// The reason why the exchange could not be read.
pub(crate) fn unread(error: ExchangeError) -> ErrorData {
    let text = error.to_string();
    let ProblemDetails { code, retry_after, .. } = error.into();
    let number = if code == OVERLOADED { ErrorCode(OneTooMany::CODE) } else { ErrorCode::INTERNAL_ERROR };
    ErrorData::new(number, text, Some(described(code, retry_after)))
}

/// A code with what belongs to it, for `_meta` of a result and `data` of an error.
pub(crate) fn described(code: &str, retry_after: Option<u64>) -> Value {
    let mut error = json!({ "code": code });
    if let Some(seconds) = retry_after {
        error["retry_after"] = seconds.into();
    }
    error
}
