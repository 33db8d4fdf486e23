//! The folders of a user who has just logged in for the first time.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// What the desktop prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

impl Look {
    /// For file names and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Home, configuration, data, cache and runtime folder. Removed when dropped.
#[derive(Debug)]
pub(super) struct Folders(TempDir);

impl Folders {
    pub(super) fn new(look: Look) -> Self {
        let folders = Self(tempfile::tempdir().expect("a temporary folder"));
        for (_, folder) in folders.variables() {
            fs::create_dir_all(&folder).expect("a folder of the user");
            // The runtime folder must be its owner's alone (XDG Base Directory Specification).
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("a folder of one's own");
        }
        folders.write_opener();
        let gtk = folders.path().join("config/gtk-3.0");
        fs::create_dir(&gtk).expect("a folder for GTK");
        let dark = u8::from(look == Look::Dark);
        let settings = format!("[Settings]\ngtk-application-prefer-dark-theme={dark}\n");
        fs::write(gtk.join("settings.ini"), settings).expect("GTK's settings are writable");
        folders
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// In place of the file manager: notes what it is asked to open.
    fn write_opener(&self) {
        let (opener, noted) = (self.programs().join("xdg-open"), self.noted().display().to_string());
        let script = format!("#!/bin/sh\nprintf '%s' \"$1\" > '{noted}.new' && mv '{noted}.new' '{noted}'\n");
        fs::create_dir(self.programs()).expect("a folder for programs");
        fs::write(&opener, script).expect("a program");
        fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).expect("a program that runs");
    }

    /// Programs that stand before those of the system.
    pub(super) fn programs(&self) -> PathBuf {
        self.path().join("bin")
    }

    fn noted(&self) -> PathBuf {
        self.path().join("opened")
    }

    /// What the file manager was last asked to open.
    pub(super) fn opened(&self) -> Option<PathBuf> {
        fs::read_to_string(self.noted()).ok().map(PathBuf::from)
    }

    /// The variables that name the folders.
    pub(super) fn variables(&self) -> [(&'static str, PathBuf); 6] {
        [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
        ]
        .map(|(name, folder)| (name, self.path().join(folder)))
    }
}
