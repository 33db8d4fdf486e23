//! A program that is killed while it saves: the files are whole, whatever the moment.
//!
//! The program is this test program once more, told by an environment variable where to save.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::env_file::EnvFile;
use crate::toml_file::TomlFile;

const SAVE_BELOW: &str = "CWTS_TEST_SAVE_BELOW";
/// With this variable set, a test takes its time.
const SOAK: &str = "CWTS_SOAK";
/// In microseconds; longer than two saves take.
const LONGEST: u64 = 8_000;
const DEADLINE: Duration = Duration::from_secs(20);

/// Long enough for several writes and a noticeable sync.
fn filler() -> String {
    format!("# {}\n", "x".repeat(40_000))
}

fn start(sources: &Sources) -> Child {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "save::tests::killed::saves_until_it_is_killed", "--nocapture"]);
    program.env(SAVE_BELOW, sources.home()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn saves_until_it_is_killed() {
    let Some(home) = std::env::var_os(SAVE_BELOW) else { return };
    let sources = Sources::new(Path::new(&home), InstanceId::default(), None, Environment::empty()).unwrap();
    for port in (5000_u16..60000).step_by(2).cycle() {
        for layer in [SaveLayer::EnvFile, SaveLayer::Toml] {
            let revision = Revision::read(&sources).unwrap();
            save(&sources, layer, &[set(PORT, port), set(HTTP, port + 1)], &revision).unwrap();
        }
        // Fails, and so ends the program, when the test is gone.
        println!("\nsaved {port}");
    }
}

/// Both ports of a file and of the copy beside it. Panics when a file is not whole.
fn ports(layer: SaveLayer, path: &Path) -> Vec<(u16, u16)> {
    let files = [path.to_owned(), file::beside(path, "", ".bak")];
    let read = files.iter().map(|path| {
        let text = text(path);
        assert!(text.starts_with(&filler()) && text.ends_with("# end\n"), "{} is not whole", path.display());
        let value = |key| match layer {
            SaveLayer::EnvFile => EnvFile::parse(path, &text).unwrap().get(key).unwrap().0.port().unwrap(),
            SaveLayer::Toml => TomlFile::parse(path, &text).unwrap().get(key).unwrap().0.port().unwrap(),
        };
        (value(PORT), value(HTTP))
    });
    read.collect()
}

/// Temporary files in the folder of the configuration.
fn leftovers(sources: &Sources) -> usize {
    let entries = fs::read_dir(sources.home().join("config")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|it| it == "tmp")).count()
}

/// Any moment of a save, another one in every round; in every second round one while a file is being written.
fn await_the_moment(round: u64, sources: &Sources) {
    let start = Instant::now();
    let any = Duration::from_micros(round * 1_237 % LONGEST);
    let has_come = || if round.is_multiple_of(2) { start.elapsed() >= any } else { leftovers(sources) > 0 };
    while !has_come() {
        assert!(start.elapsed() < DEADLINE, "round {round}: the program must go on saving");
        std::thread::yield_now();
    }
}

#[test]
fn a_kill_in_the_middle_of_a_save_leaves_whole_files() {
    let rounds = if std::env::var_os(SOAK).is_some() { 200 } else { 20 };
    let (_folder, sources) = home();
    let ports_of_both = [("export MCP_SERVER_PORT", "export MCP_HTTP_PORT"), ("mcp.mcp_port", "mcp.mcp_http_port")];
    for (path, (port, http)) in [sources.env_file(), sources.toml_file()].into_iter().zip(ports_of_both) {
        write(path, &format!("{}{port}=4000\n{http}=4001\n# end\n", filler()));
    }
    let mut in_the_middle = 0;
    for round in 0..rounds {
        let mut child = start(&sources);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let saves = lines.any(|line| line.unwrap().starts_with("saved"));
        await_the_moment(round, &sources);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(saves, "round {round}: the program must be at it before it is killed");
        in_the_middle += usize::from(leftovers(&sources) > 0);
        for (layer, path) in [(SaveLayer::EnvFile, sources.env_file()), (SaveLayer::Toml, sources.toml_file())] {
            for (port, http) in ports(layer, path) {
                assert_eq!(port + 1, http, "round {round}: a save is made whole or not at all");
            }
        }
        load(&sources).unwrap();
    }
    // The harness hides what the print macros write.
    writeln!(io::stderr(), "{rounds} kills of a save, {in_the_middle} of them while a temporary file was there")
        .unwrap();
    let revision = Revision::read(&sources).unwrap();
    for layer in [SaveLayer::EnvFile, SaveLayer::Toml] {
        save(&sources, layer, &[set(PORT, 4998)], &revision).unwrap();
    }
    assert_eq!(leftovers(&sources), 0, "the next save clears away what a killed one left behind");
}
