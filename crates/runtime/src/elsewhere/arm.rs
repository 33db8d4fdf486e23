//! Tells the process that runs an instance what its owner wants, over its REST API and with the owner's token.

use std::time::Duration;

use cwts_config::Sources;
use cwts_credentials::{Scope, TokenStore};
use cwts_domain::{ErrorCode, Problem};
use cwts_ports::loopback;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::status::Reader;
use crate::lock;

/// Problem details have a few hundred bytes, the ids of ten thousand orders fewer than this.
const LONGEST_ANSWER: usize = 1 << 20;

/// How long an answer usually takes at most, and where a file is read first.
const USUAL: Duration = Duration::from_millis(500);
const LOOKING: Duration = Duration::from_secs(60);

/// The part of problem details that a person reads.
#[derive(Deserialize)]
struct Refusal {
    detail: String,
}

/// Lets clients of the running instance place orders, or not, while other computers are served. Blocks.
///
/// # Errors
/// Nobody runs the instance, it serves no other computers, or it does not answer.
pub fn arm_running(sources: &Sources, armed: bool) -> Result<(), Problem> {
    let path = if armed { "/api/v1/trading/arm" } else { "/api/v1/trading/disarm" };
    let help = "Start it in the panel or with `cwts-ultra run`; arming ends when the services stop.";
    tell(sources, path, help).map(drop)
}

/// Posts to a path of the REST API and returns the body of the answer. `not_running` helps where nobody runs the instance.
pub(super) fn tell(sources: &Sources, path: &str, not_running: &str) -> Result<Vec<u8>, Problem> {
    send(sources, "POST", path, None, not_running)
}

/// Asks the REST API of the process that runs an instance, as its owner. Blocks, for a file that is looked at up to a minute.
///
/// # Errors
/// Nobody runs the instance, its process does not answer, or it refuses; the problem says why.
pub fn tell_owner<T: DeserializeOwned>(
    sources: &Sources,
    method: &str,
    path: &str,
    body: Option<&serde_json::Value>,
) -> Result<T, Problem> {
    let text = body.map(ToString::to_string);
    let answer = send(sources, method, path, text.as_deref(), "Start it in the panel or with `cwts-ultra run`.")?;
    serde_json::from_slice(&answer).map_err(|error| {
        let message = format!("Instance {} answered {path} unreadably: {error}.", sources.instance());
        Problem::new(ErrorCode::Internal, message)
    })
}

fn send(
    sources: &Sources,
    method: &str,
    path: &str,
    body: Option<&str>,
    not_running: &str,
) -> Result<Vec<u8>, Problem> {
    let id = sources.instance();
    let pid = lock::holder(&lock::path(sources)).ok_or_else(|| {
        let problem = Problem::new(ErrorCode::WrongState, format!("Instance {id} does not run."));
        problem.with_help(not_running)
    })?;
    let mut reader = Reader::new(sources, pid);
    reader.read()?;
    let silent = || Problem::new(ErrorCode::WrongState, format!("pid {pid} does not answer as instance {id}."));
    let address = reader.address().ok_or_else(silent)?;
    let tokens = TokenStore::new(&sources.data()).open_or_make().map_err(Problem::from)?;
    let token = Some(tokens.get(Scope::Owner).secret.expose());
    let patience = if body.is_some() { LOOKING } else { USUAL };
    let question = loopback::Question { method, path, token, body, patience };
    let answer = loopback::ask(&question, address, LONGEST_ANSWER).map_err(|error| {
        let message = format!("Instance {id} did not answer on {address}: {error}.");
        Problem::new(ErrorCode::Internal, message).with_help("`cwts-ultra audit` says whether it was done.")
    })?;
    if matches!(answer.status, 200 | 204) {
        return Ok(answer.body);
    }
    let detail = serde_json::from_slice::<Refusal>(&answer.body).map(|refusal| refusal.detail);
    let code = match answer.status {
        401 | 403 => ErrorCode::NotPermitted,
        400 | 422 => ErrorCode::InvalidInput,
        _ => ErrorCode::WrongState,
    };
    Err(Problem::new(code, detail.unwrap_or_else(|_| format!("Instance {id} answered with status {}.", answer.status))))
}
