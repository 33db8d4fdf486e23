//! What usually uses a port, in words for people.

use crate::Protocol;
use crate::owner::LONGEST_COMM;

/// By process name. More certain than a port.
const PROCESSES: [(&str, &str); 20] = [
    ("avahi-daemon", "Multicast DNS: names and services of the local network"),
    ("chronyd", "Time synchronisation"),
    ("cockpit-tls", "Cockpit web console"),
    ("cupsd", "Printing"),
    ("cwts-ultra", "CWTS Ultra server"),
    ("cwts-ultra-panel", "CWTS Ultra panel"),
    ("dnsmasq", "DNS and DHCP for local networks"),
    ("docker-proxy", "Published port of a container"),
    ("grafana", "Grafana dashboards"),
    ("jupyter-lab", "Jupyter"),
    ("jupyter-notebook", "Jupyter"),
    ("kdeconnectd", "KDE Connect service"),
    ("language_server", "Language server protocol"),
    ("node", "Node.js service"),
    ("ollama", "Ollama language models"),
    ("prometheus", "Prometheus"),
    ("python3", "Python service (possibly Jupyter or similar)"),
    ("rootlessport", "Published port of a container"),
    ("sshd", "Secure Shell"),
    ("windsurf", "Windsurf editor"),
];

const TCP: [(u16, &str); 27] = [
    (22, "Secure Shell"),
    (25, "Mail transfer"),
    (53, "System DNS resolver"),
    (80, "Web server"),
    (111, "RPC port mapper"),
    (139, "Windows file sharing"),
    (443, "Web server with TLS"),
    (445, "Windows file sharing"),
    (631, "Printing"),
    (1716, "KDE Connect service"),
    (1883, "MQTT message broker"),
    (2049, "Network file system"),
    (3000, "Often Grafana or a web development server"),
    (3306, "MySQL or MariaDB database"),
    (3389, "Remote desktop"),
    (5355, "Link-Local Multicast Name Resolution"),
    (5432, "PostgreSQL database"),
    (5900, "VNC remote desktop"),
    (6379, "Redis or Valkey"),
    (8080, "Often a web server or a proxy"),
    (8765, "Often a Python service"),
    (8888, "Often Jupyter"),
    (9090, "Cockpit web console or Prometheus"),
    (9100, "Prometheus node exporter, or a network printer"),
    (11211, "Memcached"),
    (11434, "Ollama language models"),
    (27017, "MongoDB database"),
];

const UDP: [(u16, &str); 11] = [
    (53, "System DNS resolver"),
    (67, "DHCP server"),
    (68, "DHCP client"),
    (123, "Time synchronisation"),
    (137, "Windows name service"),
    (546, "DHCPv6 client"),
    (631, "Printer discovery"),
    (1716, "KDE Connect service"),
    (5353, "Multicast DNS: names and services of the local network"),
    (5355, "Link-Local Multicast Name Resolution"),
    (51820, "WireGuard VPN"),
];

/// What the process, or failing that the port, usually is; `None` when neither is known.
pub(crate) fn description(protocol: Protocol, port: u16, process: Option<&str>) -> Option<&'static str> {
    let ports: &[(u16, &str)] = match protocol {
        Protocol::Tcp => &TCP,
        Protocol::Udp => &UDP,
    };
    let by_process = PROCESSES.iter().find(|(name, _)| process.is_some_and(|process| is_name(process, name)));
    let by_process = by_process.map(|(_, text)| *text);
    by_process.or_else(|| ports.iter().find(|(known, _)| *known == port).map(|(_, text)| *text))
}

/// Whether the process has that name, which the kernel may have cut.
fn is_name(process: &str, known: &str) -> bool {
    process == known || process.len() == LONGEST_COMM && known.starts_with(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_the_port_guide_are_described() {
        let rows = [
            (53, None, "System DNS resolver"),
            (1716, Some("kdeconnectd"), "KDE Connect service"),
            (5355, None, "Link-Local Multicast Name Resolution"),
            (8765, Some("python3"), "Python service (possibly Jupyter or similar)"),
            (36743, Some("language_server"), "Language server protocol"),
            (38413, Some("windsurf"), "Windsurf editor"),
        ];
        for (port, process, text) in rows {
            assert_eq!(description(Protocol::Tcp, port, process), Some(text), "port {port} of {process:?}");
        }
    }

    #[test]
    fn the_process_is_more_certain_than_the_port() {
        assert_eq!(
            description(Protocol::Tcp, 9090, Some("prometheus")),
            Some("Prometheus"),
            "the port has two usual users"
        );
        let unknown = description(Protocol::Tcp, 9090, Some("own-program"));
        assert_eq!(unknown, Some("Cockpit web console or Prometheus"), "an unknown name leaves the guess by port");
        assert_eq!(description(Protocol::Udp, 9090, None), None, "nothing is known of it");
    }

    #[test]
    fn a_name_that_the_kernel_cut_is_still_known() {
        let text = description(Protocol::Tcp, 8888, Some("jupyter-noteboo"));
        assert_eq!(text, Some("Jupyter"), "a script's program is its interpreter, so its name stays cut");
        assert_eq!(description(Protocol::Tcp, 1, Some("jupyter-note")), None, "a short name was not cut");
    }
}
