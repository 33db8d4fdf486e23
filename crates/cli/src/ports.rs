//! `ports`: every listening port of this computer, and who holds it.

use std::process::ExitCode;

use serde_json::json;

use crate::failure::Failure;

pub(crate) fn table(as_json: bool) -> Result<ExitCode, Failure> {
    let rows = cwts_ports::system_table().map_err(Failure::internal)?;
    if as_json {
        println!("{}", json!(rows));
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:<6} {:<4} {:<40} {:<40} DESCRIPTION", "PORT", "", "ADDRESS", "HOLDER");
    for row in rows {
        let (address, protocol) = (row.holder.address, row.protocol);
        let description = row.description.unwrap_or_default();
        println!(
            "{:<6} {protocol:<4} {:<40} {:<40} {description}",
            address.port(),
            address.ip().to_string(),
            row.holder.to_string()
        );
    }
    Ok(ExitCode::SUCCESS)
}
