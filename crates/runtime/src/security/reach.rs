//! A change of the addresses that services are bound to, with what other computers need before they are served.

use std::net::IpAddr;

use cwts_config::{AuthMode, Key, Layer, Settings, TlsMode};
use cwts_credentials::{Imported, TlsBackup};
use cwts_domain::{Group, Problem};
use rustls_pki_types::ServerName;
use serde::Deserialize;

use crate::audit::{Actor, AuditEntry};
use crate::change::blocking;
use crate::core::Core;
use crate::edit::{SaveTarget, SettingChange, SettingsEdit};
use crate::instance::Instance;
use crate::names::server_names;
use crate::operation::Operation;
use crate::rules;
use crate::snapshot::Snapshot;

/// How far the services are to reach.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct ReachEdit {
    /// The revision that the person was looking at.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub expected_revision: u64,
    /// The new address of the WebSocket and the HTTP API; `null` keeps it.
    #[cfg_attr(feature = "wire", ts(type = "string | null"))]
    pub mcp: Option<IpAddr>,
    /// The new address of metrics and health; `null` keeps it.
    #[cfg_attr(feature = "wire", ts(type = "string | null"))]
    pub monitoring: Option<IpAddr>,
    /// The names that clients may use, separated by commas, as `security.allowed_hosts` takes them; `null` keeps them.
    pub allowed_hosts: Option<String>,
    /// Whether what other computers need is made and turned on as well: a certificate, TLS and the token.
    pub protect: bool,
    /// Further names that clients use for this computer, for a certificate that is made.
    pub names: Vec<String>,
}

impl Instance {
    /// Changes how far the services reach. What protects them comes first, so that nobody is served without it.
    ///
    /// # Errors
    /// As [`Instance::change`], or no certificate could be made. Nothing has changed then.
    pub async fn set_reach(&self, edit: ReachEdit) -> Result<Snapshot, Problem> {
        self.refuse_elsewhere()?;
        self.run(Operation::Reach(edit)).await
    }
}

impl Core {
    /// As [`Instance::set_reach`].
    pub(crate) async fn set_reach(&mut self, instance: &Instance, edit: &ReachEdit) -> Result<(), Problem> {
        let before = self.loaded.as_ref().map_err(Clone::clone)?.clone();
        rules::refuse_outdated(edit.expected_revision, instance.shared().snapshot_revision())?;
        let parts = changes(&before.settings, edit).into_iter().map(|(save, changes)| {
            let edit = SettingsEdit { expected_revision: edit.expected_revision, changes, save };
            Ok((save, rules::validated(&edit, &before.settings)?))
        });
        let parts = parts.collect::<Result<Vec<_>, Problem>>()?;
        let made = match edit.protect {
            true => {
                let (after, names, instance) = (foreseen(&before.settings, edit), edit.names.clone(), instance.clone());
                blocking(move || certify(&instance, &after, &names)).await??
            }
            false => None,
        };
        let (backup, entry) = made.map(|made| (made.before, made.entry)).unzip();
        let changed = match parts.is_empty() {
            true => {
                entry.into_iter().for_each(|entry| instance.audit(entry));
                Ok(())
            }
            false => self.change_files(instance, before, parts, entry).await,
        };
        match (changed, backup) {
            (Ok(()), Some(_)) => {
                instance.record("Certificate made");
                Ok(())
            }
            (Err(problem), Some(backup)) => {
                let store = instance.tls_store();
                match blocking(move || store.restore(backup)).await? {
                    Ok(()) => Err(problem),
                    Err(second) => {
                        let message = format!("{} The certificate that was made stays: {second}.", problem.message);
                        Err(Problem { message, ..problem })
                    }
                }
            }
            (changed, None) => changed,
        }
    }
}

/// A certificate that was made for a change.
struct NewCertificate {
    /// What was there before, in case the change fails.
    before: TlsBackup,
    /// What the trail is told when it does not.
    entry: AuditEntry,
}

/// The settings with the addresses that are wanted.
fn foreseen(settings: &Settings, edit: &ReachEdit) -> Settings {
    let mut after = settings.clone();
    let allowed = edit.allowed_hosts.as_ref().and_then(|names| names.parse().ok());
    after.allowed_hosts.value = allowed.unwrap_or(after.allowed_hosts.value);
    after.mcp_bind_addr.value = edit.mcp.unwrap_or(after.mcp_bind_addr.value);
    after.monitoring_bind_addr.value = edit.monitoring.unwrap_or(after.monitoring_bind_addr.value);
    after
}

/// Makes a certificate where there is none that is valid for the addresses. One that was imported stays: whoever brought
/// it knows by which name clients come.
fn certify(instance: &Instance, after: &Settings, names: &[String]) -> Result<Option<NewCertificate>, Problem> {
    let (store, now) = (instance.tls_store(), instance.clock().now());
    let wanted = server_names(after, names)?;
    let chosen = names.iter().filter_map(|name| ServerName::try_from(name.as_str()).ok());
    let addresses = [Group::Mcp, Group::Monitoring].map(|group| after.bind_addr(group).value.to_canonical());
    let needed: Vec<ServerName<'_>> = match addresses.iter().any(IpAddr::is_unspecified) {
        true => wanted.clone(),
        false => addresses.into_iter().map(ServerName::from).chain(chosen).collect(),
    };
    if let Some(found) = store.load()? {
        let fits = found.info.days_left(now) >= 0 && needed.iter().all(|name| found.info.covers(name));
        if fits || found.authority.is_none() {
            return Ok(None);
        }
    }
    let (fingerprint, before) = (store.fingerprint(), store.backup()?);
    let made = store.make(instance.id(), &wanted, now, Imported::Keep)?;
    let entry = AuditEntry::certificate_made(Actor::Panel, fingerprint, &made.certificate.info);
    Ok(Some(NewCertificate { before, entry }))
}

/// What is saved where: each setting in the layer that decides it, so that nothing is shadowed. TLS and the token first.
fn changes(settings: &Settings, edit: &ReachEdit) -> Vec<(SaveTarget, Vec<SettingChange>)> {
    let mut toml = Vec::new();
    if edit.protect && settings.tls.value == TlsMode::Off {
        toml.push(SettingChange::set(Key::Tls, TlsMode::On));
    }
    if edit.protect && settings.auth.value == AuthMode::None {
        toml.push(SettingChange::set(Key::Auth, AuthMode::Token));
    }
    toml.extend(edit.allowed_hosts.as_ref().map(|names| SettingChange::set(Key::AllowedHosts, names)));
    let mut env_file = Vec::new();
    for (group, wanted) in [(Group::Mcp, edit.mcp), (Group::Monitoring, edit.monitoring)] {
        let (key, setting) = (Key::BindAddr(group), settings.bind_addr(group));
        // What holds for this run only is not decided yet.
        let is_new = |address: &IpAddr| *address != setting.value || setting.origin.layer == Layer::ThisRun;
        let Some(address) = wanted.filter(is_new) else { continue };
        let origins = std::iter::once(&setting.origin).chain(setting.shadowed.iter().map(|hidden| &hidden.origin));
        let is_in_env_file = origins.into_iter().any(|origin| origin.layer == Layer::EnvFile);
        let place = if is_in_env_file { &mut env_file } else { &mut toml };
        place.push(SettingChange::set(key, address));
    }
    let all = [(SaveTarget::Toml, toml), (SaveTarget::EnvFile, env_file)];
    all.into_iter().filter(|(_, changes)| !changes.is_empty()).collect()
}
