//! Where a value came from, and what it hides.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The layers of the configuration, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Set by a person for as long as the services run; stands in no file.
    ThisRun,
    /// A variable of the process environment. Cannot be edited from inside.
    Environment,
    /// `ports.env`.
    EnvFile,
    /// `production.toml`, or the file given with `--config`.
    Toml,
    /// `ports.conf`.
    PortTable,
    /// The value that the program brings along.
    BuiltIn,
}

/// The exact place of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Origin {
    /// The layer.
    pub layer: Layer,
    /// The file, for the layers that are files.
    pub file: Option<PathBuf>,
    /// Line in the file, counted from 1.
    pub line: Option<u32>,
    /// The environment variable, for the environment and ports.env.
    pub variable: Option<String>,
}

/// A setting with the layer that won and those that it hides, strongest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sourced<T> {
    /// The value in force.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
    /// Values of weaker layers that differ in place, not necessarily in value.
    pub shadowed: Vec<Shadowed<T>>,
}

/// A value that a stronger layer hides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shadowed<T> {
    /// The hidden value.
    pub value: T,
    /// Where it stands.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A value that no layer sets.
    pub fn built_in(value: T) -> Self {
        Self { value, origin: Origin::built_in(), shadowed: Vec::new() }
    }

    /// Puts a value of this run over what the layers say, in place of an earlier one; `None` takes that away.
    pub(crate) fn set_for_this_run(&mut self, value: Option<T>) {
        if self.origin.layer == Layer::ThisRun && !self.shadowed.is_empty() {
            let Shadowed { value, origin } = self.shadowed.remove(0);
            (self.value, self.origin) = (value, origin);
        }
        if let Some(value) = value {
            let value = std::mem::replace(&mut self.value, value);
            let origin = std::mem::replace(&mut self.origin, Origin::this_run());
            self.shadowed.insert(0, Shadowed { value, origin });
        }
    }
}

impl Origin {
    /// The program's own default.
    pub fn built_in() -> Self {
        Self::of(Layer::BuiltIn)
    }

    /// Set by a person for as long as the services run.
    pub fn this_run() -> Self {
        Self::of(Layer::ThisRun)
    }

    /// What an edit asks for; stands in no file yet.
    pub(crate) fn edit(layer: Layer) -> Self {
        Self::of(layer)
    }

    /// Whether an edit asks for the value, which stands in no file yet.
    pub(crate) fn is_edit(&self) -> bool {
        matches!(self.layer, Layer::EnvFile | Layer::Toml) && self.file.is_none()
    }

    fn of(layer: Layer) -> Self {
        Self { layer, file: None, line: None, variable: None }
    }
}

impl fmt::Display for Origin {
    /// `MCP_SERVER_PORT in the environment`, `/path/ports.env:3`, or `built-in default`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line, &self.variable) {
            (Some(file), Some(line), _) => write!(f, "{}:{line}", file.display()),
            (Some(file), None, _) => write!(f, "{}", file.display()),
            (None, ..) if self.is_edit() => f.write_str("this change"),
            (None, _, Some(variable)) => write!(f, "{variable} in the environment"),
            (None, _, None) if self.layer == Layer::ThisRun => f.write_str("this run"),
            (None, _, None) => f.write_str("built-in default"),
        }
    }
}
