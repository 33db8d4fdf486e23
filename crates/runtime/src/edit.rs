//! A change of settings as a person asks for it.

use cwts_config::{Edit, Key, SaveLayer};
use cwts_domain::Problem;
use serde::{Deserialize, Serialize};

/// Where a change is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SaveTarget {
    /// Until the services stop.
    ThisRun,
    /// `ports.env`.
    EnvFile,
    /// `production.toml`.
    Toml,
}

/// Any settings at once: all of them change, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingsEdit {
    /// The revision that the person was looking at.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub expected_revision: u64,
    /// What changes; each setting once.
    pub changes: Vec<SettingChange>,
    /// Where to keep it.
    pub save: SaveTarget,
}

/// The new value of one setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingChange {
    /// The setting, for example `mcp.mcp_port`.
    pub key: String,
    /// The value as text; `None` takes the setting out, so that the next weaker layer decides.
    pub value: Option<String>,
}

impl SettingChange {
    /// Sets a setting.
    pub fn set(key: Key, value: impl ToString) -> Self {
        Self { key: key.id().to_owned(), value: Some(value.to_string()) }
    }

    /// Takes a setting out.
    pub fn remove(key: Key) -> Self {
        Self { key: key.id().to_owned(), value: None }
    }

    /// # Errors
    /// There is no such setting, or the value is not allowed for it.
    pub(crate) fn parse(&self) -> Result<Edit, Problem> {
        let key = self.key.parse::<Key>().map_err(|error| Problem::from(error).at(self.key.clone()))?;
        let edit = self.value.as_ref().map_or_else(|| Ok(Edit::remove(key)), |value| Edit::set(key, value));
        edit.map_err(|error| Problem::from(error).at(field(key)))
    }
}

impl SaveTarget {
    /// The file; `None` for this run.
    pub(crate) fn layer(self) -> Option<SaveLayer> {
        match self {
            Self::ThisRun => None,
            Self::EnvFile => Some(SaveLayer::EnvFile),
            Self::Toml => Some(SaveLayer::Toml),
        }
    }
}

/// The form field of a setting: a port belongs to its service.
pub(crate) fn field(key: Key) -> &'static str {
    match key {
        Key::Port(service) => service.id(),
        _ => key.id(),
    }
}
