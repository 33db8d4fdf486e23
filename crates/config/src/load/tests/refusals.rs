//! What is refused: the message leads to the place, and nothing starts on a guess.

use super::*;

#[test]
fn a_bad_value_in_ports_env_names_line_variable_range_and_remedy() {
    for bad in ["abc", "0", "70000", "-1", "3000.5"] {
        let home = Home::new().with("ports.env", format!("\n# mine\nexport MCP_SERVER_PORT={bad}\n"));
        let place = home.file("ports.env").display().to_string();
        let expected = format!(
            "{place}:3: MCP_SERVER_PORT is \"{bad}\"; a port is a whole number from 1 to 65535. \
             Edit the line or remove it."
        );
        assert_eq!(home.error(), expected, "a person must be able to correct the line without a manual");
    }
}

#[test]
fn a_bad_value_in_production_toml_names_line_key_and_range() {
    for bad in ["\"5010\"", "\"abc\"", "0", "70000", "-1", "3000.5", "true", "[3000]", "{ a = 1 }"] {
        let home = Home::new().with("production.toml", format!("[monitoring]\nmetrics_port = {bad}\n"));
        let message = home.error();
        let place = format!("{}:2: monitoring.metrics_port is {bad};", home.file("production.toml").display());
        assert!(message.starts_with(&place), "{message} must begin with {place}");
        assert!(message.contains("from 1 to 65535, without quotes"), "{message}");
    }
}

#[test]
fn a_bad_value_in_the_environment_names_the_variable() {
    let error = Home::new().load_under(Environment::from([("PROMETHEUS_PORT", "abc")])).unwrap_err();
    assert_eq!(
        one_line(error),
        "environment: PROMETHEUS_PORT is \"abc\"; a port is a whole number from 1 to 65535. \
         Change or unset PROMETHEUS_PORT.",
        "no file is to blame"
    );
}

#[test]
fn a_bad_default_in_the_port_table_names_line_entry_and_range() {
    let home = Home::new().with("ports.conf", "[health]\ndefault = \"8080\"\n");
    let place = home.file("ports.conf").display().to_string();
    let expected = format!(
        "{place}:2: health.default is \"8080\"; a port is a whole number from 1 to 65535, without quotes. \
         Edit the line or remove it."
    );
    assert_eq!(home.error(), expected, "a person must be able to correct the line without a manual");
    assert_eq!(home.load().unwrap_err().key(), Some(Key::Port(Service::Health)), "the form marks the field");
}

#[test]
fn two_defaults_on_one_port_are_refused_with_both_lines() {
    let home = Home::new().with("ports.conf", "[prometheus]\ndefault = 9000\n[health]\ndefault = 9000\n");
    let file = home.file("ports.conf").display().to_string();
    let expected = format!("Prometheus ({file}:2) and Health check ({file}:4) share port 9000.");
    assert!(home.error().starts_with(&expected), "{} must begin with {expected}", home.error());
    let set = home.with("production.toml", "[monitoring]\nhealth_check_port = 9001\n");
    assert_eq!(set.load().unwrap().settings.health_check_port.value, 9001, "a hidden default shares nothing");
}

#[test]
fn a_bad_address_or_level_says_what_is_allowed() {
    let home = Home::new().with("production.toml", "[mcp]\nbind_addr = \"localhost\"\n");
    assert!(home.error().contains("IP address such as 127.0.0.1"), "a name is no address: {}", home.error());
    let home = Home::new().with("ports.env", "CWTS_LOG=loud\n");
    assert!(home.error().contains("off, error, warn, info, debug, trace"), "{}", home.error());
}

#[test]
fn a_hidden_value_must_be_valid_too() {
    let home = Home::new().with("production.toml", "[mcp]\nmcp_port = 70000\n");
    let error = home.load_under(Environment::from([("MCP_SERVER_PORT", "4001")])).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ConfigInvalid, "or the file breaks the day the variable is unset");
}

#[test]
fn a_malformed_file_names_file_and_line() {
    let home = Home::new().with("production.toml", "[mcp]\n# fine\nmcp_port = = 3\n");
    let place = format!("{}:3: ", home.file("production.toml").display());
    assert!(home.error().starts_with(&place), "{} must begin with {place}", home.error());
    let home = Home::new().with("production.toml", "\nmcp = 3000\n");
    let place = format!("{}:2: mcp must be a table", home.file("production.toml").display());
    assert!(home.error().starts_with(&place), "{} must begin with {place}", home.error());
    let home = Home::new().with("ports.env", "\nMCP_SERVER_PORT=$(id)\n");
    let place = format!("{}:2: ", home.file("ports.env").display());
    assert!(home.error().starts_with(&place), "{} must begin with {place}", home.error());
}

#[test]
fn an_unreadable_file_is_an_error_and_not_an_empty_layer() {
    let home = Home::new();
    fs::create_dir(home.file("ports.env")).unwrap();
    let place = home.file("ports.env").display().to_string();
    assert!(home.error().contains(&place), "a folder in place of the file is named: {}", home.error());
    let home = Home::new().with("production.toml", b"# fine\n[mcp]\n# \xff\n");
    let place = format!("{}:3 ", home.file("production.toml").display());
    assert!(home.error().starts_with(&place), "{} must begin with {place}", home.error());
    assert!(home.error().contains("UTF-8"), "the remedy names the encoding: {}", home.error());
}

#[test]
fn a_file_that_this_user_may_not_read_is_an_error() {
    let home = Home::new().with("ports.env", "MCP_SERVER_PORT=4001\n");
    fs::set_permissions(home.file("ports.env"), std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    match home.load() {
        // Root reads everything.
        Ok(found) => assert_eq!(default_port(&found.settings), 4001, "a file that can be read counts"),
        Err(error) => {
            let message = one_line(error);
            assert!(message.ends_with("Make it a file that this user may read."), "the remedy is named: {message}");
        }
    }
}

#[test]
fn two_services_on_one_port_are_refused_with_both_origins() {
    let home = Home::new().with("ports.env", "export MCP_SERVER_PORT=9090\n");
    let error = home.load().unwrap_err();
    assert_eq!(error.key(), Some(Key::Port(Service::Prometheus)), "the form marks a field");
    let message = one_line(error);
    let place = format!(
        "MCP WebSocket ({}:1) and Prometheus (built-in default) share port 9090",
        home.file("ports.env").display()
    );
    assert!(message.starts_with(&place), "{message} must begin with {place}");
}

#[test]
fn one_port_on_two_separate_addresses_is_allowed() {
    let home = Home::new().with("ports.env", "MCP_SERVER_PORT=9090\nMONITORING_BIND_ADDR=127.0.0.2\n");
    assert_eq!(default_port(&home.load().unwrap().settings), 9090, "the kernel lets both bind");
    let home = home.with("ports.env", "MCP_SERVER_PORT=9090\nMONITORING_BIND_ADDR=0.0.0.0\n");
    assert!(matches!(home.load(), Err(ConfigError::SharedPort { .. })), "0.0.0.0 includes 127.0.0.1");
}

#[test]
fn a_named_file_that_disappears_is_an_error() {
    let home = Home::new().with("instance1.toml", "[mcp]\nmcp_port = 4003\n");
    let named = Some(Path::new("instance1.toml"));
    let sources = Sources::new(home.0.path(), InstanceId::default(), named, Environment::empty()).unwrap();
    assert_eq!(default_port(&load(&sources).unwrap().settings), 4003, "the named file is the TOML layer");
    fs::remove_file(home.file("instance1.toml")).unwrap();
    assert!(matches!(load(&sources), Err(ConfigError::ConfigFileMissing { .. })), "no start on the defaults instead");
}

#[test]
fn a_problem_carries_field_and_remedy() {
    let home = Home::new().with("ports.env", "MCP_HTTP_PORT=abc\n");
    let error = home.load().unwrap_err();
    let line = error.to_string();
    let problem = Problem::from(error);
    assert_eq!(problem.field.as_deref(), Some("mcp.mcp_http_port"), "the form marks the field");
    assert_eq!(problem.help.as_deref(), Some("Edit the line or remove it."), "the remedy stands apart");
    assert_eq!(problem.to_string(), line, "the command line prints the same as one line");
}

#[test]
fn what_is_no_regular_file_is_refused_instead_of_read_for_ever() {
    let home = Home::new().with("ports.conf", "");
    for (target, reason) in [("/dev/zero", "it is a pipe or a device"), ("/proc", "it is a folder")] {
        let file = home.file("ports.env");
        std::os::unix::fs::symlink(target, &file).unwrap();
        let message = home.error();
        let expected = format!("{} cannot be read: {reason}.", file.display());
        assert!(message.starts_with(&expected), "a start must not hang on {target}: {message}");
        std::fs::remove_file(&file).unwrap();
    }
    let giant = Home::new().with("ports.env", "#".repeat((1 << 20) + 1));
    assert!(giant.error().contains("larger than 1 MiB"), "no person wrote that");
}

#[test]
fn no_token_is_taken_for_loopback_only() {
    let home = Home::new().with("production.toml", "[security]\nauth = \"none\"\n[mcp]\nbind_addr = \"::1\"\n");
    assert_eq!(home.load().unwrap().settings.auth.value, AuthMode::None, "every address is loopback");
    let error = home.load_under(Environment::from([("MONITORING_BIND_ADDR", "0.0.0.0")])).unwrap_err();
    assert_eq!((error.code(), error.key()), (ErrorCode::ConfigInvalid, Some(Key::Auth)), "nothing starts open");
    let place = home.file("production.toml").display().to_string();
    let expected = format!(
        "security.auth is none ({place}:2), which is taken for loopback only, but monitoring.bind_addr is 0.0.0.0 \
         (MONITORING_BIND_ADDR in the environment). Set security.auth to token, or monitoring.bind_addr to 127.0.0.1."
    );
    assert_eq!(one_line(error), expected, "both settings are named with their places");
}

#[test]
fn a_setting_of_few_words_lists_them() {
    for (line, expected) in [
        ("security.auth = \"password\"", "security.auth is \"password\"; it is token or none, in quotes."),
        ("security.tls = true", "security.tls is true; it is off or on, in quotes."),
        ("panel.start_servers = \"yes\"", "panel.start_servers is \"yes\"; it is true or false, without quotes."),
        (
            "instance.id = \"../x\"",
            "instance.id is \"../x\"; an instance id is 1 to 32 letters, digits, '-' or '_', in quotes.",
        ),
    ] {
        let home = Home::new().with("production.toml", line);
        let expected = format!("{}:1: {expected}", home.file("production.toml").display());
        assert!(home.error().starts_with(&expected), "{} must begin with {expected}", home.error());
    }
}
