//! What the tools are asked. Unknown arguments are refused, so that a misspelt one is not ignored.

use schemars::JsonSchema;
use serde::Deserialize;

use super::enums::{WireOrderType, WireSide, WireTimeInForce};

/// Arguments of `place_order`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceOrderArgs {
    /// The instrument, for example BTCUSD.
    pub(crate) symbol: String,
    pub(crate) side: WireSide,
    pub(crate) order_type: WireOrderType,
    /// Quantity in base currency, a multiple of the lot size (0.0001 for BTCUSD).
    pub(crate) quantity: f64,
    /// Limit price in quote currency, a multiple of the tick size (0.01 for BTCUSD). Required for limit and stop_limit
    /// orders, and not allowed for others.
    #[serde(default)]
    pub(crate) price: Option<f64>,
    /// The last price from which on a stop or stop_limit order works: at or above it for a buy, at or below it for a
    /// sell. Required for these, and not allowed for others.
    #[serde(default)]
    pub(crate) stop_price: Option<f64>,
    /// GTC (the default) waits until cancelled, DAY until 00:00 UTC; IOC cancels what does not trade at once; FOK trades
    /// whole or not at all.
    #[serde(default)]
    pub(crate) time_in_force: Option<WireTimeInForce>,
    /// Your own name for the order. Placing the same name again returns the first order and places nothing.
    #[serde(default)]
    pub(crate) client_order_id: Option<String>,
    /// Refuse the order if it would trade at once.
    #[serde(default)]
    pub(crate) post_only: Option<bool>,
    /// Only make the position smaller, never turn it.
    #[serde(default)]
    pub(crate) reduce_only: Option<bool>,
    /// Adds a limit order of the other side that takes the profit, for as much as the order fills.
    #[serde(default)]
    pub(crate) take_profit_price: Option<f64>,
    /// Adds a stop order of the other side that stops the loss; with take_profit_price a bracket, of which one exit ends
    /// the other.
    #[serde(default)]
    pub(crate) stop_loss_price: Option<f64>,
    /// Makes the stop loss a stop_limit order.
    #[serde(default)]
    pub(crate) stop_loss_limit_price: Option<f64>,
    /// Adds a stop order of the same side and quantity to a limit order: one cancels the other (OCO).
    #[serde(default)]
    pub(crate) oco_stop_price: Option<f64>,
    /// Makes the stop order of the OCO a stop_limit order.
    #[serde(default)]
    pub(crate) oco_stop_limit_price: Option<f64>,
}

/// Names an order by the exchange's id or by the client's own name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderArgs {
    /// The id that place_order returned.
    #[serde(default)]
    pub(crate) order_id: Option<String>,
    /// The name that you gave the order.
    #[serde(default)]
    pub(crate) client_order_id: Option<String>,
}

/// Arguments of `list_orders`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListOrdersArgs {
    /// Which orders: open (the default), closed or all.
    #[serde(default)]
    pub(crate) status: Option<StatusFilter>,
    #[serde(default)]
    pub(crate) symbol: Option<String>,
    /// At most this many, 1 to 500; 100 when left out.
    #[serde(default)]
    #[schemars(with = "Option<i32>", range(min = 1, max = 500))]
    pub(crate) limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}

/// Arguments of `get_positions`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PositionsArgs {
    #[serde(default)]
    pub(crate) symbol: Option<String>,
    /// Whether to add mark price and profit and loss; true when left out.
    #[serde(default)]
    pub(crate) include_pnl: Option<bool>,
}

/// Arguments of `get_fills`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FillsArgs {
    /// Only this instrument; all when left out.
    #[serde(default)]
    pub(crate) symbol: Option<String>,
    /// At most this many, 1 to 500; 100 when left out.
    #[serde(default)]
    #[schemars(with = "Option<i32>", range(min = 1, max = 500))]
    pub(crate) limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}

/// Arguments of `get_market_data`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarketDataArgs {
    /// The instrument, for example BTCUSD.
    pub(crate) symbol: String,
    /// Price levels per side, 1 to 100; 10 when left out.
    #[serde(default)]
    #[schemars(with = "Option<i32>", range(min = 1, max = 100))]
    pub(crate) depth: Option<u16>,
    /// Whether to add the latest trades.
    #[serde(default)]
    pub(crate) include_trades: Option<bool>,
}

/// Which orders to list.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusFilter {
    /// Orders that can still trade.
    #[default]
    Open,
    /// Filled and cancelled orders.
    Closed,
    /// Both.
    All,
}
