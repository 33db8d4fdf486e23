//! How a refusal of the exchange or of the runtime becomes problem details.

use axum::http::StatusCode;
use cwts_domain::{ErrorCode, Problem, Reject};
use cwts_runtime::ExchangeError;

use crate::mcp::ToolError;
use crate::problem::ProblemDetails;

impl From<ToolError> for ProblemDetails {
    fn from(error: ToolError) -> Self {
        match error {
            ToolError::Rejected(reject) | ToolError::Exchange(ExchangeError::Rejected(reject)) => reject.into(),
            ToolError::Exchange(error) => error.into(),
            error @ (ToolError::Number(_) | ToolError::Argument { .. }) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", sentence(&error.to_string()))
            }
        }
    }
}

impl From<Reject> for ProblemDetails {
    /// The code is the reason, the same as in the metric `cwts_order_rejects_total`.
    fn from(reject: Reject) -> Self {
        let status = match &reject {
            Reject::UnknownAccount { .. } | Reject::UnknownOrder { .. } | Reject::UnknownSymbol { .. } => {
                StatusCode::NOT_FOUND
            }
            Reject::NotOpen { .. } | Reject::ClientOrderIdTaken { .. } | Reject::Halted | Reject::OnlyReducing => {
                StatusCode::CONFLICT
            }
            Reject::NeedsPerson => StatusCode::FORBIDDEN,
            Reject::OrderRate { .. } => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let problem = Self::new(status, reject.reason(), sentence(&reject.to_string()));
        match reject {
            Reject::OrderRate { .. } => problem.after(1),
            _ => problem,
        }
    }
}

impl From<ExchangeError> for ProblemDetails {
    fn from(error: ExchangeError) -> Self {
        let (status, code) = match &error {
            ExchangeError::Rejected(reject) => return reject.clone().into(),
            ExchangeError::Unarmed => (StatusCode::CONFLICT, "unarmed"),
            ExchangeError::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            ExchangeError::Journal(_) => (StatusCode::SERVICE_UNAVAILABLE, "journal_failed"),
            ExchangeError::Closed | ExchangeError::Ended => (StatusCode::SERVICE_UNAVAILABLE, "stopped"),
        };
        let problem = Self::new(status, code, sentence(&error.to_string()));
        if code == "overloaded" { problem.after(1) } else { problem }
    }
}

impl From<Problem> for ProblemDetails {
    fn from(problem: Problem) -> Self {
        let (status, code) = match problem.code {
            ErrorCode::InvalidInput => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_value"),
            ErrorCode::ConfigInvalid => (StatusCode::CONFLICT, "config_invalid"),
            ErrorCode::PortTaken => (StatusCode::CONFLICT, "port_taken"),
            ErrorCode::InstanceRunning => (StatusCode::CONFLICT, "instance_running"),
            ErrorCode::NotPermitted => (StatusCode::CONFLICT, "not_permitted"),
            ErrorCode::AddressUnavailable => (StatusCode::CONFLICT, "address_unavailable"),
            ErrorCode::Shadowed => (StatusCode::CONFLICT, "shadowed"),
            ErrorCode::RevisionConflict => (StatusCode::CONFLICT, "revision_conflict"),
            ErrorCode::WrongState => (StatusCode::CONFLICT, "wrong_state"),
            ErrorCode::SaveFailed => (StatusCode::SERVICE_UNAVAILABLE, "save_failed"),
            ErrorCode::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            ErrorCode::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        let field = problem.field.clone();
        Self { field, ..Self::new(status, code, problem.to_string()) }
    }
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}
