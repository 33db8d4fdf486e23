//! Prepares the window's page, configuration and permissions for embedding.
//!
//! Builds no page: the UI has tools of its own.

use std::path::Path;
use std::process::ExitCode;

/// Every command has a permission of this list; `capabilities/main.json` grants them to the window.
const COMMANDS: &[&str] = &[
    "instances",
    "snapshot",
    "history",
    "start",
    "stop",
    "change_settings",
    "restore_settings",
    "check_port",
    "conflict",
    "free_port",
    "watch_ports",
    "unwatch_ports",
    "firewall",
    "run_firewall",
    "save_firewall_script",
    "security",
    "set_reach",
    "arm_trading",
    "reveal_token",
    "rotate_tokens",
    "make_certificate",
    "import_certificate",
    "remove_certificate",
    "trust_network",
    "client_programs",
    "client_snippet",
    "forget_snippet",
    "try_client",
    "disconnect_client",
    "test_connections",
    "cancel_test",
    "profiles",
    "free_port_sets",
    "check_new_port",
    "create_instance",
    "remove_instance",
    "attach",
    "end_elsewhere",
    "subscribe",
    "audit",
    "logs",
    "open_data",
    "open_logs",
    "save_diagnostics",
    "watch_desk",
    "unwatch_desk",
    "preview_order",
    "place_order",
    "change_order",
    "cancel_order",
    "cancel_all_orders",
    "close_position",
    "set_trading_state",
    "set_limits",
    "account_risk",
    "reset_account",
    "ask_market",
    "look_at_market_file",
    "choose_market_file",
    "copy",
    "quit",
];

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=../ui/dist");
    println!("cargo:rerun-if-changed=../icons");
    if !Path::new("../ui/dist/index.html").is_file() {
        eprintln!("ui/dist/index.html is missing; build the UI first: npm --prefix ui run build");
        return ExitCode::FAILURE;
    }
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    match tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
