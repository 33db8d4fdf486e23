//! `market`, `limits`, `reset-account`: where prices come from, and the paper account.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cwts_config::Sources;
use cwts_domain::{ErrorCode, Problem};
use cwts_runtime::{
    AccountLimits, LimitsChange, MarketState, MarketStatus, ReplayRequest, SimulatorView, TradingStatus,
    look_at_market_file, tell_owner,
};
use serde_json::json;

use crate::args::{LimitsArguments, MarketCommand, Switch};
use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(sources: &Sources, command: &MarketCommand, as_json: bool) -> Result<ExitCode, Failure> {
    let status: MarketStatus = match command {
        MarketCommand::Show { file: Some(file), symbol } => return show_file(file, symbol.as_deref(), as_json),
        MarketCommand::Show { file: None, .. } => tell_owner(sources, "GET", "/api/v1/market", None)?,
        MarketCommand::Replay { file, quotes, symbol, speed, looping } => {
            let request = ReplayRequest {
                file: absolute(file)?,
                quotes: quotes.as_deref().map(absolute).transpose()?,
                symbol: symbol.clone(),
                speed: *speed,
                looping: *looping,
            };
            post(sources, "replay", &json!(request))?
        }
        MarketCommand::Pause => post(sources, "pause", &json!({}))?,
        MarketCommand::Resume => post(sources, "resume", &json!({}))?,
        MarketCommand::Seek { time } => post(sources, "seek", &json!({ "to": time }))?,
        MarketCommand::Speed { speed } => {
            tell_owner(sources, "PATCH", "/api/v1/market", Some(&json!({ "speed": speed })))?
        }
        MarketCommand::Loop { looping } => {
            tell_owner(sources, "PATCH", "/api/v1/market", Some(&json!({ "loop": *looping == Switch::On })))?
        }
        &MarketCommand::Simulate { seed, spread, depth, volatility } => {
            post(sources, "simulate", &json!(SimulatorView { seed, spread, depth, volatility }))?
        }
    };
    if as_json {
        print_json(&status)?;
    } else {
        print(told(&status))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The server does not run in the folder of the caller.
fn absolute(file: &Path) -> Result<PathBuf, Problem> {
    std::path::absolute(file)
        .map_err(|error| Problem::new(ErrorCode::InvalidInput, format!("{} is no path: {error}.", file.display())))
}

fn post(sources: &Sources, what: &str, body: &serde_json::Value) -> Result<MarketStatus, Problem> {
    tell_owner(sources, "POST", &format!("/api/v1/market/{what}"), Some(body))
}

fn show_file(file: &Path, symbol: Option<&str>, as_json: bool) -> Result<ExitCode, Failure> {
    let found = look_at_market_file(file, symbol)?;
    if as_json {
        print_json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    let steps = found.steps.map_or("steps not counted".to_owned(), |steps| format!("{steps} steps"));
    let prices = found.low.zip(found.high).map_or(String::new(), |(low, high)| format!(", prices {low} to {high}"));
    print(format!(
        "{}: {} of {}, {steps}{prices}\n{} to {}",
        found.file, found.format, found.symbol, found.from, found.to
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn told(status: &MarketStatus) -> String {
    let Some(replay) = &status.replay else {
        let SimulatorView { seed, spread, depth, volatility } = status.simulator;
        let paused = if status.state == MarketState::Paused { ", paused" } else { "" };
        return format!("Simulated{paused}: seed {seed}, spread {spread}, depth {depth}, volatility {volatility}");
    };
    let state = match status.state {
        MarketState::Running => "Playing",
        MarketState::Paused => "Paused",
        MarketState::Ended => "At its end",
        MarketState::Failed | MarketState::Stopped => "Stopped",
    };
    let again = if replay.looping { ", again and again" } else { "" };
    let cancelled = match replay.cancelled_orders {
        0 => String::new(),
        1 => "\n1 open order was cancelled because prices jumped.".to_owned(),
        count => format!("\n{count} open orders were cancelled because prices jumped."),
    };
    let with = replay.quotes.as_ref().map_or(String::new(), |quotes| format!(" with {quotes}"));
    let problem = replay.problem.as_ref().map_or(String::new(), |problem| format!("\n{problem}"));
    format!(
        "{state}: {}{with} as {}, speed {}{again}\nAt {}, {:.0} % of {} to {}{cancelled}{problem}",
        replay.file,
        replay.symbol,
        replay.speed,
        replay.position,
        replay.progress * 100.0,
        replay.from,
        replay.to
    )
}

pub(crate) fn limits(sources: &Sources, options: &LimitsArguments, as_json: bool) -> Result<ExitCode, Failure> {
    let change = LimitsChange {
        leverage: options.leverage,
        max_order_value: options.max_order_value,
        max_position_value: options.max_position_value,
        price_band_percent: options.price_band_percent,
        max_orders_per_second: options.max_orders_per_second,
        max_daily_loss: options.max_daily_loss,
    };
    // Changing nothing tells what they are.
    let limits: AccountLimits = tell_owner(sources, "PATCH", "/api/v1/risk-limits", Some(&json!(change)))?;
    if as_json {
        print_json(&limits)?;
    } else {
        print(format!(
            "leverage               {}\nmax order value        {} USD\nmax position value     {} USD\nprice band             {} %\n\
             max orders per second  {}\nmax daily loss         {} USD",
            limits.leverage,
            limits.max_order_value,
            limits.max_position_value,
            limits.price_band_percent,
            limits.max_orders_per_second,
            limits.max_daily_loss
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn reset_account(sources: &Sources, sure: bool, as_json: bool) -> Result<ExitCode, Failure> {
    if !sure {
        let message = "A reset cancels all orders and forgets positions, fills and history.";
        return Err(Problem::new(ErrorCode::InvalidInput, message).with_help("Add --yes to do it.").into());
    }
    let status: TradingStatus = tell_owner(sources, "POST", "/api/v1/account/reset", Some(&json!({})))?;
    if as_json {
        print_json(&status)?;
    } else {
        print(format!("The paper account has its opening cash again. Cancelled {} orders.", status.cancelled.len()))?;
    }
    Ok(ExitCode::SUCCESS)
}
