//! Small files of the program's own, replaced as a whole.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

/// Writes `content` in one step, so that a crash leaves the old text or the new one. The folder must be there.
///
/// # Errors
/// The content has no form in JSON, or the file cannot be written.
pub(crate) fn replace(path: &Path, content: &(impl Serialize + ?Sized)) -> io::Result<()> {
    let text = serde_json::to_string_pretty(content)?;
    // The panel and the command line may write at once.
    let beside = path.with_extension(format!("json.{}", std::process::id()));
    fs::write(&beside, text + "\n")?;
    fs::rename(&beside, path)
}
