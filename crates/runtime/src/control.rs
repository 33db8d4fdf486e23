//! What the control plane shows beside the snapshot: the settings with their origin, the port table, the instances of the home.

use std::collections::BTreeMap;

use cwts_config::{Key, Sourced};
use cwts_domain::Problem;
use cwts_ports::ListenerRow;
use serde::Serialize;

use crate::instance::Instance;
use crate::lock::running_instances;

/// Every setting in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingsView {
    /// The revision to name with a change.
    pub revision: u64,
    /// By dotted name, for example `mcp.mcp_port`; values as text.
    pub settings: BTreeMap<&'static str, Sourced<String>>,
}

/// An instance of the home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstanceRow {
    /// Its id.
    pub id: String,
    /// The process that runs it; `None` while it is stopped.
    pub pid: Option<u32>,
    /// Whether it is the one that was asked.
    pub is_this: bool,
}

impl Instance {
    /// Every setting with where it came from and what it hides.
    ///
    /// # Errors
    /// The configuration is invalid.
    pub async fn settings(&self) -> Result<SettingsView, Problem> {
        let settings = self.settings_in_force().await?;
        let settings = Key::ALL.into_iter().map(|key| (key.id(), settings.get(key))).collect();
        Ok(SettingsView { revision: self.snapshot().revision, settings })
    }

    /// Every listening port of this computer, and who holds it.
    ///
    /// # Errors
    /// The system does not show its table.
    pub async fn port_table(&self) -> Result<Vec<ListenerRow>, Problem> {
        self.blocking(|| Ok(cwts_ports::system_table()?)).await
    }

    /// The instances of the home: those with a profile, and those that run on a file of their own.
    ///
    /// # Errors
    /// The services' runtime is ending.
    pub async fn neighbours(&self) -> Result<Vec<InstanceRow>, Problem> {
        let (home, own) = (self.shared().sources.home().to_owned(), self.id().to_owned());
        self.blocking(move || {
            let running = running_instances(&home).into_iter().map(|it| (it.id, Some(it.pid)));
            let stopped = cwts_config::profiles(&home).into_iter().map(|id| (id.to_string(), None));
            let all: BTreeMap<String, Option<u32>> = stopped.chain(running).collect();
            Ok(all.into_iter().map(|(id, pid)| InstanceRow { is_this: id == own, id, pid }).collect())
        })
        .await
    }
}
