//! `ports free`: who holds a port, the ways to free it, and taking one of them.

use std::net::{Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use cwts_config::Sources;
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_ports::{Availability, Occupant, availability};
use cwts_runtime::{PATIENCE, Release, Released, WayOut, further_addresses, look, release, ways_out};
use serde::Serialize;
use serde_json::json;

use crate::args::FreePort;
use crate::failure::{Failure, TAKEN};
use crate::output::{print, print_json};
use crate::wait::block_on;

/// What is known of a port that is held.
#[derive(Debug, Serialize)]
struct Report<'a> {
    address: SocketAddr,
    holder: &'a cwts_ports::Holder,
    /// Every address on which the holder has the port.
    addresses: &'a [SocketAddr],
    ways: &'a [WayOut],
}

pub(crate) fn execute(sources: &Sources, options: &FreePort, as_json: bool) -> Result<ExitCode, Failure> {
    let address = address(sources, &options.place)?;
    let Some(occupant) = block_on(look(address, Vec::new()))?? else { return nobody(address, as_json) };
    // Who asked about all addresses is told which one it is.
    let address = if address.ip() == Ipv6Addr::UNSPECIFIED { occupant.holder.address } else { address };
    let ways = ways_out(address, &occupant);
    if options.unit || options.kill {
        return take(address, &occupant, &ways, options, as_json);
    }
    if as_json {
        print_json(&Report { address, holder: &occupant.holder, addresses: &occupant.addresses, ways: &ways })?;
    } else {
        let further = further_addresses(&occupant.addresses).map(|text| format!(" {text}")).unwrap_or_default();
        let head = format!("{address} is held by {}.{further}", occupant.holder);
        let lines: Vec<String> = std::iter::once(head).chain(ways.iter().map(line)).collect();
        print(lines.join("\n"))?;
    }
    Ok(ExitCode::from(TAKEN))
}

/// No process is in the way, though what it has left behind may be.
fn nobody(address: SocketAddr, as_json: bool) -> Result<ExitCode, Failure> {
    let found = availability(address);
    if found == Availability::AddressUnavailable {
        let message = format!("{} is no address of this computer.", address.ip());
        return Err(Problem::new(ErrorCode::InvalidInput, message)
            .with_help("Name one of its own, or the port alone.")
            .into());
    }
    let lingers = matches!(found, Availability::Taken { .. });
    if as_json {
        print_json(&json!({ "address": address, "holder": null, "addresses": [], "ways": [] }))?;
    } else if lingers {
        print(format!("{address} is taken by a closed connection. The system lets it go within a minute."))?;
    } else if address.ip() == Ipv6Addr::UNSPECIFIED {
        print(format!("Nobody holds port {}.", address.port()))?;
    } else {
        print(format!("Nobody holds {address}."))?;
    }
    Ok(if lingers { ExitCode::from(TAKEN) } else { ExitCode::SUCCESS })
}

/// What a person may mean by a place: the address that a service is configured for, else every address.
fn address(sources: &Sources, place: &str) -> Result<SocketAddr, Failure> {
    if let Ok(address) = place.parse::<SocketAddr>()
        && address.port() != 0
    {
        return Ok(address);
    }
    let Some(port) = place.parse::<u16>().ok().filter(|port| *port != 0) else {
        let message = format!("{place:?} is no port. Use 1 to 65535, or ADDRESS:PORT, for example 127.0.0.1:3000.");
        return Err(Problem::new(ErrorCode::InvalidInput, message).into());
    };
    // An unreadable configuration must not stand in the way of freeing a port.
    let settings = cwts_config::load(sources).map(|loaded| loaded.settings).unwrap_or_default();
    let configured = Service::ALL.map(|service| settings.socket_addr(service));
    let everywhere = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
    Ok(configured.into_iter().find(|address| address.port() == port).unwrap_or(everywhere))
}

fn line(way: &WayOut) -> String {
    match (&way.release, &way.command) {
        (Some(_), Some(command)) => format!("  {}: {command}\n    {}", way.title, way.detail),
        (None, Some(command)) => format!("  {}: {}\n    {command}", way.title, way.detail),
        (_, None) => format!("  {}: not possible, {}", way.title, way.detail),
    }
}

fn take(
    address: SocketAddr,
    occupant: &Occupant,
    ways: &[WayOut],
    options: &FreePort,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let holder = &occupant.holder;
    if let Some(user) = &options.of
        && holder.user.as_ref() != Some(user)
    {
        let message = format!("{address} is held by {holder}, not by a process of {user}.");
        return Err(Problem::new(ErrorCode::WrongState, message).into());
    }
    let [unit, process] = ways else {
        return Err(Failure::internal("a holder has two ways out"));
    };
    let way = if options.unit { unit } else { process };
    let Some(wanted) = way.release.clone() else {
        let problem = Problem::new(ErrorCode::NotPermitted, format!("{address} was not freed: {}", way.detail));
        return Err(match &way.command {
            Some(command) => problem.with_help(format!("Run {command}.")).into(),
            None => problem.into(),
        });
    };
    let released = block_on(release(address, with_force(wanted, options.force)))??;
    // A worker or a socket unit may hold the port on. What is left of connections is in nobody's way.
    let left = match availability(address) {
        Availability::Taken { holder } if released == Released::Ended => holder,
        _ => None,
    };
    if as_json {
        print_json(&json!({ "address": address, "released": released, "holder": left }))?;
    }
    match (released, left) {
        (Released::Ended, None) if as_json => {}
        (Released::Ended, None) => print(format!("{}: done. {address} is free.", way.title))?,
        (Released::Ended, Some(left)) => {
            let message = format!("{}: done, but {left} holds {address} now.", way.title);
            return Err(Problem::new(ErrorCode::PortTaken, message).into());
        }
        (Released::StillRunning, _) => {
            let seconds = PATIENCE.as_secs();
            let message = format!("{holder} has not ended within {seconds} s.");
            let help = "Add --force to send SIGKILL; what it has not saved is lost.";
            return Err(Problem::new(ErrorCode::PortTaken, message).with_help(help).into());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn with_force(wanted: Release, force: bool) -> Release {
    match wanted {
        Release::Process { pid, .. } => Release::Process { pid, force },
        Release::Hidden { user, .. } => Release::Hidden { user, force },
        unit @ Release::Unit { .. } => unit,
    }
}
