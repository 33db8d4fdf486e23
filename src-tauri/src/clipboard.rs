//! The desktop's clipboard. A page may write it only in the very moment of a click, and the text of a secret comes later.

use cwts_domain::{ErrorCode, Problem};
use gtk::gdk::SELECTION_CLIPBOARD;
use tauri::AppHandle;
use tokio::sync::oneshot;

/// Puts text on the clipboard.
///
/// # Errors
/// The window is closing.
pub(crate) async fn copy(app: &AppHandle, text: String) -> Result<(), Problem> {
    let (done, copied) = oneshot::channel();
    let asked = app.run_on_main_thread(move || {
        gtk::Clipboard::get(&SELECTION_CLIPBOARD).set_text(&text);
        // Nobody waits where the page is gone.
        done.send(()).ok();
    });
    match asked {
        Ok(()) if copied.await.is_ok() => Ok(()),
        _ => Err(Problem::new(ErrorCode::Internal, "The clipboard could not be written: the window is closing.")),
    }
}
