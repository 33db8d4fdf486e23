//! "Running Multiple Instances".

use std::fs;

use cwts_tests::{get, refuses, sandboxed};
use rustix::process::Signal;

use crate::blocks::INSTANCES;
use crate::person::Person;

#[tokio::test]
async fn both_instances_of_the_example_run_side_by_side() {
    if !sandboxed(both_instances_of_the_example_run_side_by_side).await {
        return;
    }
    let person = Person::new().await;
    for file in ["instance1.toml", "instance2.toml"] {
        fs::write(person.installation.user().join(file), "[log]\nlevel = \"warn\"\n").expect("writable");
    }
    // Trimmed, so that each shell becomes its server: a line after it would keep the shell waiting.
    let (first, second) = INSTANCES.text.split_once("# Instance 2").expect("two instances");
    // The example sets two of four ports; the two others of the second instance are named here.
    let named = "export PROMETHEUS_PORT=9190 HEALTH_CHECK_PORT=8180\n";
    let first = person.starts(first.trim()).await;
    let second = person.starts(&format!("{named}#{second}")).await;
    for (id, health, mcp) in [("1", 8080, [3001, 3002]), ("2", 8180, [3003, 3004])] {
        assert_eq!(get(health, "/health").await.json()["serviceId"], id, "instance {id} says who it is");
        for port in mcp {
            assert!(!refuses(port), "instance {id} listens on {port}, as the guide sets it");
        }
    }
    for server in [second, first] {
        assert_eq!(server.stop(Signal::TERM).await.status, Some(0), "each ends alone");
    }
}
