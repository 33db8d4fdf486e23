#!/usr/bin/env bash
# The tests that take long, in full: 500 random changes of settings with failures and crashes, 200 saves and 200 servers
# under load that are killed in the middle, 10,000 random bodies and frames for each listener, and an hour of fuzzing for
# each target. scripts/test.sh runs a tenth of them, and 20 s of fuzzing.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CWTS_SOAK=1

cargo test --locked -p cwts-config --lib save::tests::killed -- --nocapture --test-threads 1
cargo test --locked -p cwts-tests --test random_changes -- --nocapture --test-threads 1
cargo build --locked -p cwts-cli
cargo test --locked -p cwts-tests --test journal_crash -- --nocapture --test-threads 1
cargo test --locked -p cwts-tests --test any_input --test random_traffic -- --nocapture
./scripts/fuzz.sh 3600
