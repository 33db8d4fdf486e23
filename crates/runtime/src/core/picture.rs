//! The picture that everyone is shown, and what the audit trail is told when it changes.

use cwts_config::Sources;
use cwts_domain::{ErrorCode, Group};

use super::Core;
use crate::access::Access;
use crate::audit::{Audit, AuditEntry, Reach};
use crate::clients::{ClientFacts, Issued};
use crate::exposure::Exposure;
use crate::instance::Instance;
use crate::policy::Policy;
use crate::security::Security;
use crate::snapshot::{RunState, Snapshot};
use crate::{away, findings, logs, trading, view};

impl Core {
    pub(crate) fn snapshot(&self, sources: &Sources, access: &Access, audit: &Audit, policy: &Policy) -> Snapshot {
        let loaded = self.loaded.as_ref().ok();
        let settings = loaded.map(|loaded| loaded.settings.clone()).unwrap_or_default();
        let stale_clients = Issued::stale(&sources.data(), || {
            ClientFacts::gather(sources, &settings, |service| settings.socket_addr(service)).ok()
        });
        let table = loaded.map(|loaded| loaded.port_table.clone()).unwrap_or_default();
        let mut findings = loaded.map_or_else(Vec::new, |loaded| findings::claimed(loaded, sources));
        findings.extend(loaded.into_iter().flat_map(|loaded| away::findings(loaded, &self.away)));
        findings.extend(findings::of(
            loaded,
            access,
            audit,
            policy,
            self.pending.as_ref(),
            self.running.is_some(),
            &stale_clients,
        ));
        Snapshot {
            revision: self.revision,
            instance: sources.instance().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: self.state,
            started_at: self.running.as_ref().map(|running| running.started_at.millis()),
            services: view::services(&settings, &table, self.state, &self.blocked),
            findings,
            security: Security {
                mcp: policy.exposure(Group::Mcp),
                monitoring: policy.exposure(Group::Monitoring),
                auth: settings.auth,
                tls: settings.tls,
                allowed_hosts: settings.allowed_hosts,
                certificate: policy.certificate.clone(),
                mcp_away: self.away.get(&Group::Mcp).map(|away| away.address),
                monitoring_away: self.away.get(&Group::Monitoring).map(|away| away.address),
            },
            stale_clients,
            market: None,
            trading: None,
            failed_logins: access.failed_logins(),
            problem: self.problem.clone(),
            damaged_file: self.damaged_file(sources),
            elsewhere: None,
            env_file: sources.env_file().display().to_string(),
            toml_file: sources.toml_file().display().to_string(),
        }
    }

    /// Looks at the files only where they are known to be invalid.
    fn damaged_file(&self, sources: &Sources) -> Option<String> {
        let invalid = self.loaded.as_ref().err().or(self.pending.as_ref());
        invalid.filter(|problem| matches!(problem.code, ErrorCode::ConfigInvalid | ErrorCode::NotPermitted))?;
        Some(cwts_config::restorable(sources)?.file.display().to_string())
    }

    pub(crate) fn publish(&mut self, instance: &Instance) {
        self.revision += 1;
        let shared = instance.shared();
        if let Some(running) = &mut self.running {
            running.tell_addresses(instance.nonce());
        }
        if let Ok(loaded) = &self.loaded {
            logs::follow_level(instance.id(), loaded.settings.log_level.value);
        }
        let policy = self.policy(instance);
        if policy.exposure(Group::Mcp) != Exposure::Armed {
            self.armed_for = None;
        }
        self.audit_exposure(instance, &policy);
        shared.set_policy(policy.clone());
        let mut snapshot = self.snapshot(&shared.sources, &shared.access, &shared.audit, &policy);
        let fault = shared.exchange.journal_fault();
        snapshot.findings.splice(..0, fault.as_ref().map(trading::finding));
        shared.publish(snapshot);
    }

    /// Tells the audit trail when services reach further or less far, and when trading is armed or disarmed.
    fn audit_exposure(&mut self, instance: &Instance, policy: &Policy) {
        let armed = self.armed_for.is_some();
        if std::mem::replace(&mut self.was_armed, armed) != armed {
            instance.audit(AuditEntry::trading(self.acting, armed));
        }
        let serving = matches!(self.state, RunState::Running);
        for (told, group) in self.reach.iter_mut().zip([Group::Mcp, Group::Monitoring]) {
            let bound = self.loaded.as_ref().ok().filter(|_| serving).map(|loaded| loaded.settings.bind_addr(group));
            let now = bound.as_ref().map_or(Reach::Here, |it| Reach::of(it.value, policy.exposure(group)));
            if *told != now {
                let origin = bound.map_or(String::new(), |it| it.origin.to_string());
                instance.audit(AuditEntry::reach(self.acting, group, *told, now, &origin));
                *told = now;
            }
        }
    }
}
