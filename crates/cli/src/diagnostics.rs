//! `diagnostics`: everything that somebody who helps needs to see, in one file.

use std::path::PathBuf;
use std::process::ExitCode;

use cwts_config::Sources;
use cwts_runtime::{diagnostics_name, write_diagnostics};
use serde_json::json;

use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(sources: &Sources, file: Option<&PathBuf>, as_json: bool) -> Result<ExitCode, Failure> {
    let file = file.cloned().unwrap_or_else(|| diagnostics_name(sources.instance().as_str()).into());
    write_diagnostics(sources, None, &file)?;
    match as_json {
        true => print_json(&json!({ "file": file }))?,
        false => print(format!(
            "{}: settings, versions and logs of {}, without tokens.",
            file.display(),
            sources.instance()
        ))?,
    }
    Ok(ExitCode::SUCCESS)
}
