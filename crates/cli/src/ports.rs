//! `ports`: every listening port of this computer, and who holds it.

use std::process::ExitCode;

use cwts_ports::ListenerRow;

use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn table(as_json: bool) -> Result<ExitCode, Failure> {
    let rows = cwts_ports::system_table().map_err(Failure::internal)?;
    if as_json {
        print_json(&rows)?;
    } else {
        let head = format!("{:<6} {:<4} {:<40} {:<40} DESCRIPTION", "PORT", "", "ADDRESS", "HOLDER");
        let lines: Vec<String> = std::iter::once(head).chain(rows.iter().map(line)).collect();
        print(lines.join("\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn line(row: &ListenerRow) -> String {
    let ListenerRow { protocol, holder, .. } = row;
    let only = if row.v6only { " (IPv6 only)" } else { "" };
    let address = format!("{}{only}", holder.address.ip());
    let description = row.description.as_deref().unwrap_or_default();
    format!("{:<6} {protocol:<4} {address:<40} {:<40} {description}", holder.address.port(), holder.to_string())
        .trim_end()
        .to_owned()
}
