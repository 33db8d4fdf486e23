//! Answers the most frequent tool calls of a WebSocket without rmcp, which gives every request a task and every answer
//! another one.
//!
//! [`Direct::take`] takes a call only where nothing could go wrong before its tool runs: the session has begun, the message
//! is a plain `tools/call`, the caller may use the tool and the arguments fit. Whatever else a client sends goes to rmcp, so
//! errors of the protocol and of arguments have one source. A tool that asks its client back is not for here: it needs the
//! session. A call that is alone on its connection goes on, and is answered, on the thread that has its news; where several
//! are under way, one task per connection takes them on and writes what is ready in one go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cwts_runtime::{Caller, ConnectedClient};
use rmcp::handler::server::tool::IntoCallToolResult as _;
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{
    CallToolResponse, ErrorData, Extensions, JsonObject, ProtocolVersion, RequestId, RequestMetaObject,
    ServerJsonRpcMessage, ServerResult, Tool,
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use self::errand::{Errand, GoOn};
pub(crate) use self::outlet::Outlet;
use crate::mcp::handler::{TradingServer, asks_once, refusal_of};
use crate::mcp::outside::{self, OUTSIDE_TEXT};
use crate::mcp::tools::ToolError;
use crate::mcp::turn::{self, Turn};
use crate::mcp::wire::{ListOrdersArgs, MarketDataArgs, ModifyOrderArgs, OrderArgs, PlaceOrderArgs, PositionsArgs};
use crate::mcp::{confirmation, permission, schema};

mod errand;
mod outlet;

const METHOD: &str = "tools/call";

/// What a session has agreed on. Told by the answers that rmcp sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Session {
    /// Nothing yet; the first request is rmcp's.
    #[default]
    None,
    /// By `initialize`, to a version before 2026-07-28: requests need not say their version.
    Initialized,
    /// Each request brings its version and capabilities (2026-07-28, "Lifecycle").
    Inline,
}

/// Takes calls of one connection.
pub(crate) struct Direct {
    session: Session,
    desk: Arc<Desk>,
    /// Becomes the task that writes, with the first call.
    work: Option<mpsc::UnboundedReceiver<outlet::Work>>,
}

struct Call {
    id: RequestId,
    tool: &'static Tool,
    arguments: Arguments,
    asks_once: bool,
    turn: Turn,
    /// Whether the answer says that it is complete (2026-07-28, `resultType`).
    says_complete: bool,
}

enum Arguments {
    PlaceOrder(PlaceOrderArgs),
    ModifyOrder(ModifyOrderArgs),
    CancelOrder(OrderArgs),
    GetOrderStatus(OrderArgs),
    ListOrders(ListOrdersArgs),
    GetPositions(PositionsArgs),
    GetAccount,
    GetMarketData(MarketDataArgs),
}

/// A `tools/call` without anything unusual.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Frame<'a> {
    jsonrpc: &'a str,
    id: Value,
    method: &'a str,
    params: Params<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params<'a> {
    name: &'a str,
    arguments: Option<JsonObject>,
    #[serde(rename = "_meta")]
    meta: Option<JsonObject>,
}

impl Direct {
    pub(crate) fn new(server: TradingServer, caller: Caller, client: ConnectedClient, outlet: Outlet) -> Self {
        let mut extensions = Extensions::new();
        extensions.insert(caller);
        extensions.insert(client);
        server.subscriptions.tell_through(outlet.clone());
        let (task, work) = mpsc::unbounded_channel();
        let desk = Desk { server, extensions, outlet, under_way: Mutex::default(), task };
        Self { session: Session::None, desk: Arc::new(desk), work: Some(work) }
    }

    /// Learns from what rmcp answers what the session has agreed on.
    pub(crate) fn observe(&mut self, answer: &ServerJsonRpcMessage) {
        let ServerJsonRpcMessage::Response(answer) = answer else { return };
        self.session = self.session.after(&answer.result);
    }

    /// Takes a call and sees to its answer. `false` for everything that is rmcp's.
    pub(crate) fn take(&mut self, text: &str, turn: impl FnOnce() -> Turn) -> bool {
        let Some(call) = self.recognise(text, turn) else { return false };
        if let Some(work) = self.work.take() {
            tokio::spawn(self.desk.outlet.clone().write(work));
        }
        self.desk.under_way().push(call.id.clone());
        self.desk.go_on(&Errand::new(Arc::clone(&self.desk), call.run(Arc::clone(&self.desk))));
        true
    }

    /// Drops the answer of a call that is under way, if it is one of these.
    pub(crate) fn withdraw(&self, id: &RequestId) {
        self.desk.remove(id);
    }

    fn recognise(&self, text: &str, turn: impl FnOnce() -> Turn) -> Option<Call> {
        let Desk { server, extensions, .. } = &*self.desk;
        let (id, params) = Frame::read(text)?;
        let says_complete = self.session.says_complete(params.meta)?;
        let tool = server.tool(params.name)?;
        if permission::refusal(tool, extensions).is_some() || confirmation::may_ask(server, params.name) {
            return None;
        }
        let mut arguments = Value::Object(params.arguments.unwrap_or_default());
        schema::fit(&tool.input_schema, &mut arguments).ok()?;
        let asks_once = asks_once(params.name, arguments.as_object());
        let arguments = Arguments::of(params.name, arguments)?;
        Some(Call { id, tool, arguments, asks_once, turn: turn(), says_complete })
    }
}

impl<'a> Frame<'a> {
    fn read(text: &'a str) -> Option<(RequestId, Params<'a>)> {
        // Most other messages are told apart without parsing them twice.
        if !text.contains(METHOD) {
            return None;
        }
        let Self { jsonrpc, id, method, params } = serde_json::from_str(text).ok()?;
        let id = match id {
            Value::String(id) => RequestId::String(id.into()),
            Value::Number(id) => RequestId::Number(id.as_i64()?),
            _ => return None,
        };
        ((jsonrpc, method) == ("2.0", METHOD)).then_some((id, params))
    }
}

impl Session {
    /// What is agreed once rmcp has sent `answer`.
    fn after(self, answer: &ServerResult) -> Self {
        match (answer, self) {
            (ServerResult::InitializeResult(agreed), _) if agreed.protocol_version < ProtocolVersion::V_2026_07_28 => {
                Self::Initialized
            }
            (ServerResult::InitializeResult(_), _) => Self::Inline,
            // Both may come before a session begins.
            (ServerResult::DiscoverResult(_) | ServerResult::EmptyResult(_), before) => before,
            (_, Self::None) => Self::Inline,
            (_, before) => before,
        }
    }

    /// Whether the answer to a request is one of 2026-07-28; `None` where the request does not say what its session needs.
    fn says_complete(self, meta: Option<JsonObject>) -> Option<bool> {
        let newest = ProtocolVersion::V_2026_07_28;
        let meta = RequestMetaObject::from(meta.unwrap_or_default());
        match (self, meta.protocol_version()) {
            (Self::None, _) | (Self::Inline, None) => None,
            (Self::Initialized, None) => Some(false),
            (_, Some(version)) => (version == newest && meta.missing_required_keys(&newest).is_empty()).then_some(true),
        }
    }
}

impl Arguments {
    fn of(tool: &str, arguments: Value) -> Option<Self> {
        fn read<T: DeserializeOwned>(arguments: Value) -> Option<T> {
            serde_json::from_value(arguments).ok()
        }
        match tool {
            "place_order" => read(arguments).map(Self::PlaceOrder),
            "modify_order" => read(arguments).map(Self::ModifyOrder),
            "cancel_order" => read(arguments).map(Self::CancelOrder),
            "get_order_status" => read(arguments).map(Self::GetOrderStatus),
            "list_orders" => read(arguments).map(Self::ListOrders),
            "get_positions" => read(arguments).map(Self::GetPositions),
            "get_account" => Some(Self::GetAccount),
            "get_market_data" => read(arguments).map(Self::GetMarketData),
            _ => None,
        }
    }

    async fn call(self, server: &TradingServer) -> Answer {
        match self {
            Self::PlaceOrder(args) => Answer::of(server.place_order(Parameters(args)).await),
            Self::ModifyOrder(args) => Answer::of(server.modify_order(Parameters(args)).await),
            Self::CancelOrder(args) => Answer::of(server.cancel_order(Parameters(args)).await),
            Self::GetOrderStatus(args) => Answer::of(server.get_order_status(Parameters(args)).await),
            Self::ListOrders(args) => Answer::of(server.list_orders(Parameters(args)).await),
            Self::GetPositions(args) => Answer::of(server.get_positions(Parameters(args)).await),
            Self::GetAccount => Answer::of(server.get_account().await),
            Self::GetMarketData(args) => Answer::of(server.get_market_data(Parameters(args)).await),
        }
    }
}

/// What a tool has given.
enum Answer {
    /// The JSON text of its structured content.
    Content(String),
    Other(Result<CallToolResponse, ErrorData>),
}

impl Answer {
    fn of<T: Serialize + JsonSchema + 'static>(given: Result<Json<T>, ToolError>) -> Self {
        match given.as_ref().map(|Json(content)| serde_json::to_string(content)) {
            Ok(Ok(text)) => Self::Content(text),
            _ => Self::Other(given.into_call_tool_result()),
        }
    }

    fn refusal(&self) -> Option<String> {
        match self {
            Self::Content(_) => None,
            Self::Other(result) => refusal_of(result),
        }
    }

    /// As it goes to the client.
    fn into_json(self, id: RequestId, says_complete: bool, tool: &str) -> serde_json::Result<String> {
        let result = match self {
            Self::Content(content) => return success(&id, &content, says_complete, outside::of_tool(tool)),
            Self::Other(result) => result,
        };
        serde_json::to_string(&match result.map(ServerResult::from) {
            Ok(mut result) => {
                if let ServerResult::CallToolResult(result) = &mut result
                    && !says_complete
                {
                    result.result_type = None;
                }
                ServerJsonRpcMessage::response(result, id)
            }
            Err(error) => ServerJsonRpcMessage::error(error, Some(id)),
        })
    }
}

/// A [`CallToolResult`](rmcp::model::CallToolResult) with structured content, which is written once and put in twice: as
/// it is, and as the text for clients that read only that.
fn success(id: &RequestId, content: &str, says_complete: bool, outside: &[&str]) -> serde_json::Result<String> {
    let (id, text) = (serde_json::to_string(id)?, serde_json::to_string(content)?);
    let complete = if says_complete { r#""resultType":"complete","# } else { "" };
    let meta = match outside {
        [] => String::new(),
        places => format!(r#""_meta":{{"{OUTSIDE_TEXT}":{}}},"#, serde_json::to_string(places)?),
    };
    Ok(format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{{complete}{meta}"content":[{{"type":"text","text":{text}}}],"structuredContent":{content},"isError":false}}}}"#
    ))
}

impl Call {
    /// Runs in its turn. The answer, where it was not withdrawn meanwhile.
    async fn run(self, desk: Arc<Desk>) -> Option<String> {
        let running = self.turn.come().await;
        let answer = turn::run(self.arguments.call(&desk.server), running, self.asks_once).await;
        desk.server.account_for(self.tool, permission::of_client(&desk.extensions), answer.refusal());
        tracing::debug!(id = %self.id, tool = %self.tool.name, "answered directly");
        // Not there: the client has withdrawn the request, which gets no answer then (MCP, "Cancellation").
        desk.remove(&self.id)?;
        answer.into_json(self.id, self.says_complete, &self.tool.name).ok()
    }
}

/// What the calls of one connection share.
struct Desk {
    server: TradingServer,
    /// Who calls, as rmcp's requests carry it.
    extensions: Extensions,
    outlet: Outlet,
    under_way: Mutex<Vec<RequestId>>,
    /// Ends with the last call and the connection.
    task: mpsc::UnboundedSender<outlet::Work>,
}

impl Desk {
    fn under_way(&self) -> MutexGuard<'_, Vec<RequestId>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, id: &RequestId) -> Option<RequestId> {
        let mut under_way = self.under_way();
        let at = under_way.iter().position(|each| each == id)?;
        Some(under_way.swap_remove(at))
    }

    fn go_on(&self, errand: &Arc<Errand<Self>>) {
        if let Some(answer) = errand.go_on() {
            self.outlet.write_now(answer, &self.task);
        }
    }
}

impl GoOn for Desk {
    fn can_go_on(&self, errand: Arc<Errand<Self>>) {
        if self.under_way().len() > 1 {
            // The task lives as long as this sender.
            self.task.send(outlet::Work::GoOn(errand)).ok();
        } else {
            self.go_on(&errand);
        }
    }
}

#[cfg(test)]
mod tests;
