//! `ports`: every listening port of this computer, and who holds it.

use std::process::ExitCode;
use std::time::Duration;

use cwts_ports::{ListenerRow, Watcher, changes};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::output::{is_read, print, print_json, print_on};
use crate::wait::block_on;

/// How often a watch looks. One look without news takes a fraction of a millisecond.
const PERIOD: Duration = Duration::from_secs(1);

pub(crate) fn table(as_json: bool) -> Result<ExitCode, Failure> {
    let rows = cwts_ports::system_table().map_err(Failure::internal)?;
    if as_json {
        print_json(&rows)?;
    } else {
        let lines: Vec<String> = std::iter::once(head()).chain(rows.iter().map(line)).collect();
        print(lines.join("\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The table, and then what changes, until a signal or until nobody reads.
pub(crate) fn watch(as_json: bool) -> Result<ExitCode, Failure> {
    block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::internal)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
        let mut ticks = tokio::time::interval(PERIOD);
        let mut watcher = Watcher::default();
        let mut before: Vec<ListenerRow> = Vec::new();
        if !as_json && !print_on(format!("  {}", head()))? {
            return Ok(ExitCode::SUCCESS);
        }
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
                _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
            }
            if !is_read() {
                return Ok(ExitCode::SUCCESS);
            }
            if !watcher.poll().map_err(Failure::internal)? {
                continue;
            }
            let (gone, come) = changes(&before, watcher.rows());
            let signed = gone.into_iter().map(|row| ('-', row)).chain(come.into_iter().map(|row| ('+', row)));
            for (sign, row) in signed {
                let text = match as_json {
                    true => json!({ "change": if sign == '+' { "taken" } else { "freed" }, "row": row }).to_string(),
                    false => format!("{sign} {}", line(row)),
                };
                if !print_on(text)? {
                    return Ok(ExitCode::SUCCESS);
                }
            }
            before = watcher.rows().to_vec();
        }
    })?
}

fn head() -> String {
    format!("{:<6} {:<4} {:<40} {:<40} DESCRIPTION", "PORT", "", "ADDRESS", "HOLDER")
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
