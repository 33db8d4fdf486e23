//! What the window may ask of the host. Each command translates and calls one function.
//!
//! The list of commands is in `build.rs`, their permissions in `capabilities/main.json`.

#![expect(clippy::let_underscore_must_use, reason = "written by the macro of every command that can fail")]

pub(crate) mod trading;

use std::path::PathBuf;

use cwts_domain::{ErrorCode, Problem, Service};
use cwts_runtime::{
    Activity, Actor, AuditPage, ClientInfo, ClientProgram, Conflict, Connected, Envelope, FirewallChoice,
    FirewallResult, FirewallTask, FirewallView, LogPage, NewInstance, PemSource, Place, PortCheck, PortNews, PortSet,
    ProfileInfo, ProgramInfo, Progress, ReachEdit, Release, Released, Sample, Scope, SecurityView, ServiceTest,
    SettingsEdit, Snapshot, Snippet, TestChoice, Transport, Trial,
};
use serde::Serialize;
use tauri::ipc::Channel;
use tauri::{AppHandle, State};

use crate::app::{self, Panel};
use crate::{clipboard, folder};

/// What a page that knows nothing yet asks first.
#[derive(Debug, Serialize)]
pub(crate) struct Instances {
    /// The id of the instance to show.
    opened: String,
    /// `default` first, then by id.
    instances: Vec<Snapshot>,
}

/// What the charts and the list of activities start with.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    /// Oldest first, one for each second.
    samples: Vec<Sample>,
    /// Oldest first.
    activities: Vec<Activity>,
    connected: Connected,
}

#[tauri::command]
pub(crate) fn instances(panel: State<'_, Panel>) -> Instances {
    Instances { opened: panel.supervisor.opened().to_owned(), instances: panel.supervisor.snapshots() }
}

#[tauri::command]
pub(crate) fn snapshot(panel: State<'_, Panel>, instance: String) -> Result<Snapshot, Problem> {
    Ok(panel.supervisor.instance(&instance)?.snapshot())
}

#[tauri::command]
pub(crate) fn history(panel: State<'_, Panel>, instance: String) -> Result<History, Problem> {
    let instance = panel.supervisor.instance(&instance)?;
    Ok(History {
        samples: instance.history(),
        activities: instance.activities(),
        connected: instance.connected().list(),
    })
}

#[tauri::command]
pub(crate) async fn start(panel: State<'_, Panel>, instance: String) -> Result<Snapshot, Problem> {
    panel.supervisor.instance(&instance)?.start().await
}

#[tauri::command]
pub(crate) async fn stop(panel: State<'_, Panel>, instance: String) -> Result<Snapshot, Problem> {
    panel.supervisor.instance(&instance)?.stop().await
}

#[tauri::command]
pub(crate) async fn change_settings(
    panel: State<'_, Panel>,
    instance: String,
    edit: SettingsEdit,
) -> Result<Snapshot, Problem> {
    panel.supervisor.instance(&instance)?.change(edit).await
}

#[tauri::command]
pub(crate) async fn restore_settings(panel: State<'_, Panel>, instance: String) -> Result<Snapshot, Problem> {
    panel.supervisor.instance(&instance)?.restore().await
}

#[tauri::command]
pub(crate) async fn check_port(
    panel: State<'_, Panel>,
    instance: String,
    service: Service,
    port: u16,
) -> Result<PortCheck, Problem> {
    Ok(panel.supervisor.instance(&instance)?.check_port(service, port).await)
}

#[tauri::command]
pub(crate) async fn conflict(
    panel: State<'_, Panel>,
    instance: String,
    service: Service,
    port: u16,
) -> Result<Conflict, Problem> {
    panel.supervisor.instance(&instance)?.conflict(service, port).await
}

#[tauri::command]
pub(crate) async fn free_port(
    panel: State<'_, Panel>,
    instance: String,
    service: Service,
    port: u16,
    release: Release,
) -> Result<Released, Problem> {
    panel.supervisor.instance(&instance)?.free_port(service, port, release).await
}

#[tauri::command]
pub(crate) fn watch_ports(panel: State<'_, Panel>, channel: Channel<PortNews>) {
    panel.port_feed.replace(&panel.supervisor, channel);
}

#[tauri::command]
pub(crate) fn unwatch_ports(panel: State<'_, Panel>) {
    panel.port_feed.end();
}

#[tauri::command]
pub(crate) async fn firewall(
    panel: State<'_, Panel>,
    instance: String,
    choice: FirewallChoice,
) -> Result<FirewallView, Problem> {
    panel.supervisor.instance(&instance)?.firewall(choice).await
}

#[tauri::command]
pub(crate) async fn run_firewall(
    panel: State<'_, Panel>,
    instance: String,
    task: FirewallTask,
    choice: FirewallChoice,
    shown: Vec<String>,
) -> Result<Vec<FirewallResult>, Problem> {
    let program = std::env::current_exe().map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()))?;
    panel.supervisor.instance(&instance)?.run_firewall(task, choice, shown, program).await
}

#[tauri::command]
pub(crate) async fn save_firewall_script(
    panel: State<'_, Panel>,
    instance: String,
    choice: FirewallChoice,
) -> Result<PathBuf, Problem> {
    panel.supervisor.instance(&instance)?.save_firewall_script(choice).await
}

#[tauri::command]
pub(crate) async fn security(panel: State<'_, Panel>, instance: String) -> Result<SecurityView, Problem> {
    panel.supervisor.instance(&instance)?.security().await
}

#[tauri::command]
pub(crate) async fn set_reach(panel: State<'_, Panel>, instance: String, edit: ReachEdit) -> Result<Snapshot, Problem> {
    panel.supervisor.instance(&instance)?.set_reach(edit).await
}

#[tauri::command]
pub(crate) async fn arm_trading(panel: State<'_, Panel>, instance: String, armed: bool) -> Result<Snapshot, Problem> {
    panel.supervisor.instance(&instance)?.arm_trading(armed, Actor::Panel).await
}

#[tauri::command]
pub(crate) async fn reveal_token(panel: State<'_, Panel>, instance: String, scope: Scope) -> Result<String, Problem> {
    panel.supervisor.instance(&instance)?.reveal_token(scope).await
}

#[tauri::command]
pub(crate) async fn rotate_tokens(
    panel: State<'_, Panel>,
    instance: String,
    scopes: Vec<Scope>,
) -> Result<(), Problem> {
    panel.supervisor.instance(&instance)?.rotate_tokens(scopes).await
}

#[tauri::command]
pub(crate) async fn make_certificate(
    panel: State<'_, Panel>,
    instance: String,
    names: Vec<String>,
    replace_imported: bool,
) -> Result<(), Problem> {
    panel.supervisor.instance(&instance)?.make_certificate(names, replace_imported).await
}

#[tauri::command]
pub(crate) async fn import_certificate(
    panel: State<'_, Panel>,
    instance: String,
    certificate: PemSource,
    key: PemSource,
) -> Result<(), Problem> {
    panel.supervisor.instance(&instance)?.import_certificate(certificate, key).await
}

#[tauri::command]
pub(crate) async fn remove_certificate(panel: State<'_, Panel>, instance: String) -> Result<(), Problem> {
    panel.supervisor.instance(&instance)?.remove_certificate().await
}

#[tauri::command]
pub(crate) async fn trust_network(
    panel: State<'_, Panel>,
    instance: String,
    network: String,
    trusted: Option<bool>,
) -> Result<(), Problem> {
    panel.supervisor.instance(&instance)?.trust_network(network, trusted).await
}

#[tauri::command]
pub(crate) fn client_programs() -> Vec<ProgramInfo> {
    ProgramInfo::all()
}

#[tauri::command]
pub(crate) async fn client_snippet(
    panel: State<'_, Panel>,
    instance: String,
    client: ClientProgram,
    transport: Option<Transport>,
    place: Option<Place>,
    whole: bool,
) -> Result<Snippet, Problem> {
    panel.supervisor.instance(&instance)?.client_snippet(client, transport, place, whole).await
}

#[tauri::command]
pub(crate) async fn forget_snippet(
    panel: State<'_, Panel>,
    instance: String,
    client: ClientProgram,
    transport: Transport,
    place: Place,
) -> Result<Snapshot, Problem> {
    panel.supervisor.instance(&instance)?.forget_snippet(client, transport, place).await
}

#[tauri::command]
pub(crate) async fn try_client(
    panel: State<'_, Panel>,
    instance: String,
    client: ClientProgram,
    transport: Option<Transport>,
    place: Option<Place>,
) -> Result<Trial, Problem> {
    panel.supervisor.instance(&instance)?.try_client(client, transport, place).await
}

#[tauri::command]
pub(crate) fn disconnect_client(
    panel: State<'_, Panel>,
    instance: String,
    client: String,
) -> Result<ClientInfo, Problem> {
    panel.supervisor.instance(&instance)?.disconnect(&client)
}

#[tauri::command]
pub(crate) async fn test_connections(
    panel: State<'_, Panel>,
    instance: String,
    choice: TestChoice,
    channel: Channel<Progress>,
) -> Result<Vec<ServiceTest>, Problem> {
    panel.test_feed.run(panel.supervisor.instance(&instance)?, choice, channel).await
}

#[tauri::command]
pub(crate) fn cancel_test(panel: State<'_, Panel>) {
    panel.test_feed.end();
}

#[tauri::command]
pub(crate) async fn profiles(panel: State<'_, Panel>) -> Result<Vec<ProfileInfo>, Problem> {
    panel.supervisor.profiles().await
}

#[tauri::command]
pub(crate) async fn free_port_sets(panel: State<'_, Panel>, from: Option<String>) -> Result<Vec<PortSet>, Problem> {
    panel.supervisor.free_port_sets(from).await
}

#[tauri::command]
pub(crate) async fn check_new_port(
    panel: State<'_, Panel>,
    from: Option<String>,
    service: Service,
    port: u16,
) -> Result<PortCheck, Problem> {
    panel.supervisor.check_new_port(from, service, port).await
}

#[tauri::command]
pub(crate) async fn create_instance(panel: State<'_, Panel>, new: NewInstance) -> Result<Snapshot, Problem> {
    panel.supervisor.create(new).await
}

#[tauri::command]
pub(crate) async fn remove_instance(panel: State<'_, Panel>, instance: String, with_data: bool) -> Result<(), Problem> {
    panel.supervisor.remove(&instance, with_data).await
}

#[tauri::command]
pub(crate) async fn attach(panel: State<'_, Panel>, instance: String) -> Result<Snapshot, Problem> {
    panel.supervisor.instance(&instance)?.attach().await
}

#[tauri::command]
pub(crate) async fn end_elsewhere(panel: State<'_, Panel>, instance: String) -> Result<Snapshot, Problem> {
    panel.supervisor.instance(&instance)?.end_elsewhere().await
}

#[tauri::command]
pub(crate) fn subscribe(panel: State<'_, Panel>, channel: Channel<Envelope>) {
    panel.feed.replace(&panel.supervisor, channel);
}

#[tauri::command]
pub(crate) async fn logs(panel: State<'_, Panel>, instance: String, after: u64) -> Result<LogPage, Problem> {
    panel.supervisor.instance(&instance)?.log_page(after).await
}

#[tauri::command]
pub(crate) async fn audit(
    panel: State<'_, Panel>,
    instance: String,
    cursor: Option<u64>,
    limit: usize,
) -> Result<AuditPage, Problem> {
    panel.supervisor.instance(&instance)?.audit_page(cursor, limit).await
}

#[tauri::command]
pub(crate) fn open_data(panel: State<'_, Panel>, instance: String) -> Result<(), Problem> {
    folder::open(&panel.supervisor.instance(&instance)?.data_folder())
}

#[tauri::command]
pub(crate) fn open_logs(panel: State<'_, Panel>) -> Result<(), Problem> {
    folder::open(&cwts_runtime::log_folder(panel.supervisor.home()))
}

#[tauri::command]
pub(crate) async fn save_diagnostics(panel: State<'_, Panel>, instance: String) -> Result<PathBuf, Problem> {
    panel.supervisor.instance(&instance)?.save_diagnostics().await
}

#[tauri::command]
pub(crate) async fn copy(app: AppHandle, text: String) -> Result<(), Problem> {
    clipboard::copy(&app, text).await
}

#[tauri::command]
pub(crate) fn quit(app: AppHandle) {
    app::quit(&app);
}
