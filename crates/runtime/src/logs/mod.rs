//! The log of the program: on standard error, in a file for each instance, and its end in memory for whoever watches.
//!
//! One log for the process, since libraries know no instance. What an instance tells goes to its own file, everything else,
//! which concerns all of them, to the file of each. A token never stands in a line.

mod file;
mod line;
mod tail;

use std::collections::{HashMap, VecDeque};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use cwts_config::{LogLevel, Sources};
use cwts_domain::{Clock as _, SystemClock};
use serde::Serialize;
use tracing::Subscriber;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use file::LogFile;
pub use line::{LogLine, redacted};

/// Lines that are kept for whoever watches.
const KEPT: usize = 10_000;

static LOG: OnceLock<Log> = OnceLock::new();

struct Log {
    folder: PathBuf,
    /// The instance that the program was started for: its `log.level` counts.
    opened: String,
    level: Mutex<LogLevel>,
    filter: reload::Handle<EnvFilter, Registry>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: HashMap<String, LogFile>,
    /// The newest lines with the instance that told them.
    lines: VecDeque<(Option<String>, LogLine)>,
    next: u64,
    /// Why the files cannot be written; said once.
    problem: Option<String>,
}

/// A part of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct LogPage {
    /// Oldest first.
    pub lines: Vec<LogLine>,
    /// The number of the line that comes next.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub next: u64,
    /// The file that holds them too.
    pub file: String,
    /// The level that is in force.
    pub level: String,
    /// Why the file cannot be written.
    pub problem: Option<String>,
}

/// Begins the log of this process. `level` is changed later by [`follow_level`].
///
/// # Errors
/// A log was begun before.
pub fn begin_log(sources: &Sources, level: LogLevel) -> Result<(), String> {
    let (filter, handle) = reload::Layer::new(filter(level));
    let stderr =
        fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).with_target(false);
    let log = Log {
        folder: log_folder(sources.home()),
        opened: sources.instance().to_string(),
        level: Mutex::new(level),
        filter: handle,
        state: Mutex::default(),
    };
    LOG.set(log).map_err(|_| "a log was begun before".to_owned())?;
    tracing_subscriber::registry()
        .with(filter)
        .with(stderr)
        .with(Recorder)
        .try_init()
        .map_err(|error| error.to_string())
}

/// Where the log files lie.
pub fn log_folder(home: &Path) -> PathBuf {
    home.join("logs")
}

/// The lines from number `after` on that concern an instance: its own, and those of no other. Empty in a process that has
/// begun no log.
pub fn log_page(home: &Path, instance: &str, after: u64) -> LogPage {
    let file = log_folder(home).join(format!("{instance}.log")).display().to_string();
    let Some(log) = LOG.get() else {
        return LogPage { lines: Vec::new(), next: 0, file, level: LogLevel::Off.to_string(), problem: None };
    };
    let state = lock(&log.state);
    let concerns = |of: &Option<String>| of.as_deref().is_none_or(|of| of == instance);
    let lines = state.lines.iter().filter(|(of, line)| line.sequence >= after && concerns(of));
    LogPage {
        lines: lines.map(|(_, line)| line.clone()).collect(),
        next: state.next,
        file,
        level: lock(&log.level).to_string(),
        problem: state.problem.clone(),
    }
}

/// Takes over the `log.level` of an instance, if it is the one that the program was started for.
pub(crate) fn follow_level(instance: &str, level: LogLevel) {
    let Some(log) = LOG.get().filter(|log| log.opened == instance) else { return };
    let mut now = lock(&log.level);
    if *now == level {
        return;
    }
    match log.filter.reload(filter(level)) {
        Ok(()) => *now = level,
        Err(error) => tracing::warn!(%error, "the level of the log stays as it is"),
    }
}

/// Adds what an instance tells to the log in its name.
pub(crate) fn tell(instance: &str, text: &str) {
    if let Some(log) = LOG.get()
        && *lock(&log.level) >= LogLevel::Info
    {
        log.add(Some(instance), LogLevel::Info, "activity", text);
    }
}

/// Our own lines at `level`, those of the libraries from warnings on.
fn filter(level: LogLevel) -> EnvFilter {
    let others = if level == LogLevel::Off { "off" } else { "warn" };
    EnvFilter::new(format!("{others},cwts={level},activity={level}"))
}

impl Log {
    fn add(&self, instance: Option<&str>, level: LogLevel, source: &str, text: &str) {
        let at = SystemClock.now();
        let mut state = lock(&self.state);
        let line = LogLine::new(state.next, at, level, source, text);
        state.next += 1;
        let owner = instance.unwrap_or(&self.opened);
        let path = || self.folder.join(format!("{owner}.log"));
        state.files.entry(owner.to_owned()).or_insert_with(|| LogFile::new(path()));
        let concerned = state.files.iter_mut().filter(|(id, _)| instance.is_none_or(|of| of == id.as_str()));
        let written = concerned.map(|(_, file)| file.write(&line, at)).fold(Ok(()), Result::and);
        state.problem = written.err().map(|error| format!("{} cannot be written: {error}.", self.folder.display()));
        if state.lines.len() == KEPT {
            state.lines.pop_front();
        }
        state.lines.push_back((instance.map(str::to_owned), line));
    }
}

/// Hands every event that passes the filter to the log.
struct Recorder;

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        let target = event.metadata().target();
        // An activity is told once more, with its instance.
        if target == "activity" {
            return;
        }
        if let Some(log) = LOG.get() {
            let (level, source) = (line::level_of(event), line::source_of(target));
            log.add(None, level, source, &line::text_of(event));
        }
    }
}

/// A thread that ended while it wrote leaves at worst one line out.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
