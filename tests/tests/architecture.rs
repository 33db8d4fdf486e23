//! The arrows between the crates are those of ARCHITECTURE.md, and files stay rooms.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// Each crate with the crates of the workspace that it may use. A crate that is not here must be added on purpose.
const ARROWS: [(&str, &[&str]); 16] = [
    ("cwts-domain", &[]),
    ("cwts-engine", &["cwts-domain"]),
    ("cwts-market", &["cwts-domain"]),
    ("cwts-risk", &[]),
    ("cwts-journal", &["cwts-domain"]),
    ("cwts-config", &["cwts-domain"]),
    ("cwts-ports", &["cwts-domain"]),
    ("cwts-net", &["cwts-domain"]),
    ("cwts-firewall", &["cwts-domain"]),
    ("cwts-credentials", &["cwts-domain"]),
    ("cwts-probe", &["cwts-domain"]),
    ("cwts-runtime", &BELOW_RUNTIME),
    ("cwts-server", &["cwts-domain", "cwts-runtime"]),
    ("cwts-cli", &BELOW_PROGRAMS),
    ("cwts-ultra-panel", &BELOW_PROGRAMS),
    // The suites test everything; nothing uses them.
    ("cwts-tests", &BELOW_PROGRAMS),
];

const BELOW_RUNTIME: [&str; 11] = [
    "cwts-domain",
    "cwts-risk",
    "cwts-engine",
    "cwts-market",
    "cwts-journal",
    "cwts-config",
    "cwts-ports",
    "cwts-net",
    "cwts-firewall",
    "cwts-credentials",
    "cwts-probe",
];

const BELOW_PROGRAMS: [&str; 13] = [
    "cwts-domain",
    "cwts-risk",
    "cwts-engine",
    "cwts-market",
    "cwts-journal",
    "cwts-config",
    "cwts-ports",
    "cwts-net",
    "cwts-firewall",
    "cwts-credentials",
    "cwts-probe",
    "cwts-runtime",
    "cwts-server",
];

/// A file is a room: about this many lines at most.
const LINES: usize = 400;
/// Written by a program from the Rust types.
const GENERATED: &str = "ui/src/lib/wire/types.ts";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn metadata() -> Metadata {
    // Crates for other systems need not be there.
    let here = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml"));
    command.other_options(["--locked", "--filter-platform", &here].map(str::to_owned).to_vec());
    command.exec().expect("cargo metadata reads the workspace")
}

/// Every crate that ends up in a build of `name`: normal and build dependencies, theirs, and so on.
fn reached(metadata: &Metadata, name: &str, kinds: &[DependencyKind]) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let names: BTreeMap<&PackageId, &str> =
        metadata.packages.iter().map(|each| (&each.id, each.name.as_str())).collect();
    let start = metadata.workspace_packages().into_iter().find(|each| each.name == name);
    let mut open = vec![&start.unwrap_or_else(|| panic!("{name} is a crate of the workspace")).id];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dependency in nodes.get(id).map(|node| node.deps.as_slice()).unwrap_or_default() {
            if dependency.dep_kinds.iter().any(|info| kinds.contains(&info.kind)) {
                open.push(&dependency.pkg);
            }
        }
    }
    seen.into_iter().filter_map(|id| names.get(id)).map(|name| (*name).to_owned()).collect()
}

#[test]
fn arrows_between_crates_are_only_those_of_the_table() {
    let table = BTreeMap::from(ARROWS);
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut arrows = 0;
    for package in packages {
        let allowed = table.get(package.name.as_str());
        let allowed = allowed.unwrap_or_else(|| panic!("{} needs a row in ARCHITECTURE.md and here", package.name));
        // Of every kind: a test that reaches around a seam is an arrow too.
        for dependency in package.dependencies.iter().filter(|each| ours.contains(each.name.as_str())) {
            let (from, to) = (&package.name, &dependency.name);
            assert!(allowed.contains(&to.as_str()), "{from} must not use {to}, as ARCHITECTURE.md says");
            arrows += 1;
        }
    }
    assert!(arrows > 10, "the workspace has many arrows; {arrows} were looked at");
}

#[test]
fn the_exchange_and_its_vocabulary_never_reach_tokio() {
    let metadata = metadata();
    for name in ["cwts-domain", "cwts-engine"] {
        let reached = reached(&metadata, name, &[DependencyKind::Normal]);
        assert!(reached.contains("serde"), "{name} was looked into: {reached:?}");
        let bad: Vec<_> = reached.iter().filter(|each| each.starts_with("tokio")).collect();
        assert!(bad.is_empty(), "{name} is a pure state machine and must not use {bad:?}");
    }
}

#[test]
fn only_the_panel_knows_tauri() {
    let metadata = metadata();
    let mut users = BTreeSet::new();
    for package in metadata.workspace_packages() {
        if package.dependencies.iter().any(|dependency| dependency.name.starts_with("tauri")) {
            users.insert(package.name.as_str());
        }
    }
    assert_eq!(users, BTreeSet::from(["cwts-ultra-panel"]), "nothing below the panel may know its window toolkit");
}

#[test]
fn the_server_links_no_window_toolkit() {
    let reached = reached(&metadata(), "cwts-cli", &[DependencyKind::Normal, DependencyKind::Build]);
    assert!(reached.contains("cwts-server"), "the server was looked into: {reached:?}");
    let toolkit = |name: &&String| {
        let families = ["gtk", "gdk", "webkit", "javascriptcore", "soup", "tauri", "wry", "tao", "muda", "glib"];
        families.iter().any(|family| name.starts_with(family))
    };
    let bad: Vec<_> = reached.iter().filter(toolkit).collect();
    assert!(bad.is_empty(), "cwts-ultra must run where there is no display: {bad:?}");
}

#[test]
fn a_file_is_a_room() {
    let root = root();
    let mut files = Vec::new();
    for folder in ["crates", "src-tauri", "tests", "ui/src"] {
        sources(&root.join(folder), &mut files);
    }
    assert!(files.len() > 50, "the sources were found: {}", files.len());
    let mut long = Vec::new();
    for file in files.iter().filter(|file| **file != root.join(GENERATED)) {
        let lines = fs::read_to_string(file).expect("a source is text").lines().count();
        if lines > LINES {
            long.push(format!("{} has {lines} lines", file.display()));
        }
    }
    assert!(long.is_empty(), "a file has one duty and at most {LINES} lines; split: {long:#?}");
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").filter_map(Result::ok) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let foreign = ["target", "node_modules", "dist", "gen", "proptest-regressions"].contains(&name.as_str());
        if path.is_dir() && !foreign {
            sources(&path, files);
        } else if path
            .extension()
            .is_some_and(|kind| ["rs", "ts", "svelte", "css", "py"].iter().any(|each| kind == *each))
        {
            files.push(path);
        }
    }
}
