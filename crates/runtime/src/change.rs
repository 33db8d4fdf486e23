//! A change of settings as a transaction: bind, save, switch, drain. Any failure leaves the world as it was.

use std::collections::BTreeMap;

use cwts_config::{ConfigError, Edit, Key, Loaded, SaveLayer, Saved, Sources};
use cwts_domain::{ErrorCode, Problem, Service, Step};
use cwts_net::{Listeners, PrepareError, Prepared, SwitchError};

use crate::audit::AuditEntry;
use crate::conflict::{self, Blocked};
use crate::core::{Core, DRAIN_DEADLINE, plan};
use crate::edit::{SaveTarget, SettingsEdit};
use crate::instance::Instance;
use crate::rules;

impl Core {
    /// Makes all changes of the edit or none.
    pub(crate) async fn change(&mut self, instance: &Instance, edit: &SettingsEdit) -> Result<(), Problem> {
        let before = self.loaded.as_ref().map_err(Clone::clone)?.clone();
        rules::refuse_outdated(edit.expected_revision, instance.shared().snapshot_revision())?;
        let edits = rules::validated(edit, &before.settings)?;
        self.change_files(instance, before, vec![(edit.save, edits)], None).await
    }

    /// Makes all changes or none, wherever each of them is kept. `told_first` is what was done for them: the audit trail
    /// hears of it before what follows from it, and only when nothing has failed.
    pub(crate) async fn change_files(
        &mut self,
        instance: &Instance,
        before: Loaded,
        parts: Vec<(SaveTarget, Vec<Edit>)>,
        told_first: Option<AuditEntry>,
    ) -> Result<(), Problem> {
        let edits: Vec<Edit> = parts.iter().flat_map(|(_, edits)| edits.clone()).collect();
        let after = {
            let (sources, before, edits, parts) =
                (instance.shared().sources.clone(), before.clone(), edits.clone(), parts.clone());
            blocking(move || foresee(&sources, &before, &parts).map_err(|error| rules::blame(error, &edits)))
        };
        let after = after.await??;
        let (shared, mode) = (instance.shared(), after.settings.tls.value);
        let tls = shared.tls.prepare(mode, instance.id()).map_err(|problem| problem.at(Key::Tls.id()))?;
        let prepared = self.bind_new(instance, &before, &after).await?;
        let saved = save(instance, &before, parts).await?;
        if let Err(problem) = self.switch(instance, &before, &after, prepared).await {
            return Err(put_back(instance, saved, problem).await);
        }
        let (old, new) = (before.settings, after.settings.clone());
        shared.tls.show(tls);
        self.adopt(instance, after, saved, &edits);
        if let Some(entry) = told_first {
            instance.audit(entry);
        }
        self.publish(instance);
        rules::tell(instance, self.acting, &old, &new, edits.iter().map(Edit::key));
        Ok(())
    }

    /// Binds the new sockets; while stopped, only for a moment, to see that a start could.
    pub(crate) async fn bind_new(
        &self,
        instance: &Instance,
        before: &Loaded,
        after: &Loaded,
    ) -> Result<Option<Prepared<Service>>, Problem> {
        let (old, mut new) = (plan(before), plan(after));
        let bound = match &self.running {
            Some(running) => running.listeners.prepare(&new).map(Some),
            None => {
                new.retain(|service, address| old.get(service) != Some(address));
                Listeners::new(BTreeMap::new()).prepare(&new).map(|_| None)
            }
        };
        match bound {
            Ok(prepared) => Ok(prepared),
            Err(failed) => Err(self.explain(instance, failed, before, after).await.problem().clone()),
        }
    }

    /// Why a socket of `after` cannot be had while those of `before` are served.
    async fn explain(
        &self,
        instance: &Instance,
        failed: PrepareError<Service>,
        before: &Loaded,
        after: &Loaded,
    ) -> Blocked {
        let running = if self.running.is_some() { plan(before) } else { BTreeMap::new() };
        conflict::explain(failed, &instance.shared().sources, &plan(after), &after.port_table, &running).await
    }

    /// Serves the new sockets and lets the old connections end behind the scenes.
    ///
    /// # Errors
    /// A socket could not take the place of the old one. What was served before is served again, except for services that
    /// are blocked from now on.
    pub(crate) async fn switch(
        &mut self,
        instance: &Instance,
        before: &Loaded,
        after: &Loaded,
        prepared: Option<Prepared<Service>>,
    ) -> Result<(), Problem> {
        instance.shared().surroundings.checkpoints.pass(Step::Switch).map_err(|error| {
            Problem::new(ErrorCode::Internal, format!("The new sockets could not take over: {error}."))
        })?;
        let (Some(running), Some(prepared)) = (&mut self.running, prepared) else { return Ok(()) };
        let SwitchError { failed, lost, drain } = match running.listeners.commit(prepared).await {
            Ok(drain) => {
                instance.tokio().spawn(drain.within(DRAIN_DEADLINE));
                return Ok(());
            }
            Err(failure) => failure,
        };
        instance.tokio().spawn(drain.within(DRAIN_DEADLINE));
        let any_lost = !lost.is_empty();
        for lost in lost {
            tracing::error!(service = %lost.key, error = %lost.error, "the old socket could not be restored");
            let blocked = self.explain(instance, lost, before, before).await;
            self.block(instance, blocked);
        }
        if any_lost {
            self.publish(instance);
        }
        Err(self.explain(instance, failed, before, after).await.problem().clone())
    }

    /// Serves what a failed switch left unserved.
    pub(crate) async fn serve_blocked(&mut self, instance: &Instance) -> Result<(), Problem> {
        if self.blocked.is_empty() {
            return Ok(());
        }
        let loaded = self.loaded.as_ref().map_err(Clone::clone)?.clone();
        let prepared = self.bind_new(instance, &loaded, &loaded).await?;
        self.switch(instance, &loaded, &loaded, prepared).await?;
        self.clear_problem(instance);
        self.publish(instance);
        Ok(())
    }

    /// Takes over what was changed. Other settings stay as they are in force, even where a file says something else by now.
    fn adopt(&mut self, instance: &Instance, mut after: Loaded, mut saved: Vec<Saved>, edits: &[Edit]) {
        for edit in edits {
            self.this_run.remove(&edit.key());
        }
        // The last was saved on top of the others.
        match saved.pop() {
            None => {
                self.this_run.extend(edits.iter().filter_map(|edit| edit.value().map(|_| (edit.key(), edit.clone()))))
            }
            Some(saved) => {
                let mut settings = saved.loaded.settings.clone();
                self.this_run.values().for_each(|edit| settings.set_for_this_run(edit));
                // Where the file says otherwise by now, somebody edits it by hand, and that is yet to be followed.
                for key in Key::ALL.into_iter().filter(|key| edits.iter().all(|edit| edit.key() != *key)) {
                    if settings.get(key).value != after.settings.get(key).value {
                        settings.adopt(key, &after.settings);
                    }
                }
                after = Loaded { settings, ..saved.loaded };
            }
        }
        self.loaded = Ok(after);
        self.clear_problem(instance);
    }
}

/// The configuration as the edits would leave it. Writes nothing.
fn foresee(sources: &Sources, before: &Loaded, parts: &[(SaveTarget, Vec<Edit>)]) -> Result<Loaded, ConfigError> {
    let (mut after, mut settings) = (before.clone(), before.settings.clone());
    let in_files = parts.iter().filter_map(|(save, edits)| Some((save.layer()?, edits.as_slice())));
    let in_files: Vec<(SaveLayer, &[Edit])> = in_files.collect();
    if !in_files.is_empty() {
        let saved = cwts_config::preview(sources, &in_files, &before.revision)?;
        let edits = in_files.iter().flat_map(|(_, edits)| *edits);
        edits.for_each(|edit| settings.adopt(edit.key(), &saved.settings));
        (after.warnings, after.port_table) = (saved.warnings, saved.port_table);
    }
    let of_this_run = parts.iter().filter(|(save, _)| *save == SaveTarget::ThisRun);
    of_this_run.flat_map(|(_, edits)| edits).for_each(|edit| settings.set_for_this_run(edit));
    after.with_settings(settings, sources)
}

/// Writes the edits to their files; nothing for this run. Nothing was switched yet, so a failure leaves the world as it
/// was: what was saved before it is taken back.
async fn save(
    instance: &Instance,
    before: &Loaded,
    parts: Vec<(SaveTarget, Vec<Edit>)>,
) -> Result<Vec<Saved>, Problem> {
    let shared = instance.shared();
    let mut done = Vec::new();
    for (target, edits) in parts {
        let Some(layer) = target.layer() else { continue };
        let (sources, expected) = (shared.sources.clone(), before.revision.clone());
        let checkpoints = shared.surroundings.checkpoints.clone();
        let saved = blocking(move || {
            let saved = cwts_config::save_with(&sources, layer, &edits, &expected, checkpoints.as_ref());
            saved.map_err(|error| rules::blame(error, &edits))
        });
        match saved.await.and_then(|saved| saved) {
            Ok(saved) => done.push(saved),
            Err(problem) => return Err(put_back(instance, done, problem).await),
        }
    }
    Ok(done)
}

/// Undoes the saves after a step that failed. Where that fails too, the person is told.
async fn put_back(instance: &Instance, saved: Vec<Saved>, mut problem: Problem) -> Problem {
    for saved in saved.into_iter().rev() {
        let checkpoints = instance.shared().surroundings.checkpoints.clone();
        let undone = blocking(move || {
            checkpoints.pass(Step::PutBack).map_err(|error| Problem::new(ErrorCode::SaveFailed, error.to_string()))?;
            saved.undo().map_err(Problem::from)
        });
        if let Err(second) = undone.await.and_then(|undone| undone) {
            let kept = format!("{} The saved change could not be taken back: {}.", problem.message, second.message);
            problem.message = kept;
        }
    }
    problem
}

/// Runs what reads and writes files away from the tasks of the services.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()))
}
