//! `docs/troubleshooting.md` is written from the table of causes, and this test fails when they differ.
//!
//! `UPDATE_DOCS=1 cargo test --workspace --test document` writes it anew.

use std::path::PathBuf;

#[test]
fn the_troubleshooting_page_is_the_table_of_causes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/troubleshooting.md");
    let expected = cwts_probe::troubleshooting();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).expect("the page is writable");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "a person would read of other causes; run the test with UPDATE_DOCS=1");
}
