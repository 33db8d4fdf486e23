//! Arguments and results of the tools. Numbers are JSON numbers; ids are opaque strings; times are RFC 3339 in UTC.

mod analysis;
mod args;
mod count;
mod enums;
mod market;
mod results;
mod trading;

use cwts_domain::AccountId;

pub(crate) use analysis::{HeldRisk, ProfitLoss, ProfitLossArgs, RiskAnalysis, RiskArgs, RiskMetrics};
pub(crate) use args::{
    FillsArgs, ListOrdersArgs, MarketDataArgs, OrderArgs, PlaceOrderArgs, PositionsArgs, StatusFilter,
};
pub(crate) use count::Count;
pub(crate) use market::{EngineStats, MarketData, OrderBook};
pub(crate) use results::{
    AccountView, FillList, FillView, OrderList, OrderView, PositionList, PositionView, ServerInfo, ServiceInfo,
    SymbolInfo,
};
pub(crate) use trading::{
    Cancelled, ClosePositionArgs, Flattened, HaltArgs, InstrumentList, InstrumentView, LimitsView, ModifyOrderArgs,
    Preview, ScopeArgs, TradingStateView,
};

/// The account that every client trades on.
pub(crate) const ACCOUNT: AccountId = AccountId::PAPER;
