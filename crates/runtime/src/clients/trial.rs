//! Trying a text out: runs it as its client would, where that client is on this computer.

mod scrape;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use cwts_domain::{ErrorCode, Problem};
use serde::Serialize;
use serde_json::{Value, json};

use super::{ClientProgram, Facts, Snippet, Transport, editors, path_text};

/// How long a client may take, for `timeout(1)`, which ends it.
const SECONDS: &str = "20";
/// More of what a client said is not shown.
const SHOWN: usize = 600;

/// What a client said that was run with its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct Trial {
    /// Whether it got its answer.
    pub ok: bool,
    /// What it said, without tokens.
    pub said: String,
    /// How long it took.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub millis: u64,
}

/// Whether the text of a client can be tried where the client is installed.
pub(super) fn can_try(client: ClientProgram, transport: Transport) -> bool {
    let runs_here = [ClientProgram::Python, ClientProgram::TypeScript, ClientProgram::Prometheus, ClientProgram::Curl];
    transport == Transport::Stdio || runs_here.contains(&client)
}

/// Runs the whole text of a client, made from `facts`. Blocks.
///
/// # Errors
/// The client is not on this computer, or is none that can be run from here.
pub(super) fn run(snippet: &Snippet, facts: &Facts) -> Result<Trial, Problem> {
    let started = Instant::now();
    let (ok, said) = match (snippet.client, snippet.transport) {
        (_, Transport::Stdio) => speak(&editors::stdio_words(facts))?,
        (ClientProgram::Curl, _) => {
            installed("curl")?;
            feed("sh", &["-s"], &snippet.text)?
        }
        (ClientProgram::Python, _) => {
            installed("python3")?;
            if !feed("python3", &["-c", "import mcp"], "")?.0 {
                let message = "python3 of this computer has no MCP SDK: `python3 -c 'import mcp'` fails.";
                return Err(
                    missing(message).with_help("Install it with pip, in the environment that the panel starts in.")
                );
            }
            feed("python3", &["-W", "ignore", "-"], &snippet.text)?
        }
        (ClientProgram::TypeScript, _) => {
            installed("node")?;
            typescript(&snippet.text, facts)?
        }
        (ClientProgram::Prometheus, _) if installed("prometheus").is_ok() => scrape::scrape(&snippet.text)?,
        (ClientProgram::Prometheus, _) => {
            installed("promtool").map_err(|_| missing("prometheus is not installed on this computer."))?;
            let (ok, said) = feed("promtool", &["check", "config", "/dev/stdin"], &snippet.text)?;
            let more =
                if ok { "\npromtool reads the text; without prometheus on this computer nothing scrapes." } else { "" };
            (ok, said + more)
        }
        _ => return Err(missing(&format!("{} cannot be run from here.", snippet.name))),
    };
    let said = without_token(&said, snippet).chars().take(SHOWN).collect();
    Ok(Trial { ok, said, millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX) })
}

/// Runs the text with the SDK that node finds from the folder in which the panel was started.
fn typescript(text: &str, facts: &Facts) -> Result<(bool, String), Problem> {
    let asks = "import '@modelcontextprotocol/sdk/client/index.js'";
    let authority = facts.authority.as_deref().map(|path| format!("NODE_EXTRA_CA_CERTS={}", path_text(path)));
    let node = ["node", "--experimental-websocket", "--no-warnings", "--input-type=module", "-"];
    let words: Vec<&str> = authority.as_deref().into_iter().chain(node).collect();
    if !feed("env", &words, asks)?.0 {
        let message = format!("node of this computer does not find the MCP SDK: `{asks}` fails.");
        return Err(missing(&message).with_help(
            "Install it where the panel starts: npm install @modelcontextprotocol/sdk@1 in your home folder.",
        ));
    }
    feed("env", &words, text)
}

fn missing(message: &str) -> Problem {
    Problem::new(ErrorCode::WrongState, message)
}

fn installed(name: &str) -> Result<(), Problem> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).any(|file: PathBuf| file.is_file());
    found.then_some(()).ok_or_else(|| missing(&format!("{name} is not installed on this computer.")))
}

fn start(program: &str, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Result<Child, Problem> {
    let mut command = Command::new("timeout");
    command.arg(SECONDS).arg(program).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| failed(program, &error))
}

fn failed(program: &str, error: &std::io::Error) -> Problem {
    Problem::new(ErrorCode::Internal, format!("{program} could not be run: {error}."))
}

/// Runs a program with the text on its standard input; what it printed, or said where it failed.
fn feed(program: &str, arguments: &[&str], text: &str) -> Result<(bool, String), Problem> {
    let mut child = start(program, arguments)?;
    if let Some(mut input) = child.stdin.take() {
        // A program that has ended early says why.
        input.write_all(text.as_bytes()).ok();
    }
    let output = child.wait_with_output().map_err(|error| failed(program, &error))?;
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let told = if output.status.success() { printed.trim() } else { last_lines(&said) };
    Ok((output.status.success(), told.to_owned()))
}

/// Opens a session as a client does that starts its server, and asks for its tools.
fn speak(words: &[String]) -> Result<(bool, String), Problem> {
    let Some((program, arguments)) = words.split_first() else { return Err(missing("There is no program to start.")) };
    let mut child = start(program, arguments)?;
    let client = json!({ "name": "cwts-ultra-trial", "version": env!("CARGO_PKG_VERSION") });
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    let lines = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }),
    ];
    let mut input = child.stdin.take();
    for line in lines {
        if let Some(input) = &mut input {
            writeln!(input, "{line}").ok();
        }
    }
    let answers =
        child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines().map_while(Result::ok));
    let tools = answers.filter_map(|line| serde_json::from_str::<Value>(&line).ok()).find(|it| it["id"] == 2);
    drop(input);
    let mut said = String::new();
    if let Some(mut errors) = child.stderr.take() {
        errors.read_to_string(&mut said).ok();
    }
    child.wait().map_err(|error| failed(program, &error))?;
    let count = tools.and_then(|answer| Some(answer["result"]["tools"].as_array()?.len()));
    Ok(match count {
        Some(count) => (true, format!("The session opened; {count} tools are offered.")),
        None => (false, last_lines(&said).to_owned()),
    })
}

/// The end of what a program complained about: a traceback names its cause last.
fn last_lines(said: &str) -> &str {
    let said = said.trim_end();
    let start = said.rmatch_indices('\n').nth(2).map_or(0, |(at, _)| at + 1);
    &said[start..]
}

fn without_token(said: &str, snippet: &Snippet) -> String {
    let tokens = snippet.marks.iter().filter(|mark| mark.starts_with("cwts_"));
    tokens.fold(said.to_owned(), |said, token| said.replace(token.as_str(), "cwts_••••••••"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_traceback_names_the_cause() {
        assert_eq!(last_lines("Traceback\n one\n two\nError: refused\n"), " one\n two\nError: refused");
        assert_eq!(last_lines("curl: (7) refused"), "curl: (7) refused");
    }
}
