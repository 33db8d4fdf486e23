//! The fuzz targets as ordinary tests: the seeds, and random inputs that resemble them.
//!
//! `scripts/fuzz.sh` runs the same functions under libFuzzer. An input that breaks one belongs into `fuzz/seeds`. With
//! `CWTS_FUZZ_SECONDS` set, each test goes on for so long.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use std::time::{Duration, Instant};

use cwts_tests::{Random, seeds, tell, tenth_of};

const INPUTS: u64 = 50_000;

fn holds(target: &str, check: fn(&[u8])) {
    let seeds = seeds(target);
    let mut random = Random(0);
    let end = std::env::var("CWTS_FUZZ_SECONDS").ok().map(|seconds| {
        Instant::now() + Duration::from_secs(seconds.parse().expect("CWTS_FUZZ_SECONDS is a number of seconds"))
    });
    let mut count = 0;
    let goes_on = |count| count < tenth_of(INPUTS) || end.is_some_and(|end| Instant::now() < end);
    let mut left = seeds.iter();
    loop {
        let input = match left.next() {
            Some(seed) => seed.clone(),
            None if goes_on(count) => {
                count += 1;
                random.like(&seeds)
            }
            None => break,
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&input))) {
            eprintln!("{target} fails on {:?}", String::from_utf8_lossy(&input));
            resume_unwind(panic);
        }
    }
    tell(&format!("{target}: {} seeds and {count} random inputs", seeds.len()));
}

#[test]
fn an_edit_of_any_ports_env_changes_what_it_names_and_loses_nothing() {
    holds("ports_env", cwts_config::fuzzing::env_file);
}

#[test]
fn an_edit_of_any_production_toml_changes_what_it_names_and_loses_nothing() {
    holds("production_toml", cwts_config::fuzzing::toml_file);
}

#[test]
fn nobody_is_let_in_by_any_spelling_of_a_foreign_name_and_no_token_stays_in_a_request() {
    holds("handshake", cwts_server::fuzzing::handshake);
}

#[test]
fn any_message_is_read_or_answered() {
    holds("message", cwts_server::fuzzing::message);
}
