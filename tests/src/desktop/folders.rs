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
