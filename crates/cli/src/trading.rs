//! `halt`, `resume`, `cancel-all`: the trading state of the instance that runs.

use std::process::ExitCode;

use cwts_config::Sources;
use cwts_domain::TradingState;
use cwts_runtime::{TradingOrder, TradingStatus, order_trading};

use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(sources: &Sources, order: TradingOrder, as_json: bool) -> Result<ExitCode, Failure> {
    let status = order_trading(sources, order)?;
    if as_json {
        print_json(&status)?;
    } else {
        print(told(order, &status))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(order: TradingOrder, status: &TradingStatus) -> String {
    let open = match status.open_orders {
        0 => "No order is open.".to_owned(),
        1 => "1 order is open.".to_owned(),
        count => format!("{count} orders are open."),
    };
    match (order, status.state) {
        (TradingOrder::CancelAll, _) => format!("Cancelled {} orders. {open}", status.cancelled.len()),
        (_, TradingState::Active) => format!("Trading is active. {open}"),
        (_, TradingState::Reducing) => format!("Only orders that reduce a position are taken. {open}"),
        (_, TradingState::Halted) => {
            let still = if status.open_orders > 0 { " What is open may still fill." } else { "" };
            format!("Trading is halted: orders can only be cancelled. {open}{still}")
        }
    }
}
