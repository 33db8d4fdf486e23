//! What the tools answer, read from the exchange in one turn.

use cwts_domain::{Instrument, InstrumentId};
use cwts_runtime::{Account, Exchange, Fill, Market, Order, Position, Role};
use schemars::JsonSchema;
use serde::Serialize;

use super::ACCOUNT;
use super::count::Count;
use super::enums::{WireOrderType, WireSide, WireStatus, WireTimeInForce};

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
    pub(crate) stop_price: Option<f64>,
    pub(crate) time_in_force: WireTimeInForce,
    pub(crate) status: WireStatus,
    pub(crate) filled_quantity: f64,
    /// Average price of the fills; null before the first.
    pub(crate) average_price: Option<f64>,
    /// What its fills cost in quote currency; below zero is a rebate.
    pub(crate) fees: f64,
    /// Why a cancelled order was cancelled: requested, unfilled, self_trade_prevention, expired, linked, reduce_only,
    /// post_only or reset.
    pub(crate) cancel_reason: Option<String>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    /// The exchange's sequence number when this was read.
    pub(crate) sequence: Count,
}

impl OrderView {
    /// `None` for an order of an instrument that the exchange does not have.
    pub(crate) fn of(exchange: &Exchange, order: &Order) -> Option<Self> {
        let instrument = exchange.market(order.instrument)?.instrument();
        Some(Self {
            order_id: order.id.to_string(),
            client_order_id: order.client_order_id.as_ref().map(|name| name.0.clone()),
            symbol: instrument.symbol.clone(),
            side: order.side.into(),
            order_type: order.order_type().into(),
            quantity: instrument.quantity(order.quantity),
            price: order.limit.map(|limit| instrument.price(limit)),
            stop_price: order.stop.map(|stop| instrument.price(stop)),
            time_in_force: order.time_in_force.into(),
            status: order.status.into(),
            filled_quantity: instrument.quantity(order.filled_quantity),
            average_price: instrument.average_price(order.filled_notional, order.filled_quantity),
            fees: order.fees.amount(),
            cancel_reason: order.cancel_reason.map(|reason| reason.id().to_owned()),
            created_at: order.accepted_at.to_string(),
            updated_at: order.updated_at.to_string(),
            sequence: Count(exchange.sequence()),
        })
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
    pub(crate) sequence: Count,
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
    /// The account's positions that are not flat, of one instrument or of all.
    pub(crate) fn all(
        exchange: &Exchange,
        account: &Account,
        only: Option<InstrumentId>,
        include_pnl: bool,
    ) -> Vec<Self> {
        let wanted = account.positions().filter(|(id, _)| only.is_none_or(|only| only == *id));
        wanted.filter_map(|(id, position)| Self::of(exchange.market(id)?, position, include_pnl)).collect()
    }

    /// `None` when it is flat.
    fn of(market: &Market, position: &Position, include_pnl: bool) -> Option<Self> {
        let (instrument, quantity) = (market.instrument(), position.quantity());
        let side = match quantity.0 {
            0 => return None,
            1.. => WireSide::Buy,
            _ => WireSide::Sell,
        };
        let mark = market.mark_price().filter(|_| include_pnl);
        Some(Self {
            symbol: instrument.symbol.clone(),
            side,
            quantity: instrument.quantity(quantity).abs(),
            entry_price: instrument.average_price(position.cost_basis(), quantity),
            mark_price: mark.map(|mark| instrument.price(mark)),
            unrealized_pnl: mark.map(|mark| position.unrealised_pnl(mark).amount()),
            realized_pnl: include_pnl.then(|| position.realised_pnl().amount()),
        })
    }
}

/// The paper account.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AccountView {
    pub(crate) currency: &'static str,
    pub(crate) cash: f64,
    /// Cash plus the value of all positions at their mark prices.
    pub(crate) equity: f64,
    /// Of everything closed so far, less all fees.
    pub(crate) realized_pnl: f64,
    pub(crate) unrealized_pnl: f64,
    /// Fees paid so far, less rebates; part of realized_pnl.
    pub(crate) fees_paid: f64,
    pub(crate) open_orders: Count,
    pub(crate) sequence: Count,
}

impl AccountView {
    pub(crate) fn of(exchange: &Exchange, account: &Account) -> Self {
        Self {
            currency: "USD",
            cash: account.cash().amount(),
            equity: exchange.equity(account).amount(),
            realized_pnl: account.realised_pnl().amount(),
            unrealized_pnl: exchange.unrealised_pnl(account).amount(),
            fees_paid: account.fees_paid().amount(),
            open_orders: Count(account.open_order_count() as u64),
            sequence: Count(exchange.sequence()),
        }
    }
}

/// One page of fills of the paper account.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FillList {
    /// Newest first.
    pub(crate) fills: Vec<FillView>,
    /// Cursor of the next page; null on the last.
    pub(crate) next_cursor: Option<String>,
    pub(crate) sequence: Count,
}

impl FillList {
    /// The newest fills, of one instrument or of all, older than the one with the sequence number `before`.
    pub(crate) fn page(exchange: &Exchange, only: Option<InstrumentId>, before: Option<u64>, most: usize) -> Self {
        let wanted = |fill: &&Fill| {
            only.is_none_or(|only| only == fill.instrument) && before.is_none_or(|before| fill.sequence < before)
        };
        let mut page: Vec<&Fill> = exchange.fills(ACCOUNT).rev().filter(wanted).take(most + 1).collect();
        let more = page.len() > most;
        page.truncate(most);
        let next_cursor = page.last().filter(|_| more).map(|last| last.sequence.to_string());
        let view = |fill: &Fill| Some(FillView::of(exchange.market(fill.instrument)?.instrument(), fill));
        Self { fills: page.into_iter().filter_map(view).collect(), next_cursor, sequence: Count(exchange.sequence()) }
    }
}

/// One fill.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FillView {
    pub(crate) order_id: String,
    pub(crate) symbol: String,
    pub(crate) side: WireSide,
    pub(crate) price: f64,
    pub(crate) quantity: f64,
    /// What it cost in quote currency; below zero is a rebate.
    pub(crate) fee: f64,
    /// maker when the order rested in the book, taker when it came in.
    pub(crate) role: &'static str,
    pub(crate) sequence: Count,
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
            fee: fill.fee.amount(),
            role: match fill.role {
                Role::Maker => "maker",
                Role::Taker => "taker",
            },
            sequence: Count(fill.sequence),
            time: fill.at.to_string(),
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

impl SymbolInfo {
    pub(crate) fn of(instrument: &Instrument) -> Self {
        Self {
            symbol: instrument.symbol.clone(),
            tick_size: instrument.tick_size(),
            lot_size: instrument.lot_size(),
            max_quantity: instrument.quantity(instrument.max_quantity),
        }
    }
}

/// Where one of the four services listens.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ServiceInfo {
    pub(crate) service: String,
    pub(crate) url: String,
}
