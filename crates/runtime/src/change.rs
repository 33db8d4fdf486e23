//! The port change as a transaction: bind, save, switch, drain. Any failure before the switch changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use cwts_config::{Edit, Key, Layer, Loaded, SaveLayer, Sources};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_net::{BindError, PrepareError, Prepared};
use cwts_ports::Availability;

use crate::conflict;
use crate::core::{Core, DRAIN_DEADLINE, plan};
use crate::instance::Instance;
use crate::snapshot::{PortChange, PortsEdit, SaveTarget};

impl Core {
    pub(crate) async fn set_ports(&mut self, instance: &Instance, edit: &PortsEdit) -> Result<(), Problem> {
        let loaded = self.loaded.as_ref().map_err(Clone::clone)?;
        let now = instance.shared().snapshot_revision();
        if edit.expected_revision != now {
            let message = format!("The ports changed meanwhile (revision {now}, not {}).", edit.expected_revision);
            return Err(Problem::new(ErrorCode::RevisionConflict, message).with_help("Look at them again and apply."));
        }
        let changes = validated(edit, loaded)?;
        let before = plan(loaded);
        let mut after = before.clone();
        for change in &changes {
            if let Some(address) = after.get_mut(&change.service) {
                address.set_port(change.port);
            }
        }
        reject_clashes(&after, &changes)?;
        let prepared = self.bind_new(&instance.shared().sources, &before, &after).await?;
        self.save(instance, edit.save, &changes).await?;
        self.switch(instance, prepared).await;
        self.tell(instance, &before, &changes);
        Ok(())
    }

    /// Binds the new sockets; while stopped, only checks that they could be bound.
    async fn bind_new(
        &self,
        sources: &Sources,
        before: &BTreeMap<Service, SocketAddr>,
        after: &BTreeMap<Service, SocketAddr>,
    ) -> Result<Option<Prepared<Service>>, Problem> {
        let failed = match &self.running {
            Some(running) => match running.listeners.prepare(after) {
                Ok(prepared) => return Ok(Some(prepared)),
                Err(failed) => failed,
            },
            None => match probe(before.clone(), after.clone()).await? {
                Some(failed) => failed,
                None => return Ok(None),
            },
        };
        let table = &self.loaded.as_ref().map_err(Clone::clone)?.port_table;
        Err(conflict::explain(failed, sources, after, table).await.problem().clone())
    }

    /// Writes the change where it is to be kept. Nothing was switched yet, so a failure leaves the world as it was.
    async fn save(&mut self, instance: &Instance, target: SaveTarget, changes: &[PortChange]) -> Result<(), Problem> {
        let layer = match target {
            SaveTarget::ThisRun => {
                self.set_for_this_run(changes);
                return Ok(());
            }
            SaveTarget::EnvFile => SaveLayer::EnvFile,
            SaveTarget::Toml => SaveLayer::Toml,
        };
        let edit = |change: &PortChange| Edit::set(Key::Port(change.service), change.port);
        let edits = changes.iter().map(edit).collect::<Result<Vec<_>, _>>()?;
        let expected = self.loaded.as_ref().map_err(Clone::clone)?.revision.clone();
        let sources = instance.shared().sources.clone();
        let saved = tokio::task::spawn_blocking(move || cwts_config::save(&sources, layer, &edits, &expected)).await;
        let saved = saved.map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()))??;
        self.adopt_saved(&saved.loaded, changes);
        Ok(())
    }

    /// Cannot fail: serves the new sockets and lets the old connections end behind the scenes.
    async fn switch(&mut self, instance: &Instance, prepared: Option<Prepared<Service>>) {
        if let (Some(running), Some(prepared)) = (&mut self.running, prepared) {
            let drain = running.listeners.commit(prepared).await;
            instance.tokio().spawn(drain.within(DRAIN_DEADLINE));
        }
        self.clear_problem();
        self.publish(instance);
    }

    fn tell(&self, instance: &Instance, before: &BTreeMap<Service, SocketAddr>, changes: &[PortChange]) {
        let verb = if self.running.is_some() { "moved" } else { "set" };
        for change in changes {
            let from = before.get(&change.service).map_or(0, SocketAddr::port);
            instance.record(format!("{} {verb} from {from} to {}", change.service, change.port));
        }
    }
}

/// The first new address that could not be bound at this moment.
async fn probe(
    before: BTreeMap<Service, SocketAddr>,
    after: BTreeMap<Service, SocketAddr>,
) -> Result<Option<PrepareError<Service>>, Problem> {
    let probed = tokio::task::spawn_blocking(move || {
        let new = after.into_iter().filter(|(service, address)| before.get(service) != Some(address));
        new.into_iter().find_map(|(key, address)| {
            let error = match cwts_ports::availability(address) {
                Availability::Free { .. } => return None,
                Availability::Taken { .. } => BindError::InUse { address },
                Availability::Denied { .. } => BindError::Denied { address },
                Availability::AddressUnavailable => BindError::AddressUnavailable { address },
            };
            Some(PrepareError { key, error })
        })
    });
    probed.await.map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()))
}

/// The changes that change something, or why the edit cannot be.
fn validated(edit: &PortsEdit, loaded: &Loaded) -> Result<Vec<PortChange>, Problem> {
    let mut seen = BTreeSet::new();
    let mut changes = Vec::new();
    for change in &edit.ports {
        let (service, port) = (change.service, change.port);
        if !seen.insert(service) {
            let message = format!("{service} is named twice in one change.");
            return Err(Problem::new(ErrorCode::InvalidInput, message).at(service.id()));
        }
        if port == 0 {
            let problem = Problem::new(ErrorCode::InvalidInput, "0 is no port.").at(service.id());
            return Err(problem.with_help("Use 1 to 65535."));
        }
        reject_shadowed(edit.save, loaded, service)?;
        changes.push(*change);
    }
    if changes.is_empty() {
        return Err(Problem::new(ErrorCode::InvalidInput, "The change names no service."));
    }
    Ok(changes)
}

/// Refuses to write where a stronger layer would hide what was written.
fn reject_shadowed(target: SaveTarget, loaded: &Loaded, service: Service) -> Result<(), Problem> {
    let setting = loaded.settings.port(service);
    let layers = std::iter::once(&setting.origin).chain(setting.shadowed.iter().map(|hidden| &hidden.origin));
    let target = match target {
        SaveTarget::ThisRun => return Ok(()),
        SaveTarget::EnvFile => Layer::EnvFile,
        SaveTarget::Toml => Layer::Toml,
    };
    // A port of this run only gives way to one that is saved.
    let stronger = layers.filter(|origin| origin.layer != Layer::ThisRun).find(|origin| origin.layer < target);
    let Some(origin) = stronger else { return Ok(()) };
    let variable = service.port_variable();
    let help = match origin.layer {
        Layer::Environment => format!("Unset {variable} and start again."),
        _ => "Save to ports.env, or remove the line there.".to_owned(),
    };
    let message = format!("{variable} is set by {origin}, which is stronger than the file to save to.");
    Err(Problem::new(ErrorCode::Shadowed, message).at(service.id()).with_help(help))
}

/// Two services on one port of overlapping addresses.
fn reject_clashes(after: &BTreeMap<Service, SocketAddr>, changes: &[PortChange]) -> Result<(), Problem> {
    for change in changes {
        let same = |(service, address): (&Service, &SocketAddr)| {
            (*service != change.service && address.port() == change.port).then_some(*service)
        };
        if let Some(other) = after.iter().find_map(same) {
            let message = format!("{} is {other} here.", change.port);
            let help = "Give each service a port of its own.";
            return Err(Problem::new(ErrorCode::InvalidInput, message).at(change.service.id()).with_help(help));
        }
    }
    Ok(())
}
