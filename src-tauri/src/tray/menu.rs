//! The menu of the tray.
//!
//! Decides which entries there are; what an [`Action`] does is decided by the app. What cannot be done now is greyed out
//! rather than left out: every change of the layout gives the entries new ids, and a click into an open menu would be lost.

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
            let trading = only.trading.clone().unwrap_or_else(|| "Not trading".to_owned());
            [Entry::Fact(only.line.clone()), Entry::Fact(trading), Entry::Separator, open]
                .into_iter()
                .chain(steps(only))
                .chain([Entry::Separator, quit])
                .collect()
        }
        several => {
            let groups = several.iter().map(|instance| {
                let open = Entry::Choice { action: Action::Open(Some(instance.id.clone())), enabled: true };
                Entry::Group {
                    label: instance.named(),
                    entries: std::iter::once(open).chain(steps(instance)).collect(),
                }
            });
            groups.chain([Entry::Separator, open, Entry::Separator, quit]).collect()
        }
    }
}

/// What can be done with an instance without a window.
fn steps(instance: &InstanceView) -> Vec<Entry> {
    let id = || instance.id.clone();
    let runs = instance.run == RunState::Running;
    let choice = |(action, enabled)| Entry::Choice { action, enabled: enabled && !instance.elsewhere };
    let services = [(Action::Start(id()), instance.run == RunState::Stopped), (Action::Stop(id()), runs)];
    let trading = [
        (Action::Trade(id(), TradingOrder::Halt), runs),
        (Action::Trade(id(), TradingOrder::Resume), runs && instance.held_back),
        (Action::Trade(id(), TradingOrder::CancelAll), runs),
    ];
    let services = services.map(choice).into_iter();
    services.chain([Entry::Separator]).chain(trading.map(choice)).collect()
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

    /// The actions that can be chosen now.
    fn offered(entries: &[Entry]) -> Vec<&Action> {
        let chosen = |entry| match entry {
            &Entry::Choice { ref action, enabled: true } => Some(action),
            _ => None,
        };
        entries.iter().filter_map(chosen).collect()
    }

    #[track_caller]
    fn offers(run: RunState, expected: &[Action]) {
        let menu = menu(&[("default", run)]);
        let between: Vec<_> =
            offered(&menu).into_iter().filter(|it| !matches!(it, Action::Open(_) | Action::Quit)).cloned().collect();
        assert_eq!(between, expected, "while {run:?} only what can be done is offered: {menu:?}");
    }

    #[test]
    fn only_the_steps_that_can_be_taken_are_offered() {
        let (start, stop) = (Action::Start("default".to_owned()), Action::Stop("default".to_owned()));
        let trade = |order| Action::Trade("default".to_owned(), order);
        offers(RunState::Stopped, &[start]);
        offers(RunState::Starting, &[]);
        offers(RunState::Running, &[stop, trade(TradingOrder::Halt), trade(TradingOrder::CancelAll)]);
        offers(RunState::Stopping, &[]);
    }

    #[test]
    fn the_layout_is_the_same_in_every_state() {
        let kinds = |run| -> Vec<_> {
            let menu = menu(&[("default", run)]);
            let kind = |entry| match entry {
                Entry::Choice { action, .. } => Some(action),
                Entry::Fact(_) | Entry::Group { .. } | Entry::Separator => None,
            };
            menu.into_iter().map(kind).collect()
        };
        for run in [RunState::Starting, RunState::Running, RunState::Stopping] {
            assert_eq!(kinds(run), kinds(RunState::Stopped), "an open menu keeps its entries while {run:?}");
        }
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
        let Some(Entry::Group { label, entries }) = menu.get(1) else { panic!("a menu of its own: {menu:?}") };
        assert_eq!(label, "desk: Stopped", "it says whose it is");
        let expected = [&Action::Open(Some("desk".to_owned())), &Action::Start("desk".to_owned())];
        assert_eq!(offered(entries), expected, "one click must never start the wrong instance");
        assert_eq!(menu.last(), Some(&choice(Action::Quit)), "quitting ends all of them, and stays at the bottom");
    }

    #[test]
    fn the_underscore_of_a_process_name_survives() {
        assert_eq!(escaped("held by language_server"), "held by language__server", "a single one is an access key");
    }
}
