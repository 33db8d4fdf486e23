//! The menu of the tray.
//!
//! Decides which entries there are; what an [`Action`] does is decided by the app.

use cwts_runtime::{RunState, TradingOrder};
use ksni::MenuItem;
use ksni::menu::{StandardItem, SubMenu};

use super::text::{InstanceView, View};

/// What a person asks for through the tray.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Show the window, with the instance in it where one is named.
    Open(Option<String>),
    /// Start the services of an instance.
    Start(String),
    /// Stop the services of an instance.
    Stop(String),
    /// Halt or resume trading on an instance, or cancel its orders.
    Trade(String, TradingOrder),
    /// End the program.
    Quit,
}

/// One line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Tells something, cannot be chosen.
    Fact(String),
    /// Can be chosen, unless its time has not come.
    Choice {
        /// What it does.
        action: Action,
        /// Whether it can be chosen now.
        enabled: bool,
    },
    /// Opens a menu of its own.
    Group {
        /// What it says.
        label: String,
        /// From top to bottom.
        entries: Vec<Entry>,
    },
    /// A line between groups.
    Separator,
}

impl Action {
    fn label(&self) -> &'static str {
        match self {
            Self::Open(_) => "Open",
            Self::Start(_) => "Start",
            Self::Stop(_) => "Stop",
            Self::Trade(_, TradingOrder::Halt) => "Halt trading",
            Self::Trade(_, TradingOrder::Resume) => "Resume trading",
            Self::Trade(_, TradingOrder::CancelAll) => "Cancel all orders",
            Self::Quit => "Quit",
        }
    }
}

/// The menu for a view, from top to bottom.
pub(crate) fn entries(view: &View) -> Vec<Entry> {
    let open = Entry::Choice { action: Action::Open(None), enabled: true };
    let quit = Entry::Choice { action: Action::Quit, enabled: true };
    match &view.instances[..] {
        [only] => {
            let facts = std::iter::once(&only.line).chain(&only.trading).cloned().map(Entry::Fact);
            facts
                .chain([Entry::Separator, open, step(only)])
                .chain(trading(only))
                .chain([Entry::Separator, quit])
                .collect()
        }
        several => {
            let groups = several.iter().map(|instance| Entry::Group {
                label: instance.named(),
                entries: [
                    Entry::Choice { action: Action::Open(Some(instance.id.clone())), enabled: true },
                    step(instance),
                ]
                .into_iter()
                .chain(trading(instance))
                .collect(),
            });
            groups.chain([Entry::Separator, open, Entry::Separator, quit]).collect()
        }
    }
}

/// Start or Stop, whichever can be taken.
fn step(instance: &InstanceView) -> Entry {
    let id = instance.id.clone();
    let (action, enabled) = match instance.run {
        RunState::Stopped => (Action::Start(id), true),
        RunState::Starting => (Action::Start(id), false),
        RunState::Running => (Action::Stop(id), true),
        RunState::Stopping => (Action::Stop(id), false),
    };
    Entry::Choice { action, enabled: enabled && !instance.elsewhere }
}

/// What stops trading without a window, while the services run here.
fn trading(instance: &InstanceView) -> Vec<Entry> {
    if instance.run != RunState::Running || instance.elsewhere {
        return Vec::new();
    }
    let orders = [TradingOrder::Halt, TradingOrder::Resume, TradingOrder::CancelAll];
    let choice = |order| Entry::Choice {
        action: Action::Trade(instance.id.clone(), order),
        enabled: order != TradingOrder::Resume || instance.held_back,
    };
    std::iter::once(Entry::Separator).chain(orders.map(choice)).collect()
}

/// The entry as the bus knows it; `act` is called with the chosen action.
pub(crate) fn item<T: 'static>(entry: Entry, act: fn(&T, Action)) -> MenuItem<T> {
    match entry {
        Entry::Fact(text) => StandardItem { label: escaped(&text), enabled: false, ..StandardItem::default() }.into(),
        Entry::Choice { action, enabled } => StandardItem {
            label: action.label().to_owned(),
            enabled,
            activate: Box::new(move |tray| act(tray, action.clone())),
            ..StandardItem::default()
        }
        .into(),
        Entry::Group { label, entries } => {
            let submenu = entries.into_iter().map(|entry| item(entry, act)).collect();
            SubMenu { label: escaped(&label), submenu, ..SubMenu::default() }.into()
        }
        Entry::Separator => MenuItem::Separator,
    }
}

/// A single underscore marks an access key and would vanish from a process name.
fn escaped(text: &str) -> String {
    text.replace('_', "__")
}

#[cfg(test)]
mod tests {
    use super::super::text::fixture;
    use super::*;

    fn menu(runs: &[(&str, RunState)]) -> Vec<Entry> {
        entries(&fixture::view(runs))
    }

    #[track_caller]
    fn offers(run: RunState, action: &Action, enabled: bool) {
        let menu = menu(&[("default", run)]);
        let choice = Entry::Choice { action: action.clone(), enabled };
        assert!(menu.contains(&choice), "while {run:?} the menu must hold {choice:?}: {menu:?}");
        let steps = menu
            .iter()
            .filter(|entry| matches!(entry, Entry::Choice { action: Action::Start(_) | Action::Stop(_), .. }));
        assert_eq!(steps.count(), 1, "Start and Stop are never offered together: {menu:?}");
        let trades =
            menu.iter().filter(|entry| matches!(entry, Entry::Choice { action: Action::Trade(..), .. })).count();
        assert_eq!(trades, if run == RunState::Running { 3 } else { 0 }, "halting needs no window: {menu:?}");
    }

    #[test]
    fn only_the_step_that_can_be_taken_is_offered() {
        let (start, stop) = (Action::Start("default".to_owned()), Action::Stop("default".to_owned()));
        offers(RunState::Stopped, &start, true);
        offers(RunState::Starting, &start, false);
        offers(RunState::Running, &stop, true);
        offers(RunState::Stopping, &stop, false);
    }

    #[test]
    fn the_state_is_on_top_and_quit_at_the_bottom() {
        let menu = menu(&[("default", RunState::Stopped)]);
        assert_eq!(menu.first(), Some(&Entry::Fact("Stopped".to_owned())), "the first line answers what runs");
        let quit = Entry::Choice { action: Action::Quit, enabled: true };
        assert_eq!(menu.last(), Some(&quit), "quitting must work in every state, apart from the rest");
    }

    #[test]
    fn each_of_several_instances_has_its_own_start_and_stop() {
        let menu = menu(&[("default", RunState::Running), ("desk", RunState::Stopped)]);
        let choice = |action| Entry::Choice { action, enabled: true };
        let expected = Entry::Group {
            label: "desk: Stopped".to_owned(),
            entries: vec![choice(Action::Open(Some("desk".to_owned()))), choice(Action::Start("desk".to_owned()))],
        };
        assert_eq!(menu.get(1), Some(&expected), "one click must never start the wrong instance: {menu:?}");
        assert_eq!(menu.last(), Some(&choice(Action::Quit)), "quitting ends all of them, and stays at the bottom");
    }

    #[test]
    fn the_underscore_of_a_process_name_survives() {
        assert_eq!(escaped("held by language_server"), "held by language__server", "a single one is an access key");
    }
}
