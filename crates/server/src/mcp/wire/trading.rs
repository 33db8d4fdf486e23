//! Arguments and results of the tools around an order: changing it, trying it out, closing, limits, the trading state.

use cwts_domain::{RiskLimits, TradingState};
use cwts_runtime::{Account, Exchange, JournalError, Market};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Count, OrderView};

/// Arguments of `modify_order`: the order by one of its names, and what is new.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModifyOrderArgs {
    /// The id that place_order returned.
    #[serde(default)]
    pub(crate) order_id: Option<String>,
    /// The name that you gave the order.
    #[serde(default)]
    pub(crate) client_order_id: Option<String>,
    /// The whole quantity, with what has filled. A smaller quantity alone keeps the place in the queue.
    #[serde(default)]
    pub(crate) new_quantity: Option<f64>,
    /// For limit and stop_limit orders.
    #[serde(default)]
    pub(crate) new_price: Option<f64>,
    /// For stop and stop_limit orders that have not triggered.
    #[serde(default)]
    pub(crate) new_stop_price: Option<f64>,
}

/// Arguments of tools that act on one instrument or on all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopeArgs {
    /// Only this instrument; all when left out.
    #[serde(default)]
    pub(crate) symbol: Option<String>,
}

/// Arguments of `close_position`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClosePositionArgs {
    /// The instrument, for example BTCUSD.
    pub(crate) symbol: String,
}

/// Arguments of `halt_trading`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HaltArgs {
    /// Whether to also cancel every open order; false when left out. What stays open may still fill.
    #[serde(default)]
    pub(crate) cancel_orders: Option<bool>,
}

/// What several cancellations came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Cancelled {
    /// Ids of the orders that were cancelled, oldest first.
    pub(crate) cancelled: Vec<String>,
    pub(crate) sequence: Count,
}

/// What `flatten_all` came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Flattened {
    /// Ids of the orders that were cancelled, oldest first.
    pub(crate) cancelled: Vec<String>,
    /// The market orders that closed the positions.
    pub(crate) orders: Vec<OrderView>,
    /// Positions that could not be closed, with the reason.
    pub(crate) problems: Vec<String>,
}

/// What an order would do if it were placed now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Preview {
    pub(crate) would_be_accepted: bool,
    /// Why it would be refused; null when it would be accepted.
    pub(crate) reason: Option<String>,
    /// What would trade at once.
    pub(crate) filled_quantity: f64,
    pub(crate) average_price: Option<f64>,
    pub(crate) fees: f64,
    /// What would wait in the book or for its trigger.
    pub(crate) waiting_quantity: f64,
    pub(crate) sequence: Count,
}

/// Who may trade.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TradingStateView {
    /// active, reducing (only orders that make a position smaller) or halted (orders can only be cancelled). Only a person
    /// goes back towards active.
    pub(crate) state: &'static str,
    /// Why the program itself has halted trading.
    pub(crate) reason: Option<String>,
    /// Ids of the orders that this call cancelled.
    pub(crate) cancelled: Vec<String>,
    pub(crate) sequence: Count,
}

impl TradingStateView {
    pub(crate) fn of(exchange: &Exchange, cancelled: Vec<String>) -> Self {
        let state: TradingState = exchange.trading_state();
        Self { state: state.id(), reason: None, cancelled, sequence: Count(exchange.sequence()) }
    }

    /// A journal that cannot be written halts trading, whatever the exchange says.
    pub(crate) fn under(self, fault: Option<JournalError>) -> Self {
        match fault {
            Some(fault) => Self { state: TradingState::Halted.id(), reason: Some(fault.to_string()), ..self },
            None => self,
        }
    }
}

/// The limits of the paper account and how far they are used; amounts in US dollars.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LimitsView {
    /// Largest exposure as a multiple of equity.
    pub(crate) leverage: u32,
    pub(crate) max_order_value: f64,
    pub(crate) max_position_value: f64,
    /// Largest distance of a limit price from the last price.
    pub(crate) price_band_percent: u32,
    pub(crate) max_orders_per_second: u32,
    pub(crate) max_daily_loss: f64,
    /// Lost since 00:00 UTC; below zero is a profit.
    pub(crate) daily_loss: f64,
    pub(crate) equity: f64,
    /// Value of what is held and ordered.
    pub(crate) exposure: f64,
    /// Exposure over leverage.
    pub(crate) margin_used: f64,
    pub(crate) margin_available: f64,
    pub(crate) sequence: Count,
}

impl LimitsView {
    pub(crate) fn of(exchange: &Exchange, account: &Account, limits: &RiskLimits) -> Self {
        let (equity, exposure) = (exchange.equity(account), exchange.exposure(account).amount());
        let margin_used = exposure / f64::from(limits.leverage);
        Self {
            leverage: limits.leverage,
            max_order_value: limits.max_order_notional.amount(),
            max_position_value: limits.max_position_notional.amount(),
            price_band_percent: limits.price_band_percent,
            max_orders_per_second: limits.max_orders_per_second,
            max_daily_loss: limits.max_daily_loss.amount(),
            daily_loss: (account.day_equity() - equity).amount(),
            equity: equity.amount(),
            exposure,
            margin_used,
            margin_available: (equity.amount() - margin_used).max(0.0),
            sequence: Count(exchange.sequence()),
        }
    }
}

/// Everything that is traded.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InstrumentList {
    pub(crate) instruments: Vec<InstrumentView>,
}

/// One instrument with its steps and the top of its book.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InstrumentView {
    pub(crate) symbol: String,
    pub(crate) description: String,
    pub(crate) tick_size: f64,
    pub(crate) lot_size: f64,
    pub(crate) max_quantity: f64,
    pub(crate) bid: Option<f64>,
    pub(crate) ask: Option<f64>,
    pub(crate) last: Option<f64>,
}

impl InstrumentView {
    pub(crate) fn of(market: &Market) -> Self {
        let instrument = market.instrument();
        let price = |ticks| instrument.price(ticks);
        Self {
            symbol: instrument.symbol.clone(),
            description: instrument.description.clone(),
            tick_size: instrument.tick_size(),
            lot_size: instrument.lot_size(),
            max_quantity: instrument.quantity(instrument.max_quantity),
            bid: market.best_bid().map(price),
            ask: market.best_ask().map(price),
            last: market.last_trade().map(|trade| price(trade.price)),
        }
    }
}
