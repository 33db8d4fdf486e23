//! What a start does where another instance has a port that nobody chose: it takes a free one and keeps it.
//!
//! A port that somebody chose never moves by itself, and none gives way to a foreign program: who listens there may be
//! somebody whom this instance was to replace.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use cwts_config::{Edit, Key, Loaded, SaveLayer, Sources};
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_net::{Listeners, Prepared};

use crate::conflict::{self, Blocked};
use crate::core::plan;
use crate::port_facts::OwnerKind;

/// Each of four services may find a few alternatives taken by starts at the same moment.
const MOST_STEPS: usize = 16;

/// Sockets that are bound, and what had to move for them.
pub(crate) struct Placed {
    pub(crate) prepared: Prepared<Service>,
    /// One sentence for each port that moved. The file has it already.
    pub(crate) told: Vec<String>,
}

/// A port that gives way.
struct Move {
    from: u16,
    to: u16,
    /// Whose the port is, for example `instance 1, pid 4711`.
    holder: String,
}

/// Binds what is configured. Ports that nobody chose give way to those of other instances, and are kept in the TOML file.
///
/// # Errors
/// A port cannot be bound and does not give way, or the file cannot be written. Nothing is bound then.
pub(crate) async fn place(
    listeners: &Listeners<Service>,
    sources: &Sources,
    loaded: &Loaded,
) -> Result<Placed, Blocked> {
    let mut plan = plan(loaded);
    let mut moves: BTreeMap<Service, Move> = BTreeMap::new();
    for _ in 0..MOST_STEPS {
        let failed = match listeners.prepare(&plan) {
            Ok(prepared) => return keep(prepared, moves, sources, loaded).await,
            Err(failed) => failed,
        };
        let service = failed.key;
        let blocked = conflict::explain(failed, sources, &plan, &loaded.port_table, &BTreeMap::new()).await;
        match way_out(service, &blocked, loaded) {
            Some(step) => take(step, service, &mut plan, &mut moves),
            None => return Err(blocked),
        }
    }
    let message = "No four free ports were found: others take them at the same moment.";
    Err(Blocked::by_problem(Problem::new(ErrorCode::PortTaken, message).with_help("Start again in a moment.")))
}

/// Where the service may go instead; `None` when it has to stay.
fn way_out(service: Service, blocked: &Blocked, loaded: &Loaded) -> Option<Move> {
    let port = loaded.settings.port(service);
    let gives_way = !loaded.settings.is_port_chosen(service);
    let conflict = blocked.conflict().filter(|it| gives_way && it.owner.kind == OwnerKind::OtherInstance)?;
    let id = conflict.owner.instance.as_deref().unwrap_or("of another home");
    let pid = conflict.owner.pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
    Some(Move { from: port.value, to: conflict.alternatives.best?, holder: format!("instance {id}{pid}") })
}

fn take(step: Move, service: Service, plan: &mut BTreeMap<Service, SocketAddr>, moves: &mut BTreeMap<Service, Move>) {
    if let Some(address) = plan.get_mut(&service) {
        address.set_port(step.to);
    }
    // A second step of a service goes on from the first: what a person reads is where it began.
    let to = step.to;
    moves.entry(service).or_insert(step).to = to;
}

/// Writes the moves into the file. Dropping the prepared sockets undoes the rest.
async fn keep(
    prepared: Prepared<Service>,
    moves: BTreeMap<Service, Move>,
    sources: &Sources,
    loaded: &Loaded,
) -> Result<Placed, Blocked> {
    if moves.is_empty() {
        return Ok(Placed { prepared, told: Vec::new() });
    }
    let file = sources.toml_file().display();
    let told = moves.iter().map(|(service, Move { from, to, holder })| {
        format!("{service} moved to {to}: {from} is held by {holder}. Kept in {file}")
    });
    let told = told.collect();
    let edits =
        moves.iter().map(|(service, step)| Edit::set(Key::Port(*service), step.to)).collect::<Result<Vec<_>, _>>();
    let edits = edits.map_err(|error| Blocked::by_problem(error.into()))?;
    let (sources, expected) = (sources.clone(), loaded.revision.clone());
    let save = move || cwts_config::save(&sources, SaveLayer::Toml, &edits, &expected);
    let saved =
        tokio::task::spawn_blocking(save).await.map_err(|error| Problem::new(ErrorCode::Internal, error.to_string()));
    saved.and_then(|saved| saved.map_err(Problem::from)).map_err(Blocked::by_problem)?;
    Ok(Placed { prepared, told })
}
