//! The life of the panel: one window, one tray icon, the instances of a home, and the ways to end them.
//!
//! Decides what a click on Close, a second launch and a signal mean. Knows no service and no page.

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cwts_config::Sources;
use cwts_domain::Problem;
use cwts_runtime::{Host, Instance, Supervisor, TradingOrder};
use tauri::webview::PageLoadEvent;
use tauri::{
    AppHandle, Context, Emitter, Manager, RunEvent, WebviewWindow, WebviewWindowBuilder, WindowEvent, async_runtime,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::{self, Arguments};
use crate::desk_feed::DeskFeed;
use crate::feed::Feed;
use crate::port_feed::PortFeed;
use crate::test_feed::TestFeed;
use crate::tray::{self, Action};
use crate::{backend, commands, theme};

/// The only window.
const WINDOW: &str = "main";

/// Told to the page when the window is to close and no tray could bring it back: the page asks, then calls `quit`.
const CLOSE_REQUESTED: &str = "close-requested";

/// Told to the page with the id of an instance that somebody wants to see.
const INSTANCE_REQUESTED: &str = "instance-requested";

/// How long clients may take to end when the program quits.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// How long tasks of the services that ignore the end may hold up the exit.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(1);

/// What the commands share.
pub(crate) struct Panel {
    pub(crate) supervisor: Supervisor,
    pub(crate) feed: Feed,
    pub(crate) port_feed: PortFeed,
    pub(crate) test_feed: TestFeed,
    pub(crate) desk_feed: DeskFeed,
    quitting: AtomicBool,
}

/// Why the panel cannot open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// There is no desktop to open a window on.
    #[error("no display: neither WAYLAND_DISPLAY nor DISPLAY is set. Run cwts-ultra for a server without a window.")]
    NoDisplay,
    /// The services' threads cannot be started.
    #[error("the services' threads could not be started: {0}")]
    Threads(io::Error),
    /// The instance cannot be set up.
    #[error(transparent)]
    Instance(#[from] Problem),
    /// Signals cannot be awaited.
    #[error("signals could not be awaited: {0}")]
    Signals(io::Error),
    /// The window or the webview cannot be created.
    #[error("the window could not be opened: {0}")]
    Window(#[from] tauri::Error),
}

/// Opens the panel of the home of `sources`, starts their instance, and returns when it has quit. When another panel of
/// the same home runs, shows that one and ends the process with status 0.
///
/// # Errors
/// Nothing was started.
pub(crate) fn run(arguments: &Arguments, sources: Sources) -> Result<ExitCode, StartError> {
    // GTK ends the process with a panic where it finds no display.
    if ["WAYLAND_DISPLAY", "DISPLAY"].iter().all(|name| std::env::var_os(name).is_none_or(|value| value.is_empty())) {
        return Err(StartError::NoDisplay);
    }
    let context = context();
    let bus_name = backend::bus_name(&context.config().identifier, sources.home());
    let app = build(context, bus_name)?;

    let host = Host::new().map_err(StartError::Threads)?;
    let supervisor = host.supervise(sources, cwts_server::services())?;
    app.manage(Panel {
        supervisor: supervisor.clone(),
        feed: Feed::default(),
        port_feed: PortFeed::default(),
        test_feed: TestFeed::default(),
        desk_feed: DeskFeed::default(),
        quitting: AtomicBool::new(false),
    });
    quit_on_signals(app.handle()).map_err(StartError::Signals)?;
    let tray_app = app.handle().clone();
    async_runtime::spawn(tray::run(supervisor.clone(), move |action| act(&tray_app, action)));
    if !arguments.stopped {
        async_runtime::spawn(async move { supervisor.start().await });
    }
    async_runtime::spawn(theme::follow(app.handle().clone()));
    open_window(app.handle(), !arguments.hidden)?;

    let status = app.run_return(|app, event| match event {
        RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. } => {
            api.prevent_close();
            async_runtime::spawn(close(app.clone()));
        }
        // The last window is gone without having been asked, for example destroyed by a window manager.
        RunEvent::ExitRequested { code: None, api, .. } => {
            api.prevent_exit();
            quit(app);
        }
        _ => {}
    });
    host.shutdown(SHUTDOWN_DEADLINE);
    Ok(u8::try_from(status).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What `tauri.conf.json` says, with the page.
#[expect(clippy::disallowed_methods, reason = "written by the macro")]
fn context() -> Context {
    tauri::generate_context!()
}

/// The application without window and services. Ends the process where another panel has the bus name; without a
/// session bus no other can be found, and this one opens.
fn build(context: Context, bus_name: String) -> tauri::Result<tauri::App> {
    let single_instance = tauri_plugin_single_instance::Builder::new()
        .dbus_id(bus_name)
        .callback(|app, words, _| {
            let second = cli::parse(words).unwrap_or_default();
            // A login that starts the program twice must not bring up a window that was to stay hidden.
            if !second.hidden {
                show(app, second.instance.as_deref());
            }
        })
        .build();
    tauri::Builder::default()
        .plugin(single_instance)
        .invoke_handler(tauri::generate_handler![
            commands::instances,
            commands::snapshot,
            commands::history,
            commands::start,
            commands::stop,
            commands::change_settings,
            commands::restore_settings,
            commands::check_port,
            commands::conflict,
            commands::free_port,
            commands::watch_ports,
            commands::unwatch_ports,
            commands::firewall,
            commands::run_firewall,
            commands::save_firewall_script,
            commands::security,
            commands::set_reach,
            commands::arm_trading,
            commands::reveal_token,
            commands::rotate_tokens,
            commands::make_certificate,
            commands::import_certificate,
            commands::remove_certificate,
            commands::trust_network,
            commands::client_programs,
            commands::client_snippet,
            commands::forget_snippet,
            commands::try_client,
            commands::disconnect_client,
            commands::test_connections,
            commands::cancel_test,
            commands::profiles,
            commands::free_port_sets,
            commands::check_new_port,
            commands::create_instance,
            commands::remove_instance,
            commands::attach,
            commands::end_elsewhere,
            commands::subscribe,
            commands::audit,
            commands::logs,
            commands::open_data,
            commands::open_logs,
            commands::save_diagnostics,
            commands::trading::watch_desk,
            commands::trading::unwatch_desk,
            commands::trading::preview_order,
            commands::trading::place_order,
            commands::trading::change_order,
            commands::trading::cancel_order,
            commands::trading::cancel_all_orders,
            commands::trading::close_position,
            commands::trading::set_trading_state,
            commands::trading::set_limits,
            commands::trading::account_risk,
            commands::trading::reset_account,
            commands::trading::ask_market,
            commands::trading::look_at_market_file,
            commands::trading::choose_market_file,
            commands::copy,
            commands::quit,
        ])
        .on_page_load(|webview, load| {
            if load.event() == PageLoadEvent::Started
                && let Some(panel) = webview.try_state::<Panel>()
            {
                panel.feed.end();
                panel.port_feed.end();
                panel.test_feed.end();
                panel.desk_feed.end();
            }
        })
        .build(context)
}

fn open_window(app: &AppHandle, visible: bool) -> tauri::Result<WebviewWindow> {
    let windows = &app.config().app.windows;
    let config = windows.iter().find(|window| window.label == WINDOW).ok_or(tauri::Error::WindowNotFound)?;
    WebviewWindowBuilder::from_config(app, config)?.visible(visible).build()
}

/// A start that fails is in the log already, and in the snapshot with its remedy.
async fn start(instance: Instance) {
    drop(instance.start().await);
}

fn act(app: &AppHandle, action: Action) {
    let supervisor = &app.state::<Panel>().supervisor;
    match action {
        Action::Open(instance) => show(app, instance.as_deref()),
        Action::Start(id) => with(supervisor, &id, |instance| drop(async_runtime::spawn(start(instance)))),
        Action::Stop(id) => with(supervisor, &id, |instance| drop(async_runtime::spawn(stop(instance)))),
        Action::Trade(id, order) => {
            with(supervisor, &id, |instance| drop(async_runtime::spawn(trade(instance, order))))
        }
        Action::Quit => quit(app),
    }
}

/// The menu of the tray may be older than the removal of an instance.
fn with(supervisor: &Supervisor, id: &str, act: impl FnOnce(Instance)) {
    match supervisor.instance(id) {
        Ok(instance) => act(instance),
        Err(problem) => tracing::debug!("{problem}"),
    }
}

async fn stop(instance: Instance) {
    if let Err(problem) = instance.stop().await {
        tracing::warn!("the services of {} did not stop: {problem}", instance.id());
    }
}

async fn trade(instance: Instance, order: TradingOrder) {
    if let Err(problem) = instance.order_trading(order).await {
        instance.record(format!("Not done: {problem}"));
    }
}

/// Brings the window to the front, wherever it is, with `instance` in it where one is named.
fn show(app: &AppHandle, instance: Option<&str>) {
    let Some(window) = app.get_webview_window(WINDOW) else {
        return;
    };
    let named = instance.map_or(Ok(()), |id| window.emit(INSTANCE_REQUESTED, id));
    let shown = named.and_then(|()| window.show()).and_then(|()| window.unminimize());
    let shown = shown.and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!("the window could not be shown: {error}");
    }
}

/// Hides the window where a tray can bring it back, asks where none can, and quits where nobody can be asked.
async fn close(app: AppHandle) {
    let Some(window) = app.get_webview_window(WINDOW) else {
        return;
    };
    let done = if tray::host_is_present().await {
        window.hide()
    } else if app.state::<Panel>().feed.is_alive() {
        window.emit(CLOSE_REQUESTED, ())
    } else {
        quit(&app);
        Ok(())
    };
    if let Err(error) = done {
        tracing::warn!("the window could not be closed: {error}");
    }
}

/// Stops the services, lets clients end for at most ten seconds, and leaves the event loop with status 0. Returns at
/// once; a second call changes nothing.
pub(crate) fn quit(app: &AppHandle) {
    let panel = app.state::<Panel>();
    if panel.quitting.swap(true, Ordering::Relaxed) {
        return;
    }
    if let Some(window) = app.get_webview_window(WINDOW)
        && let Err(error) = window.hide()
    {
        tracing::warn!("the window could not be hidden: {error}");
    }
    let (app, supervisor) = (app.clone(), panel.supervisor.clone());
    async_runtime::spawn(async move {
        if tokio::time::timeout(DRAIN_DEADLINE, supervisor.stop()).await.is_err() {
            tracing::warn!("clients were cut off: they did not end within {DRAIN_DEADLINE:?}");
        }
        app.exit(0);
    });
}

/// Ends the panel on SIGINT and SIGTERM as Quit does.
fn quit_on_signals(app: &AppHandle) -> io::Result<()> {
    let app = app.clone();
    let (mut interrupt, mut terminate) = async_runtime::block_on(async {
        io::Result::Ok((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    })?;
    async_runtime::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        quit(&app);
    });
    Ok(())
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
