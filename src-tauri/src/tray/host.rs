//! Whether anything on the desktop shows tray icons.
//!
//! Asks the bus each time: a panel can be restarted or removed while the program runs.

use std::time::Duration;

use zbus::Connection;
use zbus::fdo::DBusProxy;

/// The name that a desktop's tray owns on the session bus.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// A bus that says nothing for this long has no tray for us.
const DEADLINE: Duration = Duration::from_secs(1);

/// Whether a tray exists now. `false` also when the session bus cannot be asked: a window that hides without a tray to
/// bring it back would be lost.
pub(crate) async fn is_present() -> bool {
    match tokio::time::timeout(DEADLINE, ask()).await {
        Ok(Ok(present)) => present,
        Ok(Err(error)) => {
            tracing::debug!("the session bus knows no tray: {error}");
            false
        }
        Err(_) => {
            tracing::debug!("the session bus did not answer within {DEADLINE:?}");
            false
        }
    }
}

async fn ask() -> zbus::Result<bool> {
    let bus = Connection::session().await?;
    // Asking the watcher itself would start it where it can be started by name, which makes no host appear.
    if !DBusProxy::new(&bus).await?.name_has_owner(WATCHER.try_into()?).await? {
        return Ok(false);
    }
    let watcher = zbus::Proxy::new(&bus, WATCHER, "/StatusNotifierWatcher", WATCHER).await?;
    watcher.get_property("IsStatusNotifierHostRegistered").await
}
