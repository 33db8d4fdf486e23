//! From the first rung that failed and the local facts to the cause. A pure function.

use std::net::IpAddr;

use serde::Serialize;

use crate::{Cause, Facts, Fault, FixAction, HolderFacts, Icmp, Ladder, Owned, Rung, Step, TlsFault};

/// Why a client does not get through, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct Diagnosis {
    /// Stable code: the rung, a dot, the name.
    pub code: String,
    /// A headline.
    pub title: String,
    /// What is wrong, in plain words.
    pub cause: String,
    /// What was seen, one thing on each line.
    pub evidence: String,
    /// What to do.
    pub fix: String,
    /// What does it in the panel.
    pub action: FixAction,
}

/// The cause; `None` when the ladder holds and there is nothing to know.
pub fn diagnose(ladder: &Ladder, facts: &Facts) -> Option<Diagnosis> {
    let cause = match ladder.failed() {
        Some(step) => cause(ladder, step, facts),
        None => notice(ladder, facts)?,
    };
    let row = cause.row();
    Some(Diagnosis {
        code: cause.code(),
        title: row.title.to_owned(),
        cause: row.cause.to_owned(),
        evidence: evidence(cause, ladder, facts).join("\n"),
        fix: row.fix.to_owned(),
        action: action(row.action, ladder, facts),
    })
}

/// A button changes this computer, which mends nothing on another one but what this one trusts.
fn action(action: FixAction, ladder: &Ladder, facts: &Facts) -> FixAction {
    let anywhere = [FixAction::ShowFirewallRules, FixAction::TrustAuthority];
    let helps = is_here(ladder, facts) || facts.is_away || anywhere.contains(&action);
    if helps { action } else { FixAction::ByHand }
}

fn notice(ladder: &Ladder, facts: &Facts) -> Option<Cause> {
    if facts.proxy.is_some() {
        return Some(Cause::Proxy);
    }
    let peer = ladder.peer?.ip().to_canonical();
    (facts.is_own(peer) && !peer.is_loopback()).then_some(Cause::SelfTest)
}

fn cause(ladder: &Ladder, step: &Step, facts: &Facts) -> Cause {
    let Some(fault) = &step.fault else { return Cause::Misunderstood };
    // Once connected, who listens explains more than what it answered.
    let holder = facts.holder.as_ref().filter(|_| step.name > Rung::Tcp);
    if holder.is_some_and(|holder| holder.whose != Owned::Ours) && is_elsewhere(ladder, facts) {
        return Cause::Elsewhere;
    }
    if let Some(cause) = holder.and_then(|holder| of_holder(holder, step.name, fault)) {
        return cause;
    }
    if facts.is_away && step.name == Rung::Tcp {
        return Cause::AddressAway;
    }
    match fault {
        Fault::NameUnknown => Cause::NameUnknown,
        Fault::NamesUnavailable => Cause::NamesUnavailable,
        Fault::Refused(None) => refused(ladder, facts),
        Fault::Refused(Some(icmp)) | Fault::HostUnreachable(Some(icmp)) | Fault::Denied(Some(icmp)) => {
            by_icmp(*icmp, ladder, facts)
        }
        Fault::NetworkUnreachable(Some(icmp)) if is_sent_here(*icmp, ladder, facts) => Cause::BlockedOutgoing,
        Fault::HostUnreachable(None) => Cause::NoSuchHost,
        Fault::NetworkUnreachable(_) => Cause::NoRoute,
        Fault::Denied(None) => Cause::DeniedByPolicy,
        Fault::ConnectTimeout => match &facts.holder {
            Some(holder) if holder.queue.is_full() => match holder.whose {
                Owned::Ours => Cause::QueueFull,
                Owned::OtherInstance(_) => Cause::OtherInstanceHolds,
                Owned::Foreign => Cause::ForeignProgram,
            },
            _ => Cause::Dropped,
        },
        Fault::OutOfDescriptors => Cause::OutOfDescriptors,
        Fault::SourceUnavailable => Cause::SourceUnavailable,
        Fault::ConnectFailed => Cause::ConnectFailed,
        Fault::Tls(fault) => of_tls(*fault),
        Fault::NoAnswer => match step.name {
            Rung::Tls => Cause::TlsSilent,
            Rung::Protocol => Cause::ProtocolSilent,
            _ => Cause::NoAnswer,
        },
        Fault::Closed => match step.name {
            Rung::Tls => Cause::TlsClosed,
            Rung::Protocol => Cause::Misunderstood,
            _ => Cause::Closed,
        },
        Fault::SpeaksTls => Cause::TlsPort,
        Fault::NotHttp => Cause::NotHttp,
        Fault::Foreign(_) => Cause::ForeignServer,
        Fault::HostRefused => Cause::HostRefused,
        Fault::OriginRefused => Cause::OriginRefused,
        Fault::RemoteRefused => Cause::RemoteRefused,
        Fault::RemotePlainText => Cause::RemotePlainText,
        Fault::TooManyConnections => Cause::TooManyConnections,
        Fault::TooManyRequests => Cause::TooManyRequests,
        Fault::OtherService => Cause::OtherService,
        Fault::UpgradeLost => Cause::UpgradeLost,
        Fault::TokenMissing => Cause::TokenMissing,
        Fault::TokenWrong if facts.token_of.is_some() => Cause::TokenOfOther,
        Fault::TokenWrong => Cause::TokenWrong,
        Fault::TokenThrottled => Cause::Throttled,
        Fault::ScopeTooSmall => Cause::ScopeTooSmall,
        Fault::OtherInstance => Cause::OtherInstance,
        Fault::NotOurs => Cause::NotOurs,
        Fault::Unhealthy => Cause::Unhealthy,
        Fault::TooManySessions => Cause::TooManySessions,
        Fault::Misunderstood => Cause::Misunderstood,
    }
}

/// What follows from who listens; `None` where the answer itself says more.
fn of_holder(holder: &HolderFacts, rung: Rung, fault: &Fault) -> Option<Cause> {
    // What only a CWTS server says gives away one whose process this user may not see.
    let is_ours_to_say = matches!(
        fault,
        Fault::TokenWrong | Fault::TokenThrottled | Fault::ScopeTooSmall | Fault::OtherInstance | Fault::Unhealthy
    );
    match (&holder.whose, rung, fault) {
        (Owned::Ours, ..) => {}
        (Owned::Foreign, ..) if !is_ours_to_say => return Some(Cause::ForeignProgram),
        (_, Rung::Auth, Fault::TokenWrong) => return Some(Cause::OtherInstanceAsks),
        (_, Rung::Tls, _) | (_, _, Fault::NoAnswer | Fault::Closed | Fault::SpeaksTls) => {
            return Some(Cause::OtherInstanceHolds);
        }
        (Owned::OtherInstance(_) | Owned::Foreign, ..) => return None,
    }
    let silent = *fault == Fault::NoAnswer;
    if silent && holder.suspended {
        Some(Cause::Suspended)
    } else if silent && holder.is_out_of_descriptors() {
        Some(Cause::ServerOutOfDescriptors)
    } else {
        None
    }
}

/// Refused, and no ICMP says by whom: a reset came.
fn refused(ladder: &Ladder, facts: &Facts) -> Cause {
    let (Some(instance), true) = (&facts.instance, is_here(ladder, facts)) else { return Cause::NoListener };
    if facts.holder.is_some() {
        return Cause::ResetByFirewall;
    }
    if instance.pid.is_none() {
        return Cause::Stopped;
    }
    let place = instance.listens.iter().find(|(service, ..)| *service == ladder.service);
    let Some((_, listens, _)) = place else { return Cause::NoListener };
    if is_elsewhere(ladder, facts) {
        return Cause::OtherPort;
    }
    let of_loopback = |ip: IpAddr| ip.to_canonical().is_loopback();
    let was_outside = ladder.addresses.iter().any(|tried| !of_loopback(tried.ip()));
    if of_loopback(listens.ip()) && was_outside { Cause::LoopbackOnly } else { Cause::OtherAddress }
}

/// Whether the service is known to listen, and on another port than the one that was tried.
fn is_elsewhere(ladder: &Ladder, facts: &Facts) -> bool {
    let mut listens = facts.instance.iter().flat_map(|instance| &instance.listens);
    let place = listens.find(|(service, ..)| *service == ladder.service);
    place.is_some_and(|(_, listens, _)| ladder.addresses.iter().all(|tried| tried.port() != listens.port()))
}

/// RFC 792 and RFC 1812 section 5.2.7.1 for ICMP, RFC 4443 section 3.1 for ICMPv6.
fn by_icmp(icmp: Icmp, ladder: &Ladder, facts: &Facts) -> Cause {
    let sent_here = is_sent_here(icmp, ladder, facts);
    match (icmp.v6, icmp.kind, icmp.code) {
        // Who asks for the hardware address of a neighbour in vain tells its own programs so.
        (false, 3, 1) | (true, 1, 3) => Cause::NoSuchHost,
        _ if sent_here => Cause::BlockedOutgoing,
        (false, 3, 0) | (true, 1, 0) => Cause::NoRoute,
        (false, 3, 13) => Cause::AdminProhibited,
        (true, 1, 1 | 5 | 6) => Cause::AdminProhibitedV6,
        (false, 3, 9 | 10) => Cause::HostProhibited,
        _ => Cause::RejectedByFirewall,
    }
}

/// Whether this computer itself sent the message about a connection to another one.
fn is_sent_here(icmp: Icmp, ladder: &Ladder, facts: &Facts) -> bool {
    !is_here(ladder, facts) && icmp.sender.is_some_and(|sender| facts.is_own(sender))
}

/// Whether the test went to this computer.
fn is_here(ladder: &Ladder, facts: &Facts) -> bool {
    let is_own = |ip: IpAddr| facts.is_own(ip);
    match ladder.peer {
        Some(peer) => is_own(peer.ip()),
        None => !ladder.addresses.is_empty() && ladder.addresses.iter().all(|address| is_own(address.ip())),
    }
}

fn of_tls(fault: TlsFault) -> Cause {
    match fault {
        TlsFault::PlainText => Cause::PlainText,
        TlsFault::UnknownIssuer => Cause::Untrusted,
        TlsFault::Expired => Cause::Expired,
        TlsFault::NotYetValid => Cause::ClockSkew,
        TlsFault::WrongName => Cause::WrongName,
        TlsFault::AuthorityAsServer => Cause::AuthorityAsServer,
        TlsFault::Other => Cause::TlsFailed,
    }
}

/// What was seen, and of the facts what bears on the cause.
fn evidence(cause: Cause, ladder: &Ladder, facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    match ladder.failed() {
        Some(step) => lines.push(format!("{}: {}", step.name, step.detail)),
        None => lines.extend(ladder.peer.map(|peer| format!("every rung to {peer} holds"))),
    }
    if let Some(holder) = &facts.holder {
        lines.push(format!("{} is held by {}", holder.address, holder.text));
        match &holder.whose {
            Owned::OtherInstance(Some(id)) => lines.push(format!("that is the CWTS instance {id}")),
            Owned::OtherInstance(None) => lines.push("that is a CWTS instance of another home".to_owned()),
            Owned::Ours | Owned::Foreign => {}
        }
        if holder.suspended {
            lines.push("its process is suspended (state T)".to_owned());
        }
        if holder.queue.waiting > 0 {
            lines.push(format!("{} connections wait in its queue of {}", holder.queue.waiting, holder.queue.limit));
        }
        if let Some((open, limit)) = holder.descriptors.filter(|_| holder.is_out_of_descriptors()) {
            lines.push(format!("{open} files are open of {limit} that it may have"));
        }
    }
    if let Some(instance) = &facts.instance {
        let tells_place = matches!(
            cause,
            Cause::OtherPort | Cause::OtherAddress | Cause::LoopbackOnly | Cause::ForeignProgram | Cause::Elsewhere
        );
        match instance.pid {
            None => lines.push(format!("instance {} does not run", instance.id)),
            Some(pid) if tells_place => {
                lines.push(format!("instance {} runs as pid {pid}", instance.id));
            }
            Some(_) => {}
        }
        let place = instance.listens.iter().find(|(service, ..)| *service == ladder.service);
        if let Some((_, address, origin)) = place.filter(|_| tells_place) {
            lines.push(format!("{} listens on {address}, set by {origin}", ladder.service));
            lines.push(format!("the configuration at hand has its port from {}", instance.configured_by));
        }
    }
    let of_firewall = matches!(cause.row().action, FixAction::ShowFirewallRules) || cause == Cause::SelfTest;
    if of_firewall && let Some(firewall) = &facts.firewall {
        lines.push(format!("firewall of this computer: {firewall}"));
    }
    if cause == Cause::DeniedByPolicy && !facts.policies.is_empty() {
        lines.push(format!("security modules here: {}", facts.policies.join(", ")));
    }
    if cause == Cause::TokenOfOther
        && let Some(id) = &facts.token_of
    {
        lines.push(format!("the token is one of instance {id}"));
    }
    if cause == Cause::AddressAway {
        let own = facts.own_addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>();
        lines.push(format!("addresses of this computer: {}", own.join(", ")));
    }
    if cause == Cause::Proxy {
        lines.extend(facts.proxy.clone());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Queue;

    /// What the suite cannot produce: a process of another user, of which only the address is known.
    #[test]
    fn a_server_of_another_user_is_known_by_what_it_answers() {
        let whose = |fault: Fault, rung: Rung| {
            let holder = HolderFacts {
                text: "a process of user bob".to_owned(),
                whose: Owned::Foreign,
                address: std::net::SocketAddr::from(([127, 0, 0, 1], 3000)),
                queue: Queue::default(),
                suspended: false,
                descriptors: None,
            };
            of_holder(&holder, rung, &fault)
        };
        assert_eq!(whose(Fault::TokenWrong, Rung::Auth), Some(Cause::OtherInstanceAsks), "it asks as this server does");
        assert_eq!(
            whose(Fault::Foreign(404), Rung::Handshake),
            Some(Cause::ForeignProgram),
            "no server of ours says so"
        );
    }
}
