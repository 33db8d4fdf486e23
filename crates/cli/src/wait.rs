//! Runs asynchronous work of a command that is otherwise plain.

use tokio::runtime::Builder;

use crate::failure::Failure;

/// Runs the work to its end on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::internal)?;
    Ok(runtime.block_on(work))
}
