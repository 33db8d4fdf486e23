//! The layers as a person meets them: files in a temporary home, and an environment made for the test.

use std::fs;
use std::path::{Path, PathBuf};

use cwts_domain::{ErrorCode, Problem};
use tempfile::TempDir;

use super::*;
use crate::{Environment, InstanceId, PortConcern};

mod refusals;
mod shipped;

/// A home folder that goes with the test.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir(home.0.path().join("config")).unwrap();
        home
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join("config").join(name)
    }

    fn with(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        fs::write(self.file(name), text).unwrap();
        self
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        self.load_under(Environment::empty())
    }

    fn load_under(&self, environment: Environment) -> Result<Loaded, ConfigError> {
        let sources = Sources::new(self.0.path(), InstanceId::default(), None, environment)?;
        load(&sources.with_ephemeral_ports(Some(32768..=60999)))
    }

    fn error(&self) -> String {
        one_line(self.load().unwrap_err())
    }
}

fn one_line(error: ConfigError) -> String {
    let message = error.to_string();
    assert!(!message.contains('\n'), "an error is one line, for a terminal and a log: {message}");
    message
}

fn default_port(found: &Settings) -> u16 {
    found.mcp_port.value
}

#[test]
fn without_any_file_the_built_in_values_hold() {
    let found = Home::new().load().unwrap();
    for service in Service::ALL {
        let port = found.settings.port(service);
        assert_eq!(port.value, service.default_port(), "{service} has its default");
        assert_eq!(port.origin, Origin::built_in(), "a value that nobody set says so");
        assert_eq!(port.shadowed, [], "a default hides nothing");
        assert!(found.settings.socket_addr(service).ip().is_loopback(), "the default exposes nothing");
    }
    assert_eq!(found.settings.log_level.value, LogLevel::Info, "the default level");
    assert_eq!(found.warnings, [], "there is nothing to look at");
}

#[test]
fn each_layer_hides_the_weaker_ones_and_names_them() {
    let home = Home::new()
        .with("ports.env", "# mine\nexport MCP_SERVER_PORT=4002\n")
        .with("production.toml", "[mcp]\nmcp_port = 4003\n")
        .with("ports.conf", "# table\n\n[mcp-websocket]\ndefault = 4004\n");
    let found = home.load_under(Environment::from([("MCP_SERVER_PORT", "4001")])).unwrap().settings.mcp_port;
    assert_eq!(found.value, 4001, "the environment is the strongest layer");
    assert_eq!(found.origin.variable.as_deref(), Some("MCP_SERVER_PORT"), "a person looks for the variable");
    assert_eq!(found.origin.layer, Layer::Environment, "and knows that no file decides");
    let hidden: Vec<_> = found.shadowed.iter().map(|it| (it.value, it.origin.layer, it.origin.line)).collect();
    let expected = [
        (4002, Layer::EnvFile, Some(2)),
        (4003, Layer::Toml, Some(2)),
        (4004, Layer::PortTable, Some(4)),
        (3000, Layer::BuiltIn, None),
    ];
    assert_eq!(hidden, expected, "every hidden value is shown with its line, strongest first");
    let files: Vec<_> = found.shadowed.iter().map(|it| it.origin.file.clone()).collect();
    let expected =
        [Some(home.file("ports.env")), Some(home.file("production.toml")), Some(home.file("ports.conf")), None];
    assert_eq!(files, expected, "the form links to the file");
}

#[test]
fn ports_env_is_stronger_than_production_toml() {
    let home = Home::new().with("ports.env", "MCP_SERVER_PORT=4002").with("production.toml", "mcp.mcp_port = 4003");
    let found = home.load().unwrap().settings.mcp_port;
    assert_eq!((found.value, found.origin.layer), (4002, Layer::EnvFile), "an override overrides");
    let unset = Environment::from([("MCP_SERVER_PORT", "")]);
    let found = home.load_under(unset).unwrap().settings.mcp_port;
    assert_eq!(found.value, 4002, "an empty variable counts as unset");
}

#[test]
fn the_port_table_decides_where_nobody_set_a_port() {
    let home = Home::new().with("ports.conf", "[health]\ndefault = 8081\nalternatives = [8082]\n");
    let found = home.load().unwrap();
    let port = &found.settings.health_check_port;
    assert_eq!(
        (port.value, port.origin.layer, port.origin.line),
        (8081, Layer::PortTable, Some(2)),
        "its default holds"
    );
    assert_eq!(port.origin.file, Some(home.file("ports.conf")), "the form links to the file");
    assert_eq!(port.shadowed, [Shadowed { value: 8080, origin: Origin::built_in() }], "and hides the built-in one");
    assert_eq!(found.port_table.get(Service::Health).alternatives, [8082], "the alternatives are at hand");
    assert_eq!(found.settings.metrics_port.origin, Origin::built_in(), "a service that it leaves out is built in");
    let without = Home::new().load().unwrap();
    assert_eq!(without.port_table, PortTable::default(), "without the file the built-in table holds");
}

#[test]
fn every_instance_shares_the_port_table() {
    let home = Home::new().with("ports.conf", "[health]\ndefault = 8081\n");
    let sources = Sources::new(home.0.path(), "2".parse().unwrap(), None, Environment::empty()).unwrap();
    let port = load(&sources).unwrap().settings.health_check_port;
    assert_eq!((port.value, port.origin.layer), (8081, Layer::PortTable), "there is one table per installation");
}

#[test]
fn every_setting_is_read_from_every_layer() {
    let values = [
        "4001",
        "4002",
        "0.0.0.0",
        "50000",
        "4003",
        "4004",
        "::1",
        "token",
        "on",
        "studio.lan, fd00::1",
        "false",
        "debug",
        InstanceId::DEFAULT,
    ];
    let (mut environment, mut env_file, mut toml) = (Vec::new(), String::new(), String::new());
    for (key, value) in Key::ALL.into_iter().zip(values) {
        if let Some(variable) = key.variable() {
            environment.push((variable, value));
            env_file.push_str(&format!("export {variable}={value}\n"));
        }
        let quote = if matches!(key, Key::Port(_) | Key::ConfirmAbove | Key::StartServers) { "" } else { "\"" };
        toml.push_str(&format!("{} = {quote}{value}{quote}\n", key.id()));
    }
    let layers = [
        (Layer::Environment, Home::new().load_under(environment.into_iter().collect())),
        (Layer::EnvFile, Home::new().with("ports.env", env_file).load()),
        (Layer::Toml, Home::new().with("production.toml", toml).load()),
    ];
    for (layer, loaded) in layers {
        let settings = loaded.unwrap().settings;
        let settable = |key: &Key| layer == Layer::Toml || key.variable().is_some();
        for (key, value) in Key::ALL.into_iter().zip(values).filter(|(key, _)| settable(key)) {
            let found = settings.get(key);
            assert_eq!((found.value.as_str(), found.origin.layer), (value, layer), "{key} in {layer:?}");
        }
    }
}

#[test]
fn the_instance_that_was_chosen_stands_over_what_its_files_say() {
    let home = Home::new().with("production.toml", "[instance]\nid = \"desk\"\n");
    let found = home.load().unwrap();
    assert_eq!(found.settings.instance_id.value, InstanceId::default(), "the files were chosen for this instance");
    assert_eq!(found.settings.instance_id.shadowed[0].value.as_str(), "desk", "what the file says is shown");
    let place = home.file("production.toml").display().to_string();
    let expected =
        format!("{place}:2: the id desk has no effect in a file of instance default. Start desk with --instance desk.");
    assert_eq!(found.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected], "nothing is silent");
    let named = Environment::from([("CWTS_INSTANCE_ID", InstanceId::DEFAULT)]);
    let found = home.load_under(named).unwrap();
    assert_eq!(found.settings.instance_id.origin.layer, Layer::Environment, "the environment decides");
    assert_eq!(found.warnings, [], "a hidden id misleads nobody");
}

#[test]
fn unknown_names_are_reported_with_their_line() {
    let home = Home::new()
        .with("ports.env", "export MCP_SERVER_PROT=5010\n")
        .with("production.toml", "[mcp]\nmcp_port = 3000\nport = 1\n\n[strategy]\na = 1\nb = 2\n");
    let warnings: Vec<_> = home.load().unwrap().warnings.iter().map(ToString::to_string).collect();
    let (env, toml) = (home.file("ports.env"), home.file("production.toml"));
    let expected = [
        format!("{}:1: MCP_SERVER_PROT is no setting and has no effect.", env.display()),
        format!("{}:3: mcp.port is no setting and has no effect.", toml.display()),
        format!("{}:5: strategy is no setting and has no effect.", toml.display()),
    ];
    assert_eq!(warnings, expected, "a typing mistake must not pass in silence");
}

#[test]
fn a_repeated_variable_counts_once_and_says_so() {
    let home = Home::new().with("ports.env", "MCP_SERVER_PORT=5010\nMCP_SERVER_PORT=5020\n");
    let found = home.load().unwrap();
    assert_eq!(default_port(&found.settings), 5020, "the last assignment wins, as in a shell");
    assert!(matches!(found.warnings[..], [Warning::Repeated { .. }]), "the first line misleads: {:?}", found.warnings);
}

#[test]
fn unwise_ports_warn_and_are_taken() {
    let home = Home::new().with("ports.env", "HEALTH_CHECK_PORT=10080\nPROMETHEUS_PORT=40000\n");
    let found = home.load().unwrap();
    assert_eq!(found.settings.health_check_port.value, 10080, "a warning refuses nothing");
    let concerns = found.warnings.iter().filter_map(|it| match it {
        Warning::Port { service, concern, .. } => Some((*service, concern.clone())),
        _ => None,
    });
    let expected = [
        (Service::Prometheus, PortConcern::Ephemeral { range: 32768..=60999 }),
        (Service::Health, PortConcern::BrowserBlocked),
    ];
    assert_eq!(concerns.collect::<Vec<_>>(), expected, "both drawbacks are named");
}

#[test]
fn the_revision_changes_exactly_when_a_file_does() {
    let home = Home::new().with("production.toml", "[mcp]\n");
    let before = home.load().unwrap().revision;
    assert_eq!(home.load().unwrap().revision, before, "reading changes nothing");
    let home = home.with("production.toml", "[mcp]\n# a comment\n");
    let after = home.load().unwrap().revision;
    assert_ne!(after, before, "a comment is content too");
    let home = home.with("ports.conf", "");
    assert_ne!(home.load().unwrap().revision, after, "the port table is a file as well");
}

#[test]
fn settings_serialize_as_an_object_keyed_by_setting() {
    let json =
        serde_json::to_value(Home::new().with("ports.env", "MCP_SERVER_PORT=4002").load().unwrap().settings).unwrap();
    for key in Key::ALL {
        assert!(json.get(key.id()).is_some(), "{key} is part of `config show --json`");
    }
    assert_eq!(json["mcp.mcp_port"]["value"], 4002, "a port is a number");
    assert_eq!(json["mcp.mcp_port"]["origin"]["layer"], "env-file", "layers have fixed names");
    assert_eq!(serde_json::to_value(Layer::PortTable).unwrap(), "port-table", "this one too");
    assert_eq!(json["mcp.mcp_port"]["shadowed"][0]["value"], 3000, "hidden values are listed");
}
