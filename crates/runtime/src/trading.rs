//! Who may trade on an instance, and what a person does in a hurry: halt, resume, cancel everything.

use std::sync::{Arc, Weak};

use cwts_domain::{AccountId, Actor as Trader, Cash, Command, ErrorCode, Event, Problem, Reject, TradingState};
use cwts_engine::Exchange;
use cwts_journal::JournalError;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::audit::{Actor, AuditEntry};
use crate::elsewhere::TradingOrder;
use crate::exchange::ExchangeError;
use crate::instance::{Instance, Shared};
use crate::snapshot::{Finding, FindingLevel};

/// Whether clients may trade, as REST and the command line show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TradingStatus {
    /// What holds now. Halted while the journal cannot be written, whatever the exchange says.
    pub state: TradingState,
    /// What keeps the journal from being written, and what to do.
    pub problem: Option<String>,
    /// Ids of the orders that this request cancelled.
    pub cancelled: Vec<String>,
    /// Open orders of the paper account.
    pub open_orders: usize,
    /// Sequence number of the last event.
    pub sequence: u64,
}

impl TradingStatus {
    fn of(exchange: &Exchange, events: &[Event]) -> Self {
        let cancelled = events.iter().filter_map(|event| match event {
            Event::Cancelled { order_id, .. } => Some(order_id.to_string()),
            _ => None,
        });
        Self {
            state: exchange.trading_state(),
            problem: None,
            cancelled: cancelled.collect(),
            open_orders: exchange.open_orders(AccountId::PAPER).count(),
            sequence: exchange.sequence(),
        }
    }
}

impl Instance {
    /// Whether clients may trade.
    ///
    /// # Errors
    /// The exchange has too much to do, or the program is ending.
    pub async fn trading_status(&self) -> Result<TradingStatus, Problem> {
        let mut status = self.exchange().read(|exchange| TradingStatus::of(exchange, &[])).await?;
        if let Some(fault) = self.exchange().journal_fault() {
            status.state = TradingState::Halted;
            status.problem = Some(format!("{fault}. {}", fault.help()));
        }
        Ok(status)
    }

    /// Lets clients only cancel from now on, also after a restart. What is open stays open and may fill.
    ///
    /// # Errors
    /// It could not be written down; the instance is stopped; the exchange has too much to do.
    pub async fn halt_trading(&self, by: Actor) -> Result<TradingStatus, Problem> {
        let halt = Command::SetTradingState { state: TradingState::Halted, by: by.trader() };
        let told =
            self.exchange().execute(halt, |exchange, events| (TradingStatus::of(exchange, events), events.len()));
        let (status, changes) = told.await?;
        if changes > 0 {
            self.note_halt(by);
        }
        Ok(status)
    }

    /// Lets clients only place orders that make a position smaller from now on, also after a restart.
    ///
    /// # Errors
    /// An agent asks while trading is halted: only a person goes back towards active. As for [`Instance::halt_trading`].
    pub async fn reduce_trading(&self, by: Actor) -> Result<TradingStatus, Problem> {
        let reduce = Command::SetTradingState { state: TradingState::Reducing, by: by.trader() };
        let told =
            self.exchange().execute(reduce, |exchange, events| (TradingStatus::of(exchange, events), events.len()));
        let (status, changes) = told.await?;
        if changes > 0 {
            self.record("Trading set to reducing");
            self.audit(AuditEntry::trading_state(by, TradingState::Reducing));
        }
        Ok(status)
    }

    /// Tells that trading was halted, by whoever had the exchange do it.
    pub fn note_halt(&self, by: Actor) {
        self.record(match by.trader() {
            Trader::Person => "Trading halted",
            Trader::Agent => "An agent halted trading",
            Trader::System => "Trading halted by the program",
        });
        self.audit(AuditEntry::trading_state(by, TradingState::Halted));
    }

    /// Lets clients trade again. A journal that could not be written is tried once more.
    ///
    /// # Errors
    /// The journal still cannot be written; the instance is stopped; the exchange has too much to do.
    pub async fn resume_trading(&self, by: Actor) -> Result<TradingStatus, Problem> {
        let resumed =
            self.exchange().resume(|exchange, events| (TradingStatus::of(exchange, events), events.len())).await;
        let (status, changes) = resumed?;
        self.record("Trading resumed");
        if changes > 0 {
            self.audit(AuditEntry::trading_state(by, TradingState::Active));
        }
        Ok(status)
    }

    /// Does what a person in the panel wants.
    ///
    /// # Errors
    /// As for [`Instance::resume_trading`].
    pub async fn order_trading(&self, order: TradingOrder) -> Result<TradingStatus, Problem> {
        match order {
            TradingOrder::Halt => self.halt_trading(Actor::Panel).await,
            TradingOrder::Resume => self.resume_trading(Actor::Panel).await,
            TradingOrder::CancelAll => self.cancel_all_orders().await,
        }
    }

    /// Gives the paper account its opening cash back: its orders are cancelled, its positions, fills and history forgotten.
    ///
    /// # Errors
    /// It could not be written down; the instance is stopped; the exchange has too much to do.
    pub async fn reset_account(&self, by: Actor) -> Result<TradingStatus, Problem> {
        let risk = Arc::clone(&self.shared().risk);
        let reset = self.exchange().change(move |exchange, events, at| -> Result<_, Reject> {
            let worth =
                |exchange: &Exchange| exchange.account(AccountId::PAPER).map(|account| exchange.equity(account));
            let (from, before) = (events.len(), worth(exchange));
            exchange.execute_into(&Command::Reset { account: AccountId::PAPER }, at, events)?;
            risk.lock().forget();
            Ok((before, worth(exchange), TradingStatus::of(exchange, &events[from..])))
        });
        let (before, after, status) = reset.await?.map_err(ExchangeError::Rejected)?;
        self.save_risk_samples().await;
        let dollars = |cash: Option<Cash>| format!("{:.2}", cash.unwrap_or_default().amount());
        self.record(format!("Paper account reset to {} USD", dollars(after)));
        self.audit(AuditEntry::account_reset(by, dollars(before), dollars(after)));
        Ok(status)
    }

    /// Cancels every open order of the paper account.
    ///
    /// # Errors
    /// It could not be written down; the instance is stopped; the exchange has too much to do.
    pub async fn cancel_all_orders(&self) -> Result<TradingStatus, Problem> {
        let cancel = Command::CancelAll { account: AccountId::PAPER, instrument: None };
        let status = self.exchange().execute(cancel, TradingStatus::of).await?;
        self.record(format!("{} open orders cancelled", status.cancelled.len()));
        Ok(status)
    }
}

impl From<ExchangeError> for Problem {
    fn from(error: ExchangeError) -> Self {
        let code = match &error {
            ExchangeError::Rejected(_) | ExchangeError::Unarmed | ExchangeError::Closed => ErrorCode::WrongState,
            ExchangeError::Overloaded => ErrorCode::Overloaded,
            ExchangeError::Journal(_) => ErrorCode::SaveFailed,
            ExchangeError::Ended => ErrorCode::Internal,
        };
        Self::new(code, format!("{error}."))
    }
}

/// What the panel shows while the journal cannot be written.
pub(crate) fn finding(fault: &JournalError) -> Finding {
    Finding {
        level: FindingLevel::Attention,
        title: "Trading is halted: the journal cannot be written".to_owned(),
        detail: format!("{fault}. Everything can be read. {}", fault.help()),
    }
}

/// Tells everyone when the journal fails or comes back.
pub(crate) async fn tell_faults(shared: Weak<Shared>, mut faults: watch::Receiver<Option<JournalError>>) {
    while faults.changed().await.is_ok() {
        let fault = faults.borrow_and_update().clone();
        let Some(shared) = shared.upgrade() else { return };
        let instance = Instance::of(Arc::clone(&shared));
        instance.record(match fault {
            Some(fault) => format!("Trading is halted: {fault}"),
            None => "The journal can be written again".to_owned(),
        });
        instance.show_again().await;
    }
}
