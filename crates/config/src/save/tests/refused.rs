//! A save that the system refuses at a step: the file holds what it held.

use cwts_domain::Step;

use super::*;

/// Refuses one step.
#[derive(Debug)]
struct Refuse(Step);

impl Checkpoints for Refuse {
    fn pass(&self, step: Step) -> io::Result<()> {
        if step == self.0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

#[test]
fn a_save_that_is_refused_at_any_step_leaves_every_byte_as_it_was() {
    let steps = [Step::Save, Step::SaveWritten, Step::SaveRenamed];
    for (layer, step) in [SaveLayer::EnvFile, SaveLayer::Toml].into_iter().flat_map(|it| steps.map(|step| (it, step))) {
        let (_folder, sources) = home();
        let revision = Revision::read(&sources).unwrap();
        save(&sources, layer, &[set(PORT, 4001)], &revision).unwrap();
        let (before, revision) = (contents(&sources), Revision::read(&sources).unwrap());
        let error = save_with(&sources, layer, &[set(PORT, 5010)], &revision, &Refuse(step)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::SaveFailed, "{layer:?} at {step:?}: {error}");
        assert!(
            error.to_string().ends_with("Free some space and try again."),
            "the remedy is that of the cause: {error}"
        );
        assert_eq!(contents(&sources), before, "{layer:?} at {step:?}: no half state, and nothing is left over");
        save(&sources, layer, &[set(PORT, 5010)], &revision).expect("the next save finds nothing in its way");
    }
}

#[test]
fn a_file_that_did_not_exist_does_not_exist_after_a_refused_save() {
    for step in [Step::Save, Step::SaveWritten, Step::SaveRenamed] {
        let (_folder, sources) = home();
        let revision = Revision::read(&sources).unwrap();
        save_with(&sources, SaveLayer::Toml, &[set(PORT, 5010)], &revision, &Refuse(step)).unwrap_err();
        assert!(!sources.toml_file().exists(), "{step:?}: a layer that nobody wrote must not decide anything");
    }
}
