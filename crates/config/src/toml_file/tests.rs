//! Values with their lines, and edits that leave the rest alone.

use cwts_domain::{Group, Service};
use proptest::prelude::*;

use super::*;

const PORT: Key = Key::Port(Service::McpWebsocket);
const ADDRESS: Key = Key::BindAddr(Group::Mcp);

fn parse(text: &str) -> TomlFile {
    TomlFile::parse(Path::new("production.toml"), text).unwrap()
}

fn set(text: &str, key: Key, value: &str) -> String {
    parse(text).edited(&Edit::set(key, value).unwrap())
}

fn remove(text: &str, key: Key) -> String {
    parse(text).edited(&Edit::remove(key))
}

#[test]
fn values_are_found_in_every_spelling_of_a_table() {
    let cases = [
        ("# a\n[mcp]\nmcp_port = 5010\n", 3),
        ("mcp.mcp_port = 5010", 1),
        ("\nmcp = { mcp_port = 5010 }\n", 2),
        ("[mcp]\n\"mcp_port\" = 5_010 # why", 2),
        ("[mcp]\r\nmcp_port = 0x1392\r\n", 2),
        ("\u{feff}[mcp]\nmcp_port = 5010", 2),
        ("[mcp.extra]\na = 1\n[mcp]\nmcp_port = 5010", 4),
    ];
    for (text, line) in cases {
        let (raw, origin) = parse(text).get(PORT).unwrap();
        assert_eq!((raw.text.as_str(), origin.line), ("5010", Some(line)), "{text:?}");
    }
}

#[test]
fn setting_a_value_changes_its_bytes_only() {
    let cases = [
        (
            "# a\r\n[mcp]\r\nmcp_port=3000 # why\r\nx = [ 1,\r\n 2 ]\r\n",
            "# a\r\n[mcp]\r\nmcp_port=5010 # why\r\nx = [ 1,\r\n 2 ]\r\n",
        ),
        ("mcp = { mcp_port = 3000, x = 1 }", "mcp = { mcp_port = 5010, x = 1 }"),
        ("mcp.mcp_port = 3000", "mcp.mcp_port = 5010"),
        ("[mcp]\nmcp_port = \"3000\"\n", "[mcp]\nmcp_port = 5010\n"),
    ];
    for (before, after) in cases {
        assert_eq!(set(before, PORT, "5010"), after, "{before:?}");
    }
    let address = set("[mcp]\nbind_addr = '127.0.0.1'\n", ADDRESS, "::1");
    assert_eq!(address, "[mcp]\nbind_addr = \"::1\"\n", "an address is a string");
}

#[test]
fn an_absent_value_gets_a_line_in_its_table() {
    let cases = [
        ("", "[mcp]\nmcp_port = 5010\n"),
        ("# mine", "# mine\n\n[mcp]\nmcp_port = 5010\n"),
        ("[log]\r\nlevel = \"info\"\r\n", "[log]\r\nlevel = \"info\"\r\n\r\n[mcp]\r\nmcp_port = 5010\r\n"),
        ("[mcp] # here\n# note\n\n[log]\n", "[mcp] # here\nmcp_port = 5010\n# note\n\n[log]\n"),
        ("[mcp]\nx = [\n1 ] # why\n\n[log]\n", "[mcp]\nx = [\n1 ] # why\nmcp_port = 5010\n\n[log]\n"),
        (
            "mcp.bind_addr = \"::1\"\nlog.level = \"info\"",
            "mcp.bind_addr = \"::1\"\nmcp.mcp_port = 5010\nlog.level = \"info\"",
        ),
        ("mcp = { bind_addr = \"::1\" }\n", "mcp = { bind_addr = \"::1\" , mcp_port = 5010 }\n"),
        ("mcp = {}\r\n", "mcp = { mcp_port = 5010 }\r\n"),
        ("a = 1\r\nmcp = {}\ns = '''\na'''", "a = 1\r\nmcp = { mcp_port = 5010 }\ns = '''\na'''"),
        ("mcp.extra.x = 1\n[log]\n", "mcp.extra.x = 1\nmcp.mcp_port = 5010\n[log]\n"),
        ("[mcp.extra]\na = 1\n", "[mcp.extra]\na = 1\n\n[mcp]\nmcp_port = 5010\n"),
    ];
    for (before, after) in cases {
        assert_eq!(set(before, PORT, "5010"), after, "{before:?}");
    }
}

#[test]
fn removing_a_value_takes_its_line_and_leaves_the_comments() {
    let cases = [
        ("[mcp]\n# the port\nmcp_port = 1 # why\nx = 1\n", "[mcp]\n# the port\nx = 1\n"),
        ("[mcp]\r\nmcp_port = 1", "[mcp]\r\n"),
        ("mcp.mcp_port = 1\nmcp.x = 2\n", "mcp.x = 2\n"),
        ("mcp = { mcp_port = 1, x = 2 }\n", "mcp = { x = 2 }\n"),
        ("[mcp]\nx = 1\n", "[mcp]\nx = 1\n"),
    ];
    for (before, after) in cases {
        assert_eq!(remove(before, PORT), after, "{before:?}");
    }
}

/// Files as people write them: the known tables in any order, with known and unknown entries, comments, both endings.
fn files() -> impl Strategy<Value = String> {
    let entry = |name: &'static str| {
        prop::option::of((1_u16.., "( # [a-z ]{0,6})?").prop_map(move |(n, c)| format!("{name} = {n}{c}")))
    };
    let body =
        (entry("mcp_port"), entry("unknown"), prop::option::of("# [a-z=\\[\\]\"]{0,10}"), entry("mcp_http_port"));
    let table = body.prop_map(|(a, b, c, d)| [a, b, c, d].into_iter().flatten().collect::<Vec<_>>());
    let other = "(x = 1|# note|arr = \\[1,\n 2\\]|s = '''\na\n''')?";
    (table, prop::bool::ANY, other, prop::bool::ANY, 0..3_usize).prop_map(|(mcp, first, other, crlf, spelling)| {
        let mcp = match spelling {
            0 => format!("[mcp]\n{}\n", mcp.join("\n")),
            1 => mcp
                .iter()
                .map(|it| if it.starts_with('#') { format!("{it}\n") } else { format!("mcp.{it}\n") })
                .collect(),
            _ => format!("[mcp] # head\n\n{}\n", mcp.join("\n\n")),
        };
        let text = if first && spelling != 1 {
            format!("[other]\n{other}\n\n{mcp}")
        } else {
            format!("{mcp}\n[other]\n{other}\n")
        };
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

proptest! {
    #[test]
    fn a_set_value_is_read_back_and_every_line_of_a_person_stays(text in files(), port in 1_u16..) {
        let before = parse(&text);
        let after = set(&text, PORT, &port.to_string());
        prop_assert_eq!(parse(&after).get(PORT).unwrap().0.port(), Some(port), "what was saved is what is loaded");
        let others = |file: &TomlFile| Key::ALL.into_iter().filter(|key| *key != PORT).map(|key| file.get(key).map(|it| it.0)).collect::<Vec<_>>();
        prop_assert_eq!(others(&before), others(&parse(&after)), "nothing else was edited");
        let mut left = after.lines();
        let lost = text.lines().filter(|line| !line.contains("mcp_port =")).find(|line| !left.any(|it| it == *line));
        prop_assert_eq!(lost, None, "comments, unknown keys and their order stay: {:?}", after);
    }

    #[test]
    fn setting_and_removing_a_new_value_restores_every_line(text in files(), port in 1_u16..) {
        let without = remove(&text, PORT);
        prop_assert!(parse(&without).get(PORT).is_none(), "the next layer decides");
        let back = remove(&set(&without, PORT, &port.to_string()), PORT);
        prop_assert!(back.trim_end().starts_with(without.trim_end()), "{:?} became {:?}", without, back);
    }
}
