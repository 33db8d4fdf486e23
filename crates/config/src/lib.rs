//! Settings in layers with their origin; edits that keep comments; atomic save.
//!
//! Strength: process environment, `ports.env`, `production.toml` (or the file given as `--config`), `ports.conf`,
//! built-in. [`load`] gives the value of every setting with its origin and the weaker values that it hides. [`save`]
//! changes only what an [`Edit`] names.
//!
//! Binds no socket and starts nothing; whether a port is free is not known here.

mod choice;
mod concern;
mod edit;
mod env_file;
mod environment;
mod error;
mod file;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod host_names;
mod key;
mod load;
mod origin;
mod port_table;
mod profile;
mod restore;
mod save;
mod settings;
mod sources;
mod text;
mod toml_file;
mod toml_text;
mod value;
mod watch;

pub use choice::{AuthMode, LogLevel, TlsMode};
pub use concern::{PortConcern, Warning, is_browser_blocked, port_concern};
pub use edit::{Edit, SaveLayer};
pub use environment::{Environment, HOME_VARIABLE, INSTANCE_VARIABLE};
pub use error::ConfigError;
pub use host_names::{HostNames, NoHostNames};
pub use key::Key;
pub use load::{Loaded, Revision, load};
pub use origin::{Layer, Origin, Shadowed, Sourced};
pub use port_table::{PortTable, ServicePorts};
pub use profile::{
    NewProfile, PortUse, ProfileError, create_profile, data_bytes, furnish, profile_ports, profiles, remove_profile,
};
pub use restore::{Restorable, Restored, keep_good_copies, restorable, restore};
pub use save::{Saved, preview, save, save_with};
pub use settings::Settings;
pub use sources::{InstanceId, Sources};
pub use watch::Watch;
