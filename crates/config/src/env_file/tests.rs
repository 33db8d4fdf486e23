//! What a shell would read, what is refused, and that an edit touches one line.

use cwts_domain::Service;
use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> EnvFile {
    EnvFile::parse(Path::new("ports.env"), text).unwrap()
}

fn value(text: &str) -> String {
    parse(text).last("A").unwrap().value.clone()
}

fn refusal(text: &str) -> String {
    EnvFile::parse(Path::new("ports.env"), text).unwrap_err().to_string()
}

#[test]
fn values_are_those_that_a_shell_would_assign() {
    let cases = [
        ("A=5010", "5010"),
        ("export A=5010", "5010"),
        ("  export \t A=5010  ", "5010"),
        ("A='50 10'", "50 10"),
        ("A=\"50 10\" # why", "50 10"),
        ("A=50\\ 10", "50 10"),
        ("A=5010#no", "5010#no"),
        ("A=\"a\\\"b\\n\"", "a\"b\\n"),
        ("A='a'\"b\"c", "abc"),
        ("A='it'\\''s'", "it's"),
        ("A=50\\\n10", "5010"),
        ("A=\"x\ny\"", "x\ny"),
        ("A=", ""),
        ("A=cost$", "cost$"),
        ("A='$HOME `id`'", "$HOME `id`"),
        ("A=\\$HOME", "$HOME"),
        ("A=1 B=2; A=3", "3"),
        ("\u{feff}A=1\r\n# x\r\n", "1"),
        ("A=1\nexport A", "1"),
        ("A=1\nA=2\n", "2"),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text), expected, "{text:?}");
    }
}

#[test]
fn a_real_shell_agrees_with_the_values() {
    let texts =
        ["A='50 10'", "A=\"a\\\"b\\n\"", "A='a'\"b\"c", "A=50\\\n10", "A=cost$", "A='it'\\''s'", "A=1 B=2; A=3"];
    for text in texts {
        let script = format!("{text}\nprintf %s \"$A\"");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(value(text), String::from_utf8(output.stdout).unwrap(), "sh reads {text:?} so");
    }
}

#[test]
fn what_a_shell_would_run_or_expand_is_refused_with_its_line() {
    let cases = [
        "A=$(id)",
        "A=`id`",
        "A=\"$(id)\"",
        "A=\"`id`\"",
        "A=$HOME",
        "A=${HOME}",
        "A=\"$HOME\"",
        "A=$1",
        "A=$?",
        "A=$'x'",
        "echo hello",
        "A=1 echo",
        "export -p",
        "A=1 | cat",
        "A=1 > file",
        "A=(1 2)",
        "A=1 && B=2",
        "if true",
        "; A=1",
        "A=1;; B=2",
        "A+=1",
        "1A=2",
        "A='open",
        "A=\"open",
        "A=open\\",
    ];
    for case in cases {
        let message = refusal(&format!("# first\n\n{case}"));
        assert!(message.starts_with("ports.env:3: "), "{case:?} must be refused in line 3: {message}");
    }
}

#[test]
fn setting_a_variable_keeps_everything_else() {
    let cases = [
        ("# a\r\nexport A=1 # why\r\nB=2\r\n", "# a\r\nexport A=5010 # why\r\nB=2\r\n"),
        ("A='1'\n", "A='5010'\n"),
        ("A=\"1\"; B=2", "A=\"5010\"; B=2"),
        ("A=1\nA=2\n", "A=1\nA=5010\n"),
        ("A=", "A=5010"),
        ("", "export A=5010\n"),
        ("B=2", "B=2\nexport A=5010\n"),
        ("B=2\r\n", "B=2\r\nexport A=5010\r\n"),
        ("\u{feff}", "\u{feff}export A=5010\n"),
        ("# open comment", "# open comment\nexport A=5010\n"),
        ("B=2 \\\n", "B=2 \\\n\nexport A=5010\n"),
    ];
    for (before, after) in cases {
        assert_eq!(parse(before).with("A", "5010"), after, "{before:?}");
    }
}

#[test]
fn removing_a_variable_takes_its_line_and_nothing_else() {
    let cases = [
        ("# a\nexport A=1 # why\nB=2\n", "# a\nB=2\n"),
        ("A=1\nB=2\nA=3\n", "B=2\n"),
        ("\u{feff}A=1\r\nB=2\r\n", "\u{feff}B=2\r\n"),
        ("export A=1 B=2\n", "export A= B=2\n"),
        ("A=1; B=2\n", "A=; B=2\n"),
        ("B=2 \\\nA=1\n", "B=2 \\\nA=\n"),
        ("A='1\n2'\nB=2", "B=2"),
        ("B=2", "B=2"),
    ];
    for (before, after) in cases {
        assert_eq!(parse(before).without("A"), after, "{before:?}");
    }
}

#[test]
fn an_empty_value_counts_as_unset() {
    let key = Key::Port(Service::McpWebsocket);
    assert!(parse("MCP_SERVER_PORT=5010\nMCP_SERVER_PORT=''").get(key).is_none(), "the last assignment unsets it");
}

/// Files as people write them: comments, blank lines, assignments of any style, both line endings.
fn files() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just(String::new()),
        "# [a-z=$`'\"\\\\ ]{0,20}",
        "(export )?[A-D]=[a-z0-9.:/]{0,6}( # [a-z ]{0,8})?",
        "(export )?[A-D]='[a-z $`\"#;]{0,6}'",
        "(export )?[A-D]=\"[a-z '#;]{0,6}\"",
        "[A-D]=[a-z]{1,3}; ?[A-D]=[a-z]{1,3}",
    ];
    (prop::collection::vec(line, 0..8), prop::bool::ANY, prop::bool::ANY).prop_map(|(lines, crlf, ends)| {
        let newline = if crlf { "\r\n" } else { "\n" };
        lines.join(newline) + if ends { newline } else { "" }
    })
}

proptest! {
    #[test]
    fn a_set_variable_is_read_back_and_the_others_stay(text in files(), value in "[ -~äß]{0,12}") {
        let before = parse(&text);
        let after = parse(&before.with("A", &value));
        prop_assert_eq!(&after.last("A").unwrap().value, &value, "what was saved is what is loaded");
        for name in ["B", "C", "D"] {
            let (old, new) = (before.last(name), after.last(name));
            prop_assert_eq!(old.map(|it| &it.value), new.map(|it| &it.value), "{} was not edited", name);
        }
    }

    #[test]
    fn an_edit_changes_at_most_one_line(text in files(), value in "[a-z0-9.:]{1,8}") {
        let after = parse(&text).with("A", &value);
        let (old, new): (Vec<_>, Vec<_>) = (text.lines().collect(), after.lines().collect());
        let changed = old.iter().zip(&new).filter(|(a, b)| a != b).count() + new.len() - old.len();
        prop_assert!(changed <= 1, "the text of a person is never lost: {:?} became {:?}", text, after);
    }

    #[test]
    fn a_removed_variable_is_gone_and_the_others_stay(text in files()) {
        let before = parse(&text);
        let after = parse(&before.without("A"));
        prop_assert!(after.last("A").is_none_or(|it| it.value.is_empty()), "the next layer decides");
        for name in ["B", "C", "D"] {
            let (old, new) = (before.last(name), after.last(name));
            prop_assert_eq!(old.map(|it| &it.value), new.map(|it| &it.value), "{} was not edited", name);
        }
        let comments = |text: &str| text.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(comments(&text), comments(&after.text), "comments on their own lines stay");
    }

    #[test]
    fn no_text_whatever_brings_the_parser_down(text in "\\PC{0,40}") {
        let judged = EnvFile::parse(Path::new("ports.env"), &text);
        prop_assert!(judged.is_ok() || matches!(judged, Err(ConfigError::Syntax { .. })), "it reads or refuses");
    }
}
