//! An installation as a person makes it: `scripts/install.sh`, in a home folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use crate::server::{Exit, finish};

/// A user's home folder, in which the programs that were built beside the tests are installed. Removed when dropped.
#[derive(Debug)]
pub struct Installation(TempDir);

impl Installation {
    /// Server and panel, as `scripts/install.sh` without options leaves them.
    ///
    /// # Panics
    /// They were not built, or cannot be installed.
    pub async fn complete() -> Self {
        Self::with(&[]).await
    }

    /// Without the panel.
    ///
    /// # Panics
    /// As for [`Installation::complete`].
    pub async fn headless() -> Self {
        Self::with(&["--headless"]).await
    }

    async fn with(options: &[&str]) -> Self {
        let installation = Self::none();
        let exit = installation.run(options).await;
        assert_eq!(exit.status, Some(0), "an installation in an empty home has nothing in its way: {exit:?}");
        installation
    }

    /// The home of a user who has installed nothing yet.
    ///
    /// # Panics
    /// The folder cannot be created.
    pub fn none() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// The user's home folder.
    pub fn user(&self) -> &Path {
        self.0.path()
    }

    /// `~/.local/cwts-ultra`, or a path in it.
    pub fn root(&self, path: &str) -> PathBuf {
        self.user().join(".local/cwts-ultra").join(path)
    }

    /// The text of a file of the installation; empty when there is none.
    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root(path)).unwrap_or_default()
    }

    /// Writes a file of the installation as an editor does, in place.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self, path: &str, text: &str) {
        fs::write(self.root(path), text).expect("the user may write the user's own files");
    }

    /// A program of this user, in an environment of nothing but `PATH` and `HOME`.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.user());
        command.current_dir(self.user()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }

    /// Runs `scripts/install.sh` with the programs that were built beside the tests.
    pub async fn run(&self, options: &[&str]) -> Exit {
        let mut command = self.installer();
        command.args(options);
        finish(command).await
    }

    /// `scripts/install.sh --no-build`, to which more options may be added.
    ///
    /// # Panics
    /// The test runs from an unusual place.
    pub fn installer(&self) -> Command {
        // target/PROFILE/deps/SUITE-HASH, and the programs in target/PROFILE.
        let suite = std::env::current_exe().expect("the path of the test executable");
        let profile = suite.ancestors().nth(2).expect("cargo's layout");
        let (target, name) = (profile.parent().expect("cargo's layout"), profile.file_name().expect("cargo's layout"));
        let mut command = self.command(scripts().join("install.sh"));
        command.arg("--no-build").env("CARGO_TARGET_DIR", target).env("CWTS_BUILD", name);
        command
    }
}

/// The folder of the repository's scripts.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("scripts")
}
