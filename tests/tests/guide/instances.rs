//! "Running Multiple Instances".

use cwts_domain::Service;
use cwts_tests::sandboxed;
use rustix::process::Signal;

use crate::blocks::INSTANCES;
use crate::person::{Person, answer};

#[tokio::test]
async fn both_instances_run_and_the_ports_that_the_guide_leaves_out_do_not_clash() {
    if !sandboxed(both_instances_run_and_the_ports_that_the_guide_leaves_out_do_not_clash).await {
        return;
    }
    let person = Person::new().await;
    let (first, second) = INSTANCES.text.split_once("# Instance 2").expect("two instances");
    for file in ["instance1.toml", "instance2.toml"] {
        std::fs::write(person.installation.user().join(file), "[log]\nlevel = \"warn\"\n").expect("writable");
    }
    let first = person.starts(first).await;
    answer([3001, 3002, 9090, 8080]).await;
    let second = person.starts(&format!("#{second}")).await;
    let [metrics, health] = [Service::Prometheus, Service::Health].map(|service| port(second.url(service)));
    assert!(metrics != 9090 && health != 8080, "each instance has all four ports: {metrics}, {health}");
    answer([3003, 3004, metrics, health]).await;
    let said = second.stop(Signal::TERM).await.stderr;
    for port in [metrics, health] {
        assert!(said.contains(&port.to_string()), "a port that moved by itself is said, {port} too: {said}");
    }
    answer([3001, 3002, 9090, 8080]).await;
    first.stop(Signal::TERM).await;
}

fn port(url: &str) -> u16 {
    let authority = url.split('/').nth(2).expect("a URL");
    authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port")
}
