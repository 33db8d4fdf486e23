//! A home folder of its own for each test.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::ports::Ports;
use crate::token::write_tokens;

/// A temporary home with the configuration that a test writes. Removed when it is dropped.
#[derive(Debug)]
pub struct Home(TempDir);

impl Default for Home {
    fn default() -> Self {
        Self::empty()
    }
}

impl Home {
    /// A home with an empty config folder and the tokens of the suites.
    ///
    /// # Panics
    /// The folder cannot be created.
    pub fn empty() -> Self {
        let home = Self::untouched();
        write_tokens(home.path(), "default");
        home
    }

    /// A home with an empty config folder and nothing else, as a new user has it.
    ///
    /// # Panics
    /// The folder cannot be created.
    pub fn untouched() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("config")).expect("a config folder");
        Self(folder)
    }

    /// A home whose `production.toml` sets the ports.
    ///
    /// # Panics
    /// The files cannot be written.
    pub fn with(ports: &Ports) -> Self {
        let home = Self::empty();
        home.write_toml(&ports.toml());
        home
    }

    /// The same, with a `ports.conf` of its own, so that tests at the same moment are not offered the same ports.
    ///
    /// # Panics
    /// The files cannot be written.
    pub fn apart(ports: &Ports) -> Self {
        let home = Self::with(ports);
        home.write_table(&Ports::free());
        home
    }

    /// Writes a `ports.conf` with these ports as defaults.
    ///
    /// # Panics
    /// The file cannot be written.
    pub fn write_table(&self, ports: &Ports) {
        fs::write(self.0.path().join("config/ports.conf"), ports.table()).expect("a writable home");
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// `config/production.toml`.
    pub fn toml_file(&self) -> PathBuf {
        self.path().join("config/production.toml")
    }

    /// `config/ports.env`.
    pub fn env_file(&self) -> PathBuf {
        self.path().join("config/ports.env")
    }

    /// Writes `config/production.toml`.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write_toml(&self, text: &str) {
        fs::write(self.toml_file(), text).expect("production.toml is writable");
    }

    /// Writes `config/ports.env`.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write_env(&self, text: &str) {
        fs::write(self.env_file(), text).expect("ports.env is writable");
    }

    /// The text of `config/production.toml`; empty when there is none.
    pub fn toml(&self) -> String {
        fs::read_to_string(self.toml_file()).unwrap_or_default()
    }

    /// The text of `config/ports.env`; empty when there is none.
    pub fn env(&self) -> String {
        fs::read_to_string(self.env_file()).unwrap_or_default()
    }
}
