//! Orders: `/api/v1/orders`.

use axum::Json;
use axum::extract::State;
use cwts_runtime::Instance;
use rmcp::handler::server::wrapper::Parameters;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::answer::Created;
use super::api::Api;
use super::document::About;
use super::input::{Asked, Body, By, Named, Reads, Trades};
use super::tools;
use crate::mcp::wire::{
    Cancelled, ListOrdersArgs, ModifyOrderArgs, OrderArgs, OrderList, OrderView, PlaceOrderArgs, Preview, ScopeArgs,
};
use crate::problem::ProblemDetails;

type Answer<T> = Result<T, ProblemDetails>;

const ORDERS: &str = "/api/v1/orders";
const ORDER: &str = "/api/v1/orders/{order_id}";

pub(super) fn routes(api: Api) -> Api {
    let limit = json!({ "symbol": "BTCUSD", "side": "buy", "order_type": "limit", "quantity": 0.01, "price": 60000 });
    let market = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": 1 });
    api.tag("Orders", "Placing, changing and cancelling orders of the paper account.")
        .get(ORDERS, About::new("list_orders", "Orders, newest first, page by page."), list)
        .post_once(
            ORDERS,
            About::new(
                "place_order",
                "Places an order and answers it as it stands after matching. What is answered is on the disk. A \
                 client_order_id that was used before for an equal order places nothing and answers that order, also \
                 after a restart.",
            )
            .with_example(market)
            .leads_to("order_id", &["get_order", "modify_order", "cancel_order"]),
            place,
        )
        .delete(
            ORDERS,
            About::new("cancel_all_orders", "Cancels every open order, or those of one instrument."),
            cancel_all,
        )
        .post(
            "/api/v1/orders/preview",
            About::new("preview_order", "What an order would do if it were placed now. Places nothing.")
                .with_example(limit),
            preview,
        )
        .get(ORDER, About::new("get_order", "One order with its fills so far."), read)
        .patch_once(
            ORDER,
            About::new(
                "modify_order",
                "Changes quantity or prices of an open order. A smaller quantity alone keeps its place in the queue; any \
                 other change sends it in again, so that it may trade at once.",
            )
            .with_example(json!({ "new_quantity": 0.005 })),
            modify,
        )
        .delete(ORDER, About::new("cancel_order", "Cancels an open order. What was filled before stays filled."), cancel)
}

async fn list(
    _by: By<Reads>,
    State(instance): State<Instance>,
    Asked(query): Asked<ListOrdersArgs>,
) -> Answer<Json<OrderList>> {
    Ok(Json(tools(instance).list_orders(Parameters(query)).await?.0))
}

async fn place(
    _by: By<Trades>,
    State(instance): State<Instance>,
    Body(order): Body<PlaceOrderArgs>,
) -> Answer<Created<OrderView>> {
    let body = tools(instance).place_order(Parameters(order)).await?.0;
    Ok(Created { location: format!("{ORDERS}/{}", body.order_id), body })
}

async fn preview(
    _by: By<Trades>,
    State(instance): State<Instance>,
    Body(order): Body<PlaceOrderArgs>,
) -> Answer<Json<Preview>> {
    Ok(Json(tools(instance).preview_order(Parameters(order)).await?.0))
}

async fn cancel_all(
    _by: By<Trades>,
    State(instance): State<Instance>,
    Asked(query): Asked<ScopeArgs>,
) -> Answer<Json<Cancelled>> {
    Ok(Json(tools(instance).cancel_all_orders(Parameters(query)).await?.0))
}

async fn read(_by: By<Reads>, State(instance): State<Instance>, Named(order_id): Named) -> Answer<Json<OrderView>> {
    Ok(Json(tools(instance).get_order_status(Parameters(named(order_id))).await?.0))
}

/// What is new of an order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OrderChange {
    /// The whole quantity, with what has filled. A smaller quantity alone keeps the place in the queue.
    #[serde(default)]
    new_quantity: Option<f64>,
    /// For limit and stop_limit orders.
    #[serde(default)]
    new_price: Option<f64>,
    /// For stop and stop_limit orders that have not triggered.
    #[serde(default)]
    new_stop_price: Option<f64>,
}

async fn modify(
    _by: By<Trades>,
    State(instance): State<Instance>,
    Named(order_id): Named,
    Body(change): Body<OrderChange>,
) -> Answer<Json<OrderView>> {
    let OrderChange { new_quantity, new_price, new_stop_price } = change;
    let change =
        ModifyOrderArgs { order_id: Some(order_id), client_order_id: None, new_quantity, new_price, new_stop_price };
    Ok(Json(tools(instance).modify_order(Parameters(change)).await?.0))
}

async fn cancel(_by: By<Trades>, State(instance): State<Instance>, Named(order_id): Named) -> Answer<Json<OrderView>> {
    Ok(Json(tools(instance).cancel_order(Parameters(named(order_id))).await?.0))
}

fn named(order_id: String) -> OrderArgs {
    OrderArgs { order_id: Some(order_id), client_order_id: None }
}
