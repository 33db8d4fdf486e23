//! The account in one line, for every screen and the tray.

use cwts_domain::{AccountId, TradingState};
use cwts_engine::Exchange;
use cwts_journal::JournalError;
use serde::Serialize;

/// Whether clients may trade, and how the paper account stands. Amounts are US dollars.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TradingSummary {
    /// What holds now. Halted while the journal cannot be written, whatever the exchange says.
    pub state: TradingState,
    /// What keeps the journal from being written, and what to do.
    pub problem: Option<String>,
    /// Cash and all positions at their marks.
    pub equity: f64,
    /// Profit of what is open.
    pub unrealized: f64,
    /// Change of the equity since 00:00 UTC.
    pub today: f64,
    /// Number of open orders.
    pub open_orders: usize,
}

impl TradingSummary {
    pub(crate) fn of(exchange: &Exchange) -> Option<Self> {
        let account = exchange.account(AccountId::PAPER)?;
        let equity = exchange.equity(account);
        Some(Self {
            state: exchange.trading_state(),
            problem: None,
            equity: equity.amount(),
            unrealized: exchange.unrealised_pnl(account).amount(),
            today: (equity - account.day_equity()).amount(),
            open_orders: account.open_order_count(),
        })
    }

    pub(crate) fn under(self, fault: Option<JournalError>) -> Self {
        match fault {
            Some(fault) => {
                Self { state: TradingState::Halted, problem: Some(format!("{fault}. {}", fault.help())), ..self }
            }
            None => self,
        }
    }
}
