//! Follows the desktop's choice between light and dark.
//!
//! GTK 3, in which the webview lives, knows theme names only; GNOME tells dark from light through the desktop portal
//! alone. The page needs nothing of this: its `prefers-color-scheme` changes with the window.

use futures_util::StreamExt;
use tauri::{AppHandle, Theme};
use zbus::zvariant::{OwnedValue, Value};
use zbus::{Connection, Proxy};

/// The setting's place in the portal (XDG Desktop Portal, Settings, "Standardized keys").
const SETTING: (&str, &str) = ("org.freedesktop.appearance", "color-scheme");

/// Keeps the window as light or as dark as the desktop for as long as the program runs. Without a portal GTK's own
/// theme stands.
pub(crate) async fn follow(app: AppHandle) {
    if let Err(error) = listen(&app).await {
        tracing::debug!("the desktop portal tells no colour scheme: {error}");
    }
}

async fn listen(app: &AppHandle) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let portal = Proxy::new(
        &bus,
        "org.freedesktop.portal.Desktop",
        "/org/freedesktop/portal/desktop",
        "org.freedesktop.portal.Settings",
    )
    .await?;
    let mut changes = portal.receive_signal_with_args("SettingChanged", &[(0, SETTING.0), (1, SETTING.1)]).await?;
    let now: OwnedValue = portal.call("Read", &SETTING).await?;
    // Without a preference GTK's theme stands, which may well be dark.
    if let Some(theme) = theme(&now) {
        app.set_theme(Some(theme));
    }
    while let Some(change) = changes.next().await {
        let body = change.body();
        let (_, _, value): (&str, &str, Value<'_>) = body.deserialize()?;
        app.set_theme(theme(&value));
    }
    Ok(())
}

/// 1 prefers dark, 2 prefers light, everything else has no preference. `Read` packs the number twice.
fn theme(value: &Value<'_>) -> Option<Theme> {
    match value {
        Value::Value(inner) => theme(inner),
        Value::U32(1) => Some(Theme::Dark),
        Value::U32(2) => Some(Theme::Light),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portals_numbers_are_understood_in_any_wrapping() {
        let packed = |number: u32| Value::Value(Box::new(Value::Value(Box::new(Value::U32(number)))));
        assert_eq!(theme(&packed(1)), Some(Theme::Dark), "the portal's specification");
        assert_eq!(theme(&Value::U32(2)), Some(Theme::Light), "the portal's specification");
        assert_eq!(theme(&packed(0)), None, "no preference is not light");
        assert_eq!(theme(&Value::U32(7)), None, "unknown values count as no preference (specification)");
    }
}
