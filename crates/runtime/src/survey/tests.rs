//! Real sockets on loopback, and a home whose ports.conf names the ports of the test.

use std::fs;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use cwts_config::Environment;
use cwts_ports::CwtsInstance;

use super::*;
use crate::lock::InstanceLock;

/// A port that nobody uses, below the ephemeral range and outside of what other suites take.
fn fresh_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = 12_000 + (std::process::id() % 400) as u16 * 16;
    loop {
        let port = base + NEXT.fetch_add(1, Ordering::Relaxed);
        if cwts_ports::is_bindable((std::net::Ipv6Addr::UNSPECIFIED, port).into()) {
            return port;
        }
    }
}

/// A home in which the WebSocket service is on `port`, with alternatives and a range.
struct Home {
    folder: tempfile::TempDir,
    port: u16,
}

impl Home {
    fn with(alternatives: &[u16], range: RangeInclusive<u16>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = fresh_port();
        let config = folder.path().join("config");
        fs::create_dir_all(config.join("instances")).unwrap();
        let row = |service: Service| {
            let alternatives = if service == Service::McpWebsocket { alternatives } else { &[] };
            let default = if service == Service::McpWebsocket { port } else { fresh_port() };
            let (first, last) = (range.start(), range.end());
            let id = service.id();
            format!("[{id}]\ndefault = {default}\nalternatives = {alternatives:?}\nrange = [{first}, {last}]\n")
        };
        fs::write(config.join("ports.conf"), Service::ALL.map(row).concat()).unwrap();
        Self { folder, port }
    }

    fn sources(&self) -> Sources {
        self.sources_of("default")
    }

    fn sources_of(&self, id: &str) -> Sources {
        Sources::new(self.folder.path(), id.parse().unwrap(), None, Environment::empty()).unwrap()
    }

    fn survey(&self) -> PortSurvey {
        self.survey_with(None)
    }

    fn survey_with(&self, ephemeral: Option<RangeInclusive<u16>>) -> PortSurvey {
        let sources = self.sources().with_ephemeral_ports(ephemeral);
        PortSurvey::new(&sources, &cwts_config::load(&sources).unwrap())
    }

    /// What is offered instead of the configured port.
    fn alternatives(&self) -> Alternatives {
        self.survey().alternatives(Service::McpWebsocket, self.port)
    }
}

fn hold(port: u16) -> TcpListener {
    TcpListener::bind(("127.0.0.1", port)).unwrap()
}

fn states(alternatives: &Alternatives) -> Vec<(u16, PortCheckState)> {
    alternatives.listed.iter().map(|check| (check.port, check.state)).collect()
}

#[test]
fn the_table_comes_before_the_range() {
    let (first, second) = (fresh_port(), fresh_port());
    let home = Home::with(&[first, second], 1..=1);
    assert_eq!(home.alternatives().best, Some(first), "the guide's first alternative");
    let _holder = hold(first);
    let found = home.alternatives();
    assert_eq!(found.best, Some(second), "the next one of the table");
    let expected = vec![(first, PortCheckState::Refused), (second, PortCheckState::Free)];
    assert_eq!(states(&found), expected, "what is taken stays in sight");
    assert!(found.listed[0].message.contains(&std::process::id().to_string()), "with the reason: {found:?}");
}

#[test]
fn the_range_is_searched_when_the_table_is_used_up() {
    let (held, free) = (fresh_port(), fresh_port());
    let home = Home::with(&[held], free..=free);
    let _holder = hold(held);
    let found = home.alternatives();
    assert_eq!(found.best, Some(free), "the range is the last resort");
    let expected = RangeCheck { first: free, last: free, tested: 1, free: 1, next: Some(free) };
    assert_eq!(found.range, expected, "a person is told how much is left");
}

#[test]
fn the_port_that_is_left_is_not_offered() {
    let home = Home::with(&[], 1..=1);
    let found = home.alternatives();
    assert_eq!((found.listed, found.best), (Vec::new(), None), "no offer is better than a wrong one");
}

#[test]
fn a_port_that_browsers_refuse_stays_in_sight_and_is_never_offered() {
    let free = fresh_port();
    let home = Home::with(&[10_080], free..=free);
    let found = home.alternatives();
    assert_eq!(found.best, Some(free), "clients in browsers would not get through");
    let Some(blocked) = found.listed.first() else { panic!("the table's port is listed: {found:?}") };
    assert_ne!(blocked.state, PortCheckState::Free, "it does not work for everyone");
    let standing = home.survey().standing(Service::McpWebsocket, 10_080);
    if standing.is_bindable() {
        assert_eq!(blocked.message, "10080 is refused by browsers, though not by curl.", "the reason is said");
    }
}

#[test]
fn the_search_of_the_range_goes_on_after_the_alternatives() {
    let home = Home::with(&[10_080], 10_000..=10_100);
    let next = home.alternatives().range.next.expect("some port of a hundred is free");
    assert!(next > 10_080, "services that all start at the front get the same port: {next}");
}

#[test]
fn a_port_of_another_service_is_named_and_not_offered() {
    let home = Home::with(&[], 1..=1);
    let survey = home.survey();
    let other = survey.rows[&Service::Health].address.port();
    let found = survey.check(Service::McpWebsocket, other);
    let expected = (PortCheckState::Refused, format!("{other} is Health check here."));
    assert_eq!((found.state, found.message), expected, "the two cannot share it");
}

#[test]
fn a_port_that_was_promised_to_one_service_is_not_offered_to_another() {
    let port = fresh_port();
    let home = Home::with(&[port], port..=port);
    let mut survey = home.survey();
    survey.promise(Service::Health, port);
    let found = survey.alternatives(Service::McpWebsocket, home.port);
    assert_eq!(found.best, None, "the second of two moves would fail");
}

#[test]
fn a_port_of_the_ephemeral_range_is_flagged_and_comes_last() {
    let (ephemeral, plain) = (fresh_port(), fresh_port());
    let range = Some(ephemeral..=ephemeral);
    let home = Home::with(&[ephemeral, plain], 1..=1);
    let found = home.survey_with(range.clone()).alternatives(Service::McpWebsocket, home.port);
    assert_eq!(states(&found)[0], (ephemeral, PortCheckState::Warning), "it may be taken at the next start");
    assert_eq!(found.best, Some(plain), "a port without a drawback comes first");
    let _holder = hold(plain);
    let found = home.survey_with(range).alternatives(Service::McpWebsocket, home.port);
    assert_eq!(found.best, Some(ephemeral), "it works, which is more than nothing");
}

#[test]
fn a_port_is_tested_on_the_address_that_will_be_bound() {
    let port = fresh_port();
    let home = Home::with(&[port], 1..=1);
    let _holder = hold(port);
    let toml = home.folder.path().join("config/production.toml");
    fs::write(toml, "[mcp]\nbind_addr = \"127.0.0.2\"\n").unwrap();
    assert_eq!(home.alternatives().best, Some(port), "127.0.0.1 leaves 127.0.0.2 alone");
}

#[test]
fn an_instance_of_this_home_is_named() {
    let port = fresh_port();
    let home = Home::with(&[port], 1..=1);
    let desk = home.sources_of("desk");
    fs::write(desk.toml_file(), format!("[mcp]\nmcp_port = {port}\n")).unwrap();
    let _running = InstanceLock::acquire(&desk).unwrap();
    let _socket = hold(port);
    let found = &home.alternatives().listed[0];
    let expected = format!("{port} is held by instance desk, pid {}.", std::process::id());
    assert_eq!(found.message, expected, "a person knows instances by their names, not by their pids");
}

/// This process, which holds a port and says that it runs these instances.
fn occupant(port: u16, pid: Option<u32>, said: &[&str]) -> Occupant {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let holder = Holder { pid, process: None, user: None, unit: None, address };
    let instances = said.iter().map(|id| CwtsInstance { id: (*id).to_owned(), nonce: format!("nonce of {id}") });
    Occupant {
        holder,
        addresses: vec![address],
        listens: true,
        unit: None,
        command: None,
        started_at: None,
        clients: cwts_ports::Clients::default(),
        instances: instances.collect(),
    }
}

#[test]
fn a_holder_is_ours_by_the_lock_of_its_instance() {
    let home = Home::with(&[], 1..=1);
    let (default, desk) = (home.sources(), home.sources_of("desk"));
    let port = fresh_port();
    let me = Some(std::process::id());
    let owner = |pid, said: &[&str]| home.survey().owner(&occupant(port, pid, said));

    assert_eq!(owner(me, &[]).kind, OwnerKind::Foreign, "nobody runs yet");
    let _default = InstanceLock::acquire(&default).unwrap();
    let found = owner(me, &["default"]);
    assert_eq!(found.kind, OwnerKind::ThisInstance, "another process that runs this very instance");
    assert_eq!(found.nonce.as_deref(), Some("nonce of default"), "by which an orphan is told from ours");

    let mut desk = InstanceLock::acquire(&desk).unwrap();
    desk.tell("00ff", [(Service::McpWebsocket, SocketAddr::from(([127, 0, 0, 1], port)))]).unwrap();
    let found = owner(me, &["default", "desk"]);
    assert_eq!(found.instance.as_deref(), Some("desk"), "of several in one process, the one that has bound it");
    assert_eq!(found.kind, OwnerKind::OtherInstance, "it is not this one");
    let hidden = owner(None, &["desk"]);
    assert_eq!((hidden.kind, hidden.pid), (OwnerKind::OtherInstance, me), "the lock knows the pid that proc hides");
}

#[test]
fn an_instance_of_another_home_is_another_one_even_with_the_same_name() {
    let home = Home::with(&[], 1..=1);
    let found = home.survey().owner(&occupant(fresh_port(), Some(1), &["default"]));
    let expected = Owner {
        kind: OwnerKind::OtherInstance,
        instance: Some("default".to_owned()),
        nonce: Some("nonce of default".to_owned()),
        pid: Some(1),
    };
    assert_eq!(found, expected, "this home's instance does not run");
}
