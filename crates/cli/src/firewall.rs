//! `firewall`: rules for the services with their undo, applied through pkexec or as root, and compared later.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use cwts_config::{Settings, Sources};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_firewall::{
    Change, Detection, FirewallError, Listener, Memory, Name, Outcome, Plan, Privilege, Report, Request, Source, Task,
    Tool, ToolFinding, undo_lines,
};
use cwts_runtime::{Actor, AuditEntry, listeners, own_subnets};
use serde::Serialize;

use crate::args::FirewallArguments;
use crate::audit::tell;
use crate::failure::Failure;
use crate::output::{print, print_json};

/// Stands for the person's subnet where this computer is in none. The port guide uses it too.
const EXAMPLE: &str = "192.168.1.0/24";

/// What a script reads.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    tool: Tool,
    detected: Option<Tool>,
    needed: bool,
    commands: Vec<String>,
    undo: Vec<String>,
    notes: &'a [String],
    /// What is known of each tool, and from where.
    evidence: &'a [ToolFinding],
    /// What was applied earlier and not taken back.
    remembered: Vec<String>,
    /// What `--apply` or `--verify` did or found, for each change.
    results: Option<Vec<Line>>,
}

#[derive(Debug, Serialize)]
struct Line {
    command: String,
    outcome: Outcome,
}

pub(crate) fn execute(sources: &Sources, options: &FirewallArguments, as_json: bool) -> Result<ExitCode, Failure> {
    let memory = Memory::load(&sources.data())?;
    let privilege = Privilege::of_this_process(std::env::current_exe().map_err(Failure::internal)?);
    let detection = cwts_firewall::detect();
    let settings = cwts_config::load(sources)?.settings;
    let wish = Wish::new(sources, options, &settings, &detection)?;
    let root = privilege.shell_prefix();

    let (task, changes) = match (options.undo, options.verify) {
        (true, _) => (Task::Undo, to_take_back(&memory, &wish, options)),
        (false, true) => (Task::Check, memory.changes().to_vec()),
        (false, false) => (Task::Apply, wish.plan.changes.clone()),
    };
    let lines = if task == Task::Undo { undo_lines(&changes, root) } else { wish.plan.commands(root) };
    if !as_json && task != Task::Check {
        print(as_text(&wish.plan, &lines, task, root))?;
    }
    if let Some(path) = &options.script {
        write_script(path, &wish.plan)?;
    }
    let runs = (options.apply || options.verify) && !changes.is_empty();
    if options.apply && task == Task::Apply && wish.is_example {
        return Err(no_source().into());
    }
    let report = if runs { Some(act(sources, task, &changes, &privilege, memory.clone())?) } else { None };
    let results = report.as_ref().map(|report| results(&changes, report));
    if as_json {
        print_json(&Answer {
            tool: wish.plan.tool,
            detected: detection.active,
            needed: wish.plan.needed,
            commands: wish.plan.commands(root),
            undo: if task == Task::Undo { lines } else { wish.plan.undo(root) },
            notes: &wish.plan.notes,
            evidence: &detection.tools,
            remembered: memory.changes().iter().map(|change| change.shell_line(root)).collect(),
            results,
        })?;
    } else if options.apply || options.verify {
        print(summary(task, results.as_deref()))?;
    }
    let is_complete = report.is_none_or(|report| !report.outcomes.contains(&Outcome::Missing) || task != Task::Check);
    Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The plan for what the options name.
struct Wish {
    plan: Plan,
    ports: Vec<u16>,
    sources: Vec<Source>,
    /// The source is no subnet of this computer, but one to show how the commands look.
    is_example: bool,
}

impl Wish {
    fn new(
        sources: &Sources,
        options: &FirewallArguments,
        settings: &Settings,
        detection: &Detection,
    ) -> Result<Self, Failure> {
        let all = Service::ALL.map(|service| Listener { service, address: settings.socket_addr(service) });
        let chosen = (!options.services.is_empty()).then_some(options.services.as_slice());
        let listeners = listeners(all, chosen);
        // Without a choice of the person, what needs no rule gets none.
        let is_wanted = options.tool.is_some() || options.undo || listeners.iter().any(|listener| !listener.is_local());
        let (mut networks, mut notes, is_example) = networks(&options.sources)?;
        if !is_wanted {
            networks.clear();
            notes.clear();
        }
        let request = Request {
            tool: options.tool.unwrap_or_else(|| detection.suggested()),
            instance: sources.instance().as_str().parse::<Name>()?,
            listeners,
            sources: networks,
            restrict: options.restrict,
            chain: options.chain.clone(),
        };
        let mut plan = Plan::new(&request, detection);
        notes.append(&mut plan.notes);
        plan.notes = notes;
        let ports = request.listeners.iter().map(|listener| listener.address.port()).collect();
        Ok(Self { plan, ports, sources: request.sources, is_example })
    }
}

/// The sources with what is to be said of them, and whether they are only an example.
fn networks(given: &[String]) -> Result<(Vec<Source>, Vec<String>, bool), FirewallError> {
    let mut notes = Vec::new();
    if !given.is_empty() {
        let mut networks = Vec::new();
        for text in given {
            let source: Source = text.parse()?;
            if source.to_string() != *text {
                notes.push(format!("{text} stands for {source}."));
            }
            networks.push(source);
        }
        return Ok((networks, notes, false));
    }
    let own = own_subnets();
    if own.is_empty() {
        notes.push(format!("{EXAMPLE} is an example, since this computer is in no subnet: name yours with --source."));
        return Ok((vec![EXAMPLE.parse()?], notes, true));
    }
    notes.extend(own.iter().map(|(source, interface)| format!("{source} is the subnet of {interface}.")));
    Ok((own.into_iter().map(|(source, _)| source).collect(), notes, false))
}

fn no_source() -> Problem {
    Problem::new(ErrorCode::InvalidInput, "No source is named, and this computer is in no subnet.")
        .at("source")
        .with_help("Name one, for example --source 192.168.1.0/24.")
}

/// What is remembered, as far as the options do not narrow it down; where nothing is, what the options name.
fn to_take_back(memory: &Memory, wish: &Wish, options: &FirewallArguments) -> Vec<Change> {
    if memory.changes().is_empty() {
        return wish.plan.changes.clone();
    }
    let ports = (!options.services.is_empty()).then_some(wish.ports.as_slice());
    let sources = (!options.sources.is_empty()).then_some(wish.sources.as_slice());
    memory.select(options.tool, ports, sources)
}

/// Does the task and writes down what it did, also where it failed.
fn act(
    sources: &Sources,
    task: Task,
    changes: &[Change],
    privilege: &Privilege,
    mut memory: Memory,
) -> Result<Report, Failure> {
    let report = cwts_firewall::run(task, changes, privilege)?;
    let recorded = memory.record(task, changes, &report);
    if let Some(entry) = AuditEntry::firewall(Actor::CommandLine, task, changes, &report) {
        tell(sources, &entry);
    }
    let report = report.into_result(changes)?;
    recorded?;
    Ok(report)
}

fn results(changes: &[Change], report: &Report) -> Vec<Line> {
    let both = changes.iter().zip(&report.outcomes);
    both.map(|(change, outcome)| Line { command: change.shell_line(""), outcome: *outcome }).collect()
}

/// The lines, with everything else as comments, so that the whole can be pasted.
fn as_text(plan: &Plan, lines: &[String], task: Task, root: &str) -> String {
    let mut text: Vec<String> = Vec::new();
    let comment = |line: &String| format!("# {line}");
    match task {
        Task::Undo if lines.is_empty() => text.push("# Nothing is remembered that the options name.".to_owned()),
        Task::Undo => text.extend_from_slice(lines),
        _ => {
            text.extend(plan.notes.iter().map(comment));
            if lines.is_empty() {
                text.push(format!("# Name a tool to see its commands all the same: --tool {}.", plan.tool));
            } else {
                text.extend_from_slice(lines);
                text.push("# Undo:".to_owned());
                text.extend(plan.undo(root).iter().map(comment));
            }
        }
    }
    text.join("\n")
}

fn summary(task: Task, results: Option<&[Line]>) -> String {
    let Some(results) = results else {
        return match task {
            Task::Check => "Nothing is remembered: no rule was applied with this program.".to_owned(),
            Task::Apply | Task::Undo => "Nothing to do.".to_owned(),
        };
    };
    let count = |wanted| results.iter().filter(|line| line.outcome == wanted).count();
    let (done, present, missing) = (count(Outcome::Done), count(Outcome::Present), count(Outcome::Missing));
    match task {
        Task::Apply => format!("Applied: {done}. In place before: {present}."),
        Task::Undo => format!("Taken back: {done}. Gone before: {missing}."),
        Task::Check => {
            let lines = results.iter().map(|line| {
                let word = if line.outcome == Outcome::Present { "in place" } else { "missing " };
                format!("{word}  {}", line.command)
            });
            let lines: Vec<String> = lines.collect();
            let remedy = "Someone removed or changed the missing ones: --apply adds them, --undo --apply forgets them.";
            let end = if missing > 0 { remedy } else { "All that was added is in place." };
            format!("{}\n{end}", lines.join("\n"))
        }
    }
}

fn write_script(path: &Path, plan: &Plan) -> Result<(), Failure> {
    let failed = |source| FirewallError::Unwritable { path: path.to_owned(), source };
    fs::write(path, plan.script()).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    eprintln!("Saved to {}.", path.display());
    Ok(())
}
