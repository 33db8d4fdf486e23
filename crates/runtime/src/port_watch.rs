//! The system's port table for a window that shows it: everything first, then news only.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use cwts_domain::{Problem, Service};
use cwts_ports::{ListenerRow, Watcher, changes};
use serde::Serialize;

use crate::lock::running_instances;
use crate::supervisor::Supervisor;

/// What a watch has to say.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum PortNews {
    /// The whole table.
    Rows(Vec<ListenerRow>),
    /// What has changed in it since.
    Changed {
        /// Rows that are no longer there.
        gone: Vec<ListenerRow>,
        /// Rows that are new, or have another holder.
        come: Vec<ListenerRow>,
    },
    /// The table cannot be read, from now on.
    Problem(Problem),
}

/// A port of ours: the process that serves it, and what it is, for example `MCP WebSocket, default`.
type Labels = BTreeMap<SocketAddr, (u32, String)>;

/// Follows the table from one look to the next. A look without news takes a fraction of a millisecond, and news are told
/// as what has changed: a table may have ten thousand rows.
pub struct PortWatch {
    supervisor: Supervisor,
    watcher: Watcher,
    labels: Labels,
    problem: Option<Problem>,
    /// What was told; `None` before the first look and after a problem.
    told: Option<Vec<ListenerRow>>,
}

impl PortWatch {
    /// A watch that has not looked yet.
    pub fn new(supervisor: Supervisor) -> Self {
        Self { supervisor, watcher: Watcher::default(), labels: Labels::new(), problem: None, told: None }
    }

    /// What has changed since the last look; everything at the first one. Blocks for milliseconds.
    pub fn look(&mut self) -> Option<PortNews> {
        let polled = self.watcher.poll().map_err(Problem::from);
        let labels = labels(&self.supervisor);
        let relabelled = labels != self.labels;
        self.labels = labels;
        match polled {
            Ok(changed) => {
                self.problem = None;
                if !changed && !relabelled && self.told.is_some() {
                    return None;
                }
                let rows = self.rows();
                let before = self.told.replace(rows.clone());
                let Some(before) = before else { return Some(PortNews::Rows(rows)) };
                let (gone, come) = changes(&before, &rows);
                let owned = |rows: Vec<&ListenerRow>| rows.into_iter().cloned().collect::<Vec<_>>();
                let (gone, come) = (owned(gone), owned(come));
                (!gone.is_empty() || !come.is_empty()).then_some(PortNews::Changed { gone, come })
            }
            Err(problem) => {
                self.told = None;
                let known = self.problem.replace(problem.clone()) == Some(problem.clone());
                (!known).then_some(PortNews::Problem(problem))
            }
        }
    }

    /// The table, with ours named after their service and instance.
    fn rows(&self) -> Vec<ListenerRow> {
        let mut rows = self.watcher.rows().to_vec();
        for row in &mut rows {
            if let Some((pid, label)) = self.labels.get(&row.holder.address)
                && row.holder.pid == Some(*pid)
            {
                row.ours = true;
                row.description = Some(label.clone());
            }
        }
        rows
    }
}

/// The ports of every instance of the home that runs, in this process or in another one.
fn labels(supervisor: &Supervisor) -> Labels {
    let mut labels = Labels::new();
    let mut label = |id: &str, pid, service, address| labels.insert(address, (pid, format!("{service}, {id}")));
    // In a home that cannot be written no lock tells of those that this process runs.
    for instance in supervisor.instances().iter().filter(|it| it.shared().is_running()) {
        for service in Service::ALL {
            if let Some(address) = instance.address(service) {
                label(instance.id(), std::process::id(), service, address);
            }
        }
    }
    for running in running_instances(supervisor.home()) {
        for (service, address) in running.addresses {
            label(&running.id, running.pid, service, address);
        }
    }
    labels
}
