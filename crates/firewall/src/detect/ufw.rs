//! ufw: its switch and its default policy are files that everyone may read.

use std::fs;
use std::io;
use std::path::Path;

use super::{Incoming, ToolFinding, ToolState, is_installed};
use crate::Tool;

const SWITCH: &str = "etc/ufw/ufw.conf";
const DEFAULTS: &str = "etc/default/ufw";

/// What the files below `root` say. That the unit `ufw` is active is no proof: it also is while ufw is off.
pub(super) fn detect(root: &Path) -> ToolFinding {
    let installed = is_installed(Tool::Ufw.program());
    let (state, evidence) = match fs::read_to_string(root.join(SWITCH)) {
        Ok(text) => match value(&text, "ENABLED").as_deref() {
            Some("yes") => (ToolState::Active, "ENABLED=yes in /etc/ufw/ufw.conf".to_owned()),
            _ => (ToolState::Inactive, "ENABLED is not yes in /etc/ufw/ufw.conf".to_owned()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (ToolState::Inactive, "There is no /etc/ufw/ufw.conf".to_owned())
        }
        Err(error) => (ToolState::Unknown, format!("/etc/ufw/ufw.conf cannot be read: {error}")),
    };
    let defaults = fs::read_to_string(root.join(DEFAULTS)).ok();
    let policy = defaults.and_then(|text| value(&text, "DEFAULT_INPUT_POLICY"));
    let incoming = policy.filter(|_| state == ToolState::Active).map(|policy| match policy.as_str() {
        "ACCEPT" => Incoming::Accepted,
        _ => Incoming::Denied,
    });
    ToolFinding { tool: Tool::Ufw, installed, state, evidence, incoming }
}

/// The last value, which wins, of a shell-like `NAME=value` file.
fn value(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().rev().filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
    lines.next().map(|value| value.trim().trim_matches(['"', '\'']).to_owned())
}
