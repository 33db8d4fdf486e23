//! Desktop programs and editors, which read JSON or are told by a command of their own.

use super::{Draft, Facts, Transport, literal, path_text, word};

const RESTART: &str = "Quit the program and start it again: it reads the file when it starts.";

/// `mcpServers` of `claude_desktop_config.json`: programs that Claude Desktop starts (Model Context Protocol, "Connect to
/// local MCP servers").
pub(super) fn claude_desktop(facts: &Facts) -> Draft {
    let entry = stdio_entry(facts, "    ");
    Draft::new("~/.config/Claude/claude_desktop_config.json", servers("mcpServers", facts, &entry))
        .note(STDIO)
        .note(RESTART)
}

const STDIO: &str = "The program is started by the client and connects to the running instance, so no address and no token grows old here.";

/// `claude mcp add`. The header comes last: the option takes all words that follow it.
pub(super) fn claude_code(transport: Transport, facts: &Facts) -> Draft {
    let name = server_name(facts);
    if transport == Transport::Stdio {
        let program: Vec<String> = stdio_words(facts).iter().map(|part| word(part)).collect();
        let text = format!("claude mcp add --scope user {name} -- {}", program.join(" "));
        return Draft::new("Terminal", text).note(STDIO).note(remove(&name));
    }
    let header = facts.token.as_ref().map(|token| format!(" --header \"Authorization: Bearer {token}\""));
    let text = format!(
        "claude mcp add --scope user --transport http {name} {}{}",
        facts.mcp_http_url(),
        header.unwrap_or_default()
    );
    Draft::new("Terminal", text)
        .attention(node_authority(facts))
        .note(remove(&name))
        .note("Claude Code keeps the token in ~/.claude.json, which only you should be able to read.")
}

fn remove(name: &str) -> String {
    format!("Where there is an older entry: `claude mcp remove --scope user {name}` first.")
}

/// `mcpServers` of `~/.cursor/mcp.json`: a `url` with `headers`, or a `command`.
pub(super) fn cursor(transport: Transport, facts: &Facts) -> Draft {
    let entry = match transport {
        Transport::Stdio => stdio_entry(facts, "    "),
        _ => http_entry(facts, None),
    };
    let draft = Draft::new("~/.cursor/mcp.json", servers("mcpServers", facts, &entry));
    told_by(draft, transport, facts).note("For one project alone the file is .cursor/mcp.json in its folder.")
}

/// `servers` of `mcp.json`, each with its `type` (VS Code, "MCP configuration reference").
pub(super) fn vs_code(transport: Transport, facts: &Facts) -> Draft {
    let entry = match transport {
        Transport::Stdio => format!("      \"type\": \"stdio\",\n{}", stdio_entry(facts, "    ")),
        _ => http_entry(facts, Some("http")),
    };
    let draft = Draft::new(".vscode/mcp.json", servers("servers", facts, &entry));
    told_by(draft, transport, facts).note(
        "`MCP: Open User Configuration` opens the same file for all projects, which keeps it out of a repository.",
    )
}

fn told_by(draft: Draft, transport: Transport, facts: &Facts) -> Draft {
    match transport {
        Transport::Stdio => draft.note(STDIO),
        _ => draft.attention(system_authority(facts)),
    }
}

/// One server below `key`.
fn servers(key: &str, facts: &Facts, entry: &str) -> String {
    format!("{{\n  \"{key}\": {{\n    {}: {{\n{entry}\n    }}\n  }}\n}}", literal(&server_name(facts)))
}

fn http_entry(facts: &Facts, kind: Option<&str>) -> String {
    let kind = kind.map(|kind| format!("      \"type\": \"{kind}\",\n")).unwrap_or_default();
    let url = format!("      \"url\": {}", literal(&facts.mcp_http_url()));
    let headers = facts
        .token
        .as_ref()
        .map(|token| format!(",\n      \"headers\": {{\n        \"Authorization\": \"Bearer {token}\"\n      }}"));
    format!("{kind}{url}{}", headers.unwrap_or_default())
}

fn stdio_entry(facts: &Facts, indent: &str) -> String {
    let words = stdio_words(facts);
    let arguments: Vec<String> = words[1..].iter().map(|part| literal(part)).collect();
    format!("{indent}  \"command\": {},\n{indent}  \"args\": [{}]", literal(&words[0]), arguments.join(", "))
}

/// The command that speaks MCP on its standard streams.
pub(super) fn stdio_words(facts: &Facts) -> Vec<String> {
    let mut words = vec![path_text(&facts.program), "--home".to_owned(), path_text(&facts.home)];
    if facts.instance != "default" {
        words.extend(["--instance".to_owned(), facts.instance.clone()]);
    }
    words.push("mcp-stdio".to_owned());
    words
}

/// How the server is called in the client.
fn server_name(facts: &Facts) -> String {
    if facts.instance == "default" { "cwts-ultra".to_owned() } else { format!("cwts-ultra-{}", facts.instance) }
}

/// Programs on Node take an authority from a variable.
pub(super) fn node_authority(facts: &Facts) -> Option<String> {
    let authority = facts.authority.as_deref()?;
    let file = word(&path_text(authority));
    Some(format!("Start it with NODE_EXTRA_CA_CERTS={file}, or it stops at TLS. {}", facts.copy_authority()))
}

/// Programs that ask the system whom to trust.
fn system_authority(facts: &Facts) -> Option<String> {
    let authority = facts.authority.as_deref()?;
    Some(format!(
        "The computer of the client has to trust {}, or it stops at TLS: `cwts-ultra tls show` says how.",
        path_text(authority)
    ))
}
