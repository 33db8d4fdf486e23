//! A folder in the desktop's file manager.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use cwts_domain::{ErrorCode, Problem};

/// Shows a folder, making it, for its owner only, where it is not there yet. Does not wait for the file manager.
///
/// # Errors
/// The desktop has nothing that opens folders.
pub(crate) fn open(folder: &Path) -> Result<(), Problem> {
    let opened = DirBuilder::new().recursive(true).mode(0o700).create(folder).and_then(|()| {
        let mut program = Command::new("xdg-open");
        program.arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        program.spawn()
    });
    match opened {
        Ok(mut child) => {
            // Somebody has to take note of its end, which may come long after.
            std::thread::spawn(move || child.wait());
            Ok(())
        }
        Err(error) => {
            let message = format!("{} could not be opened: {error}.", folder.display());
            Err(Problem::new(ErrorCode::Internal, message).with_help("Open it in a file manager."))
        }
    }
}
