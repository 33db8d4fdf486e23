//! The parts of the picture.

use cwts_domain::{
    CancelReason, Instrument, InstrumentId, Link, Lots, OrderStatus, Side, Ticks, TimeInForce, TradingState,
};
use cwts_engine::{Account, Exchange, Fill, Market, Order, Role};
use serde::Serialize;

use crate::limits::AccountLimits;

/// Price levels of each side.
const DEPTH: usize = 24;

/// What can be traded, with its steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct DeskInstrument {
    /// For example `BTCUSD`.
    pub symbol: String,
    /// What it is, for people.
    pub description: String,
    /// Decimal places of a price: one tick is the last of them.
    pub price_decimals: u32,
    /// Decimal places of a quantity: one lot is the last of them.
    pub quantity_decimals: u32,
    /// Largest quantity of one order, in lots.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub max_quantity: i64,
    /// Largest price of one order, in ticks.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub max_price: i64,
}

impl DeskInstrument {
    pub(super) fn of(instrument: &Instrument) -> Self {
        Self {
            symbol: instrument.symbol.clone(),
            description: instrument.description.clone(),
            price_decimals: instrument.price_decimals,
            quantity_decimals: instrument.quantity_decimals,
            max_quantity: instrument.max_quantity.0,
            max_price: instrument.max_price.0,
        }
    }
}

/// Whether orders are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct DeskTrading {
    /// What the exchange says.
    pub state: TradingState,
    /// What keeps the journal from being written, and what to do: nothing is taken then, whatever `state` says.
    pub problem: Option<String>,
}

/// The paper account.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct DeskAccount {
    /// Cash; the proceeds of short sales are part of it.
    pub cash: f64,
    /// Cash and all positions at their marks.
    pub equity: f64,
    /// Profit of what is open.
    pub unrealized: f64,
    /// Profit of what was closed since the account was opened or reset, less fees.
    pub realized: f64,
    /// Change of the equity since 00:00 UTC.
    pub today: f64,
    /// Fees since the account was opened or reset.
    pub fees: f64,
    /// Value of what is held and ordered, as the exposure limit counts it.
    pub exposure: f64,
    /// Exposure over leverage.
    pub margin_used: f64,
    /// Equity that no margin takes.
    pub margin_available: f64,
    /// Millionths of the traded value that the order that waited pays.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub maker_ppm: i64,
    /// Millionths of the traded value that the order that came in pays.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub taker_ppm: i64,
    /// Number of open orders, those that are not listed included.
    pub open_orders: usize,
    /// What the account may do.
    pub limits: AccountLimits,
    /// What it holds.
    pub positions: Vec<DeskPosition>,
}

/// What is held of one instrument.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct DeskPosition {
    /// Of what.
    pub symbol: String,
    /// Below zero is short.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub quantity: i64,
    /// Average price at which it was entered, in quote currency.
    pub entry_price: f64,
    /// The price at which it is valued.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub mark: i64,
    /// Value at the mark, with the sign of the quantity.
    pub value: f64,
    /// Profit if it were closed at the mark, before fees.
    pub unrealized: f64,
    /// Profit of what was closed of it, less fees.
    pub realized: f64,
}

/// An order of the paper account.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct DeskOrder {
    /// Assigned by the exchange.
    pub id: String,
    /// The name that whoever placed it gave it.
    pub client_order_id: Option<String>,
    /// What it trades.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// Whole quantity, with what has filled.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub quantity: i64,
    /// Traded so far.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub filled: i64,
    /// Average price of its fills, in quote currency.
    pub average_price: Option<f64>,
    /// Limit price.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub limit: Option<i64>,
    /// Stop price.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub stop: Option<i64>,
    /// Whether the last price has reached the stop price.
    pub triggered: bool,
    /// How long it may wait.
    pub time_in_force: TimeInForce,
    /// Only trades as the maker.
    pub post_only: bool,
    /// Only makes the position smaller.
    pub reduce_only: bool,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// Why it was cancelled.
    pub reason: Option<CancelReason>,
    /// The order that it came with.
    pub parent: Option<String>,
    /// Milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub accepted_at: i64,
    /// Milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub updated_at: i64,
}

impl DeskOrder {
    pub(super) fn of(exchange: &Exchange, order: &Order) -> Option<Self> {
        let instrument = exchange.market(order.instrument)?.instrument();
        Some(Self {
            id: order.id.to_string(),
            client_order_id: order.client_order_id.as_ref().map(|name| name.0.clone()),
            symbol: instrument.symbol.clone(),
            side: order.side,
            quantity: order.quantity.0,
            filled: order.filled_quantity.0,
            average_price: instrument.average_price(order.filled_notional, order.filled_quantity),
            limit: order.limit.map(|ticks| ticks.0),
            stop: order.stop.map(|ticks| ticks.0),
            triggered: order.triggered_at.is_some(),
            time_in_force: order.time_in_force,
            post_only: order.post_only,
            reduce_only: order.reduce_only,
            status: order.status,
            reason: order.cancel_reason,
            parent: match order.link {
                Link::None => None,
                Link::TakeProfitOf(id) | Link::StopLossOf(id) | Link::OcoOf(id) => Some(id.to_string()),
            },
            accepted_at: order.accepted_at.millis(),
            updated_at: order.updated_at.millis(),
        })
    }
}

/// A fill of the paper account.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct DeskFill {
    /// Of its trade; unique.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub sequence: u64,
    /// The order that was filled.
    pub order_id: String,
    /// What was traded.
    pub symbol: String,
    /// Side of the order.
    pub side: Side,
    /// At which price.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub price: i64,
    /// How much.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub quantity: i64,
    /// Paid; below zero is a rebate.
    pub fee: f64,
    /// Whether the order waited.
    pub maker: bool,
    /// Milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub at: i64,
}

impl DeskFill {
    pub(super) fn of(exchange: &Exchange, fill: &Fill) -> Option<Self> {
        Some(Self {
            sequence: fill.sequence,
            order_id: fill.order_id.to_string(),
            symbol: exchange.market(fill.instrument)?.instrument().symbol.clone(),
            side: fill.side,
            price: fill.price.0,
            quantity: fill.quantity.0,
            fee: fill.fee.amount(),
            maker: fill.role == Role::Maker,
            at: fill.at.millis(),
        })
    }
}

/// One market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct DeskMarket {
    /// What is traded.
    pub symbol: String,
    /// The last price; `None` before the first trade.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub last: Option<i64>,
    /// The price at which positions are valued.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub mark: Option<i64>,
    /// Highest traded price.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub high: Option<i64>,
    /// Lowest traded price.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub low: Option<i64>,
    /// Price and quantity of the levels to buy, the highest first.
    #[cfg_attr(feature = "wire", ts(type = "[number, number][]"))]
    pub bids: Vec<(i64, i64)>,
    /// Price and quantity of the levels to sell, the lowest first.
    #[cfg_attr(feature = "wire", ts(type = "[number, number][]"))]
    pub asks: Vec<(i64, i64)>,
}

impl DeskMarket {
    pub(super) fn of(market: &Market) -> Self {
        let plain = |ticks: Option<Ticks>| ticks.map(|ticks| ticks.0);
        let levels = |side| {
            let depth = market.depth(side, DEPTH).into_iter();
            depth.map(|(price, lots): (Ticks, Lots)| (price.0, lots.0)).collect()
        };
        Self {
            symbol: market.instrument().symbol.clone(),
            last: market.last_trade().map(|trade| trade.price.0),
            mark: plain(market.mark_price()),
            high: plain(market.session().high),
            low: plain(market.session().low),
            bids: levels(Side::Buy),
            asks: levels(Side::Sell),
        }
    }
}

impl DeskAccount {
    pub(super) fn of(exchange: &Exchange, account: &Account) -> Option<Self> {
        let limits = account.limits()?;
        let (equity, exposure) = (exchange.equity(account), exchange.exposure(account).amount());
        let margin_used = exposure / f64::from(limits.leverage.max(1));
        let fees = account.fees();
        Some(Self {
            cash: account.cash().amount(),
            equity: equity.amount(),
            unrealized: exchange.unrealised_pnl(account).amount(),
            realized: account.realised_pnl().amount(),
            today: (equity - account.day_equity()).amount(),
            fees: account.fees_paid().amount(),
            exposure,
            margin_used,
            margin_available: (equity.amount() - margin_used).max(0.0),
            maker_ppm: fees.maker_ppm,
            taker_ppm: fees.taker_ppm,
            open_orders: account.open_order_count(),
            limits: AccountLimits::from(limits),
            positions: account.positions().filter_map(|(id, _)| DeskPosition::of(exchange, account, id)).collect(),
        })
    }
}

impl DeskPosition {
    /// `None` where nothing is held.
    fn of(exchange: &Exchange, account: &Account, id: InstrumentId) -> Option<Self> {
        let (market, position) = (exchange.market(id)?, account.position(id)?);
        let entry_price = market.instrument().average_price(position.cost_basis(), position.quantity())?;
        let mark = market.mark_price()?;
        Some(Self {
            symbol: market.instrument().symbol.clone(),
            quantity: position.quantity().0,
            entry_price,
            mark: mark.0,
            value: mark.notional(position.quantity()).amount(),
            unrealized: position.unrealised_pnl(mark).amount(),
            realized: position.realised_pnl().amount(),
        })
    }
}
