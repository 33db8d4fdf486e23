//! `client`: the text that a client program is told of the instance with.

use std::net::SocketAddr;
use std::process::ExitCode;

use cwts_config::Sources;
use cwts_runtime::{ClientFacts, ClientProgram, Issued, Place};
use serde_json::json;

use crate::args::ClientArguments;
use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(sources: &Sources, options: &ClientArguments, as_json: bool) -> Result<ExitCode, Failure> {
    let Some(client) = &options.name else { return list(as_json) };
    let client: ClientProgram = client.parse()?;
    let loaded = cwts_config::load(sources)?;
    let running = running(sources);
    let facts = ClientFacts::gather(sources, &loaded.settings, |service| {
        let served = running.iter().flatten().find(|(other, _)| *other == service);
        served.map_or(loaded.settings.socket_addr(service), |(_, address)| *address)
    })?;
    let transport = options.transport.map(Into::into);
    let place = options.local.then_some(Place::Here);
    let snippet = facts.snippet(client, transport, place, true);
    if let Some(wanted) = transport.filter(|wanted| *wanted != snippet.transport) {
        let offered: Vec<&str> = client.transports().iter().map(|transport| transport.id()).collect();
        return Err(Failure::usage(format!(
            "{} does not connect by {wanted}; it does by {}.",
            client.name(),
            offered.join(", ")
        )));
    }
    if options.try_out {
        let trial = facts.try_out(client, transport, place)?;
        if as_json {
            print_json(&trial)?;
        } else {
            let outcome = if trial.ok { "works" } else { "failed" };
            print(format!("{} {outcome}, in {} ms\n{}", snippet.name, trial.millis, trial.said))?;
        }
        return Ok(if trial.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if let Err(problem) = Issued::remember(&sources.data(), &facts, &snippet) {
        eprintln!("warning: a later change of the port will not tell about this text: {problem}");
    }
    if as_json {
        print_json(&snippet)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Standard output holds the text alone, so that it can go into the file.
    eprintln!("{}, for {}:", snippet.name, snippet.file);
    print(&snippet.text)?;
    for note in &snippet.notes {
        eprintln!("{}: {}", if note.attention { "warning" } else { "note" }, note.text);
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the instance listens while it runs, which may be for this run only.
fn running(sources: &Sources) -> Option<Vec<(cwts_domain::Service, SocketAddr)>> {
    let running = cwts_runtime::running_instances(sources.home());
    let pid = running.into_iter().find(|one| one.id == sources.instance().as_str())?.pid;
    cwts_runtime::running_addresses(sources, pid)
}

fn list(as_json: bool) -> Result<ExitCode, Failure> {
    let all = ClientProgram::ALL;
    if as_json {
        let rows =
            all.map(|client| json!({ "client": client, "name": client.name(), "transports": client.transports() }));
        print_json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    let lines = all.map(|client| {
        let transports: Vec<&str> = client.transports().iter().map(|transport| transport.id()).collect();
        format!("{:<15} {:<15} {}", client.id(), client.name(), transports.join(", "))
    });
    print(lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}
