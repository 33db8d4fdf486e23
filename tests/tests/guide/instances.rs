//! "Running Multiple Instances": both run, each with four ports of its own, although the guide sets only two.

use std::fs;

use cwts_tests::{Exit, Server, get, refuses, sandboxed};
use rustix::process::Signal;

use crate::blocks::INSTANCES;
use crate::person::Person;

/// What a person pastes into the first and into the second terminal.
fn terminals() -> (&'static str, &'static str) {
    INSTANCES.text.split_once("\n\n").expect("the guide has a part for each instance")
}

/// The two files that the commands name: one where a person stands, one in the config folder.
fn create_files(person: &Person) {
    fs::write(person.installation.user().join("instance1.toml"), "# first\n").expect("the user's own folder");
    person.installation.write("config/instance2.toml", "# second\n");
}

/// The same, as copies of the file that an installation ships: every port is in them, and none of them was chosen.
fn copy_files(person: &Person) {
    let shipped = person.installation.text("config/production.toml");
    fs::write(person.installation.user().join("instance1.toml"), &shipped).expect("the user's own folder");
    person.installation.write("config/instance2.toml", &shipped);
}

/// Checks that an instance has all four ports.
async fn answer(id: &str, ports: [u16; 4]) {
    let [.., health] = ports;
    assert_eq!(get(health, "/health").await.json()["serviceId"], id, "instance {id} says who it is on {health}");
    for port in ports {
        assert!(!refuses(port), "instance {id} listens on {port}");
    }
}

async fn stop(server: Server) -> Exit {
    let exit = server.stop(Signal::TERM).await;
    assert_eq!(exit.status, Some(0), "it ends in peace: {exit:?}");
    exit
}

#[tokio::test]
async fn a_file_that_is_not_there_is_refused_with_the_places_searched() {
    if !sandboxed(a_file_that_is_not_there_is_refused_with_the_places_searched).await {
        return;
    }
    let person = Person::new().await;
    let exit = person.runs(terminals().0).await;
    assert_eq!(exit.status, Some(2), "a person has to write the file first: {exit:?}");
    let here = person.installation.user().join("instance1.toml");
    for place in [here, person.installation.root("config/instance1.toml")] {
        assert!(exit.stderr.contains(&place.display().to_string()), "{} was searched: {exit:?}", place.display());
    }
}

#[tokio::test]
async fn both_instances_run_and_the_ports_that_nobody_set_give_way() {
    if !sandboxed(both_instances_run_and_the_ports_that_nobody_set_give_way).await {
        return;
    }
    let person = Person::new().await;
    create_files(&person);
    let (first, second) = terminals();
    let one = person.starts(first).await;
    answer("1", [3001, 3002, 9090, 8080]).await;
    let two = person.starts(second).await;
    answer("2", [3003, 3004, 9190, 8180]).await;
    answer("1", [3001, 3002, 9090, 8080]).await;

    let pid = one.pid().to_string();
    let kept = person.installation.text("config/instance2.toml");
    for port in ["metrics_port = 9190", "health_check_port = 8180"] {
        assert!(kept.contains(port), "the next start must find the same ports: {kept}");
    }
    assert!(kept.starts_with("# second\n") && !kept.contains("mcp"), "nothing else was changed: {kept}");
    let exit = stop(two).await;
    for said in ["Prometheus moved to 9190", "Health check moved to 8180", "instance 1", &pid, "instance2.toml"] {
        assert!(exit.stderr.contains(said), "what moved, why and where it is kept is said: {}", exit.stderr);
    }

    stop(one).await;
    let two = person.starts(second).await;
    answer("2", [3003, 3004, 9190, 8180]).await;
    let exit = stop(two).await;
    assert!(!exit.stderr.contains("moved"), "what was kept does not move again: {}", exit.stderr);
}

#[tokio::test]
async fn a_port_that_somebody_set_never_moves_by_itself() {
    if !sandboxed(a_port_that_somebody_set_never_moves_by_itself).await {
        return;
    }
    let person = Person::new().await;
    create_files(&person);
    let one = person.starts(terminals().0).await;
    let pid = one.pid().to_string();
    // Instance 1 has it now. In ports.env somebody wrote it, although it is the default.
    person.installation.write("config/ports.env", "export MCP_HTTP_PORT=3001\n");
    let exit = person.runs("~/.local/cwts-ultra/bin/cwts-ultra").await;
    assert_eq!(exit.status, Some(3), "somebody relies on the port that was set: {exit:?}");
    for named in ["3001", "instance 1", &pid] {
        assert!(exit.stderr.contains(named), "the line names {named}: {}", exit.stderr);
    }
    stop(one).await;
}

#[tokio::test]
async fn the_defaults_of_an_installation_were_chosen_by_nobody_and_give_way() {
    if !sandboxed(the_defaults_of_an_installation_were_chosen_by_nobody_and_give_way).await {
        return;
    }
    let person = Person::new().await;
    copy_files(&person);
    let (first, second) = terminals();
    let one = person.starts(first).await;
    answer("1", [3001, 3002, 9090, 8080]).await;
    let two = person.starts(second).await;
    answer("2", [3003, 3004, 9190, 8180]).await;
    // The installed production.toml has the defaults, 3001 among them, which instance 1 has now.
    let default = person.starts("~/.local/cwts-ultra/bin/cwts-ultra").await;
    answer("default", [3000, 5011, 10090, 10081]).await;
    let kept = person.installation.text("config/production.toml");
    assert!(
        kept.contains("mcp_port = 3000") && kept.contains("mcp_http_port = 5011"),
        "only what moved is new: {kept}"
    );
    for server in [default, two, one] {
        stop(server).await;
    }
}
