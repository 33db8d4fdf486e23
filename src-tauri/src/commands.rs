//! What the window may ask of the host. Each command translates and calls one function.
//!
//! The list of commands is in `build.rs`, their permissions in `capabilities/main.json`.

#![expect(clippy::let_underscore_must_use, reason = "written by the macro of every command that can fail")]

use cwts_domain::{Problem, Service};
use cwts_ports::ListenerRow;
use cwts_runtime::{Activity, InstanceEvent, PortCheck, PortsEdit, Sample, Snapshot};
use serde::Serialize;
use tauri::ipc::Channel;
use tauri::{AppHandle, State};

use crate::app::{self, Panel};

/// What the charts and the list of activities start with.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    /// Oldest first, one for each second.
    samples: Vec<Sample>,
    /// Oldest first.
    activities: Vec<Activity>,
}

#[tauri::command]
pub(crate) fn snapshot(panel: State<'_, Panel>) -> Snapshot {
    panel.instance.snapshot()
}

#[tauri::command]
pub(crate) fn history(panel: State<'_, Panel>) -> History {
    History { samples: panel.instance.history(), activities: panel.instance.activities() }
}

#[tauri::command]
pub(crate) async fn start(panel: State<'_, Panel>) -> Result<Snapshot, Problem> {
    panel.instance.start().await
}

#[tauri::command]
pub(crate) async fn stop(panel: State<'_, Panel>) -> Result<Snapshot, Problem> {
    panel.instance.stop().await
}

#[tauri::command]
pub(crate) async fn set_ports(panel: State<'_, Panel>, edit: PortsEdit) -> Result<Snapshot, Problem> {
    panel.instance.set_ports(edit).await
}

#[tauri::command]
pub(crate) async fn check_port(panel: State<'_, Panel>, service: Service, port: u16) -> Result<PortCheck, Problem> {
    Ok(panel.instance.check_port(service, port).await)
}

#[tauri::command]
pub(crate) async fn system_ports(panel: State<'_, Panel>) -> Result<Vec<ListenerRow>, Problem> {
    panel.instance.system_ports().await
}

#[tauri::command]
pub(crate) fn subscribe(panel: State<'_, Panel>, channel: Channel<InstanceEvent>) {
    panel.feed.replace(&panel.instance, channel);
}

#[tauri::command]
pub(crate) fn quit(app: AppHandle) {
    app::quit(&app);
}
