//! The menu of the tray.
//!
//! Decides which entries there are; what an [`Action`] does is decided by the app.

use cwts_runtime::RunState;
use ksni::MenuItem;
use ksni::menu::StandardItem;

use super::text::View;

/// What a person asks for through the tray.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Show the window.
    Open,
    /// Start the services.
    Start,
    /// Stop the services.
    Stop,
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
    /// A line between groups.
    Separator,
}

impl Action {
    fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Start => "Start",
            Self::Stop => "Stop",
            Self::Quit => "Quit",
        }
    }
}

/// The menu for a view, from top to bottom.
pub(crate) fn entries(view: &View) -> Vec<Entry> {
    let (action, enabled) = match view.run {
        RunState::Stopped => (Action::Start, true),
        RunState::Starting => (Action::Start, false),
        RunState::Running => (Action::Stop, true),
        RunState::Stopping => (Action::Stop, false),
    };
    vec![
        Entry::Fact(view.line.clone()),
        Entry::Separator,
        Entry::Choice { action: Action::Open, enabled: true },
        Entry::Choice { action, enabled },
        Entry::Separator,
        Entry::Choice { action: Action::Quit, enabled: true },
    ]
}

/// The entry as the bus knows it; `act` is called with the chosen action.
pub(crate) fn item<T: 'static>(entry: Entry, act: impl Fn(&T, Action) + Send + 'static) -> MenuItem<T> {
    match entry {
        Entry::Fact(text) => StandardItem { label: escaped(&text), enabled: false, ..StandardItem::default() }.into(),
        Entry::Choice { action, enabled } => StandardItem {
            label: action.label().to_owned(),
            enabled,
            activate: Box::new(move |tray| act(tray, action)),
            ..StandardItem::default()
        }
        .into(),
        Entry::Separator => MenuItem::Separator,
    }
}

/// A single underscore marks an access key and would vanish from a process name.
fn escaped(text: &str) -> String {
    text.replace('_', "__")
}

#[cfg(test)]
mod tests {
    use super::super::text::State;
    use super::*;

    fn menu(run: RunState) -> Vec<Entry> {
        entries(&View { state: State::Stopped, line: "Stopped".to_owned(), run })
    }

    #[track_caller]
    fn offers(run: RunState, action: Action, enabled: bool) {
        let menu = menu(run);
        let choice = Entry::Choice { action, enabled };
        assert!(menu.contains(&choice), "while {run:?} the menu must hold {choice:?}: {menu:?}");
        let choices = menu.iter().filter(|entry| matches!(entry, Entry::Choice { .. })).count();
        assert_eq!(choices, 3, "Start and Stop are never offered together: {menu:?}");
    }

    #[test]
    fn only_the_step_that_can_be_taken_is_offered() {
        offers(RunState::Stopped, Action::Start, true);
        offers(RunState::Starting, Action::Start, false);
        offers(RunState::Running, Action::Stop, true);
        offers(RunState::Stopping, Action::Stop, false);
    }

    #[test]
    fn the_state_is_on_top_and_quit_at_the_bottom() {
        let menu = menu(RunState::Running);
        assert_eq!(menu.first(), Some(&Entry::Fact("Stopped".to_owned())), "the first line answers what runs");
        let quit = Entry::Choice { action: Action::Quit, enabled: true };
        assert_eq!(menu.last(), Some(&quit), "quitting must work in every state, apart from the rest");
    }

    #[test]
    fn the_underscore_of_a_process_name_survives() {
        assert_eq!(escaped("held by language_server"), "held by language__server", "a single one is an access key");
    }
}
