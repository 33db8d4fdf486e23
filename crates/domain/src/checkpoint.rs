//! The steps of a change of settings at which the system may fail, and the seam that makes it fail in a test.

use std::fmt::Debug;
use std::io;

/// A step that the system may refuse, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A new socket is about to be bound; passed once for each.
    Bind,
    /// A file is about to be saved; nothing is written yet.
    Save,
    /// The new content is complete in a temporary file; the file itself holds the old.
    SaveWritten,
    /// The file holds the new content; its folder is not synced yet.
    SaveRenamed,
    /// Everything is bound and saved; clients still reach the old sockets.
    Switch,
    /// A socket is about to listen in place of an old one that it overlaps; passed once for each.
    Listen,
    /// The switch failed, and an old socket is about to listen again; passed once for each.
    ListenAgain,
    /// The switch failed, and the file is about to be put back.
    PutBack,
}

impl Step {
    /// All, in the order in which they come.
    pub const ALL: [Self; 8] = [
        Self::Bind,
        Self::Save,
        Self::SaveWritten,
        Self::SaveRenamed,
        Self::Switch,
        Self::Listen,
        Self::ListenAgain,
        Self::PutBack,
    ];
}

/// Is told before each step, and may refuse it as the system would. A program uses [`Unhindered`]; a test refuses a step,
/// or ends the process there.
pub trait Checkpoints: Debug + Send + Sync {
    /// Called before the step is taken.
    ///
    /// # Errors
    /// The step is to fail with this error.
    fn pass(&self, step: Step) -> io::Result<()>;
}

/// Lets every step pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unhindered;

impl Checkpoints for Unhindered {
    fn pass(&self, _: Step) -> io::Result<()> {
        Ok(())
    }
}
