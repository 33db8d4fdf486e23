//! "Firewall Configuration": the guide's own lines. What the program proposes instead has suites of its own.

use cwts_tests::{is_installed, sandboxed, skip};

use crate::blocks::FIREWALL;
use crate::person::Person;

/// ufw on its shipped rules in folders that only this sandbox sees. Loads no kernel module and sets no kernel parameter.
const WITH_UFW: &str = "
set -e
mine=~/ufw
mkdir -p $mine/etc/applications.d
cp /usr/share/ufw/iptables/*.rules $mine/etc
printf 'ENABLED=no\\nLOGLEVEL=low\\n' >$mine/etc/ufw.conf
sed 's/^IPT_SYSCTL=.*/IPT_SYSCTL=/; s/^IPT_MODULES=.*/IPT_MODULES=/' /etc/default/ufw >$mine/default
mount --bind $mine/etc /etc/ufw
mount --bind $mine/default /etc/default/ufw
ufw --force enable
";

/// firewalld on a bus and a configuration of its own, which end with the shell.
const WITH_FIREWALLD: &str = r#"
set -e
mine=~/firewalld
mkdir -p $mine/etc/zones
cat >$mine/bus.conf <<END
<busconfig><type>system</type><listen>unix:path=$mine/bus</listen><policy context="default"><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
END
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$mine/bus
dbus-daemon --config-file=$mine/bus.conf --nofork --nopidfile 2>$mine/bus.log &
firewalld --nofork --nopid --system-config $mine/etc >$mine/log 2>&1 &
trap 'kill $(jobs -p)' EXIT
timeout 10 sh -c 'until firewall-cmd --quiet --state 2>/dev/null; do sleep 0.1; done'
"#;

/// A person, where the tools are installed.
async fn with(tools: [(&str, &str); 2]) -> Option<Person> {
    if let Some((tool, package)) = tools.iter().find(|(tool, _)| !is_installed(tool)) {
        skip(&format!("{tool} is missing. Install the Debian package {package}."));
        return None;
    }
    Some(Person::new().await)
}

/// Prepares, runs the guide's lines for the tool, then `show`, and returns what that prints.
async fn after(person: &Person, prepare: &str, tool: &str, show: &str) -> String {
    let lines: Vec<_> = FIREWALL.commands().filter(|line| line.starts_with(&format!("sudo {tool} "))).collect();
    assert!(!lines.is_empty(), "the guide has commands of {tool}");
    let shown = person.succeeds(&format!("set -e\n{prepare}\n{}\necho ---\n{show}", lines.join("\n"))).await;
    shown.split_once("---\n").expect("the line before the listing").1.to_owned()
}

#[tokio::test]
async fn ufw_takes_the_guides_rules() {
    if !sandboxed(ufw_takes_the_guides_rules).await {
        return;
    }
    let Some(person) = with([("ufw", "ufw"), ("iptables", "iptables")]).await else { return };
    let rules = after(&person, WITH_UFW, "ufw", "ufw status").await;
    for (port, comment) in [("3000", "CWTS MCP"), ("9090", "CWTS Metrics")] {
        let rule = rules.lines().find(|line| line.starts_with(port)).unwrap_or_default();
        assert!(rule.contains("ALLOW") && rule.contains("192.168.1.0/24") && rule.contains(comment), "{rules}");
    }
}

#[tokio::test]
async fn firewalld_takes_the_guides_ports() {
    if !sandboxed(firewalld_takes_the_guides_ports).await {
        return;
    }
    let Some(person) = with([("firewalld", "firewalld"), ("dbus-daemon", "dbus-daemon")]).await else { return };
    let ports = after(&person, WITH_FIREWALLD, "firewall-cmd", "firewall-cmd --list-ports").await;
    assert_eq!(ports.trim(), "3000/tcp 9090/tcp", "after the reload both are open");
}

#[tokio::test]
async fn iptables_takes_the_guides_rules() {
    if !sandboxed(iptables_takes_the_guides_rules).await {
        return;
    }
    let Some(person) = with([("iptables", "iptables"), ("ip", "iproute2")]).await else { return };
    let rules = after(&person, "", "iptables", "iptables -S INPUT").await;
    for port in ["3000", "9090"] {
        let rule = format!("-A INPUT -s 192.168.1.0/24 -p tcp -m tcp --dport {port} -j ACCEPT");
        assert!(rules.lines().any(|line| line == rule), "the rule is in force: {rules}");
    }
}
