//! Firewalls for the server of two [`Hosts`]: real ones, on copies of the machine's settings.

use std::fs;

use crate::namespace::Hosts;

/// Drops by default, and lets answers and the loopback interface through, as any firewall that works.
const IPTABLES_DROP: &str = "for tables in iptables ip6tables; do
    $tables -A INPUT -i lo -j ACCEPT; $tables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    $tables -A INPUT -p ipv6-icmp -j ACCEPT 2>/dev/null || true; $tables -P INPUT DROP
done";
const NFTABLES_DROP: &str = "nft 'table inet filter { chain input { type filter hook input priority filter; policy drop; \
    iifname \"lo\" accept; ct state established,related accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } \
    accept; }; }'";

impl Hosts {
    /// ufw, switched on.
    ///
    /// # Panics
    /// A command fails.
    pub async fn switch_ufw_on(&self) {
        let (copy, defaults) = (self.folder().join("ufw"), self.folder().join("default-ufw"));
        let (copy, defaults) = (copy.display(), defaults.display());
        // The kernel's settings are not all a namespace's own.
        self.run(&format!("cp -a /etc/ufw {copy}; : >{copy}/sysctl.conf; mount --bind {copy} /etc/ufw")).await;
        self.run(&format!("cp -a /etc/default/ufw {defaults}; mount --bind {defaults} /etc/default/ufw")).await;
        self.run("ufw --force enable").await;
    }

    /// firewalld, on a system bus of this host alone.
    ///
    /// # Panics
    /// It does not answer in time.
    pub async fn start_firewalld(&mut self) {
        let folder = self.folder().display().to_string();
        let policy = "<allow send_destination='*'/><allow receive_sender='*'/><allow own='*'/><allow user='*'/>";
        let bus = format!(
            "<busconfig><type>system</type><listen>unix:path={folder}/bus</listen><auth>EXTERNAL</auth><policy \
             context='default'>{policy}</policy></busconfig>"
        );
        fs::write(self.folder().join("bus.conf"), bus).expect("the bus's configuration is writable");
        self.run(&format!("cp -a /etc/firewalld {folder}/settings; rm -rf {folder}/settings/zones")).await;
        self.set("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={folder}/bus"));
        self.start("dbus-daemon", &["--config-file", &format!("{folder}/bus.conf"), "--nofork", "--nopidfile"]);
        self.until_succeeds(&format!("test -S {folder}/bus")).await;
        self.start("firewalld", &["--nofork", "--nopid", "--system-config", &format!("{folder}/settings")]);
        self.until_succeeds("firewall-cmd --state").await;
    }

    /// Chooses the backend of iptables: `nft` or `legacy`.
    ///
    /// # Panics
    /// The programs cannot be put first.
    pub fn choose_iptables(&mut self, backend: &str) {
        for tables in ["iptables", "ip6tables"] {
            self.put_first(tables, &format!("exec /usr/sbin/{tables}-{backend} \"$@\""));
        }
    }

    /// iptables with the policy DROP.
    ///
    /// # Panics
    /// A command fails.
    pub async fn drop_with_iptables(&self) {
        self.run(IPTABLES_DROP).await;
    }

    /// nftables with a chain `inet filter input` that drops by default.
    ///
    /// # Panics
    /// A command fails.
    pub async fn drop_with_nftables(&self) {
        self.run(NFTABLES_DROP).await;
    }
}
