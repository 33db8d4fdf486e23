//! What the screen Trading may ask of the host. Each command translates and calls one function.

#![expect(clippy::let_underscore_must_use, reason = "written by the macro of every command that can fail")]

use std::path::PathBuf;

use cwts_domain::{Problem, TradingState};
use cwts_runtime::{
    Actor, DeskMessage, DeskOrder, DeskWatch, LimitsChange, MarketFile, MarketRequest, MarketStatus, OrderChange,
    OrderTicket, RiskFigures, TicketPreview, TradingOrder,
};
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};

use crate::app::Panel;
use crate::file_chooser;

#[tauri::command]
pub(crate) fn watch_desk(
    panel: State<'_, Panel>,
    instance: String,
    symbol: String,
    channel: Channel<DeskMessage>,
) -> Result<(), Problem> {
    let watch = DeskWatch::new(panel.supervisor.instance(&instance)?, &symbol)?;
    panel.desk_feed.replace(watch, channel);
    Ok(())
}

#[tauri::command]
pub(crate) fn unwatch_desk(panel: State<'_, Panel>) {
    panel.desk_feed.end();
}

#[tauri::command]
pub(crate) async fn preview_order(
    panel: State<'_, Panel>,
    instance: String,
    ticket: OrderTicket,
) -> Result<TicketPreview, Problem> {
    panel.supervisor.instance(&instance)?.preview_ticket(ticket).await
}

#[tauri::command]
pub(crate) async fn place_order(
    panel: State<'_, Panel>,
    instance: String,
    ticket: OrderTicket,
) -> Result<DeskOrder, Problem> {
    panel.supervisor.instance(&instance)?.place_ticket(ticket).await
}

#[tauri::command]
pub(crate) async fn change_order(
    panel: State<'_, Panel>,
    instance: String,
    change: OrderChange,
) -> Result<DeskOrder, Problem> {
    panel.supervisor.instance(&instance)?.change_order(change).await
}

#[tauri::command]
pub(crate) async fn cancel_order(
    panel: State<'_, Panel>,
    instance: String,
    order: String,
) -> Result<DeskOrder, Problem> {
    panel.supervisor.instance(&instance)?.cancel_order(&order).await
}

#[tauri::command]
pub(crate) async fn cancel_all_orders(panel: State<'_, Panel>, instance: String) -> Result<usize, Problem> {
    let status = panel.supervisor.instance(&instance)?.order_trading(TradingOrder::CancelAll).await?;
    Ok(status.cancelled.len())
}

#[tauri::command]
pub(crate) async fn close_position(
    panel: State<'_, Panel>,
    instance: String,
    symbol: String,
) -> Result<DeskOrder, Problem> {
    panel.supervisor.instance(&instance)?.close_position(&symbol).await
}

#[tauri::command]
pub(crate) async fn set_trading_state(
    panel: State<'_, Panel>,
    instance: String,
    state: TradingState,
) -> Result<(), Problem> {
    let instance = panel.supervisor.instance(&instance)?;
    match state {
        TradingState::Active => instance.resume_trading(Actor::Panel).await.map(drop),
        TradingState::Reducing => instance.reduce_trading(Actor::Panel).await.map(drop),
        TradingState::Halted => instance.halt_trading(Actor::Panel).await.map(drop),
    }
}

#[tauri::command]
pub(crate) async fn set_limits(panel: State<'_, Panel>, instance: String, limits: LimitsChange) -> Result<(), Problem> {
    panel.supervisor.instance(&instance)?.set_limits(limits, Actor::Panel).await.map(drop)
}

#[tauri::command]
pub(crate) async fn account_risk(panel: State<'_, Panel>, instance: String) -> Result<RiskFigures, Problem> {
    panel.supervisor.instance(&instance)?.account_risk().await
}

#[tauri::command]
pub(crate) async fn reset_account(panel: State<'_, Panel>, instance: String) -> Result<(), Problem> {
    panel.supervisor.instance(&instance)?.reset_account(Actor::Panel).await.map(drop)
}

#[tauri::command]
pub(crate) async fn ask_market(
    panel: State<'_, Panel>,
    instance: String,
    request: MarketRequest,
) -> Result<MarketStatus, Problem> {
    panel.supervisor.instance(&instance)?.ask_market(request).await
}

#[tauri::command]
pub(crate) async fn look_at_market_file(
    panel: State<'_, Panel>,
    instance: String,
    file: PathBuf,
    symbol: Option<String>,
) -> Result<MarketFile, Problem> {
    panel.supervisor.instance(&instance)?.look_at_market_file(file, symbol).await
}

#[tauri::command]
pub(crate) async fn choose_market_file(window: WebviewWindow) -> Result<Option<PathBuf>, Problem> {
    file_chooser::choose(window, "Choose a file of an exchange").await
}
