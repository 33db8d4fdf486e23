//! Random changes with injected failures and crashes: never a half state, and the file and the sockets agree afterwards.
//!
//! A tenth of the sequences runs here; all of them with `CWTS_SOAK=1`, as `scripts/soak.sh` does.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cwts_config::{Environment, InstanceId, Key, Layer, Settings, Sourced, Sources};
use cwts_domain::{Checkpoints, Group, Service, Step};
use cwts_runtime::{Host, Instance, SaveTarget, SettingChange, SettingsEdit, Surroundings};
use cwts_tests::{Embedded, Faults, Home, McpClient, Ports, Random, answers, free_port, tell, tenth_of, until};
use rustix::process::{Signal, getpid, kill_process};
use serde_json::json;

use Service::{Health, McpHttp, McpWebsocket, Prometheus};

/// Tells the child that is to crash: home, seed and step.
const CRASH: &str = "CWTS_TEST_CRASH";

fn sequences() -> u64 {
    tenth_of(500)
}

/// Any change of everything but the MCP WebSocket.
fn change(random: &mut Random, pool: &[u16]) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    for service in [McpHttp, Prometheus, Health] {
        match random.bits() % 4 {
            0 | 1 => changes.push(SettingChange::set(Key::Port(service), random.of(pool))),
            2 if random.bits().is_multiple_of(4) => changes.push(SettingChange::remove(Key::Port(service))),
            _ => {}
        }
    }
    if changes.is_empty() || random.bits().is_multiple_of(2) {
        let address = random.of(&["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"]);
        changes.push(SettingChange::set(Key::BindAddr(Group::Monitoring), address));
    }
    changes
}

/// What the files hold, with the sockets that follow from it.
fn configured(settings: &Settings) -> [SocketAddr; 4] {
    Service::ALL.map(|service| settings.socket_addr(service))
}

fn sources(home: &Path) -> Sources {
    Sources::new(home, InstanceId::default(), None, Environment::empty()).expect("the home exists")
}

/// The sockets in force; values of this run only give way to what the files say.
fn in_force(instance: &Instance) -> [SocketAddr; 4] {
    let services = instance.snapshot().services;
    Service::ALL.map(|service| {
        let entry = services.iter().find(|entry| entry.service == service).expect("all four");
        SocketAddr::new(below(&entry.address), below(&entry.port))
    })
}

/// The file that could not be put back is followed, unless a value of this run contradicts it. Then that is reported, and
/// the person takes the value back.
async fn take_back_this_run(embedded: &Embedded) {
    let services = embedded.instance().snapshot().services;
    let ports = services.iter().filter(|it| it.port.origin.layer == Layer::ThisRun).map(|it| Key::Port(it.service));
    let addresses = services.iter().filter(|it| it.address.origin.layer == Layer::ThisRun);
    let keys: BTreeSet<Key> = ports.chain(addresses.map(|it| Key::BindAddr(it.service.group()))).collect();
    if !keys.is_empty() {
        let taken_back = keys.into_iter().map(SettingChange::remove);
        embedded.change(taken_back, SaveTarget::ThisRun).await.expect("what the files said before is free");
        embedded.home().write_env(&embedded.home().env());
    }
}

/// What a value of this run hides, else the value.
fn below<T: Copy>(setting: &Sourced<T>) -> T {
    let hidden = setting.shadowed.first().filter(|_| setting.origin.layer == Layer::ThisRun);
    hidden.map_or(setting.value, |hidden| hidden.value)
}

/// Every service answers where the snapshot says.
async fn all_answer(instance: &Instance, why: &str) {
    for service in Service::ALL {
        let address = instance.address(service).expect("configured");
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
            IpAddr::V6(ip) if ip.is_unspecified() => "::1".parse().expect("an address"),
            ip => ip,
        };
        let reachable = SocketAddr::new(ip, address.port());
        let snapshot = instance.snapshot();
        assert!(
            answers(service, reachable).await,
            "{why}: {service} answers on {reachable}; {:?} {:?}",
            snapshot.services.iter().map(|it| (it.port.value, it.address.value, it.state)).collect::<Vec<_>>(),
            snapshot.problem
        );
    }
}

/// The steps that are refused, and whether the services have to be started again afterwards.
const FAILURES: [(&[Step], bool); 9] = [
    (&[], false),
    (&[Step::Bind], false),
    (&[Step::Save], false),
    (&[Step::SaveWritten], false),
    (&[Step::SaveRenamed], false),
    (&[Step::Switch], false),
    (&[Step::Listen], false),
    (&[Step::Switch, Step::PutBack], false),
    (&[Step::Listen, Step::ListenAgain], true),
];

#[tokio::test]
async fn random_changes_with_failures_never_leave_a_half_state() {
    let faults = Arc::new(Faults::default());
    let surroundings = Surroundings { checkpoints: faults.clone(), ..Surroundings::default() };
    let embedded = Embedded::open_in(surroundings, Home::with(&Ports::free()), Environment::empty());
    let instance = embedded.instance();
    instance.start().await.expect("the ports are free");
    let (sources, pool) = (sources(embedded.home().path()), [(); 6].map(|()| free_port()));
    let mut client = McpClient::connect(&embedded.url(McpWebsocket)).await;
    let (mut made, mut failed) = (0, 0);
    for seed in 0..sequences() {
        let mut random = Random(seed);
        for step in 0..3 {
            let what = format!("seed {seed}, change {step}");
            let (refused, restart) = *random.of(&FAILURES);
            let save = *random.of(&[SaveTarget::EnvFile, SaveTarget::Toml, SaveTarget::ThisRun]);
            let changes = change(&mut random, &pool);
            let before = (in_force(instance), embedded.home().toml(), embedded.home().env());
            faults.refuse(refused);
            let result = embedded.change(changes.clone(), save).await;
            faults.end();
            match &result {
                Ok(_) => made += 1,
                Err(_) => failed += 1,
            }
            if restart {
                instance.start().await.unwrap_or_else(|problem| panic!("{what}: {problem}"));
            }
            if result.is_err() && !refused.contains(&Step::PutBack) {
                let after = (in_force(instance), embedded.home().toml(), embedded.home().env());
                assert_eq!(after, before, "{what}: {changes:?} to {save:?}, refused {refused:?}: {result:?}");
            }
            let agree = async || {
                let loaded = cwts_config::load(&sources).unwrap_or_else(|error| panic!("{what}: {error}"));
                (configured(&loaded.settings) == in_force(instance)).then_some(())
            };
            if refused.contains(&Step::PutBack) && result.is_err() {
                take_back_this_run(&embedded).await;
            }
            until(&format!("{what}: the file and the sockets to agree"), agree).await;
            all_answer(
                instance,
                &format!("{what}: {changes:?} to {save:?}, refused {refused:?}: {:?}", result.as_ref().err()),
            )
            .await;
        }
        let answer = client.call("server_info", json!({})).await.ok();
        assert_eq!(answer["paper_trading"], true, "seed {seed}: the WebSocket of the untouched service survives");
    }
    tell(&format!("{} random sequences: {made} changes made, {failed} refused", sequences()));
    assert!(made > 0 && failed > 0, "both kinds happen");
}

/// Ends the process as a power cut would.
#[derive(Debug)]
struct Crash(Step);

impl Checkpoints for Crash {
    fn pass(&self, step: Step) -> std::io::Result<()> {
        if step == self.0 && std::env::var_os(CRASH).is_some() && ARMED.load(std::sync::atomic::Ordering::SeqCst) {
            kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
        }
        Ok(())
    }
}

static ARMED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

const CRASHES: [Step; 6] = [Step::Bind, Step::Save, Step::SaveWritten, Step::SaveRenamed, Step::Switch, Step::Listen];

/// The program that crashes; does nothing unless it is told to.
#[test]
fn crashes_when_it_is_told_to() {
    let Some(told) = std::env::var(CRASH).ok() else { return };
    let mut words = told.split('|');
    let mut word = || words.next().expect("home, seed, step and ports");
    let (home, seed, step) =
        (word().to_owned(), word().parse().expect("a seed"), word().parse::<usize>().expect("a step"));
    let pool: Vec<u16> = word().split(',').map(|port| port.parse().expect("a port")).collect();
    let mut random = Random(seed);
    let save = *random.of(&[SaveTarget::EnvFile, SaveTarget::Toml]);
    let changes = change(&mut random, &pool);
    let surroundings = Surroundings { checkpoints: Arc::new(Crash(CRASHES[step])), ..Surroundings::default() };
    let host = Host::new().expect("threads");
    let instance = host.open_in(surroundings, sources(Path::new(&home)), cwts_server::services()).expect("an instance");
    host.block_on(async {
        let snapshot = instance.start().await.expect("the ports are free");
        ARMED.store(true, std::sync::atomic::Ordering::SeqCst);
        let edit = SettingsEdit { expected_revision: snapshot.revision, changes, save };
        // A change that passes by the step, or is refused before it, ends without a crash.
        drop(instance.change(edit).await);
    });
}

#[tokio::test]
async fn a_crash_between_the_steps_leaves_the_old_or_the_new_configuration() {
    let (rounds, mut crashed) = (sequences() / 5, 0);
    let home = Home::with(&Ports::free());
    let (sources, pool) = (sources(home.path()), [(); 6].map(|()| free_port()));
    let ports = pool.map(|port| port.to_string()).join(",");
    for seed in 0..rounds {
        let step = usize::try_from(seed).expect("small") % CRASHES.len();
        let before = (home.toml(), home.env());
        let mut program = Command::new(std::env::current_exe().expect("this program"));
        program.args(["--exact", "crashes_when_it_is_told_to", "--nocapture"]);
        let told = format!("{}|{seed}|{step}|{ports}", home.path().display());
        program.env(CRASH, told).stdout(Stdio::null()).stderr(Stdio::null());
        let status = tokio::task::spawn_blocking(move || program.status()).await.expect("joined").expect("it runs");
        let what = format!("seed {seed} at {:?}", CRASHES[step]);
        let killed = status.signal() == Some(Signal::KILL.as_raw());
        assert!(killed || status.success(), "{what}: it crashes where it was told to, or not at all: {status}");
        crashed += u64::from(killed);
        let loaded = cwts_config::load(&sources).unwrap_or_else(|error| panic!("{what}: {error}"));
        let is_old = (home.toml(), home.env()) == before;
        if killed && CRASHES[step] < Step::SaveRenamed {
            assert!(is_old, "{what}: nothing was in its place yet");
        }
        let wanted = configured(&loaded.settings);
        let host = Host::new().expect("threads");
        let instance = host.open(sources.clone(), cwts_server::services()).expect("an instance");
        instance.start().await.unwrap_or_else(|problem| panic!("{what}: {problem}"));
        assert_eq!(in_force(&instance), wanted, "{what}: the sockets are those of the file");
        all_answer(&instance, &what).await;
        instance.stop().await.expect("it stops");
        // A runtime must not be ended from a task of another one.
        tokio::task::spawn_blocking(move || host.shutdown(Duration::from_secs(1))).await.expect("it ends");
    }
    tell(&format!("{rounds} programs that change settings, {crashed} killed between the steps"));
    assert!(crashed > 0, "some are killed in the middle");
}
