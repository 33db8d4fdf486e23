//! What somebody who helps needs to see, in one file: settings with their origins, versions, the state, the logs. No secret.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use cwts_config::Sources;
use cwts_domain::{Clock as _, ErrorCode, Problem, SystemClock};
use serde_json::{Value, json};

use crate::connection_test::record;
use crate::instance::Instance;
use crate::logs::{log_folder, redacted};
use crate::snapshot::Snapshot;

/// No log file is longer; what somebody else put into the folder is not taken along.
const LARGEST_LOG: u64 = 10_000_000;

/// Writes `file`, a tar archive compressed with gzip. `snapshot` is the state of the instance where this process knows it.
/// Blocks.
///
/// # Errors
/// The file cannot be written, or tar is missing.
pub fn write_diagnostics(sources: &Sources, snapshot: Option<&Snapshot>, file: &Path) -> Result<(), Problem> {
    let name = stem(file);
    let staging = log_folder(sources.home()).join(format!(".diagnostics-{}", std::process::id()));
    let gathered = gather(sources, snapshot, &staging.join(&name)).and_then(|()| pack(&staging, &name, file));
    // What is left behind holds nothing that the archive would not.
    fs::remove_dir_all(&staging).ok();
    gathered.map_err(|error| {
        Problem::new(ErrorCode::SaveFailed, format!("{} was not written: {error}.", file.display()))
            .with_help("Name another file: `cwts-ultra diagnostics FILE`.")
    })
}

/// A name for the file of an instance at this moment.
pub fn diagnostics_name(instance: &str) -> String {
    let now: String = SystemClock.now().to_string().chars().filter(|letter| letter.is_ascii_digit()).take(14).collect();
    format!("cwts-ultra-{instance}-{now}.tar.gz")
}

impl Instance {
    /// Saves the diagnostics beside the logs. Returns the file.
    ///
    /// # Errors
    /// As for [`write_diagnostics`].
    pub async fn save_diagnostics(&self) -> Result<PathBuf, Problem> {
        let (sources, snapshot) = (self.shared().sources.clone(), self.snapshot());
        let file = log_folder(sources.home()).join(diagnostics_name(self.id()));
        let written = file.clone();
        self.blocking(move || write_diagnostics(&sources, Some(&snapshot), &written)).await?;
        Ok(file)
    }
}

fn gather(sources: &Sources, snapshot: Option<&Snapshot>, folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder.join("logs"))?;
    let write = |name: &str, value: &Value| {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        fs::write(folder.join(name), redacted(&text) + "\n")
    };
    write("versions.json", &versions())?;
    // The values of settings that this program knows; the files themselves may hold what a person put there.
    let configuration = match cwts_config::load(sources) {
        Ok(loaded) => {
            let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
            json!({ "settings": loaded.settings, "warnings": warnings })
        }
        Err(error) => json!({ "problem": Problem::from(error) }),
    };
    write("configuration.json", &configuration)?;
    if let Some(snapshot) = snapshot {
        write("state.json", &json!(snapshot))?;
    }
    let tests = fs::read_to_string(record::file(&sources.data())).ok();
    if let Some(tests) = tests {
        fs::write(folder.join("connection-tests.json"), redacted(&tests))?;
    }
    let logs = match fs::read_dir(log_folder(sources.home())) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let prefix = format!("{}.log", sources.instance());
    for entry in logs {
        let name = entry.file_name().to_string_lossy().into_owned();
        let found = entry.metadata()?;
        if name.starts_with(&prefix) && found.is_file() && found.len() <= LARGEST_LOG {
            let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
            fs::write(folder.join("logs").join(name), redacted(&text))?;
        }
    }
    Ok(())
}

fn versions() -> Value {
    let system = rustix::system::uname();
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let distribution = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    json!({
        "cwts_ultra": env!("CARGO_PKG_VERSION"),
        "kernel": system.release().to_string_lossy(),
        "machine": system.machine().to_string_lossy(),
        "distribution": distribution.map(|name| name.trim_matches('"')),
        "desktop": std::env::var("XDG_CURRENT_DESKTOP").ok(),
        "session": std::env::var("XDG_SESSION_TYPE").ok(),
        "written_at": SystemClock.now().to_string(),
    })
}

/// tar and gzip are part of every system that this program runs on.
fn pack(staging: &Path, name: &str, file: &Path) -> io::Result<()> {
    let file = std::path::absolute(file)?;
    let packed = Command::new("tar").arg("-czf").arg(&file).arg("-C").arg(staging).arg("--").arg(name).output()?;
    if packed.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&packed.stderr);
    Err(io::Error::other(said.lines().next().unwrap_or("tar failed").to_owned()))
}

fn stem(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name =
        name.strip_suffix(".tar.gz").or(name.strip_suffix(".tgz")).unwrap_or(&name).trim_start_matches('-').to_owned();
    if name.is_empty() { "cwts-ultra".to_owned() } else { name }
}
