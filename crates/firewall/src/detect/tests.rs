use std::fs;
use std::path::Path;

use serde_json::json;

use super::netfilter::parse_ruleset;
use super::*;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn ufw_is_active_when_its_switch_says_so() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(ufw::detect(root.path()).state, ToolState::Inactive, "no file, no ufw");
    write(root.path(), "etc/default/ufw", "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\n");
    write(root.path(), "etc/ufw/ufw.conf", "# Set to yes\n#ENABLED=yes\nENABLED=no\n");
    assert_eq!(ufw::detect(root.path()).state, ToolState::Inactive, "a comment switches nothing on");
    write(root.path(), "etc/ufw/ufw.conf", "ENABLED=yes\nLOGLEVEL=low\n");
    let found = ufw::detect(root.path());
    assert_eq!((found.state, found.incoming), (ToolState::Active, Some(Incoming::Denied)), "{found:?}");
    write(root.path(), "etc/default/ufw", "DEFAULT_INPUT_POLICY=\"ACCEPT\"\n");
    assert_eq!(ufw::detect(root.path()).incoming, Some(Incoming::Accepted), "then an allow rule restricts nobody");
}

#[test]
fn an_unreadable_switch_is_unknown_and_not_off() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("etc/ufw/ufw.conf")).unwrap();
    assert_eq!(ufw::detect(root.path()).state, ToolState::Unknown, "what cannot be read may be on");
}

#[test]
fn the_file_of_nftables_tells_an_ordinary_user_the_chain() {
    let root = tempfile::tempdir().unwrap();
    let text = "#!/usr/sbin/nft -f\nflush ruleset\ntable inet filter {\n\tchain input {\n\t\ttype filter hook input \
                priority filter; policy drop;\n\t}\n\tchain forward { type filter hook forward priority 0; }\n}\n";
    write(root.path(), "etc/nftables.conf", text);
    let (found, iptables, chain) = netfilter::detect(root.path(), false);
    assert_eq!((found.state, chain), (ToolState::Unknown, None), "a file that nobody loads proves nothing");
    assert_eq!(iptables.state, ToolState::Unknown, "only root may know");
    write(root.path(), "etc/systemd/system/sysinit.target.wants/nftables.service", "");
    let (found, _, chain) = netfilter::detect(root.path(), false);
    assert_eq!((found.state, found.incoming), (ToolState::Active, Some(Incoming::Denied)), "{found:?}");
    assert_eq!(chain.as_deref(), Some("inet filter input"), "rules belong into the chain that drops");
}

#[test]
fn the_chain_on_the_hook_input_is_found_in_a_ruleset() {
    let cases = [
        ("table inet f { chain in { type filter hook input priority 0; policy drop; } }", Some(("inet f in", true))),
        ("table f {\n chain in {\n type filter hook input priority 0;\n }\n }", Some(("ip f in", false))),
        (
            "table inet f { chain in { type filter hook input priority 0; } chain o { policy drop; } }",
            Some(("inet f in", false)),
        ),
        ("# table inet f { chain in { type filter hook input priority 0; policy drop; } }", None),
        ("table inet f { chain o { type filter hook output priority 0; policy drop; } }", None),
    ];
    for (text, expected) in cases {
        let found = parse_ruleset(text).map(|(chain, policy)| (chain, policy == Incoming::Denied));
        assert_eq!(found, expected.map(|(chain, drops)| (chain.to_owned(), drops)), "{text}");
    }
}

#[test]
fn a_manager_comes_before_the_rules_that_it_makes() {
    let finding = |tool, state| ToolFinding { tool, installed: true, state, evidence: String::new(), incoming: None };
    let all = |active: &[Tool]| {
        let state = |tool| if active.contains(&tool) { ToolState::Active } else { ToolState::Inactive };
        combine(Tool::ALL.map(|tool| finding(tool, state(tool))).to_vec(), None, None, true)
    };
    assert_eq!(all(&[Tool::Ufw, Tool::Iptables]).active, Some(Tool::Ufw), "rules of ufw are rules of iptables too");
    assert_eq!(
        all(&[Tool::Firewalld, Tool::Nftables]).active,
        Some(Tool::Firewalld),
        "and those of firewalld nftables'"
    );
    assert_eq!(all(&[]).active, None, "none is an answer");
    assert!(all(&[]).none_is_active(), "and known here");
    let json = serde_json::to_value(all(&[Tool::Ufw])).unwrap();
    assert_eq!(json["active"], json!("ufw"), "the id of the tool");
}
