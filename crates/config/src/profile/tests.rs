//! What counts as an instance of a home, and what making and removing one leaves behind.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::{Layer, Settings};

fn home(files: &[&str]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder(home.path())).unwrap();
    for file in files {
        fs::write(folder(home.path()).join(file), "").unwrap();
    }
    home
}

fn ids(home: &Path) -> Vec<String> {
    profiles(home).iter().map(ToString::to_string).collect()
}

fn id(text: &str) -> InstanceId {
    text.parse().unwrap()
}

fn new(name: &str, ports: [u16; 4]) -> NewProfile {
    NewProfile { id: id(name), ports, from: None, with_data: false }
}

fn settings(home: &Path, name: &str) -> Settings {
    let sources = Sources::new(home, id(name), None, Environment::empty()).unwrap();
    let loaded = load(&sources.with_ephemeral_ports(None)).unwrap();
    assert_eq!(loaded.warnings, [], "what a program writes gives no warnings");
    loaded.settings
}

fn ports(home: &Path, name: &str) -> [u16; 4] {
    let settings = settings(home, name);
    Service::ALL.map(|service| settings.port(service).value)
}

fn write(home: &Path, file: &str, text: &str) {
    let path = home.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_home_has_the_default_instance_and_one_for_each_profile() {
    let home = home(&["desk.toml", "desk.env", "2.env", "agents.toml"]);
    assert_eq!(ids(home.path()), ["default", "2", "agents", "desk"], "either file makes a profile, and both make one");
}

#[test]
fn what_is_no_profile_is_no_instance() {
    let home = home(&["desk.toml.bak", ".desk.toml.lock", "a b.toml", "notes.txt", "default.toml"]);
    assert_eq!(ids(home.path()), ["default"], "copies and locks lie beside the profiles");
    assert_eq!(ids(Path::new("/nonexistent")), ["default"], "a new home has one instance");
}

#[test]
fn a_new_instance_has_its_own_files_ports_and_data() {
    let home = tempfile::tempdir().unwrap();
    create_profile(home.path(), &new("desk", [5010, 5011, 9190, 8180])).unwrap();
    assert_eq!(ids(home.path()), ["default", "desk"], "it is listed at once");
    assert_eq!(ports(home.path(), "desk"), [5010, 5011, 9190, 8180], "all four ports are its own");
    assert_eq!(settings(home.path(), "desk").instance_id.value, id("desk"), "the file names its owner");
    let text = fs::read_to_string(folder(home.path()).join("desk.toml")).unwrap();
    assert!(text.starts_with("# CWTS Ultra: settings of instance desk.\n"), "a person sees whose file it is: {text}");
    assert!(!text.contains("ports.env"), "the override beside it has another name: {text}");
    let data = fs::metadata(home.path().join("data/desk")).unwrap();
    assert_eq!(data.permissions().mode() & 0o777, 0o700, "tokens and keys will lie there");
}

#[test]
fn an_id_is_given_once() {
    let home = tempfile::tempdir().unwrap();
    create_profile(home.path(), &new("desk", [5010, 5011, 9190, 8180])).unwrap();
    for name in ["desk", "default"] {
        let refused = create_profile(home.path(), &new(name, [1, 2, 3, 4])).unwrap_err();
        assert!(matches!(refused, ProfileError::Exists { .. }), "a second {name} would take over the first: {refused}");
    }
    assert_eq!(ports(home.path(), "desk"), [5010, 5011, 9190, 8180], "the first stays as it was");
}

#[test]
fn no_two_instances_share_a_port() {
    let home = tempfile::tempdir().unwrap();
    create_profile(home.path(), &new("desk", [5010, 5011, 9190, 8180])).unwrap();
    let refused = create_profile(home.path(), &new("lab", [5012, 9190, 5013, 5014])).unwrap_err().to_string();
    assert_eq!(refused, "Port 9190 is Prometheus of instance desk.", "a person must learn whose it is");
    let refused = create_profile(home.path(), &new("lab", [3000, 5012, 5013, 5014])).unwrap_err().to_string();
    assert_eq!(refused, "Port 3000 is MCP WebSocket of instance default.", "the default instance has ports too");
    let refused = create_profile(home.path(), &new("lab", [5012, 5013, 5012, 5014])).unwrap_err().to_string();
    assert_eq!(refused, "MCP WebSocket and Prometheus share port 5012.", "nor do two services of one");
    assert_eq!(ids(home.path()), ["default", "desk"], "what is refused leaves nothing behind");
}

#[test]
fn a_port_that_nobody_set_is_told_from_one_that_somebody_did() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "config/instances/2.env", "export MCP_SERVER_PORT=3003\n");
    let uses = profile_ports(home.path()).into_iter().filter(|one| one.instance == id("2"));
    let set: Vec<_> = uses.map(|one| (one.port, one.is_chosen)).collect();
    assert_eq!(set, [(3003, true), (3001, false), (9090, false), (8080, false)], "only a default gives way");
}

#[test]
fn a_clone_keeps_settings_and_comments_and_gets_ports_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "config/production.toml", "# mine\n[mcp]\nmcp_port = 4000 # old\n[log]\nlevel = \"debug\"\n");
    write(home.path(), "config/ports.env", "export MCP_HTTP_PORT=4001\nexport MCP_BIND_ADDR=127.0.0.2\n");
    write(home.path(), "data/default/orders", "one");
    write(home.path(), "data/default/tokens/owner", "secret");
    let clone = NewProfile { from: Some(InstanceId::default()), ..new("copy", [5010, 5011, 9190, 8180]) };
    create_profile(home.path(), &clone).unwrap();
    assert_eq!(ports(home.path(), "copy"), [5010, 5011, 9190, 8180], "no layer may bring the old ports back");
    let cloned = settings(home.path(), "copy");
    assert_eq!(cloned.log_level.value.as_str(), "debug", "settings are what a clone is for");
    assert_eq!(cloned.mcp_bind_addr.value.to_string(), "127.0.0.2", "those of ports.env too");
    let text = fs::read_to_string(folder(home.path()).join("copy.toml")).unwrap();
    assert!(text.starts_with("# mine\n") && text.contains("# old"), "comments are settings to a person: {text}");
    assert_eq!(data_bytes(home.path(), &id("copy")), 0, "orders stay where they were placed");
    assert_eq!(ports(home.path(), "default")[..2], [4000, 4001], "the original is untouched");

    let with_data = NewProfile { with_data: true, ..clone };
    create_profile(home.path(), &NewProfile { id: id("twin"), ports: [5020, 5021, 9290, 8280], ..with_data }).unwrap();
    let found = fs::read_to_string(home.path().join("data/twin/orders")).unwrap();
    assert_eq!(found, "one", "data is copied when somebody asks for it");
    assert!(!home.path().join("data/twin/tokens").exists(), "a token opens one instance, never two");
}

#[test]
fn data_is_not_copied_over_what_an_earlier_instance_left() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "data/default/orders", "one");
    write(home.path(), "data/copy/orders-wal", "of another journal");
    let clone =
        NewProfile { from: Some(InstanceId::default()), with_data: true, ..new("copy", [5010, 5011, 9190, 8180]) };
    let refused = create_profile(home.path(), &clone).unwrap_err();
    assert!(matches!(refused, ProfileError::DataExists { .. }), "two halves of journals are none: {refused}");
    assert_eq!(ids(home.path()), ["default"], "nothing was made");
    let left: Vec<_> =
        fs::read_dir(home.path().join("data/copy")).unwrap().flatten().map(|it| it.file_name()).collect();
    assert_eq!(left, ["orders-wal"], "nor touched");
    assert_eq!(fs::read_dir(home.path().join("data")).unwrap().count(), 2, "and no half copy is left behind");
}

#[test]
fn only_a_valid_instance_can_be_cloned() {
    let home = tempfile::tempdir().unwrap();
    let from = |name: &str| NewProfile { from: Some(id(name)), ..new("copy", [5010, 5011, 9190, 8180]) };
    let refused = create_profile(home.path(), &from("desk")).unwrap_err();
    assert!(matches!(refused, ProfileError::Missing { .. }), "there is nothing to copy: {refused}");
    write(home.path(), "config/production.toml", "[mcp]\nmcp_port = 99999\n");
    let refused = create_profile(home.path(), &from("default")).unwrap_err().to_string();
    assert!(refused.contains("production.toml:2"), "the fault must be named, not copied: {refused}");
    assert_eq!(ids(home.path()), ["default"], "what is refused leaves nothing behind");
}

#[test]
fn a_profile_that_cannot_be_written_in_full_is_not_written_at_all() {
    let home = tempfile::tempdir().unwrap();
    // A file where the data folder would be.
    write(home.path(), "data", "");
    let refused = create_profile(home.path(), &new("desk", [5010, 5011, 9190, 8180])).unwrap_err();
    assert!(matches!(refused, ProfileError::Write { .. }), "{refused}");
    assert_eq!(ids(home.path()), ["default"], "half an instance would be listed and could not run");
}

#[test]
fn removing_keeps_data_unless_it_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let profile = new("desk", [5010, 5011, 9190, 8180]);
    create_profile(home.path(), &profile).unwrap();
    write(home.path(), "data/desk/orders", "one");
    remove_profile(home.path(), &id("desk"), false).unwrap();
    assert_eq!(ids(home.path()), ["default"], "its settings are gone");
    assert_eq!(data_bytes(home.path(), &id("desk")), 3, "orders are not settings");

    create_profile(home.path(), &profile).unwrap();
    assert_eq!(data_bytes(home.path(), &id("desk")), 3, "a new instance of that name goes on from them");
    remove_profile(home.path(), &id("desk"), true).unwrap();
    assert!(!home.path().join("data/desk").exists(), "asked for, data goes too");
    let left: Vec<_> = fs::read_dir(folder(home.path())).unwrap().flatten().map(|file| file.file_name()).collect();
    assert_eq!(left, [""; 0], "nothing of it is left");
}

#[test]
fn what_must_stay_is_not_removed() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "data/default/orders", "one");
    let refused = remove_profile(home.path(), &InstanceId::default(), true).unwrap_err();
    assert!(matches!(refused, ProfileError::Default), "a home without an instance could not start: {refused}");
    let refused = remove_profile(home.path(), &id("desk"), true).unwrap_err();
    assert!(matches!(refused, ProfileError::Missing { .. }), "a typing mistake must not look like success: {refused}");
    assert!(home.path().join("data/default/orders").exists(), "nothing was touched");
}

#[test]
fn a_home_gets_what_it_lacks_and_keeps_what_it_has() {
    let home = tempfile::tempdir().unwrap();
    let sources = |name: &str| Sources::new(home.path(), id(name), None, Environment::empty()).unwrap();
    fs::create_dir_all(home.path().join("config")).unwrap();
    fs::write(home.path().join("config/ports.env"), "export CWTS_LOG=debug\n").unwrap();
    let made = furnish(&sources("default")).unwrap();
    let expected = ["production.toml", "ports.conf"].map(|name| home.path().join("config").join(name));
    assert_eq!(made, expected, "a person finds every setting");
    let text = |name: &str| fs::read_to_string(home.path().join("config").join(name)).unwrap();
    assert_eq!(text("production.toml"), include_str!("../../../../config/production.toml"), "as it is shipped");
    assert_eq!(text("ports.env"), "export CWTS_LOG=debug\n", "a person's file is never touched");
    for folder in ["data/default", "logs"] {
        assert!(home.path().join(folder).is_dir(), "{folder} is there before it is needed");
    }
    assert_eq!(furnish(&sources("default")).unwrap(), Vec::<PathBuf>::new(), "a second time there is nothing to do");

    furnish(&sources("desk")).unwrap();
    let desk = settings(home.path(), "desk");
    assert_eq!(
        desk.port(Service::McpWebsocket).origin.layer,
        Layer::PortTable,
        "its ports give way to those of others"
    );
    let text = fs::read_to_string(home.path().join("config/instances/desk.toml")).unwrap();
    assert!(text.contains("# mcp_port = 3000") && text.contains("id = \"desk\""), "and are there to be set: {text}");
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("data"), "a file in place of the folder, which stops root too").unwrap();
    let sources = Sources::new(home.path(), id("default"), None, Environment::empty()).unwrap();
    let error = furnish(&sources).unwrap_err().to_string();
    assert!(error.contains("data/default cannot be written"), "a person must learn which: {error}");
}
