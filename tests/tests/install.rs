//! `scripts/install.sh`: what it lays out, what it leaves alone, how it goes again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cwts_domain::Service;
use cwts_tests::{Exit, Installation, Ports, Server, finish, get, is_installed, skip};
use rustix::process::Signal;

const TOML_FILE: &str = "config/production.toml";
const SETTINGS: [&str; 3] = ["production.toml", "ports.conf", "ports.env"];
const ENTRY: &str = ".local/share/applications/cwts-ultra-panel.desktop";
const ICONS: &str = ".local/share/icons/hicolor";

fn shipped(name: &str) -> String {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("config");
    fs::read_to_string(config.join(name)).expect("a shipped file")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

/// Names of the files and folders, without those that start with a dot.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

/// Checks that the script refused with that status in one line that has all of `named`.
fn refused(exit: &Exit, status: i32, named: &[&str]) {
    assert_eq!(exit.status, Some(status), "a script sees that nothing was done: {exit:?}");
    assert_eq!(exit.stderr.lines().count(), 1, "one line that a person can read: {}", exit.stderr);
    for part in named {
        assert!(exit.stderr.contains(part), "the line must name {part}: {}", exit.stderr);
    }
}

/// An update to a release with other defaults: what was shipped last is older than what is shipped now.
fn age(installation: &Installation, name: &str, text: &str) {
    installation.write(&format!("config/.shipped/{name}"), text);
}

#[tokio::test]
async fn the_folders_are_those_of_the_guide_and_data_is_the_users_alone() {
    let installation = Installation::complete().await;
    assert_eq!(names(&installation.root("")), ["bin", "config", "data", "logs", "scripts"], "as the guide has it");
    assert_eq!(names(&installation.root("bin")), ["cwts-ultra", "cwts-ultra-panel"]);
    assert_eq!(names(&installation.root("scripts")), ["check-ports.sh", "launch.sh"]);
    assert_eq!(names(&installation.root("config")), ["instances", "ports.conf", "ports.env", "production.toml"]);
    assert_eq!(mode(&installation.root("data")), 0o700, "data will hold tokens and keys");
    for program in ["bin/cwts-ultra", "bin/cwts-ultra-panel", "scripts/launch.sh", "scripts/check-ports.sh"] {
        assert_eq!(mode(&installation.root(program)), 0o755, "{program} can be run");
    }
    for name in SETTINGS {
        assert_eq!(installation.text(&format!("config/{name}")), shipped(name), "{name} is as shipped");
    }
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let installation = Installation::headless().await;
    let before = names(&installation.root("config"));
    let exit = installation.run(&["--headless"]).await;
    assert_eq!(exit.status, Some(0), "{exit:?}");
    assert_eq!(exit.stderr.lines().count(), 1, "there is nothing to say but where it is: {}", exit.stderr);
    assert_eq!(names(&installation.root("config")), before, "and nothing new lies about");
}

#[tokio::test]
async fn an_update_keeps_what_a_person_changed_and_lays_the_new_default_beside_it() {
    let installation = Installation::headless().await;
    let mine = "# mine\n[mcp]\nmcp_port = 5010\n";
    installation.write(TOML_FILE, mine);
    let unchanged = installation.run(&["--headless"]).await;
    assert!(!installation.root("config/production.toml.new").exists(), "the default is as it was: {unchanged:?}");

    age(&installation, "production.toml", "# an older default\n");
    let exit = installation.run(&["--headless"]).await;
    assert_eq!(installation.text(TOML_FILE), mine, "a person's file is never overwritten");
    assert_eq!(installation.text("config/production.toml.new"), shipped("production.toml"));
    assert!(exit.stderr.contains("production.toml.new"), "and that is said: {}", exit.stderr);

    let again = installation.run(&["--headless"]).await;
    assert!(!again.stderr.contains(".new"), "once: {}", again.stderr);
    installation.write(TOML_FILE, &shipped("production.toml"));
    installation.run(&["--headless"]).await;
    assert!(!installation.root("config/production.toml.new").exists(), "who took the default needs no copy of it");
}

#[tokio::test]
async fn an_update_keeps_a_link_to_nothing() {
    let installation = Installation::headless().await;
    let file = installation.root(TOML_FILE);
    fs::remove_file(&file).expect("it is there");
    std::os::unix::fs::symlink(installation.user().join("dotfiles/mine.toml"), &file).expect("a link");
    let exit = installation.run(&["--headless"]).await;
    assert!(exit.status == Some(0) && file.is_symlink(), "whoever made it means a file that will be back: {exit:?}");
}

#[tokio::test]
async fn an_update_replaces_a_default_that_nobody_changed() {
    let installation = Installation::headless().await;
    installation.write("config/ports.conf", "# an older default\n");
    age(&installation, "ports.conf", "# an older default\n");
    installation.run(&["--headless"]).await;
    assert_eq!(installation.text("config/ports.conf"), shipped("ports.conf"), "it was nobody's work");
    assert_eq!(names(&installation.root("config")), ["instances", "ports.conf", "ports.env", "production.toml"]);
}

#[tokio::test]
async fn settings_that_were_there_before_the_first_installation_are_kept() {
    let installation = Installation::none();
    fs::create_dir_all(installation.root("config")).expect("a folder");
    installation.write(TOML_FILE, "[mcp]\nmcp_port = 5010\n");
    let exit = installation.run(&["--headless"]).await;
    assert_eq!(installation.text(TOML_FILE), "[mcp]\nmcp_port = 5010\n", "whoever wrote it: {exit:?}");
    assert!(exit.stderr.contains("production.toml.new"), "the person learns of the default: {}", exit.stderr);
}

#[tokio::test]
async fn a_running_server_survives_the_update_and_is_named() {
    let installation = Installation::headless().await;
    let ports = Ports::free();
    installation.write(TOML_FILE, &ports.toml());
    let server = Server::launch(installation.command(installation.root("scripts/launch.sh"))).await;
    let exit = installation.run(&["--headless"]).await;
    assert_eq!(exit.status, Some(0), "the old program may run on while the new one takes its place: {exit:?}");
    assert!(exit.stderr.contains(&server.pid().to_string()), "who still runs the old one is named: {}", exit.stderr);
    assert_eq!(get(ports.of(Service::Health), "/health").await.status, 200, "and serves on");

    let pid = server.pid().to_string();
    refused(&installation.run(&["--uninstall", "--purge"]).await, 1, &["default", &pid, "kill"]);
    assert!(installation.root("bin/cwts-ultra").exists(), "nothing is taken from under a running server");
    server.stop(Signal::TERM).await;
    assert_eq!(names(&installation.root("bin")), ["cwts-ultra"], "no half-written copy is left");
}

#[tokio::test]
async fn uninstalling_keeps_config_data_and_logs_until_it_is_to_purge() {
    let installation = Installation::complete().await;
    installation.write("data/journal", "orders");
    let exit = installation.run(&["--uninstall"]).await;
    assert_eq!(exit.status, Some(0), "{exit:?}");
    assert_eq!(names(&installation.root("")), ["config", "data", "logs"], "what is a person's is kept");
    assert!(exit.stderr.contains("kept config data logs"), "and named: {}", exit.stderr);
    assert!(!installation.user().join(ENTRY).exists(), "the menu offers nothing that is gone");
    assert!(!installation.user().join(ICONS).join("scalable/apps/cwts-ultra-panel.svg").exists());

    installation.run(&[]).await;
    assert_eq!(installation.text("data/journal"), "orders", "a new installation finds the old data");

    installation.run(&["--uninstall", "--purge"]).await;
    assert!(!installation.root("").exists(), "purge leaves nothing");
    refused(&installation.run(&["--uninstall"]).await, 1, &["nothing is installed", "--home"]);
}

#[tokio::test]
async fn uninstalling_leaves_a_persons_own_files_and_anothers_menu_entry() {
    let installation = Installation::complete().await;
    installation.write("scripts/mine.sh", "echo mine\n");
    let elsewhere = installation.user().join("elsewhere");
    let elsewhere = elsewhere.to_str().expect("a plain name");
    installation.run(&["--home", elsewhere]).await;
    installation.run(&["--uninstall", "--purge"]).await;
    assert_eq!(names(&installation.root("")), ["scripts"], "a script of a person's own is not ours to remove");
    let entry = fs::read_to_string(installation.user().join(ENTRY)).expect("the entry of the other installation");
    assert!(entry.contains(elsewhere), "the menu still starts the other one: {entry}");
}

#[tokio::test]
async fn the_command_is_found_by_name_unless_the_name_is_anothers() {
    let installation = Installation::headless().await;
    let link = installation.user().join(".local/bin/cwts-ultra");
    let mut command = installation.command(&link);
    command.args(["config", "get", "mcp.mcp_port"]);
    let exit = finish(command).await;
    assert_eq!((exit.status, exit.stdout.trim()), (Some(0), "3000"), "~/.local/bin is on the PATH: {exit:?}");
    installation.run(&["--uninstall"]).await;
    assert!(!link.is_symlink(), "no link to what is gone");

    fs::write(&link, "mine").expect("writable");
    installation.run(&["--headless"]).await;
    installation.run(&["--uninstall"]).await;
    assert_eq!(fs::read_to_string(&link).expect("still there"), "mine", "another program of that name is left alone");
}

#[tokio::test]
async fn wrong_words_and_places_are_one_line_with_the_remedy() {
    let installation = Installation::none();
    let user = installation.user().to_str().expect("a plain name").to_owned();
    fs::write(installation.user().join("file"), "").expect("writable");
    refused(&installation.run(&["--prefix", "/opt"]).await, 2, &["--prefix", "--help"]);
    refused(&installation.run(&["--home"]).await, 2, &["--home", "for example"]);
    refused(&installation.run(&["--purge"]).await, 2, &["--purge", "--uninstall"]);
    refused(&installation.run(&["--home", "/"]).await, 1, &["/ is no folder of CWTS Ultra's own", "--home DIR"]);
    refused(&installation.run(&["--home", &user]).await, 1, &[&user, "--home DIR"]);
    refused(&installation.run(&["--home", &format!("{user}/file")]).await, 1, &["file", "--home DIR"]);
    refused(&installation.run(&["--uninstall", "--home", &user]).await, 1, &[&user]);
    let mut unbuilt = installation.installer();
    unbuilt.env("CARGO_TARGET_DIR", installation.user());
    refused(&finish(unbuilt).await, 1, &["does not exist", "--no-build"]);
    let mut profile = installation.installer();
    profile.env("CWTS_BUILD", "fast");
    refused(&finish(profile).await, 1, &["CWTS_BUILD", "release or debug"]);
    assert_eq!(names(installation.user()), ["file"], "whatever was refused has left nothing");
}

#[tokio::test]
async fn the_menus_entry_is_valid_and_its_icon_is_in_every_size() {
    let installation = Installation::complete().await;
    let entry = installation.user().join(ENTRY);
    for size in ["32x32", "128x128", "256x256", "512x512", "128x128@2"] {
        let icon = installation.user().join(ICONS).join(size).join("apps/cwts-ultra-panel.png");
        assert!(icon.is_file(), "hicolor has {}", icon.display());
    }
    assert!(installation.user().join(ICONS).join("scalable/apps/cwts-ultra-panel.svg").is_file());
    if !is_installed("desktop-file-validate") {
        skip("desktop-file-validate is missing. Install the Debian package desktop-file-utils.");
        return;
    }
    let mut validate = installation.command("desktop-file-validate");
    validate.arg(entry);
    let exit = finish(validate).await;
    assert_eq!((exit.status, exit.stdout.as_str()), (Some(0), ""), "no error, no warning, no hint");
}
