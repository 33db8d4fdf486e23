//! Which networks this computer is in, as NetworkManager and firewalld say on a system bus that is the test's own.

use std::path::Path;
use std::process::Stdio;

use cwts_ports::{Manager, Unit};
use cwts_runtime::{Described, NetworkManager, NetworkSource as _};
use cwts_tests::{Embedded, is_installed, lay_cable, sandboxed, shell, skip, until, within};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Where programs look for the system bus. `/run` is the test's own.
const SOCKET: &str = "/run/dbus/system_bus_socket";
const BUS: &str = "<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>\
    <auth>EXTERNAL</auth><policy context='default'><allow send_destination='*'/><allow receive_sender='*'/>\
    <allow own='*'/><allow user='*'/></policy></busconfig>";
/// The interpreter that sees the packages of the distribution.
const PYTHON: &str = "/usr/bin/python3";

fn start(program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"))
}

async fn start_bus() -> Child {
    std::fs::create_dir_all("/run/dbus").expect("a folder of the test's own");
    std::fs::write("/run/bus.conf", BUS).expect("writable");
    let bus = start("dbus-daemon", &["--config-file=/run/bus.conf", "--nofork", "--nopidfile"]);
    until("the bus", async || Path::new(SOCKET).exists().then_some(())).await;
    bus
}

/// NetworkManager with three connections, on interfaces of these names.
async fn start_network_manager(interfaces: [&str; 3]) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/networkmanager.py");
    let script = script.display().to_string();
    let mut child = start(PYTHON, &[&[script.as_str()][..], &interfaces].concat());
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let line = within("NetworkManager", lines.next_line()).await.expect("text");
    assert_eq!(line.as_deref(), Some("ready"), "it is on the bus");
    child
}

fn found(interface: &str) -> Option<Described> {
    // The bus is asked without tokio, as the panel does it on a thread of its own.
    std::thread::spawn(|| NetworkManager.networks()).join().expect("it never panics").remove(interface)
}

#[tokio::test]
async fn networks_have_the_names_and_zones_that_the_system_gives_them() {
    if !Path::new(PYTHON).is_file() || !Path::new("/usr/lib/python3/dist-packages/dbusmock").is_dir() {
        return skip("python3-dbusmock is missing. scripts/test.sh installs it.");
    }
    if !sandboxed(networks_have_the_names_and_zones_that_the_system_gives_them).await {
        return;
    }
    assert_eq!(found("server"), None, "without a bus nothing is known, and nobody waits");
    lay_cable().await;
    let _bus = start_bus().await;
    assert_eq!(found("server"), None, "nor without NetworkManager");
    let _manager = start_network_manager(["server", "wlan7", "office0"]).await;

    let studio = found("server").expect("the first connection");
    assert_eq!((studio.name.as_str(), studio.trusted), ("Studio LAN", Some(true)), "home is a zone of trust");
    assert_eq!(studio.system.as_deref(), Some("zone home"), "and a person reads why");
    let hotel = found("wlan7").expect("the second connection");
    assert_eq!((hotel.name.as_str(), hotel.trusted), ("Hotel", None), "no zone says nothing of trust");
    assert_eq!(hotel.system.as_deref(), Some("metered"), "a hotspot shows");
    assert_ne!(studio.id, hotel.id, "a word about one is none about the other");

    let embedded = Embedded::start().await;
    let network = |name: &'static str| {
        let instance = embedded.instance().clone();
        async move {
            let networks = instance.security().await.expect("a look").networks;
            networks.into_iter().find(|network| network.name == name)
        }
    };
    let shown = network("Studio LAN").await.expect("the panel shows it by its name");
    assert_eq!((shown.trusted, shown.by_person, shown.interface.as_str()), (Some(true), false, "server"), "{shown:?}");
    embedded.instance().trust_network(shown.id, Some(false)).await.expect("a person says otherwise");
    let shown = network("Studio LAN").await.expect("still there");
    assert_eq!((shown.trusted, shown.by_person), (Some(false), true), "a person stands above the system: {shown:?}");
    beside_the_real_firewalld().await;
}

#[tokio::test]
async fn a_program_without_descriptors_learns_nothing_of_the_bus_and_goes_on() {
    if !sandboxed(a_program_without_descriptors_learns_nothing_of_the_bus_and_goes_on).await {
        return;
    }
    let _bus = start_bus().await;
    let [socket, service] =
        ["init.scope", "cups.service"].map(|name| Unit { name: name.to_owned(), manager: Manager::System });
    let enough = getrlimit(Resource::Nofile);
    // Each step of a connection is where descriptors may run out.
    for spare in 0..24 {
        let open = std::fs::read_dir("/proc/self/fd").expect("our own").flatten();
        let highest = open.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok()).max();
        let few = Rlimit { current: highest.map(|highest| highest + spare), ..enough };
        setrlimit(Resource::Nofile, few).expect("a process may want less");
        let resolved = cwts_ports::resolve_unit(Some(socket.clone()), ([127, 0, 0, 1], 3000).into()).await;
        let stopped = cwts_ports::stop_unit(&service).await;
        let networks = found("server");
        setrlimit(Resource::Nofile, enough).expect("as before");
        assert_eq!(resolved.as_ref(), Some(&socket), "what systemd does not say stays as it is, with {spare} to spare");
        assert!(stopped.is_err() && networks.is_none(), "an error, with {spare} to spare: {stopped:?}, {networks:?}");
    }
}

/// Where the connection names no zone, firewalld's counts: that of the interface, else its default zone.
async fn beside_the_real_firewalld() {
    if !is_installed("firewalld") {
        return skip("firewalld is missing. scripts/test.sh installs it where that starts no firewall.");
    }
    let copied = shell("cp -a /etc/firewalld /run/settings && rm -rf /run/settings/zones").await;
    assert_eq!(copied.status, Some(0), "settings of its own: {copied:?}");
    let _firewalld = start("firewalld", &["--nofork", "--nopid", "--system-config", "/run/settings"]);
    until("firewalld", async || (shell("firewall-cmd --state").await.status == Some(0)).then_some(())).await;
    assert_eq!(found("wlan7").expect("it").trusted, Some(false), "the default zone is public");
    let added = shell("firewall-cmd --zone=work --add-interface=office0").await;
    assert_eq!(added.status, Some(0), "{added:?}");
    let office = found("office0").expect("the third connection");
    assert_eq!((office.trusted, office.system.as_deref()), (Some(true), Some("zone work")), "the interface's zone");
    assert_eq!(found("wlan7").expect("it").system.as_deref(), Some("zone public, metered"), "both are said");
}
