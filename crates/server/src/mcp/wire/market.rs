//! What the market and the exchange look like at a moment.

use cwts_domain::{Instrument, Side};
use cwts_runtime::{Exchange, Market, Metrics};
use schemars::JsonSchema;
use serde::Serialize;

use super::ACCOUNT;
use super::count::Count;
use super::enums::WireSide;

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
    pub(crate) sequence: Count,
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
    pub(crate) fn of(exchange: &Exchange, market: &Market, depth: usize, trades: Option<usize>) -> Self {
        let (instrument, session) = (market.instrument(), market.session());
        let price = |ticks| instrument.price(ticks);
        Self {
            symbol: instrument.symbol.clone(),
            bid: market.best_bid().map(price),
            ask: market.best_ask().map(price),
            last: market.last_trade().map(|trade| price(trade.price)),
            volume: instrument.quantity(session.volume),
            high: session.high.map(price),
            low: session.low.map(price),
            bids: levels(market, Side::Buy, depth),
            asks: levels(market, Side::Sell, depth),
            sequence: Count(exchange.sequence()),
            trades: trades
                .map(|most| market.trades().rev().take(most).map(|trade| TradeView::of(instrument, trade)).collect()),
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

/// The waiting orders of one instrument, added up by price.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OrderBook {
    symbol: String,
    /// [price, quantity], highest price first.
    bids: Vec<[f64; 2]>,
    /// [price, quantity], lowest price first.
    asks: Vec<[f64; 2]>,
    sequence: Count,
}

impl OrderBook {
    pub(crate) fn of(exchange: &Exchange, market: &Market, depth: usize) -> Self {
        Self {
            symbol: market.instrument().symbol.clone(),
            bids: levels(market, Side::Buy, depth),
            asks: levels(market, Side::Sell, depth),
            sequence: Count(exchange.sequence()),
        }
    }
}

fn levels(market: &Market, side: Side, depth: usize) -> Vec<[f64; 2]> {
    let instrument = market.instrument();
    let levels = market.depth(side, depth).into_iter();
    levels.map(|(ticks, lots)| [instrument.price(ticks), instrument.quantity(lots)]).collect()
}

/// What the exchange has done since it opened, and what waits for it.
#[derive(Debug, Serialize)]
pub(crate) struct EngineStats {
    trading_state: &'static str,
    /// Open orders of the paper account.
    open_orders: usize,
    /// Requests that wait for the exchange.
    queue_depth: i64,
    instruments: Vec<InstrumentStats>,
    sequence: Count,
}

/// The part of one instrument.
#[derive(Debug, Serialize)]
struct InstrumentStats {
    symbol: String,
    /// Accepted.
    orders: u64,
    cancelled: u64,
    trades: u64,
    /// In base currency.
    volume: f64,
}

impl EngineStats {
    pub(crate) fn of(exchange: &Exchange, metrics: &Metrics) -> Self {
        let stats = |market: &Market| {
            let (instrument, session) = (market.instrument(), market.session());
            InstrumentStats {
                symbol: instrument.symbol.clone(),
                orders: session.orders,
                cancelled: session.cancelled,
                trades: session.trades,
                volume: instrument.quantity(session.volume),
            }
        };
        Self {
            trading_state: exchange.trading_state().id(),
            open_orders: exchange.account(ACCOUNT).map_or(0, cwts_runtime::Account::open_order_count),
            queue_depth: metrics.queue_depth.get(),
            instruments: exchange.markets().iter().map(stats).collect(),
            sequence: Count(exchange.sequence()),
        }
    }
}
