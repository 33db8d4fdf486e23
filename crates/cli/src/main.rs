//! `cwts-ultra`: the headless server and the command line. Links neither GTK nor WebKit.

mod args;
mod arm;
mod audit;
mod check_ports;
mod client;
mod config;
mod connection_test;
mod diagnostics;
mod failure;
mod firewall;
mod free_port;
mod instances;
mod journal;
mod market;
mod mcp_stdio;
mod output;
mod ports;
mod run;
mod tls;
mod token;
mod trading;
mod usage;
mod wait;

use std::process::ExitCode;

use args::{Arguments, CommandLine, PortsCommand};
use cwts_runtime::TradingOrder;
use failure::Failure;

fn main() -> ExitCode {
    let arguments = match usage::parse() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}

fn dispatch(arguments: &Arguments) -> Result<ExitCode, Failure> {
    if let Some(CommandLine::FirewallHelper { words }) = &arguments.command {
        return Ok(cwts_firewall::helper_main(words)?);
    }
    let sources = arguments.sources()?;
    match &arguments.command {
        None | Some(CommandLine::Run) => run::run(sources, arguments.json),
        Some(CommandLine::CheckPorts { save }) => check_ports::execute(&sources, *save, arguments.json),
        Some(CommandLine::Ports { command: Some(PortsCommand::Free(options)), .. }) => {
            free_port::execute(&sources, options, arguments.json)
        }
        Some(CommandLine::Ports { watch: true, .. }) => ports::watch(arguments.json),
        Some(CommandLine::Ports { .. }) => ports::table(arguments.json),
        Some(CommandLine::Config { command }) => config::execute(&sources, command, arguments.json),
        Some(CommandLine::Instances { command }) => instances::execute(sources.home(), command.clone(), arguments.json),
        Some(CommandLine::Halt) => trading::execute(&sources, TradingOrder::Halt, arguments.json),
        Some(CommandLine::Resume) => trading::execute(&sources, TradingOrder::Resume, arguments.json),
        Some(CommandLine::CancelAll) => trading::execute(&sources, TradingOrder::CancelAll, arguments.json),
        Some(CommandLine::Market { command }) => market::execute(&sources, command, arguments.json),
        Some(CommandLine::Limits(options)) => market::limits(&sources, options, arguments.json),
        Some(CommandLine::ResetAccount { yes }) => market::reset_account(&sources, *yes, arguments.json),
        Some(CommandLine::Journal { command }) => journal::execute(&sources, command, arguments.json),
        Some(CommandLine::Token { command }) => token::execute(&sources, command, arguments.json),
        Some(CommandLine::Tls { command }) => tls::execute(&sources, command, arguments.json),
        Some(CommandLine::Client(options)) => client::execute(&sources, options, arguments.json),
        Some(CommandLine::Diagnostics { file }) => diagnostics::execute(&sources, file.as_ref(), arguments.json),
        Some(CommandLine::McpStdio) => mcp_stdio::execute(&sources),
        Some(CommandLine::Test(options)) => connection_test::execute(sources, options, arguments.json),
        Some(CommandLine::Arm) => arm::execute(&sources, true, arguments.json),
        Some(CommandLine::Disarm) => arm::execute(&sources, false, arguments.json),
        Some(CommandLine::Audit { limit }) => audit::execute(&sources, usize::from(*limit), arguments.json),
        Some(CommandLine::Firewall(options)) => firewall::execute(&sources, options, arguments.json),
        // Needs no configuration; ran above.
        Some(CommandLine::FirewallHelper { .. }) => Ok(ExitCode::SUCCESS),
    }
}
