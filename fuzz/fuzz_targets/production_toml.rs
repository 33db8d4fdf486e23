#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cwts_config::fuzzing::toml_file(input));
