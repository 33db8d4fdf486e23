//! `docs/troubleshooting.md`, written from the table of causes.

use crate::{Cause, Rung};

const HEAD: &str = "# Troubleshooting

`cwts-ultra test` and the panel's screen Connection test go up the rungs that a client goes up: resolve, TCP, TLS,
handshake, auth, protocol. The first that fails, together with what this computer knows (who listens, which firewall is
active, where each setting came from), gives one of the causes below.

Written from the table in `crates/probe/src/cause.rs`; a test fails when the two differ.
";

/// The whole document.
pub fn troubleshooting() -> String {
    let mut text = HEAD.to_owned();
    for rung in Rung::ALL {
        text.push_str(&format!("\n## {rung}\n\n| Code | Cause | Fix |\n|---|---|---|\n"));
        for cause in Cause::ALL.iter().filter(|cause| cause.row().rung == rung) {
            let row = cause.row();
            text.push_str(&format!("| `{}` | **{}.** {} | {} |\n", cause.code(), row.title, row.cause, row.fix));
        }
    }
    text
}
