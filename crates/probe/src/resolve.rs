//! From a name to addresses, as the system's resolver has them.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;

use crate::{Fault, Target};

/// All addresses, in the order in which clients try them.
pub(crate) async fn resolve(target: &Target) -> Result<(Vec<SocketAddr>, String), (Fault, String)> {
    if let Ok(ip) = target.host.parse::<IpAddr>() {
        return Ok((vec![SocketAddr::new(ip, target.port)], format!("{ip} is an address")));
    }
    let mut found: Vec<SocketAddr> = match lookup_host((target.host.as_str(), target.port)).await {
        Ok(found) => found.collect(),
        Err(error) => return Err((fault(&error), format!("{}: {error}", target.host))),
    };
    let mut seen = Vec::new();
    found.retain(|address| {
        !seen.contains(address) && {
            seen.push(*address);
            true
        }
    });
    if found.is_empty() {
        return Err((Fault::NameUnknown, format!("{} has no address", target.host)));
    }
    let text: Vec<String> = found.iter().map(|address| address.ip().to_string()).collect();
    Ok((found, format!("{} is {}", target.host, text.join(", "))))
}

/// getaddrinfo(3) tells a name that does not exist from names that cannot be looked up at the moment; std keeps only the
/// text of it.
fn fault(error: &io::Error) -> Fault {
    let temporary = error.to_string().contains("Temporary failure");
    if temporary { Fault::NamesUnavailable } else { Fault::NameUnknown }
}
