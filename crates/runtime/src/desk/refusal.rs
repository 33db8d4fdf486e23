//! A refusal of the exchange, at the field of the form that it is about.

use cwts_domain::{ErrorCode, Problem, Reject};

use crate::exchange::ExchangeError;

/// The problem as a form shows it: a refusal stands at its field, where it has one.
pub(super) fn problem(error: ExchangeError) -> Problem {
    let ExchangeError::Rejected(reject) = &error else { return error.into() };
    match field(reject) {
        Some(field) => Problem::new(ErrorCode::InvalidInput, sentence(reject)).at(field),
        None => Problem::new(ErrorCode::WrongState, sentence(reject)),
    }
}

/// The field in the words of the wire.
fn field(reject: &Reject) -> Option<&'static str> {
    match reject {
        Reject::Invalid { field, .. } | Reject::PriceOutOfRange { field, .. } => Some(field),
        Reject::UnknownSymbol { .. } => Some("symbol"),
        Reject::ClientOrderIdTaken { .. } => Some("client_order_id"),
        Reject::PriceOutsideBand { .. } | Reject::PostOnly { .. } => Some("price"),
        Reject::QuantityOutOfRange { .. }
        | Reject::NotAboveFilled { .. }
        | Reject::FillOrKill { .. }
        | Reject::ReduceOnly { .. }
        | Reject::OrderNotional { .. }
        | Reject::PositionLimit { .. }
        | Reject::InsufficientBalance { .. } => Some("quantity"),
        Reject::UnknownAccount { .. }
        | Reject::UnknownOrder { .. }
        | Reject::NotOpen { .. }
        | Reject::NoLiquidity { .. }
        | Reject::TooManyOpenOrders { .. }
        | Reject::Halted
        | Reject::OnlyReducing
        | Reject::NeedsPerson
        | Reject::OrderRate { .. }
        | Reject::DailyLoss { .. } => None,
    }
}

/// With a capital and a full stop.
fn sentence(reject: &Reject) -> String {
    let text = reject.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
