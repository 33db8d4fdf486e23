//! The tray icon: what it shows and what a click on it asks for.
//!
//! Follows the events of the instances. Speaks the StatusNotifierItem protocol through `ksni` and does nothing itself:
//! every click becomes an [`Action`] for the app.

mod account;
mod host;
mod icon;
mod menu;
mod text;

use cwts_runtime::{Envelope, InstanceEvent, Supervisor};
use ksni::{Handle, Icon, MenuItem, Status, ToolTip, TrayMethods};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

pub(crate) use host::is_present as host_is_present;
pub(crate) use menu::Action;
use text::{State, View};

/// The name that the icon and its tooltip carry.
const TITLE: &str = "CWTS Ultra";

struct PanelTray {
    view: View,
    act: Box<dyn Fn(Action) + Send>,
}

/// Shows the icon and keeps it true as long as the program runs. A tray that appears later gets the icon then; without
/// a session bus there is none. `act` must not block.
pub(crate) async fn run(supervisor: Supervisor, act: impl Fn(Action) + Send + 'static) {
    // Listening first: a change between the first picture and the first event would be lost otherwise.
    let events = supervisor.subscribe();
    let view = View::of(&supervisor.snapshots());
    let tray = PanelTray { view: view.clone(), act: Box::new(act) };
    match tray.assume_sni_available(true).spawn().await {
        Ok(handle) => follow(&supervisor, events, &handle, view).await,
        Err(error) => tracing::warn!("no tray icon: {error}"),
    }
}

async fn follow(supervisor: &Supervisor, mut events: Receiver<Envelope>, handle: &Handle<PanelTray>, mut shown: View) {
    loop {
        match events.recv().await.map(|envelope| envelope.event) {
            Ok(InstanceEvent::Activity(_)) => continue,
            Ok(InstanceEvent::Sample { .. } | InstanceEvent::Snapshot(_) | InstanceEvent::Removed)
            | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
        let view = View::of(&supervisor.snapshots());
        // Every second has figures, and few of them change a word.
        if view == shown {
            continue;
        }
        shown = view.clone();
        if handle.update(|tray| tray.view = view).await.is_none() {
            return;
        }
    }
}

impl ksni::Tray for PanelTray {
    fn id(&self) -> String {
        "cwts-ultra".to_owned()
    }

    fn title(&self) -> String {
        TITLE.to_owned()
    }

    fn status(&self) -> Status {
        match self.view.state {
            State::Attention => Status::NeedsAttention,
            State::Stopped | State::Running | State::Exposed | State::Halted => Status::Active,
        }
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        icon::pixmaps(self.view.state)
    }

    fn attention_icon_pixmap(&self) -> Vec<Icon> {
        icon::pixmaps(State::Attention)
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip { title: TITLE.to_owned(), description: escaped(&self.view.text()), ..ToolTip::default() }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        (self.act)(Action::Open(None));
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        menu::entries(&self.view)
            .into_iter()
            .map(|entry| menu::item(entry, |tray: &Self, action| (tray.act)(action)))
            .collect()
    }
}

/// The description of a tooltip may hold markup; the name of someone's process must not become any.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use ksni::Tray;

    use super::*;

    fn tray(state: State, line: &str) -> PanelTray {
        PanelTray { view: text::fixture::said(state, line), act: Box::new(|_| {}) }
    }

    #[test]
    fn only_trouble_asks_for_attention() {
        assert_eq!(tray(State::Attention, "").status(), Status::NeedsAttention, "a blocked port must catch the eye");
        for state in [State::Stopped, State::Running, State::Exposed, State::Halted] {
            assert_eq!(tray(state, "").status(), Status::Active, "{state:?} is a choice, not trouble");
        }
    }

    #[test]
    fn the_tooltip_says_the_line_as_plain_text() {
        let tip = tray(State::Attention, "Port 3000 is held by <b>, pid 7").tool_tip();
        assert_eq!(tip.title, "CWTS Ultra", "the first line names the program");
        assert_eq!(tip.description, "Port 3000 is held by &lt;b&gt;, pid 7", "a process name must not become markup");
    }

    #[test]
    fn a_left_click_opens_the_window() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut tray = tray(State::Running, "");
        tray.act = Box::new(move |action| sender.send(action).unwrap());
        tray.activate(0, 0);
        assert_eq!(receiver.try_recv(), Ok(Action::Open(None)), "the icon is the way back to a hidden window");
    }
}
