//! Tells the process that runs an instance what its owner wants, over its REST API and with the owner's token.

use cwts_config::Sources;
use cwts_credentials::{Scope, TokenStore};
use cwts_domain::{ErrorCode, Problem};
use cwts_ports::loopback;
use serde::Deserialize;

use super::status::Reader;
use crate::lock;

/// Problem details have a few hundred bytes, the ids of ten thousand orders fewer than this.
const LONGEST_ANSWER: usize = 1 << 20;

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
    let answer = loopback::post(address, path, Some(tokens.get(Scope::Owner).secret.expose()), LONGEST_ANSWER);
    let answer = answer.map_err(|error| {
        let message = format!("Instance {id} did not answer on {address}: {error}.");
        Problem::new(ErrorCode::Internal, message).with_help("`cwts-ultra audit` says whether it was done.")
    })?;
    if matches!(answer.status, 200 | 204) {
        return Ok(answer.body);
    }
    let detail = serde_json::from_slice::<Refusal>(&answer.body).map(|refusal| refusal.detail);
    let code = if matches!(answer.status, 401 | 403) { ErrorCode::NotPermitted } else { ErrorCode::WrongState };
    Err(Problem::new(code, detail.unwrap_or_else(|_| format!("Instance {id} answered with status {}.", answer.status))))
}
