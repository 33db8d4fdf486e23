//! `arm` and `disarm`: whether clients may place orders while other computers are served.

use std::process::ExitCode;

use cwts_config::Sources;
use serde_json::json;

use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(sources: &Sources, armed: bool, as_json: bool) -> Result<ExitCode, Failure> {
    cwts_runtime::arm_running(sources, armed)?;
    let id = sources.instance();
    match (as_json, armed) {
        (true, _) => print_json(&json!({ "instance": sources.instance().as_str(), "armed": armed })),
        (false, true) => print(format!("Trading on {id} is armed: orders are taken while other computers are served.")),
        (false, false) => print(format!("Trading on {id} is read-only: orders are refused, cancelling works.")),
    }?;
    Ok(ExitCode::SUCCESS)
}
