//! What counts as an instance of a home.

use super::*;

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
