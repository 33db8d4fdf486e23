//! Arguments and results of the tools. Numbers are JSON numbers; ids are opaque strings; times are RFC 3339 in UTC.

use cwts_domain::{Instrument, OrderStatus, OrderType, Side, TimeInForce};
use cwts_runtime::{Account, Exchange, Fill, Order, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Limit price in quote currency, a multiple of the tick size (0.01 for BTCUSD). Required for limit orders, and
    /// not allowed for market orders.
    #[serde(default)]
    pub(crate) price: Option<f64>,
    /// GTC (the default) rests until cancelled; IOC cancels what does not trade at once; FOK trades whole or not at all.
    #[serde(default)]
    pub(crate) time_in_force: Option<WireTimeInForce>,
    /// Your own name for the order. Placing the same name again returns the first order and places nothing.
    #[serde(default)]
    pub(crate) client_order_id: Option<String>,
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
    /// At most this many, the newest, 1 to 500; 100 when left out.
    #[serde(default)]
    pub(crate) limit: Option<u16>,
}

/// Arguments of `get_market_data`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarketDataArgs {
    /// The instrument, for example BTCUSD.
    pub(crate) symbol: String,
    /// Price levels per side, 1 to 100; 10 when left out.
    #[serde(default)]
    pub(crate) depth: Option<u16>,
    /// Whether to add the latest trades.
    #[serde(default)]
    pub(crate) include_trades: Option<bool>,
}

macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident = $domain:ident, $case:literal, { $($variant:ident),* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
        #[serde(rename_all = $case)]
        pub(crate) enum $name { $($variant),* }

        impl From<$name> for $domain {
            fn from(wire: $name) -> Self {
                match wire { $($name::$variant => Self::$variant),* }
            }
        }

        impl From<$domain> for $name {
            fn from(domain: $domain) -> Self {
                match domain { $($domain::$variant => Self::$variant),* }
            }
        }
    };
}

wire_enum! {
    /// Buy or sell.
    WireSide = Side, "snake_case", { Buy, Sell }
}

wire_enum! {
    /// A market order trades at once at the best prices; a limit order at its price or better.
    WireOrderType = OrderType, "snake_case", { Market, Limit }
}

wire_enum! {
    /// How long an order may rest.
    WireTimeInForce = TimeInForce, "UPPERCASE", { Gtc, Ioc, Fok }
}

wire_enum! {
    /// Where an order is in its life.
    WireStatus = OrderStatus, "snake_case", { Open, PartiallyFilled, Filled, Cancelled }
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

/// An order.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OrderView {
    pub(crate) order_id: String,
    pub(crate) client_order_id: Option<String>,
    pub(crate) symbol: String,
    pub(crate) side: WireSide,
    pub(crate) order_type: WireOrderType,
    pub(crate) quantity: f64,
    pub(crate) price: Option<f64>,
    pub(crate) time_in_force: WireTimeInForce,
    pub(crate) status: WireStatus,
    pub(crate) filled_quantity: f64,
    /// Average price of the fills; null before the first.
    pub(crate) average_price: Option<f64>,
    /// Why a cancelled order was cancelled: requested, unfilled or self_trade_prevention.
    pub(crate) cancel_reason: Option<String>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    /// The exchange's sequence number when this was read.
    pub(crate) sequence: f64,
}

impl OrderView {
    pub(crate) fn of(exchange: &Exchange, order: &Order) -> Self {
        let instrument = exchange.instrument();
        Self {
            order_id: order.id.to_string(),
            client_order_id: order.client_order_id.as_ref().map(|name| name.0.clone()),
            symbol: instrument.symbol.clone(),
            side: order.side.into(),
            order_type: order.order_type.into(),
            quantity: instrument.quantity(order.quantity),
            price: order.limit.map(|limit| instrument.price(limit)),
            time_in_force: order.time_in_force.into(),
            status: order.status.into(),
            filled_quantity: instrument.quantity(order.filled_quantity),
            average_price: instrument.average_price(order.filled_notional, order.filled_quantity),
            cancel_reason: order.cancel_reason.map(|reason| {
                use cwts_domain::CancelReason::{Requested, SelfTradePrevention, Unfilled};
                match reason {
                    Requested => "requested",
                    Unfilled => "unfilled",
                    SelfTradePrevention => "self_trade_prevention",
                }
                .to_owned()
            }),
            created_at: order.accepted_at.to_string(),
            updated_at: order.updated_at.to_string(),
            sequence: exchange.sequence() as f64,
        }
    }
}

/// One page of orders.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OrderList {
    /// Newest first.
    pub(crate) orders: Vec<OrderView>,
    /// Cursor of the next page; null on the last.
    pub(crate) next_cursor: Option<String>,
}

/// All positions.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PositionList {
    pub(crate) positions: Vec<PositionView>,
    pub(crate) sequence: f64,
}

/// The position in one instrument.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PositionView {
    pub(crate) symbol: String,
    /// buy when long, sell when short.
    pub(crate) side: WireSide,
    /// Without a sign.
    pub(crate) quantity: f64,
    pub(crate) entry_price: Option<f64>,
    pub(crate) mark_price: Option<f64>,
    pub(crate) unrealized_pnl: Option<f64>,
    pub(crate) realized_pnl: Option<f64>,
}

impl PositionView {
    /// The account's position; `None` when it is flat.
    pub(crate) fn of(exchange: &Exchange, account: &Account, include_pnl: bool) -> Option<Self> {
        let (instrument, position) = (exchange.instrument(), account.position());
        let side = match position.0 {
            0 => return None,
            1.. => WireSide::Buy,
            _ => WireSide::Sell,
        };
        let mark = exchange.mark_price().filter(|_| include_pnl);
        Some(Self {
            symbol: instrument.symbol.clone(),
            side,
            quantity: instrument.quantity(position).abs(),
            entry_price: instrument.average_price(account.cost_basis(), position),
            mark_price: mark.map(|mark| instrument.price(mark)),
            unrealized_pnl: mark.map(|mark| instrument.amount(account.unrealised_pnl(mark))),
            realized_pnl: include_pnl.then(|| instrument.amount(account.realised_pnl())),
        })
    }
}

/// The paper account.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AccountView {
    pub(crate) currency: &'static str,
    pub(crate) cash: f64,
    /// Cash plus the value of the position at the mark price; null while there is no price.
    pub(crate) equity: Option<f64>,
    pub(crate) realized_pnl: f64,
    pub(crate) unrealized_pnl: Option<f64>,
    pub(crate) open_orders: f64,
    pub(crate) sequence: f64,
}

impl AccountView {
    pub(crate) fn of(exchange: &Exchange, account: &Account) -> Self {
        let (instrument, mark) = (exchange.instrument(), exchange.mark_price());
        Self {
            currency: "USD",
            cash: instrument.amount(account.cash()),
            equity: mark.map(|mark| instrument.amount(account.equity(mark))),
            realized_pnl: instrument.amount(account.realised_pnl()),
            unrealized_pnl: mark.map(|mark| instrument.amount(account.unrealised_pnl(mark))),
            open_orders: account.open_order_count() as f64,
            sequence: exchange.sequence() as f64,
        }
    }
}

/// The latest fills of the paper account.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FillList {
    /// Newest first.
    pub(crate) fills: Vec<FillView>,
}

/// One fill.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FillView {
    pub(crate) order_id: String,
    pub(crate) symbol: String,
    pub(crate) side: WireSide,
    pub(crate) price: f64,
    pub(crate) quantity: f64,
    /// maker when the order rested in the book, taker when it came in.
    pub(crate) role: &'static str,
    pub(crate) sequence: f64,
    pub(crate) time: String,
}

impl FillView {
    pub(crate) fn of(instrument: &Instrument, fill: &Fill) -> Self {
        Self {
            order_id: fill.order_id.to_string(),
            symbol: instrument.symbol.clone(),
            side: fill.side.into(),
            price: instrument.price(fill.price),
            quantity: instrument.quantity(fill.quantity),
            role: match fill.role {
                Role::Maker => "maker",
                Role::Taker => "taker",
            },
            sequence: fill.sequence as f64,
            time: fill.at.to_string(),
        }
    }
}

/// Prices, volume and book of one instrument.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MarketData {
    pub(crate) symbol: String,
    pub(crate) bid: Option<f64>,
    pub(crate) ask: Option<f64>,
    pub(crate) last: Option<f64>,
    /// Traded since the exchange opened, in base currency.
    pub(crate) volume: f64,
    pub(crate) high: Option<f64>,
    pub(crate) low: Option<f64>,
    /// [price, quantity], highest price first.
    pub(crate) bids: Vec<[f64; 2]>,
    /// [price, quantity], lowest price first.
    pub(crate) asks: Vec<[f64; 2]>,
    pub(crate) sequence: f64,
    /// The latest trades, newest first, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trades: Option<Vec<TradeView>>,
}

/// A trade of the market.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TradeView {
    pub(crate) price: f64,
    pub(crate) quantity: f64,
    /// Side of the order that came in.
    pub(crate) side: WireSide,
    pub(crate) time: String,
}

impl MarketData {
    pub(crate) fn of(exchange: &Exchange, depth: usize, trades: Option<usize>) -> Self {
        let (instrument, session) = (exchange.instrument(), exchange.session());
        let price = |ticks| instrument.price(ticks);
        let levels = |side| {
            let levels = exchange.depth(side, depth).into_iter();
            levels.map(|(ticks, lots)| [price(ticks), instrument.quantity(lots)]).collect()
        };
        Self {
            symbol: instrument.symbol.clone(),
            bid: exchange.best_bid().map(price),
            ask: exchange.best_ask().map(price),
            last: exchange.last_trade().map(|trade| price(trade.price)),
            volume: instrument.quantity(session.volume),
            high: session.high.map(price),
            low: session.low.map(price),
            bids: levels(Side::Buy),
            asks: levels(Side::Sell),
            sequence: exchange.sequence() as f64,
            trades: trades.map(|most| exchange.trades().rev().take(most).map(|trade| TradeView::of(instrument, trade)).collect()),
        }
    }
}

impl TradeView {
    fn of(instrument: &Instrument, trade: &cwts_runtime::Trade) -> Self {
        Self {
            price: instrument.price(trade.price),
            quantity: instrument.quantity(trade.quantity),
            side: trade.taker_side.into(),
            time: trade.at.to_string(),
        }
    }
}

/// What this server is and how to reach it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ServerInfo {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) instance: String,
    /// Always true: no order of this server reaches a real market.
    pub(crate) paper_trading: bool,
    pub(crate) symbols: Vec<SymbolInfo>,
    pub(crate) services: Vec<ServiceInfo>,
    pub(crate) time: String,
}

/// The steps and limits of an instrument.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SymbolInfo {
    pub(crate) symbol: String,
    pub(crate) tick_size: f64,
    pub(crate) lot_size: f64,
    pub(crate) max_quantity: f64,
}

/// Where one of the four services listens.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ServiceInfo {
    pub(crate) service: String,
    pub(crate) url: String,
}
