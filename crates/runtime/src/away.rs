//! An address that this computer lacks, at a start or later: what is to be bound to it listens on loopback until it is
//! there, and never any further out.
//!
//! The kernel keeps a socket whose address is gone, and says nothing: without a look nobody would know why no client comes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cwts_config::{Edit, Key, Layer, Loaded, Sourced, Sources};
use cwts_domain::{Group, Problem, Service};
use cwts_net::interface_addresses;
use tokio::time::MissedTickBehavior;

use crate::change::blocking;
use crate::core::Core;
use crate::edit::{SaveTarget, SettingChange, SettingsEdit};
use crate::instance::{Instance, Shared};
use crate::operation::Operation;
use crate::snapshot::{Finding, FindingLevel, RunState, Snapshot};

const PERIOD: Duration = Duration::from_secs(1);

/// What a group of services listened on before its address left.
#[derive(Clone, Debug)]
pub(crate) struct Away {
    pub(crate) address: IpAddr,
    /// The address as a person had set it for this run, if so.
    this_run: Option<Edit>,
}

/// Looks every second, while an address could leave or come back, until the instance is gone.
pub(crate) async fn run(shared: Weak<Shared>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        let instance = Instance::of(Arc::clone(&shared));
        if !could_change(&instance.snapshot()) {
            continue;
        }
        // Where the system does not tell, nothing is known to have left.
        let Ok(Ok(present)) = blocking(interface_addresses).await else { continue };
        let present: Vec<IpAddr> = present.into_iter().map(|it| it.address).collect();
        if differs(&instance.snapshot(), &present)
            && let Err(problem) = instance.run(Operation::FollowAddresses(present)).await
        {
            tracing::debug!(%problem, "the addresses of this computer could not be followed");
        }
    }
}

/// Addresses that only some computers have.
fn can_leave(address: IpAddr) -> bool {
    let address = address.to_canonical();
    !address.is_loopback() && !address.is_unspecified()
}

fn has_left(address: IpAddr, present: &[IpAddr]) -> bool {
    can_leave(address) && !present.contains(&address) && !present.contains(&address.to_canonical())
}

/// Whether somebody has chosen another address since `away` left.
fn is_chosen_anew(setting: &Sourced<IpAddr>, away: IpAddr) -> bool {
    setting.value != away && (setting.origin.layer != Layer::ThisRun || can_leave(setting.value))
}

/// What the files say by now, below the loopback that stands in for `away`.
fn in_files(setting: &Sourced<IpAddr>, away: IpAddr) -> IpAddr {
    let is_stand_in = setting.origin.layer == Layer::ThisRun && setting.value != away;
    setting.shadowed.first().filter(|_| is_stand_in).map_or(away, |hidden| hidden.value)
}

fn loopback(like: IpAddr) -> IpAddr {
    match like.to_canonical() {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// One sentence for each group of services that waits for its address.
pub fn missing_addresses(snapshot: &Snapshot) -> Vec<String> {
    let groups = [(Service::McpWebsocket, "MCP"), (Service::Prometheus, "Monitoring")];
    let waiting = groups.into_iter().filter_map(|(service, name)| {
        let away = snapshot.security.away(service.group())?;
        let now = snapshot.services.iter().find(|entry| entry.service == service)?.address.value;
        Some(format!("{away} is not on this computer: {name} listens on {now} until it is."))
    });
    waiting.collect()
}

/// The bound address of each service, and the one that it waits for.
fn addresses(snapshot: &Snapshot) -> impl Iterator<Item = (&Sourced<IpAddr>, Option<IpAddr>)> {
    snapshot.services.iter().map(|entry| (&entry.address, snapshot.security.away(entry.service.group())))
}

fn could_change(snapshot: &Snapshot) -> bool {
    let here = snapshot.state == RunState::Running && snapshot.elsewhere.is_none();
    here && addresses(snapshot).any(|(setting, away)| away.is_some() || can_leave(setting.value))
}

fn differs(snapshot: &Snapshot, present: &[IpAddr]) -> bool {
    addresses(snapshot).any(|(setting, away)| match away {
        Some(away) => !has_left(away, present) || is_chosen_anew(setting, away) || in_files(setting, away) != away,
        None => has_left(setting.value, present),
    })
}

/// What a person is told while addresses are away.
pub(crate) fn findings(loaded: &Loaded, away: &BTreeMap<Group, Away>) -> impl Iterator<Item = Finding> {
    away.iter().map(|(group, away)| {
        let now = loaded.settings.bind_addr(*group).value;
        let name = match group {
            Group::Mcp => "MCP",
            Group::Monitoring => "Monitoring",
        };
        let detail = match now == away.address {
            true => format!("{name} is bound to it, and nobody reaches it there. Loopback could not be had instead."),
            false => format!("{name} listens on {now} until it is there."),
        };
        Finding { level: FindingLevel::Attention, title: format!("{} is not on this computer", away.address), detail }
    })
}

impl Core {
    /// At a start: what is to be bound to an address that this computer lacks listens on loopback.
    pub(crate) async fn stand_in(&mut self, instance: &Instance) {
        // Where the system does not tell, the bind will.
        let Ok(Ok(present)) = blocking(interface_addresses).await else { return };
        let present: Vec<IpAddr> = present.into_iter().map(|it| it.address).collect();
        let Ok(loaded) = &self.loaded else { return };
        for group in [Group::Mcp, Group::Monitoring] {
            let (key, address) = (Key::BindAddr(group), loaded.settings.bind_addr(group).value);
            let Ok(edit) = Edit::set(key, loopback(address)) else { continue };
            if has_left(address, &present) {
                self.away.insert(group, Away { address, this_run: self.this_run.insert(key, edit) });
            }
        }
        if self.away.is_empty() {
            return;
        }
        let sources = &instance.shared().sources;
        self.reload(sources);
        if self.loaded.is_err() {
            // On loopback two services would share a port.
            self.end_stand_in(sources);
        }
    }

    /// The start failed: what was chosen for this run counts again.
    pub(crate) fn end_stand_in(&mut self, sources: &Sources) {
        for (group, away) in std::mem::take(&mut self.away) {
            self.this_run.remove(&Key::BindAddr(group));
            self.this_run.extend(away.this_run.map(|edit| (Key::BindAddr(group), edit)));
        }
        self.reload(sources);
    }

    /// Moves what listens on an address that left to loopback, and back where it is there again.
    ///
    /// # Errors
    /// A move failed; what is served stays.
    pub(crate) async fn follow_addresses(&mut self, instance: &Instance, present: &[IpAddr]) -> Result<(), Problem> {
        for group in [Group::Mcp, Group::Monitoring] {
            let Ok(loaded) = &self.loaded else { return Ok(()) };
            let setting = loaded.settings.bind_addr(group);
            let bound = setting.value;
            if let Some(away) = self.away.get_mut(&group).filter(|away| away.this_run.is_none()) {
                let chosen = in_files(setting, away.address);
                if chosen != away.address {
                    away.address = chosen;
                    self.publish(instance);
                }
            }
            let Ok(loaded) = &self.loaded else { return Ok(()) };
            let setting = loaded.settings.bind_addr(group);
            match self.away.get(&group).cloned() {
                Some(away) if is_chosen_anew(setting, away.address) => {
                    self.away.remove(&group);
                    self.publish(instance);
                }
                Some(away) if !has_left(away.address, present) => self.come_back(instance, group, away, bound).await?,
                None if has_left(bound, present) => self.leave(instance, group, bound).await?,
                _ => {}
            }
        }
        Ok(())
    }

    async fn leave(&mut self, instance: &Instance, group: Group, address: IpAddr) -> Result<(), Problem> {
        let key = Key::BindAddr(group);
        // Before the move, so that no picture shows the one without the other.
        self.away.insert(group, Away { address, this_run: self.this_run.get(&key).cloned() });
        instance.record(format!("{address} has left this computer"));
        let moved = self.for_this_run(instance, SettingChange::set(key, loopback(address))).await;
        if moved.is_err() {
            // Said, and tried again only after the address was back: the loopback port is somebody else's.
            self.publish(instance);
        }
        moved
    }

    async fn come_back(&mut self, instance: &Instance, group: Group, away: Away, bound: IpAddr) -> Result<(), Problem> {
        let key = Key::BindAddr(group);
        self.away.remove(&group);
        if bound == away.address {
            // It was never given up, because loopback could not be had.
            self.publish(instance);
            return Ok(());
        }
        let change = match away.this_run.as_ref().and_then(Edit::value) {
            Some(value) => SettingChange::set(key, value),
            None => SettingChange::remove(key),
        };
        let moved = self.for_this_run(instance, change).await;
        match moved {
            Ok(()) => instance.record(format!("{} is back", away.address)),
            // It may be there a moment before it can be bound (RFC 4862 section 5.4): tried again.
            Err(_) => drop(self.away.insert(group, away)),
        }
        moved
    }

    async fn for_this_run(&mut self, instance: &Instance, change: SettingChange) -> Result<(), Problem> {
        let expected_revision = instance.shared().snapshot_revision();
        self.change(instance, &SettingsEdit { expected_revision, changes: vec![change], save: SaveTarget::ThisRun })
            .await
    }
}
