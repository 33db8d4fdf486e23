//! Lets a person confirm an order whose value is above `mcp.confirm_above`, where that is set.
//!
//! Up to 2025-11-25 the client is asked in the middle of the call (`elicitation/create`); from 2026-07-28 on the call ends
//! with what is asked, and comes again with the answer ("Multi Round-Trip Requests"). Orders that only make a position
//! smaller by `close_position` and `flatten_all` are never held up.

use std::time::Duration;

use cwts_domain::PlaceOrder;
use cwts_runtime::Exchange;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientResult, InputRequiredResult, ProtocolVersion, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext};
use rmcp::{ErrorData, RoleServer};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::mcp::error;
use crate::mcp::handler::TradingServer;
use crate::mcp::wire::{ModifyOrderArgs, OrderArgs};

/// How long a person may think. The other calls of a WebSocket wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(300);
const ANSWER: &str = "confirm";

/// Whether a tool may have to be confirmed at this moment.
pub(crate) fn may_ask(server: &TradingServer, tool: &str) -> bool {
    server.instance.policy().confirm_above > 0 && ["place_order", "modify_order"].contains(&tool)
}

/// What answers the call in place of its tool: a question, or a refusal. `None` where the tool may run.
///
/// # Errors
/// The question could not be put.
pub(crate) async fn instead(
    server: &TradingServer,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<Option<CallToolResponse>, ErrorData> {
    let above = server.instance.policy().confirm_above;
    if !may_ask(server, &request.name) {
        return Ok(None);
    }
    // What does not fit is told by the tool itself.
    let Some(value) = value(server, request).await.filter(|value| *value > f64::from(above)) else { return Ok(None) };
    let can_ask = context.client_capabilities().is_some_and(|capabilities| capabilities.elicitation.is_some());
    if !can_ask {
        return Ok(Some(refused(
            "needs_confirmation",
            format!(
                "The order is worth {value:.2} USD, above the {above} USD from which on a person confirms \
             (mcp.confirm_above), and this client cannot ask one: it lacks elicitation. Place smaller orders, or let the \
             person use a client that can ask, or raise the setting."
            ),
        )));
    }
    let question = question(&request.name, value);
    let answer = if context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28) {
        match request.input_responses.as_ref().and_then(|responses| responses.get(ANSWER)) {
            Some(answer) => answer.clone(),
            None => {
                let asked: InputRequiredResult =
                    typed(json!({ "resultType": "input_required", "inputRequests": { ANSWER: question } }))?;
                return Ok(Some(asked.into()));
            }
        }
    } else {
        ask(context, question).await
    };
    let confirmed = answer["action"] == "accept" && answer["content"][ANSWER] == true;
    let declined = || {
        refused(
            "not_confirmed",
            "The person did not confirm the order. Nothing was done; do not try again unasked.".into(),
        )
    };
    Ok((!confirmed).then(declined))
}

/// Asks a client of 2025. Who gives no answer has not confirmed.
async fn ask(context: &RequestContext<RoleServer>, question: Value) -> Value {
    let Ok(question) = typed::<ServerRequest>(question) else { return Value::Null };
    let asked = context.peer.send_request_with_option(question, PeerRequestOptions::with_timeout(PATIENCE)).await;
    let Ok(asked) = asked else { return Value::Null };
    match asked.await_response().await {
        Ok(ClientResult::ElicitResult(answer)) => json!(answer),
        Ok(other) => json!(other),
        Err(_) => Value::Null,
    }
}

fn question(tool: &str, value: f64) -> Value {
    let what = if tool == "modify_order" { "Change an order so that it is worth" } else { "Place an order worth" };
    let confirm = json!({ "type": "boolean", "title": "Place the order", "default": false });
    let schema = json!({ "type": "object", "properties": { ANSWER: confirm }, "required": [ANSWER] });
    let message = format!("{what} {value:.2} USD on the paper account?");
    json!({ "method": "elicitation/create", "params": { "message": message, "requestedSchema": schema } })
}

fn refused(code: &str, text: String) -> CallToolResponse {
    error::of_tool(code, text, None).into()
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

/// What the order would be worth, in US dollars; `None` where its terms do not fit.
async fn value(server: &TradingServer, request: &CallToolRequestParams) -> Option<f64> {
    let arguments = Value::Object(request.arguments.clone().unwrap_or_default());
    if request.name == "place_order" {
        let order = server.order_of(serde_json::from_value(arguments).ok()?).ok()?;
        return server.instance.exchange().read(move |exchange| worth(exchange, &order)).await.ok()?;
    }
    let ModifyOrderArgs { order_id, client_order_id, new_quantity, new_price, new_stop_price } =
        serde_json::from_value(arguments).ok()?;
    let id = server.order_id_of(OrderArgs { order_id, client_order_id }).await.ok()?;
    let read = server.instance.exchange().read(move |exchange| {
        let order = exchange.order(id)?;
        let market = exchange.market(order.instrument)?;
        let instrument = market.instrument();
        let waits_at = order.limit.or(order.stop).or(market.mark_price()).map(|price| instrument.price(price));
        let price = new_price.or(new_stop_price).or(waits_at)?;
        Some(new_quantity.unwrap_or(instrument.quantity(order.quantity)) * price)
    });
    read.await.ok()?
}

fn worth(exchange: &Exchange, order: &PlaceOrder) -> Option<f64> {
    let price = order.limit.or(order.stop).or(exchange.market(order.instrument)?.mark_price())?;
    Some(price.notional(order.quantity).amount())
}
