//! What an instance takes from the world around it, so that a test can put something else in its place.

use std::sync::Arc;

use cwts_domain::{Checkpoints, Clock, SystemClock, Unhindered};

/// The world of an instance. The default is the real one.
#[derive(Clone)]
pub struct Surroundings {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who may refuse a step of a change.
    pub checkpoints: Arc<dyn Checkpoints>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), checkpoints: Arc::new(Unhindered) }
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").field("checkpoints", &self.checkpoints).finish_non_exhaustive()
    }
}
