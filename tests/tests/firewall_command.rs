//! `cwts-ultra firewall` as a person and a script use it, without changing anything.

use cwts_tests::{Exit, Home, command, finish};
use serde_json::{Value, json};
use tokio::process::Command;

const TOOLS: [&str; 4] = ["ufw", "firewalld", "iptables", "nftables"];

async fn firewall(home: &Home, words: &[&str]) -> Exit {
    let mut program = command(home);
    program.arg("firewall").args(words);
    finish(program).await
}

#[tokio::test]
async fn on_loopback_no_rule_is_needed() {
    let home = Home::empty();
    let exit = firewall(&home, &[]).await;
    assert_eq!(exit.status, Some(0), "{exit:?}");
    assert!(exit.stdout.contains("Not needed: default listens on 127.0.0.1 only."), "{}", exit.stdout);
    assert!(exit.stdout.lines().all(|line| line.starts_with('#')), "no command: {}", exit.stdout);
    assert!(!home.path().join("data/default/firewall.json").exists(), "looking writes nothing");
}

#[tokio::test]
async fn with_few_file_descriptors_left_what_cannot_be_looked_up_is_unknown() {
    let home = Home::empty();
    for left in 5..32 {
        let mut program = Command::new("prlimit");
        program.arg(format!("--nofile={left}")).arg(command(&home).as_std().get_program());
        program.env_clear().env("CWTS_HOME", home.path()).args(["firewall", "--json"]);
        let exit = finish(program).await;
        assert!(!exit.stderr.contains("panicked"), "{left} descriptors: {exit:?}");
        assert!(matches!(exit.status, Some(0..=4)), "an answer or an error: {exit:?}");
    }
}

#[tokio::test]
async fn a_named_tool_always_prints_commands_with_their_undo() {
    let home = Home::empty();
    for tool in TOOLS {
        let words = ["--tool", tool, "--source", "192.168.1.0/24", "--source", "fd00:1::/64", "--service", "health"];
        let exit = firewall(&home, &[&words[..], &["--json"]].concat()).await;
        let answer: Value = serde_json::from_str(&exit.stdout).unwrap_or_else(|error| panic!("{error}: {exit:?}"));
        assert_eq!((&answer["tool"], &answer["needed"]), (&json!(tool), &json!(false)), "{answer}");
        assert!(answer.get("detected").is_some(), "null where nothing is known: {answer}");
        let lines = |field: &str| answer[field].as_array().cloned().unwrap_or_else(|| panic!("{field}: {answer}"));
        assert!(!lines("commands").is_empty() && !lines("undo").is_empty(), "{tool} prints all the same: {answer}");
        let text = answer["commands"].to_string();
        assert!(text.contains("192.168.1.0/24") && text.contains("fd00:1::/64") && text.contains("8080"), "{text}");
        assert!(answer["notes"].to_string().contains("Not needed"), "and a note: {answer}");
    }
}

#[tokio::test]
async fn services_beyond_loopback_are_the_default_choice() {
    let home = Home::empty();
    home.write_env("export MCP_BIND_ADDR=0.0.0.0\nexport MCP_SERVER_PORT=5010\n");
    let exit = firewall(&home, &["--tool", "ufw", "--source", "192.168.1.7/24"]).await;
    assert!(exit.stdout.contains("192.168.1.7/24 stands for 192.168.1.0/24."), "said, not guessed: {}", exit.stdout);
    for expected in ["from 192.168.1.0/24 to any port 5010 comment 'CWTS default MCP WebSocket'", "port 3001 "] {
        assert!(exit.stdout.contains(expected), "{expected}: {}", exit.stdout);
    }
    assert!(!exit.stdout.contains("9090"), "monitoring is not reached from outside: {}", exit.stdout);
}

#[tokio::test]
async fn bad_words_end_with_2_and_one_line_that_names_them() {
    let home = Home::empty();
    let cases = [
        (["--source", "192.168.1.0/33"], "192.168.1.0/33"),
        (["--source", "$(reboot)"], "$(reboot)"),
        (["--source", "127.0.0.1"], "this computer"),
        (["--tool", "pf"], "pf"),
        (["--service", "ssh"], "mcp-websocket"),
        (["--chain", "input"], "inet filter input"),
    ];
    for (words, named) in cases {
        let exit = firewall(&home, &words).await;
        assert_eq!(exit.status, Some(2), "{words:?}: bad usage: {exit:?}");
        assert!(exit.stderr.contains(named), "{words:?}: {}", exit.stderr);
    }
}

#[tokio::test]
async fn the_script_is_one_that_a_shell_understands() {
    let home = Home::empty();
    let path = home.path().join("rules.sh");
    for tool in TOOLS {
        let words = ["--tool", tool, "--source", "192.168.1.0/24", "--restrict", "--script"];
        let exit = firewall(&home, &[&words[..], &[&path.display().to_string()]].concat()).await;
        assert_eq!(exit.status, Some(0), "{exit:?}");
        let mut shell = Command::new("sh");
        let checked = finish({
            shell.arg("-n").arg(&path);
            shell
        })
        .await;
        assert_eq!((checked.status, checked.stderr.as_str()), (Some(0), ""), "{tool}: its grammar");
        let mut script = Command::new(&path);
        script.arg("sideways");
        assert_eq!(finish(script).await.status, Some(2), "{tool}: it is a program, and says how to use it");
    }
}

#[tokio::test]
async fn a_damaged_memory_is_named_and_kept() {
    let home = Home::empty();
    let folder = home.path().join("data/default");
    std::fs::create_dir_all(&folder).expect("a data folder");
    let path = folder.join("firewall.json");
    std::fs::write(&path, r#"{"changes": [["sh", "-c", "reboot"]]}"#).expect("a file");
    let exit = firewall(&home, &["--undo", "--apply"]).await;
    assert_eq!(exit.status, Some(1), "{exit:?}");
    assert!(exit.stderr.contains(&path.display().to_string()), "which file: {}", exit.stderr);
    assert!(path.exists(), "a person may repair it");
}
