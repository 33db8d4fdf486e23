//! The desktop's own dialog for choosing a file. A page never learns the path of a file that is chosen in it.

use std::path::PathBuf;

use cwts_domain::{ErrorCode, Problem};
use gtk::prelude::*;
use gtk::{FileChooserAction, FileChooserNative, ResponseType, glib};
use tauri::WebviewWindow;
use tokio::sync::oneshot;

/// Asks for a file that exists. `None` where the person chose none.
///
/// # Errors
/// The window is closing.
pub(crate) async fn choose(window: WebviewWindow, title: &'static str) -> Result<Option<PathBuf>, Problem> {
    let (done, chosen) = oneshot::channel();
    let asked = window.clone().run_on_main_thread(move || {
        let parent = window.gtk_window().ok();
        glib::MainContext::default().spawn_local(async move {
            let chooser =
                FileChooserNative::new(Some(title), parent.as_ref(), FileChooserAction::Open, Some("Choose"), None);
            let response = chooser.run_future().await;
            // Nobody waits where the page is gone.
            done.send((response == ResponseType::Accept).then(|| chooser.filename()).flatten()).ok();
        });
    });
    let closing = || Problem::new(ErrorCode::Internal, "No file could be chosen: the window is closing.");
    asked.map_err(|_| closing())?;
    chosen.await.map_err(|_| closing())
}
