//! The files that an installation starts with.

use super::*;

#[test]
fn the_shipped_files_hold_the_built_in_values_without_a_warning() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = Sources::new(&repository, InstanceId::default(), None, Environment::empty()).unwrap();
    let shipped = load(&sources.with_ephemeral_ports(None)).unwrap();
    let built_in = Home::new().load().unwrap();
    assert_eq!(shipped.warnings, [], "a fresh installation has nothing to complain about");
    for key in Key::ALL {
        let (ours, default) = (shipped.settings.get(key), built_in.settings.get(key));
        assert_eq!(ours.value, default.value, "{key}: installing the files must change nothing");
        assert_eq!(ours.origin.layer, Layer::Toml, "{key}: production.toml lists every setting");
    }
    assert_eq!(shipped.port_table, built_in.port_table, "ports.conf is the built-in table, to look at and to change");
}

#[test]
fn the_shipped_env_file_offers_every_variable() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/ports.env");
    let offered = fs::read_to_string(&path).unwrap().replace("# export", "export");
    let offered: String =
        offered.lines().filter(|line| line.starts_with("export")).map(|line| format!("{line}\n")).collect();
    let file = EnvFile::parse(&path, &offered).unwrap();
    // An instance is chosen before its ports.env is read.
    for key in Key::ALL.into_iter().filter(|key| key.variable().is_some() && *key != Key::InstanceId) {
        let value = file.get(key).and_then(|(raw, _)| raw.canonical(key));
        let built_in = Home::new().load().unwrap().settings.get(key).value;
        assert_eq!(value, Some(built_in), "{key}: the commented line shows the default, ready to use");
    }
}

#[test]
fn the_shipped_port_table_is_that_of_the_guide() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/ports.conf");
    let table: toml_edit::DocumentMut = fs::read_to_string(path).unwrap().parse().unwrap();
    for service in Service::ALL {
        let row = &table[service.id()];
        let ports =
            |name: &str| row[name].as_array().unwrap().iter().filter_map(|it| it.as_integer()).collect::<Vec<_>>();
        assert_eq!(row["default"].as_integer(), Some(service.default_port().into()), "{service}");
        assert_eq!(ports("alternatives"), service.alternative_ports().map(i64::from), "{service}");
        assert_eq!(ports("range"), [10000, 10100], "{service}");
        assert_eq!(row["variable"].as_str(), Some(service.port_variable()), "{service}");
    }
}
