//! A change of one setting, as it goes into a file.

use std::fmt;

use crate::value::RawValue;
use crate::{ConfigError, Key, Layer};

/// The layers that can be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SaveLayer {
    /// `ports.env`.
    EnvFile,
    /// `production.toml`, or the file given as `--config`.
    Toml,
}

impl SaveLayer {
    /// Both, the stronger first.
    pub const ALL: [Self; 2] = [Self::EnvFile, Self::Toml];

    /// The layer as origins name it.
    pub(crate) fn layer(self) -> Layer {
        match self {
            Self::EnvFile => Layer::EnvFile,
            Self::Toml => Layer::Toml,
        }
    }
}

/// A change of one setting in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub(crate) key: Key,
    /// The canonical spelling; `None` takes the setting out of the file.
    pub(crate) value: Option<String>,
}

impl Edit {
    /// Sets the setting to a value, typed or as a person wrote it.
    ///
    /// # Errors
    /// The value is not allowed for this setting.
    pub fn set(key: Key, value: impl fmt::Display) -> Result<Self, ConfigError> {
        let text = value.to_string();
        match RawValue::untyped(&text).canonical(key) {
            Some(value) => Ok(Self { key, value: Some(value) }),
            None => Err(ConfigError::InvalidEdit { key, found: text }),
        }
    }

    /// Takes the setting out of the file, so that the next weaker layer decides.
    pub fn remove(key: Key) -> Self {
        Self { key, value: None }
    }

    /// The new value in its canonical spelling; `None` where the setting is taken out.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// The setting that is changed.
    pub fn key(&self) -> Key {
        self.key
    }
}

#[cfg(test)]
mod tests {
    use cwts_domain::Service;

    use super::*;

    #[test]
    fn an_edit_takes_only_what_may_be_loaded_again() {
        let key = Key::Port(Service::McpWebsocket);
        assert_eq!(Edit::set(key, " 5010 ").unwrap(), Edit::set(key, 5010).unwrap(), "text and number mean the same");
        let message = Edit::set(key, 0).unwrap_err().to_string();
        assert!(message.contains("from 1 to 65535"), "a form must be told the range: {message}");
    }
}
