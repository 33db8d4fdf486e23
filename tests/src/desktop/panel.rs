//! The program `cwts-ultra-panel`, started as a person or the desktop starts it.

use std::path::PathBuf;
use std::process::Stdio;

use super::process::Process;
use super::session::Desktop;
use crate::home::Home;

/// Names the binary to test; without it, the one beside the test executable.
const BINARY_VARIABLE: &str = "CWTS_PANEL_BIN";

/// The program to test.
pub(super) fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os(BINARY_VARIABLE) {
        let named = PathBuf::from(named);
        assert!(named.is_file(), "{BINARY_VARIABLE} names {}, which is no file", named.display());
        return named;
    }
    // target/PROFILE/deps/SUITE-HASH, and the program in target/PROFILE.
    let suite = std::env::current_exe().expect("the path of the test executable");
    let built = suite.ancestors().nth(2).map(|profile| profile.join("cwts-ultra-panel")).unwrap_or_default();
    assert!(
        built.is_file(),
        "{} does not exist. Build it with `npm --prefix ui run build && cargo build -p cwts-ultra-panel` in the same \
         profile and target folder, or name one in {BINARY_VARIABLE}.",
        built.display()
    );
    built
}

/// The words of a command line that opens the panel of `home`.
pub(super) fn words(home: &Home, more: &[&str]) -> Vec<String> {
    let home = home.path().to_str().expect("a temporary folder has a plain name");
    ["--home", home].iter().chain(more).map(|&word| word.to_owned()).collect()
}

/// A running panel, with nobody at its window. Killed when it is dropped.
#[derive(Debug)]
pub struct Panel(Process);

impl Panel {
    /// Starts the panel of `home` with more arguments. Returns before it has a window.
    ///
    /// # Panics
    /// It was not built.
    pub fn launch(desktop: &Desktop, home: &Home, arguments: &[&str]) -> Self {
        let mut command = desktop.command(binary());
        command.args(words(home, arguments)).stdout(Stdio::null());
        Self(desktop.start_program("panel", &mut command))
    }

    pub(super) fn of(process: Process) -> Self {
        Self(process)
    }

    /// Whether it has not ended yet.
    ///
    /// # Panics
    /// The system does not tell.
    pub fn is_running(&mut self) -> bool {
        self.0.is_running()
    }

    /// Waits for its end, that of its web processes included. Returns the exit status; `None` after a signal.
    ///
    /// # Panics
    /// It does not end in time.
    pub async fn end(&mut self) -> Option<i32> {
        self.0.end().await.code()
    }

    /// What it has said on standard error.
    pub fn said(&self) -> String {
        self.0.said()
    }
}
