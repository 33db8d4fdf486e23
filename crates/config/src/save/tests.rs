//! Saves on a real file system: all or nothing, and nobody's edit is lost.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Barrier;

use cwts_domain::{ErrorCode, Service};
use tempfile::TempDir;

use super::*;
use crate::{Environment, InstanceId, Layer, load};

mod killed;
mod refused;

const PORT: Key = Key::Port(Service::McpWebsocket);
const HTTP: Key = Key::Port(Service::McpHttp);

fn home() -> (TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let sources = Sources::new(folder.path(), InstanceId::default(), None, Environment::empty()).unwrap();
    (folder, sources.with_ephemeral_ports(None))
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn set(key: Key, value: u16) -> Edit {
    Edit::set(key, value).unwrap()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Every file of the configuration with its content.
fn contents(sources: &Sources) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(sources.home().join("config")).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file() && path.extension().is_none_or(|it| it != "lock"));
    let mut found: Vec<_> = files.map(|path| (path.clone(), text(&path))).collect();
    found.sort();
    found
}

#[test]
fn a_save_creates_the_folder_and_the_file() {
    let (_folder, sources) = home();
    let saved = save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &Revision::default()).unwrap();
    assert_eq!(text(sources.env_file()), "export MCP_SERVER_PORT=5010\n", "a shell can source it");
    let port = &saved.loaded.settings.mcp_port;
    assert_eq!(
        (port.value, port.origin.layer, port.origin.line),
        (5010, Layer::EnvFile, Some(1)),
        "and it is in force"
    );
    assert_eq!(load(&sources).unwrap(), saved.loaded, "the answer is what the next start reads");
}

#[test]
fn each_layer_is_saved_into_its_file() {
    let (_folder, sources) = home();
    write(sources.toml_file(), "[mcp]\nmcp_port = 3000 # mine\n");
    let revision = load(&sources).unwrap().revision;
    let saved = save(&sources, SaveLayer::Toml, &[set(PORT, 5010), set(HTTP, 5011)], &revision).unwrap();
    assert_eq!(text(sources.toml_file()), "[mcp]\nmcp_port = 5010 # mine\nmcp_http_port = 5011\n", "comments stay");
    assert!(!sources.env_file().exists(), "the other layer is not touched");
    assert_eq!(saved.loaded.settings.mcp_http_port.value, 5011, "all edits of one save are made");
}

#[test]
fn the_last_good_copy_is_kept_beside_the_file() {
    let (_folder, sources) = home();
    let backup = sources.home().join("config/ports.env.bak");
    write(sources.env_file(), "MCP_SERVER_PORT=4001 # good\n");
    let revision = load(&sources).unwrap().revision;
    save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &revision).unwrap();
    assert_eq!(text(&backup), "MCP_SERVER_PORT=5010 # good\n", "what the file holds, once more");
    write(sources.env_file(), "MCP_SERVER_PORT=broken\n");
    let refused = save(&sources, SaveLayer::EnvFile, &[set(HTTP, 5011)], &Revision::read(&sources).unwrap());
    assert!(matches!(refused, Err(ConfigError::InvalidValue { .. })), "the file is not in order: {refused:?}");
    assert_eq!(text(&backup), "MCP_SERVER_PORT=5010 # good\n", "a broken file must not replace the good copy");
}

#[test]
fn an_invalid_value_can_be_repaired_by_a_save() {
    let (_folder, sources) = home();
    write(sources.env_file(), "MCP_SERVER_PORT=abc\n");
    let revision = Revision::read(&sources).unwrap();
    let saved = save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &revision).unwrap();
    assert_eq!(saved.loaded.settings.mcp_port.value, 5010, "`config set` is a way out of a broken file");
}

#[test]
fn mode_and_symbolic_link_survive() {
    let (folder, sources) = home();
    let real = folder.path().join("dotfiles/ports.env");
    write(&real, "A=1\n");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir(sources.home().join("config")).unwrap();
    std::os::unix::fs::symlink(&real, sources.env_file()).unwrap();
    let revision = load(&sources).unwrap().revision;
    save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &revision).unwrap();
    assert_eq!(text(&real), "A=1\nexport MCP_SERVER_PORT=5010\n", "the file behind the link is edited");
    assert!(sources.env_file().is_symlink(), "the link stays a link");
    for file in [&real, &real.with_extension("env.bak")] {
        let mode = fs::metadata(file).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o640, "nobody gains access to {} by a save", file.display());
    }
}

#[test]
fn a_link_to_nothing_is_refused_and_stays() {
    for layer in SaveLayer::ALL {
        let (folder, sources) = home();
        let (link, dotfiles) = (layer.path(&sources).to_owned(), folder.path().join("dotfiles"));
        fs::create_dir(sources.home().join("config")).unwrap();
        std::os::unix::fs::symlink("../dotfiles/mine", &link).unwrap();
        let target = link.with_file_name("../dotfiles/mine");
        let expected = format!(
            "{} is a link to {}, which does not exist. Create that file, or remove the link.",
            link.display(),
            target.display()
        );
        let said = [
            load(&sources).unwrap_err().to_string(),
            save(&sources, layer, &[set(PORT, 5010)], &Revision::default()).unwrap_err().to_string(),
        ];
        assert_eq!(said, [expected.clone(), expected], "defaults in place of the person's file would be a guess");
        assert!(link.is_symlink() && !dotfiles.exists(), "the link stays, and nothing is made at its other end");
        write(&target, "");
        save(&sources, layer, &[set(PORT, 5010)], &load(&sources).unwrap().revision).unwrap();
        assert!(text(&target).contains("5010") && link.is_symlink(), "with a file there, it is edited");
    }
}

#[test]
fn a_save_without_effect_touches_nothing() {
    let (_folder, sources) = home();
    write(sources.env_file(), "MCP_SERVER_PORT=5010\n");
    let before = fs::metadata(sources.env_file()).unwrap().ino();
    let revision = load(&sources).unwrap().revision;
    save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &revision).unwrap();
    assert_eq!(fs::metadata(sources.env_file()).unwrap().ino(), before, "the same value needs no new file");
    save(&sources, SaveLayer::Toml, &[Edit::remove(PORT)], &revision).unwrap();
    assert!(!sources.toml_file().exists(), "removing what is absent creates no file");
}

#[test]
fn an_edit_elsewhere_in_the_file_is_kept() {
    let (_folder, sources) = home();
    write(sources.env_file(), "MCP_SERVER_PORT=4001\n");
    let revision = load(&sources).unwrap().revision;
    write(sources.env_file(), "# by hand\nMCP_SERVER_PORT=4001\nPROMETHEUS_PORT=9190\n");
    save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &revision).unwrap();
    let expected = "# by hand\nMCP_SERVER_PORT=5010\nPROMETHEUS_PORT=9190\n";
    assert_eq!(text(sources.env_file()), expected, "both edits are there");
}

#[test]
fn an_edit_of_the_same_value_in_the_meantime_is_a_conflict() {
    let (_folder, sources) = home();
    for layer in [SaveLayer::EnvFile, SaveLayer::Toml] {
        let revision = Revision::read(&sources).unwrap();
        save(&sources, layer, &[set(PORT, 4001)], &revision).unwrap();
        let before = contents(&sources);
        let error = save(&sources, layer, &[set(PORT, 5010)], &revision).unwrap_err();
        assert_eq!(error.code(), ErrorCode::RevisionConflict, "the person has not seen 4001");
        assert!(error.to_string().contains("4001"), "the message shows the new value: {error}");
        assert_eq!(contents(&sources), before, "a refused save changes nothing");
    }
}

#[test]
fn edits_that_would_make_the_configuration_invalid_change_nothing() {
    let (_folder, sources) = home();
    write(sources.env_file(), "MCP_SERVER_PORT=4001\n");
    let (before, revision) = (contents(&sources), load(&sources).unwrap().revision);
    let edits = [set(PORT, 5010), set(HTTP, 9090)];
    let refused = save(&sources, SaveLayer::EnvFile, &edits, &revision).unwrap_err();
    assert!(matches!(refused, ConfigError::SharedPort { port: 9090, .. }), "9090 is that of Prometheus: {refused}");
    assert_eq!(contents(&sources), before, "not even the first edit is made");
    let previewed = preview(&sources, &[(SaveLayer::EnvFile, &edits)], &revision).unwrap_err();
    assert_eq!(previewed.to_string(), refused.to_string(), "the preview tells the same beforehand");
}

#[test]
fn a_refused_edit_names_places_as_they_are() {
    let (_folder, sources) = home();
    let toml = sources.toml_file().display().to_string();
    write(sources.toml_file(), "[monitoring]\nmetrics_port = 9190\n\n[mcp]\n");
    write(sources.env_file(), "");
    let revision = load(&sources).unwrap().revision;
    let refused = |layer, edits: &[Edit]| save(&sources, layer, edits, &revision).unwrap_err().to_string();
    for layer in SaveLayer::ALL {
        assert_eq!(
            refused(layer, &[set(PORT, 9190)]),
            format!(
                "MCP WebSocket cannot have port 9190: Prometheus has it ({toml}:2). Use another port for MCP WebSocket, or \
                 move Prometheus first."
            ),
            "not a line that the file would have"
        );
        assert_eq!(
            refused(layer, &[set(PORT, 8080)]),
            "MCP WebSocket cannot have port 8080: Health check has it (built-in default). Use another port for MCP \
             WebSocket, or move Health check first.",
            "nor one that no file has"
        );
        assert_eq!(
            refused(layer, &[set(PORT, 5010), set(HTTP, 5010)]),
            "MCP WebSocket (this change) and MCP HTTP API (this change) share port 5010. Give one of them another port.",
            "where both are asked for, neither is to blame alone"
        );
    }
    let open = Edit::set(Key::Auth, "none").unwrap();
    let beyond = Edit::set(Key::BindAddr(cwts_domain::Group::Monitoring), "0.0.0.0").unwrap();
    assert_eq!(
        refused(SaveLayer::Toml, &[open, beyond]),
        "security.auth is none (this change), which is taken for loopback only, but monitoring.bind_addr is 0.0.0.0 (this \
         change). Set security.auth to token, or monitoring.bind_addr to 127.0.0.1.",
        "other settings that exclude each other are told alike"
    );
    write(sources.toml_file(), "[mcp]\n\n[monitoring]\nmetrics_port = 0\n");
    let revision = Revision::read(&sources).unwrap();
    let error = save(&sources, SaveLayer::Toml, &[set(PORT, 5010)], &revision).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{toml}:4: ")), "the line before the edit moved it: {error}");
}

#[test]
fn a_preview_writes_nothing() {
    let (folder, sources) = home();
    let seen = preview(&sources, &[(SaveLayer::Toml, &[set(PORT, 5010)])], &Revision::default()).unwrap();
    assert_eq!(seen.settings.mcp_port.value, 5010, "it shows what would be in force");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was created, not even a lock");
}

#[test]
fn a_save_below_the_environment_shows_what_hides_it() {
    let (folder, _) = home();
    let environment = Environment::from([("MCP_SERVER_PORT", "4001")]);
    let sources = Sources::new(folder.path(), InstanceId::default(), None, environment).unwrap();
    let saved = save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &Revision::default()).unwrap();
    let port = saved.loaded.settings.mcp_port;
    assert_eq!((port.value, port.shadowed[0].value), (4001, 5010), "the file holds 5010, the environment decides");
}

#[test]
fn an_undone_save_leaves_every_byte_as_it_was() {
    let (_folder, sources) = home();
    write(sources.env_file(), "MCP_SERVER_PORT='4001'   # mine");
    let revision = load(&sources).unwrap().revision;
    save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &revision).unwrap().undo().unwrap();
    assert_eq!(load(&sources).unwrap().revision, revision, "a failed port change must leave no trace in the file");
    save(&sources, SaveLayer::Toml, &[set(PORT, 5010)], &revision).unwrap().undo().unwrap();
    assert!(!sources.toml_file().exists(), "a file that the save created goes again");
}

#[test]
fn an_undo_never_takes_away_a_later_edit() {
    let (_folder, sources) = home();
    let saved = save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &Revision::default()).unwrap();
    write(sources.env_file(), "MCP_SERVER_PORT=5020\n");
    let error = saved.undo().unwrap_err();
    assert_eq!(error.code(), ErrorCode::RevisionConflict, "somebody came in between: {error}");
    assert_eq!(text(sources.env_file()), "MCP_SERVER_PORT=5020\n", "their edit stays");
}

#[test]
fn a_failed_save_names_the_file_and_changes_nothing() {
    let (_folder, sources) = home();
    write(sources.env_file(), "MCP_SERVER_PORT=4001\n");
    let revision = load(&sources).unwrap().revision;
    // A folder in the way of the copy fails for every user, root included.
    let obstacle = sources.home().join("config/ports.env.bak");
    fs::create_dir(&obstacle).unwrap();
    let before = contents(&sources);
    let error = save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &revision).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SaveFailed, "{error}");
    assert!(error.to_string().starts_with(&obstacle.display().to_string()), "the file is named: {error}");
    assert_eq!(contents(&sources), before, "no half-written and no temporary file stays");
}

#[test]
fn a_folder_without_write_permission_is_named_with_the_remedy() {
    let (_folder, sources) = home();
    write(sources.env_file(), "MCP_SERVER_PORT=4001\n");
    let (before, revision) = (contents(&sources), load(&sources).unwrap().revision);
    let config = sources.home().join("config");
    fs::set_permissions(&config, fs::Permissions::from_mode(0o555)).unwrap();
    let result = save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &revision);
    fs::set_permissions(&config, fs::Permissions::from_mode(0o755)).unwrap();
    match result {
        // Root writes everywhere.
        Ok(saved) => assert_eq!(saved.loaded.settings.mcp_port.value, 5010, "a save that says so took place"),
        Err(error) => {
            assert!(error.to_string().ends_with("Give this user write permission on the file's folder."), "{error}");
            assert_eq!(contents(&sources), before, "nothing changed");
        }
    }
}

#[test]
fn a_save_into_a_place_that_is_no_folder_names_the_reason() {
    let (folder, sources) = home();
    fs::write(folder.path().join("config"), "").unwrap();
    let error = save(&sources, SaveLayer::EnvFile, &[set(PORT, 5010)], &Revision::default()).unwrap_err();
    assert!(matches!(error, ConfigError::SaveFailed { .. }), "{error}");
    assert!(error.to_string().contains("ports.env"), "the file is named: {error}");
}

#[test]
fn writers_at_the_same_moment_lose_no_edit() {
    let (_folder, sources) = home();
    write(sources.env_file(), "# mine\n");
    let revision = load(&sources).unwrap().revision;
    let keys = Service::ALL.map(Key::Port);
    let start = Barrier::new(keys.len());
    std::thread::scope(|scope| {
        for (key, port) in keys.into_iter().zip(5010..) {
            let (sources, revision, start) = (&sources, &revision, &start);
            scope.spawn(move || {
                start.wait();
                save(sources, SaveLayer::EnvFile, &[set(key, port)], revision).map(drop)
            });
        }
    });
    let settings = load(&sources).unwrap().settings;
    for (service, port) in Service::ALL.into_iter().zip(5010..) {
        assert_eq!(settings.port(service).value, port, "the edit of {service} was saved by somebody who was told so");
    }
}

#[test]
fn a_reader_during_saves_sees_whole_files_only() {
    let (_folder, sources) = home();
    write(sources.env_file(), &format!("# {}\nMCP_SERVER_PORT=5000\n# end\n", "x".repeat(20_000)));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for port in 5001..5050 {
                let revision = Revision::read(&sources).unwrap();
                save(&sources, SaveLayer::EnvFile, &[set(PORT, port)], &revision).map(drop).unwrap();
            }
        });
        while !writer.is_finished() {
            assert!(text(sources.env_file()).ends_with("# end\n"), "a mixture of old and new must never be visible");
        }
    });
    assert_eq!(load(&sources).unwrap().settings.mcp_port.value, 5049, "the last save is in force");
}
