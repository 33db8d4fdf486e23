//! The log of a process that runs several instances: what a library says, which knows none of them, and what one of them says.

use std::fs;

use cwts_config::{Environment, InstanceId, LogLevel, Sources};
use cwts_runtime::{NewInstance, begin_log, log_page};
use cwts_tests::{Fleet, Home, Ports};

const INSTANCES: [&str; 2] = ["default", "desk"];

#[tokio::test]
async fn a_line_of_a_library_is_in_the_log_of_each_instance() {
    let home = Home::with(&Ports::free());
    let sources = Sources::new(home.path(), InstanceId::default(), None, Environment::empty());
    begin_log(&sources.expect("the home exists"), LogLevel::Info).expect("the first log of this process");
    let fleet = Fleet::open(&home);
    let desk = NewInstance { id: "desk".to_owned(), ..NewInstance::default() };
    fleet.supervisor().create(desk).await.expect("four ports are free");
    for id in INSTANCES {
        fleet.instance(id).start().await.expect("it starts");
    }
    tracing::warn!(target: "hyper::proto::h1", attempt = 3, "the peer has gone");
    tracing::info!(target: "hyper::proto::h1", "what nobody asked for");
    fleet.instance("desk").stop().await.expect("it stops");

    for id in INSTANCES {
        let file = home.path().join(format!("logs/{id}.log"));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let shown: Vec<String> = log_page(home.path(), id, 0).lines.iter().map(ToString::to_string).collect();
        assert_eq!(shown.join("\n"), text.trim_end(), "the window shows {id} what its file holds");
        let of_library = text.lines().filter(|line| line.ends_with(" WARN hyper: the peer has gone attempt=3")).count();
        assert_eq!(of_library, 1, "whoever looks for a cause in {id} finds it there, once: {text}");
        assert!(!text.contains("nobody asked"), "of libraries only what matters: {text}");
        let stopped = text.contains("stopped");
        assert_eq!(stopped, id == "desk", "what one instance says is in its own log alone: {text}");
    }
}
