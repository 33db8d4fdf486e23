//! Whatever a person types becomes words of a tool or an error, and never a command of its own.

use std::net::SocketAddr;
use std::process::Command;
use std::str::FromStr;

use cwts_domain::Service;
use cwts_firewall::{
    Change, Comment, Detection, Family, Incoming, Listener, Name, NftChain, Plan, Request, Source, Tool, ToolFinding,
    ToolState, helper_main,
};
use proptest::prelude::*;

fn parsed<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn detection() -> Detection {
    let finding = |tool| ToolFinding {
        tool,
        installed: true,
        state: ToolState::Unknown,
        evidence: String::new(),
        incoming: None::<Incoming>,
    };
    Detection { active: None, tools: Tool::ALL.map(finding).to_vec(), chain: None, zone: None, as_root: false }
}

fn sources() -> impl Strategy<Value = Vec<Source>> {
    let v4 = (any::<[u8; 4]>(), 0..=32u8)
        .prop_map(|(address, length)| format!("{}/{length}", std::net::Ipv4Addr::from(address)).parse());
    let v6 = (any::<[u16; 8]>(), 0..=128u8)
        .prop_map(|(address, length)| format!("{}/{length}", std::net::Ipv6Addr::from(address)).parse());
    let source = prop_oneof![v4, v6].prop_filter_map("an address of another computer", Result::ok);
    prop::collection::vec(source, 1..6)
}

fn requests() -> impl Strategy<Value = Request> {
    let service = prop::sample::select(Service::ALL.to_vec());
    let listener = (service, 1..=u16::MAX, any::<bool>()).prop_map(|(service, port, v6)| Listener {
        service,
        address: SocketAddr::new(if v6 { parsed("::") } else { parsed("0.0.0.0") }, port),
    });
    let chain = prop::option::of("[a-z_][a-z0-9_-]{0,30}".prop_map(|name| parsed(&format!("inet {name} {name}"))));
    let tool = prop::sample::select(Tool::ALL.to_vec());
    let instance = "[A-Za-z0-9_][A-Za-z0-9_-]{0,31}".prop_map(|name| parsed(&name));
    (tool, instance, prop::collection::vec(listener, 1..4), sources(), any::<bool>(), chain).prop_map(
        |(tool, instance, listeners, sources, restrict, chain)| Request {
            tool,
            instance,
            listeners,
            sources,
            restrict,
            chain,
        },
    )
}

/// What a shell reads of a line: each word ends with a zero byte.
fn read_by_shell(line: &str) -> Vec<String> {
    let output = Command::new("sh").arg("-c").arg(format!("printf '%s\\0' {line}")).output().expect("a shell");
    assert!(output.status.success() && output.stderr.is_empty(), "a shell understands {line:?}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("the words are text");
    text.split_terminator('\0').map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_vector_is_understood_again_as_the_same_change(request in requests()) {
        for change in Plan::new(&request, &detection()).changes {
            let argv = change.argv();
            let found = Change::parse(&argv).unwrap_or_else(|error| panic!("{error}"));
            prop_assert_eq!(&found, &change, "the helper makes what the person saw");
            let program = &argv[0];
            prop_assert!(["ufw", "firewall-cmd", "iptables", "ip6tables", "nft"].contains(&program.as_str()));
        }
    }

    #[test]
    fn a_vector_with_a_word_more_or_another_word_is_foreign(request in requests(), at in any::<prop::sample::Index>(), word in "\\PC{0,12}") {
        for change in Plan::new(&request, &detection()).changes {
            let argv = change.argv();
            let mut more = argv.clone();
            more.insert(at.index(argv.len() + 1), word.clone());
            if let Ok(found) = Change::parse(&more) {
                prop_assert_eq!(found.argv(), more, "what is understood is written alike, so nothing was overlooked");
            }
            let mut other = argv.clone();
            let at = at.index(argv.len());
            other[at].push_str("; flush ruleset");
            prop_assert!(Change::parse(&other).is_err(), "a second command inside a word: {:?}", other);
        }
    }

    #[test]
    fn hostile_text_is_refused_or_harmless(text in "\\PC{0,40}|[0-9a-f.:/ ;'\"$`|&-]{0,40}") {
        if let Ok(source) = text.parse::<Source>() {
            let written = source.to_string();
            prop_assert!(written.bytes().all(|byte| byte.is_ascii_hexdigit() || b".:/".contains(&byte)), "{}", written);
            prop_assert_eq!(parsed::<Source>(&written), source, "it is read back as the same");
        }
        let harmless = |text: &str, more: &[u8]| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte));
        prop_assert!(text.parse::<Name>().is_err() || harmless(&text, b"-_"), "{}", text);
        prop_assert!(text.parse::<Comment>().is_err() || harmless(&text, b" .:/_-"), "{}", text);
        prop_assert!(text.parse::<NftChain>().is_err() || harmless(&text, b" -_"), "{}", text);
    }
}

proptest! {
    // Each case runs a shell.
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_shell_reads_the_copied_line_as_the_vector(request in requests()) {
        for change in Plan::new(&Request { tool: Tool::Firewalld, ..request.clone() }, &detection()).changes {
            prop_assert_eq!(read_by_shell(&change.shell_line("")), change.argv());
        }
        for change in Plan::new(&Request { tool: Tool::Ufw, ..request }, &detection()).changes {
            prop_assert_eq!(read_by_shell(&change.shell_line("sudo ")).split_off(1), change.argv());
        }
    }
}

#[test]
fn sources_are_subnets_of_other_computers() {
    let good = [
        ("192.168.1.0/24", "192.168.1.0/24"),
        ("192.168.1.7/24", "192.168.1.0/24"),
        ("192.168.1.7", "192.168.1.7"),
        ("192.168.1.7/32", "192.168.1.7"),
        ("FD00:0001::7/64", "fd00:1::/64"),
        ("2001:db8::1", "2001:db8::1"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ];
    for (text, expected) in good {
        let source: Source = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(source.to_string(), expected, "{text}: as the tools list it");
    }
    let bad = [
        "",
        "192.168.1",
        "192.168.1.0/33",
        "192.168.1.0/-1",
        "192.168.1.0/24;id",
        "192.168.1.0 /24",
        "$(id)",
        "fd00::/129",
        "fe80::1%eth0",
        "::ffff:192.168.1.0/120",
        "127.0.0.1",
        "::1",
        "224.0.0.0/4",
        "0.0.0.0",
        "example.com",
        "192.168.1.0/24\n10.0.0.0/8",
    ];
    for text in bad {
        assert!(text.parse::<Source>().is_err(), "{text:?} must not become a rule");
    }
    assert_eq!(parsed::<Source>("fd00::/8").family(), Family::V6, "the version decides which tool takes it");
}

#[test]
fn the_helper_runs_nothing_of_somebody_else() {
    let rule =
        ["-p", "tcp", "-s", "10.0.0.0/8", "--dport", "3000", "-m", "conntrack", "--ctstate", "NEW", "-m", "comment"];
    let iptables = |words: &[&'static str]| [&["iptables", "-w", "-I", "INPUT", "1"][..], &rule, words].concat();
    let nft_table: Vec<String> = ["nft", "table inet filter; delete table inet filter; table inet filter { chain input { type \
        filter hook input priority filter; policy accept; ip saddr 10.0.0.0/8 tcp dport 1 accept comment \"x\"; iifname != \
        \"lo\" tcp dport { 1 } ct state new drop comment \"CWTS everyone else\"; }; }"]
    .map(str::to_owned)
    .to_vec();
    let cases: Vec<Vec<&str>> = vec![
        vec!["sh", "-c", "id"],
        vec![
            "/tmp/ufw",
            "prepend",
            "allow",
            "proto",
            "tcp",
            "from",
            "10.0.0.0/8",
            "to",
            "any",
            "port",
            "1",
            "comment",
            "x",
        ],
        vec!["ufw", "disable"],
        vec![
            "ufw",
            "prepend",
            "allow",
            "proto",
            "tcp",
            "from",
            "10.0.0.0/8",
            "to",
            "any",
            "port",
            "0x1",
            "comment",
            "x",
        ],
        vec!["firewall-cmd", "--set-default-zone=trusted"],
        vec!["firewall-cmd", "--add-rich-rule=rule family=\"ipv4\" accept"],
        iptables(&["--comment", "x", "-j", "ACCEPT", "--modprobe=/tmp/x"]),
        iptables(&["--comment", "x", "-j", "evil"]),
        vec!["nft", "-f", "/etc/shadow"],
        vec!["nft", "flush ruleset"],
        nft_table.iter().map(String::as_str).collect(),
        vec![
            "nft",
            "table inet cwts-a; delete table inet cwts-a; table inet cwts-a { chain input { }; }; flush ruleset",
        ],
    ];
    for case in cases {
        let words: Vec<String> = ["apply", "--"].into_iter().chain(case.iter().copied()).map(str::to_owned).collect();
        let refused = helper_main(&words);
        assert!(refused.is_err(), "only vectors of this program may run as root: {case:?}");
    }
    assert!(helper_main(&["flush".to_owned()]).is_err(), "and only its tasks");
}
