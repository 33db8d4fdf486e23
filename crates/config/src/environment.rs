//! The variables of the process environment, captured once.
//!
//! Nothing else in this crate looks at the process environment, so a test brings its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::{ConfigError, InstanceId};

/// The variable that names the home folder.
pub const HOME_VARIABLE: &str = "CWTS_HOME";
/// The variable that names the instance.
pub const INSTANCE_VARIABLE: &str = "CWTS_INSTANCE_ID";

/// Environment variables. An empty one counts as unset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// What the process was started with.
    pub fn from_process() -> Self {
        std::env::vars_os().collect()
    }

    /// No variable at all.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The value of a variable; `None` when it is unset or empty.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The home folder: `CWTS_HOME`, else `~/.local/cwts-ultra`.
    ///
    /// # Errors
    /// Neither `CWTS_HOME` nor `HOME` is set.
    pub fn home_folder(&self) -> Result<PathBuf, ConfigError> {
        if let Some(home) = self.get(HOME_VARIABLE) {
            return Ok(home.into());
        }
        let user = self.get("HOME").ok_or(ConfigError::NoHome)?;
        Ok(PathBuf::from(user).join(".local/cwts-ultra"))
    }

    /// The instance that `CWTS_INSTANCE_ID` names, else `default`.
    ///
    /// # Errors
    /// The variable holds no instance id.
    pub fn instance(&self) -> Result<InstanceId, ConfigError> {
        self.get(INSTANCE_VARIABLE).map_or_else(|| Ok(InstanceId::default()), |id| id.to_string_lossy().parse())
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<K: Into<OsString>, V: Into<OsString>, const N: usize> From<[(K, V); N]> for Environment {
    fn from(variables: [(K, V); N]) -> Self {
        variables.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_is_named_or_lies_below_the_users() {
        let named = Environment::from([("CWTS_HOME", "/srv/cwts"), ("HOME", "/home/alice")]);
        assert_eq!(named.home_folder().unwrap(), PathBuf::from("/srv/cwts"), "CWTS_HOME decides");
        let unnamed = Environment::from([("CWTS_HOME", ""), ("HOME", "/home/alice")]);
        let expected = PathBuf::from("/home/alice/.local/cwts-ultra");
        assert_eq!(unnamed.home_folder().unwrap(), expected, "an empty variable counts as unset");
        let message = Environment::empty().home_folder().unwrap_err().to_string();
        assert!(message.contains("CWTS_HOME"), "without a home the message must name the way out: {message}");
    }

    #[test]
    fn the_instance_is_default_until_the_variable_names_another() {
        assert_eq!(Environment::empty().instance().unwrap(), InstanceId::default(), "unset means default");
        let other = Environment::from([("CWTS_INSTANCE_ID", "2")]);
        assert_eq!(other.instance().unwrap().as_str(), "2", "the guide names instances by number");
        let bad = Environment::from([("CWTS_INSTANCE_ID", "../x")]);
        assert!(bad.instance().is_err(), "an id becomes a file name and must not leave the folder");
    }
}
