//! The blocks of the port configuration guide, word for word, in its order.

use std::fs;
use std::path::Path;

use cwts_tests::skip_also_in_ci;

/// What a person copies from under a heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    section: &'static str,
    pub(crate) text: &'static str,
}

impl Block {
    const fn new(section: &'static str, text: &'static str) -> Self {
        Self { section, text }
    }

    /// Its commands one by one, without comments and those that must not run.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &'static str> {
        let lines = self.text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.filter(|line| !MUST_NOT_RUN.iter().any(|(command, _)| command == line))
    }

    /// Its one command that starts with this word, or with this word after `sudo`.
    pub(crate) fn command(&self, word: &str) -> &'static str {
        let found = self.commands().find(|line| line.trim_start_matches("sudo ").starts_with(word));
        found.unwrap_or_else(|| panic!("the guide has {word} in the section {}", self.section))
    }
}

/// Commands of the guide that no test runs, with the reason.
pub(crate) const MUST_NOT_RUN: [(&str, &str); 1] = [(
    "kill $(lsof -t -i:3000)",
    "lsof names the clients of the port too, so that it would end every program that is connected; the conflict card and \
     check-ports name the listener alone",
)];

pub(crate) const SOURCE: Block = Block::new("2. Environment Variables", "source ~/.local/cwts-ultra/config/ports.env");

pub(crate) const CHECK_PORTS: Block =
    Block::new("Check Port Availability", "~/.local/cwts-ultra/scripts/check-ports.sh");

pub(crate) const METHOD_1: Block = Block::new(
    "Method 1: Environment Variables (Temporary)",
    "export MCP_SERVER_PORT=5010\nexport MCP_HTTP_PORT=5011\n~/.local/cwts-ultra/scripts/launch.sh",
);

pub(crate) const METHOD_2: Block = Block::new(
    "Method 2: Configuration File (Permanent)",
    "export MCP_SERVER_PORT=5010\nexport MCP_HTTP_PORT=5011\nexport PROMETHEUS_PORT=9190\n\
     export HEALTH_CHECK_PORT=8180",
);

pub(crate) const METHOD_3: Block = Block::new(
    "Method 3: Direct in TOML (System-wide)",
    "[mcp]\nmcp_port = 5010\nmcp_http_port = 5011\n\n[monitoring]\nmetrics_port = 9190\nhealth_check_port = 8180",
);

pub(crate) const INSTANCES: Block = Block::new(
    "Running Multiple Instances",
    "# Instance 1\nexport CWTS_INSTANCE_ID=1\nexport MCP_SERVER_PORT=3001\nexport MCP_HTTP_PORT=3002\n\
     ~/.local/cwts-ultra/bin/cwts-ultra --config instance1.toml\n\n\
     # Instance 2\nexport CWTS_INSTANCE_ID=2\nexport MCP_SERVER_PORT=3003\nexport MCP_HTTP_PORT=3004\n\
     ~/.local/cwts-ultra/bin/cwts-ultra --config instance2.toml",
);

pub(crate) const LOCAL_ONLY: Block =
    Block::new("Local-Only Binding (Default - Secure)", "export MCP_BIND_ADDR=127.0.0.1  # Local only");

pub(crate) const EXTERNAL: Block =
    Block::new("External Access (Use with Caution)", "export MCP_BIND_ADDR=0.0.0.0    # Listen on all interfaces");

pub(crate) const FIREWALL: Block = Block::new(
    "Firewall Configuration",
    "# UFW (Ubuntu/Debian)\n\
     sudo ufw allow from 192.168.1.0/24 to any port 3000 comment 'CWTS MCP'\n\
     sudo ufw allow from 192.168.1.0/24 to any port 9090 comment 'CWTS Metrics'\n\n\
     # firewalld (RHEL/Fedora)\n\
     sudo firewall-cmd --add-port=3000/tcp --permanent\n\
     sudo firewall-cmd --add-port=9090/tcp --permanent\n\
     sudo firewall-cmd --reload\n\n\
     # iptables (Generic)\n\
     sudo iptables -A INPUT -p tcp --dport 3000 -s 192.168.1.0/24 -j ACCEPT\n\
     sudo iptables -A INPUT -p tcp --dport 9090 -s 192.168.1.0/24 -j ACCEPT",
);

pub(crate) const IN_USE: Block = Block::new(
    "Port Already in Use",
    "# Find what's using a port\nlsof -i :3000\nsudo netstat -tlnp | grep 3000\n\n\
     # Kill process using port (with caution)\nkill $(lsof -t -i:3000)",
);

pub(crate) const REFUSED: Block = Block::new("Connection Refused", "telnet localhost 3000\nnc -zv localhost 3000");

pub(crate) const CHECK_ALL: Block = Block::new("Check All Ports", CHECK_PORTS.text);

pub(crate) const CUSTOM_PORTS: Block =
    Block::new("Start with Custom Ports", "MCP_SERVER_PORT=5010 ~/.local/cwts-ultra/scripts/launch.sh");

pub(crate) const VIEW: Block =
    Block::new("View Current Configuration", "grep -E \"port|Port\" ~/.local/cwts-ultra/config/production.toml");

pub(crate) const MONITOR: Block =
    Block::new("Monitor Port Usage", "watch -n 1 'ss -tuln | grep -E \"(3000|3001|9090|8080)\"'");

pub(crate) const START: Block = Block::new("Summary", "~/.local/cwts-ultra/scripts/launch.sh");

const ALL: [Block; 16] = [
    SOURCE,
    CHECK_PORTS,
    METHOD_1,
    METHOD_2,
    METHOD_3,
    INSTANCES,
    LOCAL_ONLY,
    EXTERNAL,
    FIREWALL,
    IN_USE,
    REFUSED,
    CHECK_ALL,
    CUSTOM_PORTS,
    VIEW,
    MONITOR,
    START,
];

/// The guide, where the project's specification lies beside the repository.
const GUIDE: &str = "../shared/spec/port-configuration-guide.md";

#[test]
fn no_command_of_the_guide_is_missing_here() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let Ok(guide) = fs::read_to_string(repository.join(GUIDE)) else {
        skip_also_in_ci(
            "the guide is not beside the repository: whether it has more commands than the tests is unknown",
        );
        return;
    };
    let ours: Vec<(String, String)> = ALL.map(|block| (block.section.to_owned(), block.text.to_owned())).into();
    assert_eq!(blocks_of(&guide), ours, "each block of the guide is run as it stands there");
}

#[test]
fn what_must_not_run_is_in_the_guide_and_has_a_reason() {
    for (command, reason) in MUST_NOT_RUN {
        assert!(ALL.iter().any(|block| block.text.lines().any(|line| line == command)), "nobody would run {command}");
        assert!(!reason.is_empty(), "{command} is left out for a reason");
    }
}

/// Section and text of each fenced block, in order.
fn blocks_of(guide: &str) -> Vec<(String, String)> {
    let (mut section, mut open, mut blocks) = (String::new(), None::<Vec<&str>>, Vec::new());
    for line in guide.lines() {
        let fence = line.trim_start().starts_with("```");
        match (&mut open, fence) {
            (None, true) => open = Some(Vec::new()),
            (Some(lines), true) => {
                blocks.push((section.clone(), lines.join("\n")));
                open = None;
            }
            (Some(lines), false) => lines.push(line.trim_start()),
            (None, false) => {
                if let Some(heading) = line.strip_prefix('#') {
                    section = heading.trim_start_matches('#').trim().to_owned();
                }
            }
        }
    }
    blocks
}
