//! Tells a process that runs an instance to halt or resume trading, or to cancel everything.

use cwts_config::Sources;
use cwts_domain::{ErrorCode, Problem};

use super::arm::tell;
use crate::trading::TradingStatus;

/// What a person may tell an instance about trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradingOrder {
    /// From now on clients may only cancel.
    Halt,
    /// Clients may trade again.
    Resume,
    /// Every open order is cancelled.
    CancelAll,
}

impl TradingOrder {
    fn path(self) -> &'static str {
        match self {
            Self::Halt => "/api/v1/trading/halt",
            Self::Resume => "/api/v1/trading/resume",
            Self::CancelAll => "/api/v1/trading/cancel-all",
        }
    }
}

/// Tells the process that runs the instance, as its owner, and returns what holds then. Blocks.
///
/// # Errors
/// Nobody runs the instance, its process does not answer, or it refuses; the problem says why.
pub fn order_trading(sources: &Sources, order: TradingOrder) -> Result<TradingStatus, Problem> {
    let body = tell(sources, order.path(), "What holds when it starts is what held when it stopped.")?;
    serde_json::from_slice(&body).map_err(|error| {
        let message = format!("Instance {} did what was asked, and said so unreadably: {error}.", sources.instance());
        Problem::new(ErrorCode::Internal, message)
    })
}
