//! Real processes on real ports.

use std::net::{TcpListener, TcpStream};

use super::*;
use crate::fixture::{self, ForeignListener, fresh_port};

const PATIENCE: Duration = Duration::from_secs(10);

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[test]
fn a_listener_that_is_asked_ends_and_frees_the_port() {
    let address = loopback(fresh_port());
    let foreign = ForeignListener::on(address);
    let client = TcpStream::connect(address).unwrap();
    let ended = end_listener(address, foreign.pid(), Ending::Ask, PATIENCE).unwrap();
    assert_eq!(ended, Ended::Gone, "SIGTERM ends an ordinary program");
    assert!(crate::is_bindable(address), "the port is free at once");
    drop(client);
}

#[test]
fn a_listener_that_ignores_the_question_runs_on_until_it_is_forced() {
    let address = loopback(fresh_port());
    let stubborn = ForeignListener::deaf_on(address);
    let asked = end_listener(address, stubborn.pid(), Ending::Ask, Duration::from_millis(200)).unwrap();
    assert_eq!(asked, Ended::StillRunning, "a person must be asked again before it is killed");
    assert!(TcpStream::connect(address).is_ok(), "it serves on as before");
    let forced = end_listener(address, stubborn.pid(), Ending::Force, PATIENCE).unwrap();
    assert_eq!(forced, Ended::Gone, "nothing survives SIGKILL");
    assert!(crate::is_bindable(address), "the port is free");
}

#[test]
fn a_client_of_the_port_is_never_ended() {
    let address = loopback(fresh_port());
    let listener = TcpListener::bind(address).unwrap();
    let client = fixture::client_of(address);
    let refused = end_listener(address, client.pid(), Ending::Force, PATIENCE).unwrap_err();
    assert!(matches!(refused, EndError::NotListening { .. }), "it holds no port: {refused}");
    assert!(client.is_running(), "lsof -t names it too, and kill would have ended it");
    drop(listener);
}

#[test]
fn a_process_that_listens_elsewhere_is_never_ended() {
    let (wanted, other) = (loopback(fresh_port()), loopback(fresh_port()));
    let _wanted = TcpListener::bind(wanted).unwrap();
    let foreign = ForeignListener::on(other);
    let refused = end_listener(wanted, foreign.pid(), Ending::Force, PATIENCE).unwrap_err();
    assert!(matches!(refused, EndError::NotListening { .. }), "the pid may have been reused since the look: {refused}");
    assert!(TcpStream::connect(other).is_ok(), "a bystander lives on");
}

#[test]
fn a_process_that_is_gone_is_told_so() {
    let address = loopback(fresh_port());
    let pid = ForeignListener::on(address).pid();
    let refused = end_listener(address, pid, Ending::Force, PATIENCE).unwrap_err();
    assert!(matches!(refused, EndError::NotListening { .. }), "there is nobody to end: {refused}");
}

#[test]
fn this_program_and_the_first_process_are_never_ended() {
    let address = loopback(fresh_port());
    let _own = TcpListener::bind(address).unwrap();
    for pid in [std::process::id(), 1, 0] {
        let refused = end_listener(address, pid, Ending::Force, PATIENCE).unwrap_err();
        assert!(matches!(refused, EndError::Protected { .. }), "pid {pid}: {refused}");
    }
}

#[test]
fn a_process_of_another_user_is_refused_before_anything_is_sent() {
    let address = loopback(fresh_port());
    let root = ForeignListener::on(address);
    match fixture::end_as_nobody(address, root.pid()) {
        Ok(said) => {
            assert!(said.contains("belongs to another user"), "polkit is the only way: {said}");
            assert!(TcpStream::connect(address).is_ok(), "it lives on");
        }
        Err(reason) => fixture::skip(&format!("an attempt as another user: {reason}")),
    }
}
